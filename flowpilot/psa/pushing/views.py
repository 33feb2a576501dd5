"""What of a session goes to its ticket: looked at before, chosen after its end, and followed."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flowpilot.psa.ledger.listing import ledger_href
from flowpilot.psa.models import PsaPush
from flowpilot.psa.outbox import next_revision
from flowpilot.psa.pushing import offering
from flowpilot.psa.pushing.followed import followed
from flowpilot.psa.pushing.form import PushForm, ending_of
from flowpilot.psa.pushing.meant import meant_before
from flowpilot.psa.pushing.ticket_now import look_up
from flowpilot.psa.resending import dismiss, send_again, set_status_now
from flowpilot.psa.words import listed
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import FINAL, BadValue, Refused
from resolutionflow.accounts.scoping import AccountRequest, account_required
from resolutionflow.storable import UNSTORABLE


@account_required
@require_POST
def look(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """Asks for the ticket as it is now, and shows what would be sent; keeps what was entered. Changes nothing."""
    session = offering.pushed_by(request.user, session_id)
    form = looked_at(request, session)
    if form is None:
        return HttpResponse(status=204)
    context = {"session": session} | push_context(request, session, form)
    return render(request, "sessions/_push_fields.html", context)


def looked_at(request: AccountRequest, session: Session) -> PushForm | None:
    form = offering.push_form(request, session, request.POST)
    if form is None:
        return None
    ticket_now = look_up(form.connection, str(session.psa_ticket_id))
    again = offering.push_form(
        request,
        session,
        request.POST,
        ticket_now=ticket_now,
        already=offering.already_on(session),
        meant=meant_before(session),
    )
    return again.anew(_ending(request, session)) if again else None


def _ending(request: AccountRequest, session: Session) -> dict[str, str]:
    """As the form says while the session is open, and as it was once it has ended."""
    if session.completed_at is None:
        return ending_of(request.POST)
    return ended_so(session)


def ended_so(session: Session) -> dict[str, str]:
    return ending_of(
        {
            "outcome": session.outcome,
            "resolution_summary": session.resolution_summary,
            "escalation_reason": session.escalation_reason,
        }
    )


def push_context(request: AccountRequest, session: Session, form: PushForm) -> dict[str, Any]:
    """The context of sessions/_push_fields.html once somebody looked."""
    planned, fault = form.planned(_ending(request, session))
    return {"push": form, "planned": planned, "push_fault": fault, "looked": True}


@account_required
@require_http_methods(["GET", "POST"])
def send(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """After the end: the same choices again, as a further revision. Without a ticket, the way to one."""
    session = offering.pushed_by(request.user, session_id)
    if session.status not in FINAL:
        return redirect("sessions:detail", session.id)
    if not session.psa_ticket_id:
        return redirect("sessions:ticket", session.id)
    already = offering.already_on(session)
    data = request.POST if request.method == "POST" else None
    form = offering.push_form(request, session, data, already=already, meant=meant_before(session))
    if form is None:
        messages.error(request, "No ticket system is connected. A team admin connects one in the settings.")
        return redirect("sessions:detail", session.id)
    if data is None:
        return _send_page(request, session, form.anew(ended_so(session)), loads=True)
    if "push-look" in data:
        return _send_page(request, session, looked_at(request, session) or form)
    if form.is_valid():
        try:
            revision = _revision(request.POST.get("revision", ""))
            sent = offering.push(form, session, ended_so(session), now=request.now, revision=revision)
        except Refused as refusal:
            form.already = offering.already_on(session)
            _fault(form, refusal)
        else:
            if sent:
                messages.success(request, "It is on its way. Where it stands is shown here.")
                return redirect(f"{reverse('sessions:detail', args=[session.id])}#pushes")
            form.add_error(None, "Choose what is to be sent.")
    return _send_page(request, session, form, status=422)


def _revision(given: str) -> int | None:
    """As the page was rendered; None where it does not say. A form that arrives twice is refused the second time."""
    return int(given) if given.isdecimal() and len(given) < 10 else None


def _fault(form: PushForm, refusal: Refused) -> None:
    field = refusal.field if isinstance(refusal, BadValue) else None
    form.add_error(field if field in form.fields else None, str(refusal))


def _send_page(
    request: AccountRequest, session: Session, form: PushForm, *, loads: bool = False, status: int = 200
) -> HttpResponse:
    context = push_context(request, session, form)
    meant = form.meant
    context |= {
        "session": session,
        "revision": next_revision(session, form.connection),
        "look_on": "load" if loads else "",
        "already": listed(form.already),
        "already_number": len(form.already),
        "meant": meant,
        "proposed": listed(meant.kinds) if meant else "",
        "there": listed(meant.there) if meant else "",
    }
    return render(request, "sessions/send.html", context, status=status)


@account_required
@require_GET
def state(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """Where the session's pushes stand, for its page, which asks while they are under way."""
    session = offering.pushed_by(request.user, session_id)
    return render(request, "sessions/_pushes.html", followed(request.user, session, request.now))


@account_required
@require_POST
def again(request: AccountRequest, session_id: UUID, push_id: UUID) -> HttpResponse:
    """Sends once more, as it stands, what needed attention; it is looked for in the ticket first."""
    push = _push(request, session_id, push_id)
    return _done(request, push, lambda: send_again(push.id, now=request.now), f"{push} is sent again.")


@account_required
@require_POST
def set_now(request: AccountRequest, session_id: UUID, push_id: UUID) -> HttpResponse:
    """A status that waited for something that needs a person waits no longer."""
    push = _push(request, session_id, push_id)
    words = f"The status of ticket {push.psa_ticket_id} is set now."
    return _done(request, push, lambda: set_status_now(push.id, by=request.user, now=request.now), words)


class DismissForm(forms.Form):
    note = forms.CharField(
        label="Why, for whoever asks later",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Optional.",
    )

    def clean_note(self) -> str:
        return UNSTORABLE.sub("", self.cleaned_data["note"]).strip()


@account_required
@require_http_methods(["GET", "POST"])
def dismiss_push(request: AccountRequest, session_id: UUID, push_id: UUID) -> HttpResponse:
    """Asks why, and takes it out of what needs somebody."""
    push = _push(request, session_id, push_id)
    form = DismissForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        note = form.cleaned_data["note"]
        words = f"{push} is dismissed."
        return _done(
            request, push, lambda: dismiss(push.id, by=request.user, now=request.now, note=note), words
        )
    back = request.POST.get("back", request.GET.get("back"))
    context = {
        "push": push,
        "session": push.session,
        "form": form,
        "back": back,
        "back_href": _back(request, push),
    }
    return render(request, "sessions/dismiss.html", context, status=422 if form.is_bound else 200)


def _push(request: AccountRequest, session_id: UUID, push_id: UUID) -> PsaPush:
    session = offering.pushed_by(request.user, session_id)
    rows = PsaPush.objects.select_related("session")
    push: PsaPush = get_object_or_404(rows, id=push_id, session=session)
    return push


def _done(request: AccountRequest, push: PsaPush, act: Callable[[], object], words: str) -> HttpResponse:
    try:
        act()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, words)
    return redirect(_back(request, push))


def _back(request: AccountRequest, push: PsaPush) -> str:
    """To the ledger, as it was filtered, for who came from there; else to the session."""
    query = request.POST.get("back", request.GET.get("back"))
    if query is not None and request.user.leads_team:
        return ledger_href(query)
    return f"{reverse('sessions:detail', args=[push.session_id])}#pushes"
