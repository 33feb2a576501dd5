"""Sessions as JSON: the list of the page, one session, and what its engineer does in it from outside."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from ninja import Query, Router
from ninja.errors import HttpError
from ninja.responses import Status as Answer

from flowpilot.clients.models import Client
from flowpilot.flows.models import Flow
from flowpilot.matching.matching import assess
from flowpilot.sessions import driving, starting
from flowpilot.sessions.access import may_read
from flowpilot.sessions.api_shapes import (
    CompleteIn,
    DecisionIn,
    EscalateIn,
    SessionDetail,
    SessionIn,
    SessionList,
    SessionQuery,
    told_detail,
    told_item,
)
from flowpilot.sessions.filters import SessionFilterForm
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import BadValue, Outcome, Refused, Source
from flowpilot.sessions.suggesting import problem_of, tier_and_confidence
from resolutionflow.accounts.names import shown_names
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.api import (
    ERRORS,
    AccountSlug,
    ErrorDetail,
    body_of,
    in_account,
    own_sessions_only,
    read_body,
    refuse_invalid,
    refuse_value,
)
from resolutionflow.api_lists import ListForm, listed
from resolutionflow.paging import Cursor, page_of

COLUMNS = (
    *("external_id", "user_id", "problem_summary", "status", "outcome", "confidence_tier", "confidence"),
    *("started_at", "completed_at", "duration_seconds", "step_count", "psa_ticket_id"),
    *("client__name", "flow__name", "domain__name", "flow_version__number"),
)

router = Router(tags=["Sessions"])
router.add_decorator(in_account)
engineers_only = own_sessions_only("A super admin runs no sessions.")

RELATED = ("client", "flow", "domain", "flow_version")
COLLEAGUES = "This is a colleague's session."
CONFLICT = ERRORS | {409: ErrorDetail}


@router.get("", response={200: SessionList, **ERRORS}, summary="List sessions")
def list_sessions(request: AccountRequest, parameters: Query[SessionQuery]) -> dict[str, Any]:
    """The session page's list, newest first, with its filters; those that name values may be repeated.

    One's own sessions; team admins and super admins see all of the account. `help=wanted` shows everybody those that
    wait for help.
    """
    form = SessionFilterForm(request.GET, viewer=request.user, account=request.account, now=request.now)
    paging = ListForm(request.GET, place=Cursor.read)
    refuse_invalid(form, paging)
    sessions, after = form.sessions(), paging.cleaned_data["after"]
    page = page_of(_light(sessions), "started_at", paging.size, before=None, after=after)
    names = shown_names(request.account)
    return listed(
        request, [told_item(session, names) for session in page.rows], after=page.after, rows=sessions
    )


@router.get(
    "/{uuid:session_id}",
    response={200: SessionDetail, **ERRORS},
    exclude_unset=True,
    summary="Read a session",
)
def read_session(request: AccountRequest, session_id: UUID, account: AccountSlug = None) -> dict[str, Any]:
    """For its engineer, team admins and super admins; for colleagues only while it asks for help."""
    session = _found(session_id)
    if not may_read(request.user, session):
        raise HttpError(403, COLLEAGUES)
    return _detail(request, session)


@router.post(
    "",
    response={201: SessionDetail, **CONFLICT},
    exclude_unset=True,
    summary="Start a session",
    openapi_extra=body_of(SessionIn, problem_summary="Outlook asks for the password again and again"),
)
@engineers_only
def start_session(request: AccountRequest, account: AccountSlug = None) -> Answer[dict[str, Any]]:
    """Starts one of your own: guided by a published flow, or without one a discovery. No flow is chosen for you;
    the `confidence` of one that you name is how well it matches the problem, null if not at all. A discovery gets the
    domain that the problem seems to belong to, if there is one. 409 for a flow that is not published, 404 for a flow or
    a client that the account does not have."""
    given = read_body(request, SessionIn)
    client = Client.objects.filter(id=given.client_id).first() if given.client_id else None
    if given.client_id and client is None:
        raise Http404("No such client")
    flow = Flow.objects.filter(id=given.flow_id).first() if given.flow_id else None
    if given.flow_id and flow is None:
        raise Http404("No such flow")

    assessment = assess(request.account, problem_of(given.problem_summary, given.problem_description))
    tier, confidence = tier_and_confidence(request.account, assessment, flow, by_hand=True)

    def start() -> Session:
        return starting.start(
            request.user,
            domain=None if flow else assessment.domain,
            tier=tier,
            confidence=confidence,
            problem_summary=given.problem_summary,
            problem_description=given.problem_description,
            flow=flow,
            client=client,
            psa_ticket_id=(given.psa_ticket_id or "").strip(),
            now=request.now,
            source=Source.API,
        )

    return Answer(201, _driven(request, start))


@router.post(
    "/{uuid:session_id}/decisions",
    response={200: SessionDetail, **CONFLICT},
    exclude_unset=True,
    summary="Record a decision",
    openapi_extra=body_of(
        DecisionIn, id="0192f0c4-5a41-7c3e-9a53-5d2b8f6d1c11", node_id="web-mail", answer="Yes", note=None
    ),
)
@engineers_only
def record_decision(request: AccountRequest, session_id: UUID, account: AccountSlug = None) -> dict[str, Any]:
    """One step taken, at a step of the flow or beside it; an abandoned session is active again by it. The same id
    again: 200, and nothing has changed. An end of the flow takes no decision: complete the session there."""
    _own_session(request, session_id)
    given = read_body(request, DecisionIn)
    return _driven(
        request,
        lambda: driving.decide(
            session_id,
            decision_id=given.id,
            node_id=given.node_id,
            title=(given.title or "").strip(),
            answer=given.answer,
            note=given.note or "",
            now=request.now,
        ),
    )


@router.post(
    "/{uuid:session_id}/complete",
    response={200: SessionDetail, **CONFLICT},
    exclude_unset=True,
    summary="Complete a session",
    openapi_extra=body_of(CompleteIn, outcome="resolved", resolution_summary="Removed the stored password"),
)
@engineers_only
def complete_session(
    request: AccountRequest, session_id: UUID, account: AccountSlug = None
) -> dict[str, Any]:
    """Ends it, for good: 409 if it has ended already."""
    _own_session(request, session_id)
    given = read_body(request, CompleteIn)
    return _driven(
        request,
        lambda: driving.complete(
            session_id,
            outcome=Outcome(given.outcome),
            resolution_summary=(given.resolution_summary or "").strip(),
            now=request.now,
        ),
    )


@router.post(
    "/{uuid:session_id}/escalate",
    response={200: SessionDetail, **CONFLICT},
    exclude_unset=True,
    summary="Ask for help",
    openapi_extra=body_of(EscalateIn, reason="The mailbox is on a server that I may not open"),
)
@engineers_only
def escalate_session(
    request: AccountRequest, session_id: UUID, account: AccountSlug = None
) -> dict[str, Any]:
    """Asks the colleagues to take over or to answer: the status is `requesting_escalation` then. Asking again changes
    the reason. 409 if it has ended. To hand it over outside, complete it with the outcome `escalated`."""
    _own_session(request, session_id)
    given = read_body(request, EscalateIn)
    return _driven(request, lambda: driving.ask_for_help(session_id, reason=given.reason, now=request.now))


def _light(sessions: QuerySet[Session]) -> QuerySet[Session]:
    """With the names that an item tells, and without what can be long."""
    return sessions.select_related(*RELATED).only(*COLUMNS)


def _found(session_id: UUID) -> Session:
    rows = Session.objects.select_related(*RELATED).defer("flow_version__structure", "script_values")
    session: Session | None = rows.filter(id=session_id).first()
    if session is None:
        raise Http404("No such session")
    return session


def _own_session(request: AccountRequest, session_id: UUID) -> None:
    """Raises the 404 or 403 for whoever may not drive it."""
    engineer_id = Session.objects.filter(id=session_id).values_list("user_id", flat=True).first()
    if engineer_id is None:
        raise Http404("No such session")
    if engineer_id != request.user.id:
        raise HttpError(403, COLLEAGUES)


def _driven(request: AccountRequest, act: Callable[[], Session]) -> dict[str, Any]:
    """The session after the act: what the session refuses is a 409, a value that it never takes a 422."""
    try:
        session = act()
    except BadValue as fault:
        refuse_value(str(fault), fault.field)
    except Refused as refusal:
        raise HttpError(409, str(refusal)) from None
    return _detail(request, _found(session.id))


def _detail(request: AccountRequest, session: Session) -> dict[str, Any]:
    return told_detail(session, shown_names(request.account), request.user.id)
