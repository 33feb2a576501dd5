"""The shapes of sessions as JSON, as the API's contract has them, and how a session is told in them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema

from flowpilot.clients.models import Client
from flowpilot.flows.models import Domain, Flow
from flowpilot.flows.structure import ID_LENGTH
from flowpilot.sessions import driving, starting
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import Outcome, Status, Tier
from resolutionflow.api import Given, Storable, Text
from resolutionflow.api_lists import COUNT, NEXT, ListQuery


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


def told_detail(session: Session, names: Mapping[UUID, str], viewer_id: UUID) -> dict[str, Any]:
    """All of it; the rating for the session's engineer alone."""
    answer = told_item(session, names) | {
        "decisions": [_decision(decision) for decision in session.decisions],
        "resolution_summary": session.resolution_summary,
        "escalation_reason": session.escalation_reason,
    }
    if session.user_id != viewer_id:
        return answer
    rating = getattr(session, "rating", None)
    return answer | {"rating": told_rating(rating) if rating else None}


def told_item(session: Session, names: Mapping[UUID, str]) -> dict[str, Any]:
    """As it stands in a list; `names` are those that the account shows."""
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
