"""The start of a session: the problem, for whom, on which ticket, and with which flow."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from flowpilot.flows.models import Flow
from flowpilot.matching.matching import Assessment, assess
from flowpilot.psa.connections import current_connection
from flowpilot.psa.tickets.linking import client_of
from flowpilot.psa.tickets.views import NoSuchTicket, TicketForm, found_tickets, looked_up
from flowpilot.sessions.forms import StartForm
from flowpilot.sessions.models import Session
from flowpilot.sessions.starting import PROBLEM_LENGTH, start
from flowpilot.sessions.states import Refused, Tier
from flowpilot.sessions.suggesting import (
    FIND_LENGTH,
    Asked,
    problem_of,
    suggestions,
    tier_and_confidence,
)
from resolutionflow.accounts.scoping import AccountRequest, own_sessions_required

works_sessions = own_sessions_required(
    "You work no sessions yourself: engineers and team admins do.", instead=("Sessions", "sessions:list")
)


@works_sessions
@require_http_methods(["GET", "POST"])
def new_session(request: AccountRequest) -> HttpResponse:
    """Describes the problem and starts. `?problem=` has it written down already, `?flow=<id>` a flow chosen; without
    JavaScript a button asks what fits.

    Who starts before anything was offered is shown a flow that fits first, and starts with it or without it next.
    """
    chosen = _preselected(request)
    if request.method == "GET":
        problem = request.GET.get("problem", "").replace("\0", "")[:PROBLEM_LENGTH]
        asked = Asked(problem=problem, flow=chosen.id if chosen else None)
        return _page(request, StartForm(initial={"problem_summary": problem}), asked)
    form, asked = StartForm(request.POST), _asked(request.POST)
    if "suggest" in request.POST:
        return _page(request, StartForm(initial=request.POST.dict()), asked)
    if {"find_tickets", "pick"} & request.POST.keys():
        context = _ticket(request)
        return _page(request, context.pop("form"), asked, **context)
    if not form.is_valid():
        return _page(request, form, asked, status=422)
    data = form.cleaned_data
    started = Session.objects.filter(id=data["session_id"], user=request.user).first()
    if started is None:
        assessment = assess(request.account, asked.problem)
        if data["flow"] is None and "offered" not in request.POST and assessment.tier != Tier.DISCOVERY:
            return _page(request, form, asked, look=True)
        missing = _bring_client(data) if data["psa_ticket_id"] and data["client"] is None else ""
        try:
            started = _start(request, data, asked, assessment)
        except Refused as refusal:
            form.add_error("flow", str(refusal))
            return _page(request, form, asked, status=422)
        if missing:
            messages.warning(request, missing)
    return redirect("sessions:detail", started.id)


def _bring_client(data: dict[str, Any]) -> str:
    """Of a number that was typed, as the ticket that is chosen from a search does. The session starts in any case; why
    it has no client of the ticket, or "".
    """
    ref = data["psa_ticket_id"]
    try:
        ticket, trouble = looked_up(ref)
    except NoSuchTicket as fault:
        return f"{fault} The session keeps the number: change it if it is mistyped."
    if ticket is not None:
        data |= {"psa_ticket_id": ticket.ref, "client": client_of(ticket)}
    if trouble is not None:
        return f"Ticket {ref} could not be looked up: {trouble.what} The session keeps the number, without a client."
    return ""


def _start(request: AccountRequest, data: dict[str, Any], asked: Asked, assessment: Assessment) -> Session:
    """The session of the form's id; of a double click the second one gets what the first one made."""
    id_, flow = data.pop("session_id"), data["flow"]
    by_hand = asked.flow != asked.suggested
    tier, confidence = tier_and_confidence(request.account, assessment, flow, by_hand=by_hand)
    data |= {"tier": tier, "confidence": confidence}
    if flow and flow.domain_id:
        data["domain"] = None  # the flow's own
    try:
        with transaction.atomic():
            return start(request.user, now=request.now, id_=id_, **data)
    except IntegrityError:
        made = Session.objects.filter(id=id_, user=request.user).first()
        return made or start(request.user, now=request.now, **data)


@works_sessions
@require_POST
def suggest(request: AccountRequest) -> HttpResponse:
    """What fits as far as it is typed, for the page. It changes nothing: problems are too long for an address, and do
    not belong into the log of one."""
    context = suggestions(_asked(request.POST), request.user, request.account)
    return render(request, "sessions/_suggested.html", context)


@works_sessions
@require_POST
def start_tickets(request: AccountRequest) -> HttpResponse:
    """The tickets with what is typed, or the one that is chosen in the form. Nothing is linked before the start."""
    return render(request, "sessions/_start_ticket.html", _ticket(request))


def _ticket(request: AccountRequest) -> dict[str, Any]:
    """The context of _start_ticket.html: the form with the ticket that was chosen and its client, or what was found."""
    connection, given = current_connection(), request.POST.dict()
    context: dict[str, Any] = {"connection": connection, "find_ticket": given.get("find_ticket", "")}
    ref = TicketForm({"ticket": given.get("pick", "")})
    if connection is not None and ref.is_valid():
        try:
            ticket, trouble = looked_up(ref.cleaned_data["ticket"])
        except NoSuchTicket as fault:
            return context | {"form": StartForm(initial=given), "fault": str(fault)}
        client = client_of(ticket) if ticket else None
        given["psa_ticket_id"] = ticket.ref if ticket else ref.cleaned_data["ticket"]
        if client:
            given["client"] = str(client.id)
        said = f"Ticket {given['psa_ticket_id']} is chosen."
        context |= {"said": f"{said} It is {client}'s." if client else said, "trouble": trouble}
    elif connection is not None:
        found = found_tickets(request, connection, "find_ticket")
        context |= found | {"find_ticket": found.pop("find")}
    return context | {"form": StartForm(initial=given)}


def _page(
    request: AccountRequest,
    form: StartForm,
    asked: Asked,
    *,
    status: int = 200,
    look: bool = False,
    **ticket: Any,
) -> HttpResponse:
    context = {"form": form, "look": look, "connection": current_connection()}
    context |= suggestions(asked, request.user, request.account) | ticket
    return render(request, "sessions/new.html", context, status=status)


def _asked(data: QueryDict) -> Asked:
    """What the form has, as far as it can be read: what is wrong with it, the form says."""
    return Asked(
        problem=problem_of(data.get("problem_summary", ""), data.get("problem_description", "")),
        find=data.get("find", "").replace("\0", "").strip()[:FIND_LENGTH],
        flow=_id(data, "flow"),
        suggested=_id(data, "suggested"),
        domain=_id(data, "domain"),
        suggested_domain=_id(data, "suggested_domain"),
    )


def _id(data: QueryDict, name: str) -> UUID | None:
    try:
        return UUID(data.get(name, ""))
    except ValueError:
        return None


def _preselected(request: AccountRequest) -> Flow | None:
    """The flow that the address names: 404 if the account has none of this id, a word if no session can run it."""
    given = request.GET.get("flow", "")
    if not given:
        return None
    try:
        flow: Flow | None = Flow.objects.filter(id=UUID(given)).first()
    except ValueError:
        flow = None
    if flow is None:
        raise Http404("There is no such flow.")
    if flow.status != Flow.Status.PUBLISHED:
        messages.warning(request, f"“{flow.name}” is not published, so no session can run it.")
        return None
    return flow
