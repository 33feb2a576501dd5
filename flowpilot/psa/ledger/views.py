"""The ledger: every push of the account, what needs somebody, and which resolved sessions have no time."""

from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flowpilot.psa.asking import Unanswered, in_words
from flowpilot.psa.connecting.providers import SYSTEMS
from flowpilot.psa.connections import current_connection
from flowpilot.psa.ledger.listing import LedgerForm, WithoutTimeForm, counts, entries, ledger_href
from flowpilot.psa.models import PsaPush
from flowpilot.psa.resending import send_all_again
from flowpilot.psa.showing import Shown, shown
from flowpilot.psa.sweep import delete_double, keep_double
from flowpilot.psa.words import pushes_are
from flowpilot.sessions.states import Refused
from resolutionflow.accounts.names import shown_names
from resolutionflow.accounts.scoping import AccountRequest, team_required
from resolutionflow.exports import export_menu
from resolutionflow.links import url_with
from resolutionflow.numbered_pages import NumberedPage, numbered_page

leads_only = team_required(
    "The ledger of pushes is for team admins. Those of your sessions stand on their pages."
)


@require_GET
@leads_only
def ledger(request: AccountRequest) -> HttpResponse:
    """All pushes, newest first, or those that a filter leaves."""
    form = LedgerForm(request.GET)
    page = numbered_page(request, form.pushes().values_list("pk", flat=True), "pushes")
    pushes = entries(PsaPush.objects.filter(pk__in=page.rows))
    names = shown_names(request.account, request.user)
    wanted = form.wanted()
    state = wanted.get("state") or "all"
    kept = {"kind": wanted.get("kind"), "q": wanted.get("q")}
    number = counts()
    context = {
        "form": form,
        "groups": [
            {"push": group[0].push, "engineer": names[group[0].push.session.user_id], "entries": group}
            for group in _together(shown(pushes, request.now))
        ],
        "page": page,
        "tabs": [
            (label, number[name], url_with("psa:ledger", kept | {"state": name}), name == state)
            for name, label in LedgerForm.STATES
        ],
        "state": state,
        "number": number,
        "filtered": bool(kept["kind"] or kept["q"]),
        "back": urlencode({name: value for name, value in (kept | {"state": state}).items() if value}),
        "connection": current_connection(),
        "export": _export(form, page, "pushes", "push", "pushes"),
    }
    return render(request, "psa/ledger.html", context)


def _together(entries: list[Shown]) -> list[list[Shown]]:
    """Those of one revision stand under their session once."""

    def end(entry: Shown) -> tuple[Any, ...]:
        push = entry.push
        return push.session_id, push.created_at, push.revision, push.psa_ticket_id

    return [list(group) for _, group in groupby(entries, end)]


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
        "export": _export(form, page, "without-time", "session", "sessions"),
    }
    return render(request, "psa/without_time.html", context)


def _export(
    form: LedgerForm | WithoutTimeForm, page: NumberedPage, what: str, one: str, many: str
) -> dict[str, Any] | None:
    """The Export menu, for what there is with filters that can be read."""
    if not form.is_valid() or not page.total:
        return None
    note = f"{page.total:,} {one if page.total == 1 else many}"
    return export_menu(many, note, f"analytics:{what}-export", form.cleaned_data)


@leads_only
@require_POST
def all_again(request: AccountRequest) -> HttpResponse:
    """Everything that needs attention and can be sent as it stands."""
    number = send_all_again(now=request.now)
    if number:
        messages.success(request, f"{pushes_are(number)} sent again. What is not accepted comes back here.")
    else:
        messages.info(request, "There is nothing to send again.")
    return redirect(ledger_href(request.POST.get("back", "")))


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
