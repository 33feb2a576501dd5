"""Earlier sessions about a like problem: to show what solved them, and to learn which flow fits. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flowpilot.matching.concepts import LANGUAGE, concepts
from flowpilot.matching.index import COMMON, SessionRow
from flowpilot.matching.ranking import MOST_WORDS, Asked
from flowpilot.sessions.states import Status

LIKE = 0.3  # what is less like it is about something else
SHOWN = 5
# What a session says of its flow by how it came out; those still open were at least begun with it.
SAYS = {
    Status.RESOLVED: 1.0,
    Status.ACTIVE: 0.3,
    Status.REQUESTING_ESCALATION: 0.0,
    Status.ESCALATED: -0.3,
    Status.UNRESOLVED: -0.5,
    Status.ABANDONED: 0.0,
}
DOUBT = 1.0  # like one such session that says nothing: one alone is no proof


@dataclass(frozen=True)
class SimilarSession:
    """An earlier session, without its engineer's name. `score` is how like the problems are, 0..1."""

    id: UUID
    user_id: UUID
    problem: str
    solution: str
    ticket: str | None
    status: str
    completed_at: datetime | None
    flow_id: UUID | None
    flow_name: str | None
    domain_id: UUID | None
    score: float


def ranked(
    asked: Sequence[Asked], rows: Sequence[SessionRow], language: str = LANGUAGE
) -> list[SimilarSession]:
    """The sessions that are like the problem, the likest first, of equals the newest."""
    if not rows:
        return []
    found = rows[0].found
    kept = {
        item.concept: (item.weight * math.log(1 + 2 * COMMON / (found.get(n, 0) + 0.5)))
        for n, item in enumerate(asked)
        if item.instead is None or not found.get(item.instead)
    }
    whole = sum(kept.values())
    usual = whole / len(kept)
    similar = []
    for row in rows:
        theirs = dict.fromkeys(concepts(f"{row.problem} {row.description}", language)[:MOST_WORDS])
        shared = sum(kept.get(concept, 0.0) for concept in theirs)
        all_of_theirs = sum(kept.get(concept, usual) for concept in theirs)
        score = shared / math.sqrt(whole * all_of_theirs) if theirs else 0.0
        if score >= LIKE:
            similar.append(
                SimilarSession(
                    id=row.id,
                    user_id=row.user_id,
                    problem=row.problem,
                    solution=row.solution,
                    ticket=row.ticket,
                    status=row.status,
                    completed_at=row.completed_at,
                    flow_id=row.flow_id,
                    flow_name=row.flow_name,
                    domain_id=row.domain_id,
                    score=min(score, 1.0),
                )
            )
    return sorted(similar, key=lambda one: (-one.score, -one.id.int))


def learned(similar: Sequence[SimilarSession]) -> dict[UUID, float]:
    """What these sessions say for each flow that one of them chose, at most 1: nearly that where all that are like the
    problem chose it and resolved. What is only half like it says an eighth."""
    whole = DOUBT + sum(one.score**3 for one in similar if one.flow_id)
    said: dict[UUID, float] = {}
    for one in similar:
        if one.flow_id:
            said[one.flow_id] = said.get(one.flow_id, 0.0) + one.score**3 * SAYS[Status(one.status)] / whole
    return said
