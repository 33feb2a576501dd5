"""A session's decisions as its page shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flowpilot.sessions.models import Session


@dataclass(frozen=True)
class Entry:
    id: str
    title: str
    answer: str
    note: str
    at: datetime | None
    undone: bool
    taken_over: bool
    helpful: bool | None  # the engineer's thumb on the step; None if none was given
    by: str  # what the colleague is called whose answer this is; "" for a step
    number: int | None  # among those that stand


def timeline(session: Session, names: Mapping[UUID, str]) -> list[Entry]:
    """One entry a decision, in the order they were taken. names: what people are called (`shown_names`)."""
    thumbs: dict[str, bool] = dict(session.step_ratings.values_list("step__node_id", "was_helpful"))
    called = {str(id_): name for id_, name in names.items()}
    entries, number = [], 0
    for decision in session.decisions:
        counts = not decision.get("undone_at") and not decision.get("by")
        number += counts
        entries.append(_entry(decision, thumbs, called, number if counts else None))
    return entries


def _entry(
    decision: Mapping[str, Any], thumbs: Mapping[str, bool], called: Mapping[str, str], number: int | None
) -> Entry:
    at, by = decision.get("at"), decision.get("by")
    return Entry(
        id=str(decision.get("id") or ""),
        title=f"Answer from {called.get(by, 'a colleague')}" if by else decision.get("title") or "",
        answer=decision.get("answer") or "",
        note=decision.get("note") or "",
        at=datetime.fromisoformat(at) if at else None,
        undone=bool(decision.get("undone_at")),
        taken_over=bool(decision.get("taken_over")) and not by,
        helpful=thumbs.get(decision.get("node_id") or ""),
        by=called.get(by, "A colleague") if by else "",
        number=number,
    )
