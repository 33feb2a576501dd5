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
    reasons: tuple[str, ...]  # in words, what was wrong with the step
    comment: str  # on the step
    by: str  # what the colleague is called whose answer this is; "" for a step
    number: int | None  # among those that stand
    beside: bool  # an own step, of which it can still be said what came of it


def timeline(session: Session, names: Mapping[UUID, str], *, own: bool) -> list[Entry]:
    """One entry a decision, in the order they were taken. names: what people are called (`shown_names`). own: it is for
    the session's engineer, who alone sees what was said with a thumb."""
    thumbs = {thumb.step.node_id: thumb for thumb in session.step_ratings.select_related("step")}
    called = {str(id_): name for id_, name in names.items()}
    entries, number = [], 0
    for decision in session.decisions:
        counts = not decision.get("undone_at") and not decision.get("by")
        number += counts
        thumb = thumbs.get(decision.get("node_id") or "")
        entries.append(_entry(decision, thumb, called, number if counts else None, own=own))
    return entries


def _entry(
    decision: Mapping[str, Any], thumb: Any, called: Mapping[str, str], number: int | None, *, own: bool
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
        helpful=thumb.was_helpful if thumb else None,
        reasons=tuple(thumb.reasons_in_words) if thumb and own else (),
        comment=thumb.comment or "" if thumb and own else "",
        by=called.get(by, "A colleague") if by else "",
        number=number,
        beside=decision.get("node_id") is None and not decision.get("left_flow"),
    )
