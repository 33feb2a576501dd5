"""Sessions as JSON: the list of the page, one session, and what its engineer does in it from outside."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from ninja import Field, Query, Router, Schema
from ninja.errors import HttpError
from ninja.responses import Status as Answer

from flowpilot.clients.models import Client
from flowpilot.flows.models import Domain, Flow
from flowpilot.flows.structure import ID_LENGTH
from flowpilot.sessions import driving, starting
from flowpilot.sessions.access import may_read
from flowpilot.sessions.filters import SessionFilterForm
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import BadValue, Outcome, Refused, Source, Status, Tier
from resolutionflow.accounts.names import shown_names
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.api import (
    ERRORS,
    ErrorDetail,
    Given,
    Storable,
    Text,
    body_of,
    in_account,
    own_sessions_only,
    read_body,
    refuse_invalid,
    refuse_value,
)
from resolutionflow.api_lists import COUNT, NEXT, ListForm, ListQuery, listed
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


class Named(Schema):
    id: str
    name: str


class SessionItem(Schema):
    id: str
    external_id: str | None = Field(description="The id that an import gave it.")
    engineer: Named = Field(description="Where the account hides names, the name is “Engineer N”.")
    client: Named | None
    flow: Named | None
    flow_version: int | None = Field(description="The number of the version that it runs, to its end.")
    domain: Named | None
    problem_summary: str
    status: Literal["active", "requesting_escalation", "resolved", "escalated", "unresolved", "abandoned"]
    outcome: Literal["resolved", "workaround", "escalated", "unresolved"] | None = Field(
        description="Null until it is completed."
    )
    confidence_tier: Literal["guided", "exploring", "discovery"] | None
    confidence: float | None = Field(description="Fraction 0..1: how well the flow matched.")
    started_at: datetime
    completed_at: datetime | None
    duration_seconds: int | None = Field(description="From start to end; null while it is open.")
    step_count: int = Field(description="Decisions that are neither taken back nor taken over.")
    psa_ticket_id: str | None


class Decision(Schema):
    id: str
    node_id: str | None = Field(description="The step of the flow; null for a step beside it.")
    title: str
    answer: str
    note: str
    at: datetime | None
    undone_at: datetime | None = Field(description="When it was taken back.")
    taken_over: bool = Field(description="Came from a colleague; counts in no figure.")


class SessionRating(Schema):
    id: str
    session_id: str
    rating: int = Field(ge=1, le=5)
    comment: str | None
    created_at: datetime


class SessionDetail(SessionItem):
    decisions: list[Decision]
    resolution_summary: str = Field(description="What solved it.")
    escalation_reason: str = Field(description="Why its engineer asked for help.")
    rating: SessionRating | None = Field(None, description="Stands here for the session's engineer alone.")


class SessionList(Schema):
    items: list[SessionItem]
    next: str | None = NEXT
    count: int | None = COUNT


class SessionQuery(ListQuery):
    """The filters of the session page. The form of that page checks them."""

    period: str | None = Field(None, description="7d, 30d (the default), 90d or all.")
    from_: str | None = Field(None, alias="from", description="First day; with `to`, without `period`.")
    to: str | None = Field(None, description="Last day, included; at most 366 days, not after today.")
    on: str | None = Field(
        None, description="What happened in the period: started, completed, rated or logged."
    )
    day: str | None = Field(None, description="A local day of `on`.")
    completed_day: str | None = Field(None, description="A local day on which it was completed.")
    engineer_id: list[str] = []
    flow_id: list[str] = []
    version: list[str] = Field([], description="Numbers of versions.")
    domain_id: list[str] = Field([], description="Ids, or `none`.")
    client_id: list[str] = Field([], description="Ids, or `none`.")
    status: list[str] = Field([], json_schema_extra={"items": {"type": "string", "enum": [*Status.values]}})
    outcome: list[str] = Field([], json_schema_extra={"items": {"type": "string", "enum": [*Outcome.values]}})
    tier: list[str] = Field([], description=f"{', '.join(Tier.values)} or `none`.")
    ticket: str | None = Field(None, description="yes or no.")
    rated: str | None = Field(None, description="yes or no.")
    rating: list[str] = Field([], description="Stars, 1 to 5; finds own sessions only.")
    node_id: str | None = Field(None, description="With a decision at this step.")
    option: str | None = Field(None, description="With this answer; together with `node_id`, at that step.")
    dropped_at: str | None = Field(None, description="Given up at this step.")
    thumb: str | None = Field(None, description="up or down; with `node_id`.")
    pushed: list[str] = Field([], description="note or time_entry: what reached the ticket.")
    help: str | None = Field(None, description="wanted: those of the whole account that wait for help.")
    q: str | None = Field(None, description="Words of the problem, or a ticket's or external id.")


class SessionIn(Schema):
    problem_summary: Given = Field(max_length=starting.PROBLEM_LENGTH)
    problem_description: Text = Field("", max_length=driving.TEXT_LENGTH)
    flow_id: UUID | None = Field(None, description="A published flow; the session runs its current version.")
    psa_ticket_id: Annotated[str, Field(max_length=starting.TICKET_LENGTH), Storable] | None = None
    client_id: UUID | None = None


class DecisionIn(Schema):
    id: Given = Field(
        max_length=driving.ID_LENGTH,
        description="Made by you, a UUID for example. The same id again changes nothing, so a call may be repeated.",
    )
    node_id: Annotated[str, Field(max_length=ID_LENGTH), Storable] | None = Field(
        description="A step of the session's version, but none of its ends; null beside the flow.",
    )
    title: Annotated[str, Field(max_length=driving.TITLE_LENGTH), Storable] | None = Field(
        None, description="What was done, where node_id is null."
    )
    answer: Text = Field(
        max_length=driving.ANSWER_LENGTH, description="Of a question the label of one of its options."
    )
    note: Annotated[str, Field(max_length=driving.NOTE_LENGTH), Storable] | None = None


class CompleteIn(Schema):
    outcome: Literal["resolved", "workaround", "escalated", "unresolved"]
    resolution_summary: Annotated[str, Field(max_length=driving.TEXT_LENGTH), Storable] | None = Field(
        None,
        description="What solved it; has to be given for resolved and workaround if the tier is not guided.",
    )


class EscalateIn(Schema):
    reason: Given = Field(max_length=driving.TEXT_LENGTH)


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
    return listed(request, [_item(session, names) for session in page.rows], after=page.after, rows=sessions)


@router.get(
    "/{uuid:session_id}",
    response={200: SessionDetail, **ERRORS},
    exclude_unset=True,
    summary="Read a session",
)
def read_session(request: AccountRequest, session_id: UUID, account: str | None = None) -> dict[str, Any]:
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
def start_session(request: AccountRequest) -> Answer[dict[str, Any]]:
    """Starts one of your own: guided by a published flow, or without one a discovery. 409 for a flow that is not
    published, 404 for a flow or a client that the account does not have."""
    given = read_body(request, SessionIn)
    client = Client.objects.filter(id=given.client_id).first() if given.client_id else None
    if given.client_id and client is None:
        raise Http404("No such client")
    flow = Flow.objects.filter(id=given.flow_id).first() if given.flow_id else None
    if given.flow_id and flow is None:
        raise Http404("No such flow")

    def start() -> Session:
        return starting.start(
            request.user,
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
def record_decision(request: AccountRequest, session_id: UUID) -> dict[str, Any]:
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
def complete_session(request: AccountRequest, session_id: UUID) -> dict[str, Any]:
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
def escalate_session(request: AccountRequest, session_id: UUID) -> dict[str, Any]:
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
    answer = _item(session, shown_names(request.account)) | {
        "decisions": [_decision(decision) for decision in session.decisions],
        "resolution_summary": session.resolution_summary,
        "escalation_reason": session.escalation_reason,
    }
    if session.user_id != request.user.id:
        return answer
    rating = getattr(session, "rating", None)
    return answer | {"rating": told_rating(rating) if rating else None}


def _item(session: Session, names: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "id": str(session.id),
        "external_id": session.external_id,
        "engineer": {"id": str(session.user_id), "name": names[session.user_id]},
        "client": _named(session.client),
        "flow": _named(session.flow),
        "flow_version": session.flow_version.number if session.flow_version else None,
        "domain": _named(session.domain),
        "problem_summary": session.problem_summary,
        "status": session.status,
        "outcome": session.outcome,
        "confidence_tier": session.confidence_tier,
        "confidence": session.confidence,
        "started_at": session.started_at,
        "completed_at": session.completed_at,
        "duration_seconds": session.duration_seconds,
        "step_count": session.step_count,
        "psa_ticket_id": session.psa_ticket_id,
    }


def _named(row: Client | Domain | Flow | None) -> dict[str, str] | None:
    return {"id": str(row.id), "name": row.name} if row else None


def _decision(decision: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": decision["id"],
        "node_id": decision.get("node_id"),
        "taken_over": bool(decision.get("taken_over")),
        **{name: decision.get(name) or "" for name in ("title", "answer", "note")},
        **{name: _moment(decision.get(name)) for name in ("at", "undone_at")},
    }


def _moment(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written).astimezone(UTC) if written else None


def told_rating(rating: Any) -> dict[str, Any]:
    """A SessionRating of the app above, which answers with the same one."""
    return {
        "id": str(rating.id),
        "session_id": str(rating.session_id),
        "rating": rating.rating,
        "comment": rating.comment,
        "created_at": rating.created_at,
    }
