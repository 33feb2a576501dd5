"""Flow quality and knowledge gaps once more, from plain records: no database, nothing of the product."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from math import sqrt

OPEN = ("active", "requesting_escalation")
BAD = ("escalated", "unresolved", "abandoned")


@dataclass(frozen=True)
class Step:
    """One decision: where, what was answered, and whether it was taken back or taken over."""

    node: str
    answer: str
    undone: bool = False
    taken_over: bool = False


@dataclass(frozen=True)
class Record:
    """One session; `idle` is whether nobody went on with it for longer than the idle limit. `thumbs`: (node, up)."""

    started_at: datetime
    status: str
    idle: bool
    guided: bool
    confidence: Fraction | None
    flow: str | None
    domain: str | None
    steps: tuple[Step, ...]
    thumbs: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Flow:
    name: str
    domain: str | None
    published: bool
    first_published_at: datetime | None


def wilson(part: int, whole: int) -> tuple[float, float]:
    """E. B. Wilson 1927, with the roots of the quadratic written out."""
    z2, rate = 1.959964**2, part / whole
    middle, spread = rate + z2 / (2 * whole), sqrt(z2 * (rate * (1 - rate) / whole + z2 / (4 * whole**2)))
    return (middle - spread) / (1 + z2 / whole), (middle + spread) / (1 + z2 / whole)


def quality(flow: Flow, ever: list[Record], inside: list[Record], now: datetime) -> dict:
    """`inside` are the sessions of the period, `ever` all of them."""
    mine = [record for record in inside if record.flow == flow.name]
    ended = [record for record in mine if record.status not in OPEN]
    starts = [record.started_at for record in ever if record.flow == flow.name]
    success = share(sum(r.status == "resolved" for r in ended), len(ended))
    guided = share(sum(r.guided for r in mine), len(mine))
    known = [r.confidence for r in mine if r.confidence is not None]
    recency = Fraction(0)
    if starts:
        unused = now - max(starts)
        recency = max(Fraction(0), 1 - Fraction(unused // timedelta(microseconds=1), 90 * 86_400_000_000))
    newest = max([*starts, *([flow.first_published_at] if flow.first_published_at else [])], default=None)
    reasons = ["low_success"] if success is not None and success < Fraction(1, 2) else []
    if newest is not None and now - newest >= timedelta(days=30):
        reasons.append("unused")
    return {
        "name": flow.name,
        "usage_count": len(mine),
        "ended": len(ended),
        "success_rate": success,
        "avg_confidence": sum(known, Fraction(0)) / len(known) if known else None,
        "last_matched_at": max(starts, default=None),
        "quality_score": None
        if success is None
        else success / 2 + Fraction(3, 10) * (guided or 0) + recency / 5,
        "reasons": reasons,
    }


def share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def gaps(
    inside: list[Record], ever: list[Record], flows: list[Flow], domains: list[str], now: datetime
) -> set[tuple]:
    """(kind, what it is about, n, part) of each gap but those of proposals."""
    closed = [record for record in inside if record.status not in OPEN]
    found = set()
    covered = {flow.domain for flow in flows if flow.published}
    for domain in domains:
        mine = [record for record in closed if record.domain == domain]
        if len(mine) >= 5 and domain not in covered:
            found.add(("uncovered_domain", domain, len(mine), len(mine)))
        found |= rated("high_escalation", domain, mine, escalated, lambda low, high: low > 0.25)
    for flow in flows:
        mine = [record for record in closed if record.flow == flow.name]
        found |= rated("high_escalation", flow.name, mine, escalated, lambda low, high: low > 0.25)
        found |= of_steps(flow.name, inside, closed)
        found |= stale(flow, ever, now)
    return found


def of_steps(flow: str, inside: list[Record], closed: list[Record]) -> set[tuple]:
    found = set()
    mine = [record for record in closed if record.flow == flow]
    taken = {(step.node, step.answer) for record in mine for step in counted(record) if step.answer}
    for node, answer in taken:
        users = [
            record for record in mine if any((s.node, s.answer) == (node, answer) for s in counted(record))
        ]
        if len(users) >= 5:
            about = (flow, node, answer)
            found |= rated("weak_option", about, users, ended_badly, lambda low, high: low > 0.5)
    also_idle = [
        record
        for record in inside
        if record.flow == flow and (record.status not in OPEN or (record.status == "active" and record.idle))
    ]
    for node in {step.node for record in also_idle for step in counted(record)}:
        visitors = [record for record in also_idle if any(step.node == node for step in counted(record))]
        if len(visitors) >= 5:
            found |= rated(
                "drop_off",
                (flow, node),
                visitors,
                lambda record, node=node: (
                    record.status in ("abandoned", "active") and counted(record)[-1].node == node
                ),
                lambda low, high: low > 0.2,
            )
    thumbs = Counter((node, up) for record in mine for node, up in record.thumbs)
    for node in {node for node, _ in thumbs}:
        up, down = thumbs[node, True], thumbs[node, False]
        if up + down >= 5 and wilson(up, up + down)[1] < 0.5:
            found.add(("unhelpful_step", (flow, node), up + down, up))
    return found


def stale(flow: Flow, ever: list[Record], now: datetime) -> set[tuple]:
    since = now - timedelta(days=30)
    used = any(record.flow == flow.name and record.started_at >= since for record in ever)
    old = flow.first_published_at is not None and flow.first_published_at <= since
    meanwhile = [
        record
        for record in ever
        if record.domain == flow.domain and record.started_at >= since and record.status not in OPEN
    ]
    if not (flow.published and old and flow.domain and meanwhile) or used:
        return set()
    return {("stale_flow", flow.name, len(meanwhile), 0)}


def rated(
    kind: str,
    about: object,
    records: list[Record],
    is_part: Callable[[Record], bool],
    holds: Callable[[float, float], bool],
) -> set[tuple]:
    part = sum(1 for record in records if is_part(record))
    if not records or not holds(*wilson(part, len(records))):
        return set()
    return {(kind, about, len(records), part)}


def counted(record: Record) -> list[Step]:
    return [step for step in record.steps if not step.undone and not step.taken_over]


def escalated(record: Record) -> bool:
    return record.status == "escalated"


def ended_badly(record: Record) -> bool:
    return record.status in BAD
