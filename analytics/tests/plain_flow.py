"""A flow's analytics once more, from plain records: no database, nothing of the product. See plain.py."""

import statistics
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from analytics.tests.plain import half_up, local


@dataclass
class Decision:
    node_id: str | None
    answer: str
    at: datetime | None
    title: str = ""
    taken_back: bool = False
    taken_over: bool = False


@dataclass
class Walk:
    """One session of the flow: what was decided, `given_up` or not, and how it ended."""

    started_at: datetime
    outcome: str | None
    given_up: bool
    decisions: list[Decision] = field(default_factory=list)
    thumbs: dict[str, bool] = field(default_factory=dict)


def counting(walk: Walk) -> list[Decision]:
    """The decisions that count, oldest first: those without a time before all others, else as they stand."""
    own = [one for one in walk.decisions if not one.taken_back and not one.taken_over]
    return [one for one in own if one.at is None] + sorted(
        [one for one in own if one.at is not None], key=lambda one: one.at
    )


def times(walk: Walk, node_id: str, idle: timedelta) -> list[float]:
    """How long this session took each time until the decision at the node."""
    found = []
    before: datetime | None = walk.started_at
    for one in counting(walk):
        if one.node_id == node_id and one.at is not None and before is not None:
            took = one.at - before
            if timedelta(0) <= took <= idle:
                found.append(took.total_seconds())
        before = one.at
    return found


def step(walks: list[Walk], node_id: str, idle: timedelta) -> dict:
    here = [[one for one in counting(walk) if one.node_id == node_id] for walk in walks]
    visits = sum(len(ones) for ones in here)
    last = [counting(walk)[-1:] for walk in walks if walk.given_up]
    dropped = sum(one.node_id == node_id for ones in last for one in ones)
    back = sum(
        one.node_id == node_id and one.taken_back and not one.taken_over
        for walk in walks
        for one in walk.decisions
    )
    took = [seconds for walk in walks for seconds in times(walk, node_id, idle)]
    yes = sum(walk.thumbs.get(node_id) is True for walk in walks)
    no = sum(walk.thumbs.get(node_id) is False for walk in walks)
    return {
        "node_id": node_id,
        "visits": visits,
        "sessions": sum(bool(ones) for ones in here),
        "dropped": dropped,
        "taken_back": back,
        "timed": len(took),
        "median_seconds": statistics.median(took) if took else None,
        "helpful_yes": yes,
        "helpful_no": no,
    }


def steps(walks: list[Walk], idle: timedelta) -> list[dict]:
    """Every step with a visit or a thumb, in no order."""
    nodes = {one.node_id for walk in walks for one in walk.decisions if one.node_id}
    nodes |= {node_id for walk in walks for node_id in walk.thumbs}
    found = [step(walks, node_id, idle) for node_id in nodes]
    return [row for row in found if row["visits"] or row["helpful_yes"] or row["helpful_no"]]


def feedback(row: dict, title: str) -> dict:
    """The step as the JSON tells it."""
    thumbs = row["helpful_yes"] + row["helpful_no"]
    return {
        "node_id": row["node_id"],
        "node_title": title,
        "helpful_yes": row["helpful_yes"],
        "helpful_no": row["helpful_no"],
        "helpful_rate": half_up(Fraction(row["helpful_yes"], thumbs), 3) if thumbs else None,
        "visit_count": row["visits"],
        "dropoff_count": row["dropped"],
        "dropoff_rate": half_up(Fraction(row["dropped"], row["visits"]), 3) if row["visits"] else None,
    }


def options(walks: list[Walk]) -> list[dict]:
    """Of each answer the sessions that gave it, and how they ended, in no order."""
    given = {
        (one.node_id, one.answer) for walk in walks for one in counting(walk) if one.node_id and one.answer
    }
    rows = []
    for node_id, answer in given:
        each = [
            sum((one.node_id, one.answer) == (node_id, answer) for one in counting(walk)) for walk in walks
        ]
        of = [walk for walk, times in zip(walks, each, strict=True) if times]
        ends = {
            outcome: sum(walk.outcome == outcome for walk in of)
            for outcome in ("resolved", "workaround", "escalated", "unresolved")
        }
        rows.append(
            {
                "node_id": node_id,
                "answer": answer,
                "visits": sum(each),
                "sessions": len(of),
                **ends,
                "without_outcome": len(of) - sum(ends.values()),
            }
        )
    return rows


def comments(ratings: list[tuple[int, str | None, datetime, str]], zone: str) -> list[tuple[int, str, str]]:
    """Of (stars, comment, when, who) what everybody may read: the ten newest with their day, or none."""
    written = [rating for rating in ratings if rating[1]]
    if len(written) < 3 or len({who for *_, who in written}) < 2:
        return []
    newest = sorted(written, key=lambda rating: rating[2], reverse=True)[:10]
    return [(stars, comment, local(when, zone).date().isoformat()) for stars, comment, when, _ in newest]
