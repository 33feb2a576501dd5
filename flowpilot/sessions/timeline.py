"""A session's decisions as its page shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowpilot.sessions.models import Session


@dataclass(frozen=True)
class Entry:
    title: str
    answer: str
    note: str
    at: datetime | None
    undone: bool
    taken_over: bool
    helpful: bool | None  # the engineer's thumb on the step; None if none was given


def timeline(session: Session) -> list[Entry]:
    """One entry a decision, in the order they were taken."""
    thumbs: dict[str, bool] = dict(session.step_ratings.values_list("step__node_id", "was_helpful"))
    return [_entry(decision, thumbs) for decision in session.decisions]


def _entry(decision: Mapping[str, Any], thumbs: Mapping[str, bool]) -> Entry:
    at = decision.get("at")
    return Entry(
        title=decision.get("title") or "",
        answer=decision.get("answer") or "",
        note=decision.get("note") or "",
        at=datetime.fromisoformat(at) if at else None,
        undone=bool(decision.get("undone_at")),
        taken_over=bool(decision.get("taken_over")),
        helpful=thumbs.get(decision.get("node_id") or ""),
    )
