"""The ledger: every push of the account, what needs somebody, and which resolved sessions have no time."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flowpilot.psa.asking import Unanswered, in_words
from flowpilot.psa.connecting.providers import SYSTEMS
from flowpilot.psa.connections import current_connection
from flowpilot.psa.ledger.listing import LedgerForm, WithoutTimeForm, counts
from flowpilot.psa.models import PsaPush
from flowpilot.psa.resending import send_again, send_all_again
from flowpilot.psa.states import State
from flowpilot.psa.sweep import delete_double, keep_double
from flowpilot.psa.words import pushes_are, standing
from flowpilot.sessions.states import Refused
from resolutionflow.accounts.names import shown_names
from resolutionflow.accounts.scoping import AccountRequest, team_required
from resolutionflow.links import url_with
from resolutionflow.numbered_pages import numbered_page

leads_only = team_required(
    "The ledger of pushes is for team admins. Those of your sessions stand on their pages."
)


@require_GET
@leads_only
def ledger(request: AccountRequest) -> HttpResponse:
    """All pushes, newest first, or those that a filter leaves."""
    form = LedgerForm(request.GET)
    page = numbered_page(request, form.pushes(), "pushes")
    names = shown_names(request.account, request.user)
    replaced = _replaced([push.pk for push in page.rows])
    wanted = form.wanted()
    state = wanted.get("state") or "all"
    kept = {"kind": wanted.get("kind"), "q": wanted.get("q")}
    number = counts()
    context = {
        "form": form,
        "rows": [
            {
                "push": push,
                "engineer": names[push.session.user_id],
                "standing": standing(push, request.now, replaced=push.pk in replaced),
                "can_repeat": push.status == State.NEEDS_ATTENTION and push.pk not in replaced,
            }
            for push in page.rows
        ],
        "page": page,
        "tabs": [
            (label, number[name], url_with("psa:ledger", kept | {"state": name}), name == state)
            for name, label in LedgerForm.STATES
        ],
        "state": state,
        "counts": number,
        "filtered": bool(kept["kind"] or kept["q"]),
        "connection": current_connection(),
    }
    return render(request, "psa/ledger.html", context, status=200)


def _replaced(ids: list[UUID]) -> set[UUID]:
    rows: Any = PsaPush.objects.filter(pk__in=ids)
    return set(rows.superseded().values_list("pk", flat=True))


@require_GET
@leads_only
def without_time(request: AccountRequest) -> HttpResponse:
    """Resolved sessions of the period with no time in the ticket system."""
    form = WithoutTimeForm(request.GET)
    page = numbered_page(request, form.sessions(request.now), "sessions")
    names = shown_names(request.account, request.user)
    wanted = form.cleaned_data if form.is_valid() else {}
    period = wanted.get("period") or "30d"
    kept = {"ticket": wanted.get("ticket")}
    context = {
        "form": form,
        "rows": [(session, names[session.user_id]) for session in page.rows],
        "page": page,
        "periods": [
            (label, url_with("psa:without-time", kept | {"period": name}), name == period)
            for name, label in form.fields["period"].choices  # type: ignore[attr-defined]
        ],
        "period": period,
        "connection": current_connection(),
    }
    return render(request, "psa/without_time.html", context)


@leads_only
@require_POST
def again(request: AccountRequest, push_id: UUID) -> HttpResponse:
    push = get_object_or_404(PsaPush.objects.select_related("session"), id=push_id)
    try:
        send_again(push.id, now=request.now)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, f"The {push.get_kind_display().lower()} for ticket {push.psa_ticket_id} is sent again."
        )
    return redirect(_back(request))


@leads_only
@require_POST
def all_again(request: AccountRequest) -> HttpResponse:
    """Everything that needs attention and can be sent as it stands."""
    number = send_all_again(now=request.now)
    if number:
        messages.success(request, f"{pushes_are(number)} sent again. What is not accepted comes back here.")
    else:
        messages.info(request, "There is nothing to send again.")
    return redirect(_back(request))


@require_http_methods(["GET", "POST"])
@leads_only
def double(request: AccountRequest, push_id: UUID) -> HttpResponse:
    """Shows what the ticket has more than once; deletes a younger one there, or leaves it, if asked to."""
    push = get_object_or_404(PsaPush.objects.select_related("session", "connection"), id=push_id)
    if request.method == "GET":
        return render(request, "psa/double.html", {"push": push, "system": SYSTEMS[push.connection.provider]})
    external_id = request.POST.get("external_id", "").replace("\0", "")[:100]
    try:
        if "keep" in request.POST:
            keep_double(push, external_id, actor=request.user)
            messages.success(request, "It stays in the ticket and is shown no more.")
        else:
            in_words(lambda: delete_double(push, external_id, actor=request.user))
            messages.success(request, "The younger one is deleted from the ticket.")
    except Refused as refusal:
        messages.error(request, str(refusal))
    except Unanswered as unanswered:
        messages.error(request, f"Nothing was deleted. {unanswered.trouble}")
    return redirect("psa:ledger")


def _back(request: AccountRequest) -> str:
    """Where the button stood, its filters with it."""
    query = request.POST.get("back", "").replace("\0", "")[:500]
    allowed = LedgerForm(dict(pair.partition("=")[::2] for pair in query.split("&") if pair))
    wanted = allowed.wanted()
    return url_with("psa:ledger", {name: wanted.get(name) for name in ("state", "kind")})
