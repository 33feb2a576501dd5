"""The ticket of a session: found by number or words, linked, changed, or unlinked."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from flowpilot.psa.asking import Trouble, Unanswered, ask
from flowpilot.psa.connections import current_connection
from flowpilot.psa.models import PsaConnection, PsaPush
from flowpilot.psa.providers import errors
from flowpilot.psa.providers.base import Ticket
from flowpilot.psa.providers.errors import TicketMerged
from flowpilot.psa.pushing.offering import pushed_by
from flowpilot.psa.tickets.linking import link
from flowpilot.psa.words import merged_into
from flowpilot.sessions.access import driven
from flowpilot.sessions.models import Session
from flowpilot.sessions.starting import TICKET_LENGTH
from flowpilot.sessions.states import FINAL
from resolutionflow.accounts.scoping import AccountRequest, account_required
from resolutionflow.limits import seconds_to_wait
from resolutionflow.storable import UNSTORABLE

MOST_FOUND, FIND_LENGTH, SHORTEST = 10, 100, 2
LOOKS_A_MINUTE = 60
SLOW_DOWN = Trouble("You searched very often within a minute.", "Wait a moment, or enter the number.")
BY_HAND = "Ticket {ref} is linked, but could not be looked up: {what} The client stays as it was."


class TicketForm(forms.Form):
    """The number as somebody typed it, or as a found ticket has it."""

    ticket = forms.CharField(
        label="Ticket number",
        max_length=TICKET_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter the number of a ticket."},
    )

    def clean_ticket(self) -> str:
        ticket = UNSTORABLE.sub("", self.cleaned_data["ticket"]).strip().removeprefix("#")
        if not ticket:
            raise forms.ValidationError("Enter the number of a ticket.")
        return ticket


def _session(request: AccountRequest, session_id: UUID) -> Session:
    """Whose ticket one may change: while it is open its engineer, afterwards whoever may send something for it."""
    session = pushed_by(request.user, session_id)
    return session if session.status in FINAL else driven(request.user, session_id)


@account_required
@require_http_methods(["GET", "POST"])
def ticket(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """Searches without JavaScript too; links what is chosen or typed. Where a push found out that the ticket was merged
    into another one, that one is filled in."""
    session = _session(request, session_id)
    if request.method == "GET":
        return _page(request, session, TicketForm(initial={"ticket": _merged_into(session)}))
    if "search" in request.POST:
        return _page(request, session, TicketForm(), **found_tickets(request, current_connection()))
    if "unlink" in request.POST:
        link(session.id, "", None, now=request.now)
        messages.success(request, "The ticket is unlinked. What was sent to it stays there.")
        return redirect("sessions:detail", session.id)
    form = TicketForm(request.POST)
    if form.is_valid():
        try:
            found, trouble = looked_up(form.cleaned_data["ticket"])
        except NoSuchTicket as fault:
            form.add_error("ticket", str(fault))
        else:
            return _linked(request, session, form.cleaned_data["ticket"], found, trouble)
    return _page(request, session, form, status=422)


class NoSuchTicket(Exception):
    """In words for people."""


def looked_up(ref: str) -> tuple[Ticket | None, Trouble | None]:
    """What the ticket system says of it. Where it does not answer, the number alone has to do."""
    connection = current_connection()
    if connection is None:
        return None, None
    try:
        return ask(connection, lambda provider: provider.get_ticket(ref)), None
    except Unanswered as unanswered:
        if issubclass(unanswered.kind, errors.TicketNotFound | errors.Invalid):
            raise NoSuchTicket(f"{connection} has no ticket {ref}, or its keys may not see it.") from None
        return None, unanswered.trouble


def _linked(
    request: AccountRequest, session: Session, ref: str, found: Ticket | None, trouble: Trouble | None
) -> HttpResponse:
    ref = found.ref if found else ref
    before = session.client_id
    session = link(session.id, ref, found, now=request.now)
    if trouble is not None:
        messages.warning(request, BY_HAND.format(ref=ref, what=trouble.what))
    else:
        client = f" It is {session.client}'s." if session.client and session.client_id != before else ""
        messages.success(request, f"Ticket {ref} is linked.{client}")
    if session.status in FINAL and current_connection() is not None:
        return redirect("sessions:send", session.id)
    return redirect("sessions:detail", session.id)


@account_required
@require_POST
def find(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """What is found, for the list of the page."""
    session = _session(request, session_id)
    context = {"session": session} | found_tickets(request, current_connection())
    return render(request, "sessions/_tickets.html", context)


def found_tickets(
    request: AccountRequest, connection: PsaConnection | None, field: str = "find"
) -> dict[str, Any]:
    """What _tickets.html needs, for what is typed in this field."""
    words = UNSTORABLE.sub("", request.POST.get(field, ""))[:FIND_LENGTH].strip()
    context: dict[str, Any] = {"find": words, "connection": connection, "searched": False}
    if connection is None or len(words) < SHORTEST:
        return context
    if seconds_to_wait(request.user, "psa_tickets", calls=LOOKS_A_MINUTE, now=request.now):
        return context | {"trouble": SLOW_DOWN, "searched": True}
    try:
        page = ask(connection, lambda provider: provider.search_tickets(words, size=MOST_FOUND))
    except Unanswered as unanswered:
        return context | {"trouble": unanswered.trouble, "searched": True}
    return context | {"tickets": list(page.items), "more": page.has_next, "searched": True}


def _page(
    request: AccountRequest, session: Session, form: TicketForm, status: int = 200, **found: Any
) -> HttpResponse:
    context = {"session": session, "form": form, "connection": current_connection(), "find": ""} | found
    context["merged_into"] = _merged_into(session)
    return render(request, "sessions/ticket.html", context, status=status)


def _merged_into(session: Session) -> str:
    """The ticket that took over the session's; "" as far as no push came upon it."""
    pushes = PsaPush.objects.filter(session=session, psa_ticket_id=session.psa_ticket_id)
    newest = pushes.filter(last_code=TicketMerged.__name__).defer("payload").order_by("-created_at").first()
    return merged_into(newest) if newest else ""
