"""Earlier sessions about a like problem: to show what solved them, and to learn which flow fits. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from uuid import UUID

from flowpilot.matching.concepts import LANGUAGE, concepts_of
from flowpilot.matching.index import COMMON, SessionRow
from flowpilot.matching.ranking import MOST_WORDS, Problem
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
    problem: Problem, rows: Sequence[SessionRow], language: str = LANGUAGE
) -> list[list[SimilarSession]]:
    """The sessions that are like the whole problem, and those that are like each part of it; the likest first, of
    equals the newest."""
    if not rows:
        return [[] for _ in (None, *problem.parts)]
    found = rows[0].found
    kept = {
        n: (item.concept, item.weight * math.log(1 + 2 * COMMON / (found.get(n, 0) + 0.5)))
        for n, item in enumerate(problem.asked)
        if item.instead is None or not found.get(item.instead)
    }
    theirs = [
        dict.fromkeys(concepts_of(f"{row.problem} {row.description}", language)[:MOST_WORDS]) for row in rows
    ]
    return [
        _like({concept: weight for n, (concept, weight) in kept.items() if n in places}, rows, theirs)
        for places in (kept, *problem.parts)
    ]


def best_of(groups: Iterable[Iterable[SimilarSession]]) -> list[SimilarSession]:
    """Each session once, as like as it is to the whole or to one part."""
    best: dict[UUID, SimilarSession] = {}
    for one in chain.from_iterable(groups):
        if one.id not in best or one.score > best[one.id].score:
            best[one.id] = one
    return sorted(best.values(), key=_likest)


def _likest(one: SimilarSession) -> tuple[float, int]:
    return -one.score, -one.id.int


def _like(
    asked: Mapping[str, float], rows: Sequence[SessionRow], theirs: Sequence[Iterable[str]]
) -> list[SimilarSession]:
    whole = sum(asked.values())
    if not whole:
        return []
    usual = whole / len(asked)
    similar = []
    for row, said in zip(rows, theirs, strict=True):
        shared = sum(asked.get(concept, 0.0) for concept in said)
        if not shared:
            continue
        all_of_theirs = sum(asked.get(concept, usual) for concept in said)
        score = shared / math.sqrt(whole * all_of_theirs)
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
    return sorted(similar, key=_likest)


def learned(similar: Sequence[SimilarSession]) -> dict[UUID, float]:
    """What these sessions say for each flow that one of them chose, at most 1: nearly that where all that are like the
    problem chose it and resolved. What is only half like it says an eighth."""
    whole = DOUBT + sum(one.score**3 for one in similar if one.flow_id)
    said: dict[UUID, float] = {}
    for one in similar:
        if one.flow_id:
            said[one.flow_id] = said.get(one.flow_id, 0.0) + one.score**3 * SAYS[Status(one.status)] / whole
    return said
