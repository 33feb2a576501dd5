"""FlowPilot analytics once more, from a list of plain records: no database, nothing of the product.

What metrics.md says in words, in the most literal way that Python has. The tests compare the product with it.
"""

import statistics
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from analytics.tests.plain import half_up, local

RESOLVED, ESCALATED = ("resolved",), ("escalated", "requesting_escalation")
DECIDED = (*RESOLVED, *ESCALATED, "unresolved")


@dataclass(frozen=True)
class Record:
    """One session. `notes` and `times` are what reached the ticket system: moments, and (hours, moment)."""

    started_at: datetime
    status: str
    seconds: int | None
    tier: str | None
    domain: str | None
    steps: int
    ticket: bool
    stars: int | None
    notes: tuple[datetime, ...]
    times: tuple[tuple[Fraction, datetime], ...]


def inside(records: list[Record], first: date, last: date, zone: str) -> list[Record]:
    return [record for record in records if first <= local(record.started_at, zone).date() <= last]


def rate(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def mean(values: list) -> Fraction | None:
    return Fraction(statistics.mean([Fraction(value) for value in values])) if values else None


def said(value: Fraction | None, places: int, *, scale: Fraction | int = 1) -> float | None:
    return None if value is None else half_up(value * scale, places)


MINUTES = Fraction(1, 60)


def of_status(records: list[Record], statuses: tuple[str, ...]) -> list[Record]:
    return [record for record in records if record.status in statuses]


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def overview(records: list[Record], first: date, last: date, zone: str) -> dict:
    """Without `period`, `knowledge_coverage` and `psa_metrics`."""
    resolved = of_status(records, RESOLVED)
    return {
        "total_sessions": len(records),
        "resolved_sessions": len(resolved),
        "escalated_sessions": len(of_status(records, ESCALATED)),
        "abandoned_sessions": len(of_status(records, ("abandoned",))),
        "resolution_rate": said(rate(len(resolved), len(records)), 1, scale=100),
        "avg_steps_to_resolution": said(mean([record.steps for record in resolved]), 1),
        "avg_session_duration_minutes": said(
            mean([record.seconds for record in records if record.seconds is not None]), 1, scale=MINUTES
        ),
        "avg_rating": said(mean([record.stars for record in records if record.stars]), 2),
        "mttr_minutes": said(mean([record.seconds for record in resolved]), 1, scale=MINUTES),
        "time_saved_minutes": said(time_saved(records), 1, scale=MINUTES),
        "mttr_trend": [
            {
                "date": day.isoformat(),
                "mttr_minutes": said(mean([r.seconds for r in ended]), 1, scale=MINUTES),
                "session_count": len(ended),
            }
            for day in days(first, last)
            for ended in [[r for r in resolved if local(ended_at(r), zone).date() == day]]
        ],
        "sessions_by_domain": [
            {
                "domain": name,
                "total": len(mine),
                "resolved": len(of_status(mine, RESOLVED)),
                "escalated": len(of_status(mine, ESCALATED)),
                "resolution_rate": said(rate(len(of_status(mine, RESOLVED)), len(mine)), 1, scale=100),
            }
            for name, mine in by_domain(records)
            if mine
        ],
        "confidence_breakdown": tiers(records),
    }


def ended_at(record: Record) -> datetime:
    assert record.seconds is not None
    return record.started_at.astimezone(UTC) + timedelta(seconds=record.seconds)


def by_domain(records: list[Record], also: tuple[str, ...] = ()) -> list[tuple[str, list[Record]]]:
    names = {record.domain for record in records if record.domain} | set(also)
    groups = [(name, [record for record in records if record.domain == name]) for name in names]
    return sorted(groups, key=lambda group: (-len(group[1]), group[0]))


def time_saved(records: list[Record]) -> Fraction | None:
    saved = []
    for _, mine in by_domain(records):
        resolved = of_status(mine, RESOLVED)
        guided = [Fraction(record.seconds) for record in resolved if record.tier == "guided"]
        others = [Fraction(record.seconds) for record in resolved if record.tier != "guided"]
        if len(guided) >= 10 and len(others) >= 10:
            saved.append(len(guided) * (statistics.median(others) - statistics.median(guided)))
    return sum(saved, Fraction(0)) if saved else None


def tiers(records: list[Record]) -> dict:
    answer = {}
    for tier in ("guided", "exploring", "discovery"):
        mine = [record for record in of_status(records, DECIDED) if record.tier == tier]
        answer[f"{tier}_sessions"] = len(mine)
        answer[f"{tier}_resolution_rate"] = said(
            rate(len(of_status(mine, RESOLVED)), len(mine)), 1, scale=100
        )
    return answer


def coverage(records: list[Record], flows: dict[str, int]) -> dict:
    """`flows`: domain → its published flows."""
    rows = []
    for name, mine in by_domain(records, tuple(name for name, count in flows.items() if count)):
        resolved = of_status(mine, RESOLVED)
        rows.append(
            {
                "domain": name,
                "flow_count": flows.get(name, 0),
                "session_count": len(mine),
                "resolution_rate": said(rate(len(resolved), len(mine)), 3),
                "escalation_rate": said(rate(len(of_status(mine, ESCALATED)), len(mine)), 3),
                "guided_rate": said(rate(sum(r.tier == "guided" for r in mine), len(mine)), 3),
                "avg_resolution_minutes": said(mean([r.seconds for r in resolved]), 1, scale=MINUTES),
            }
        )
    unmapped = sum(record.domain is None for record in records)
    return {"domains": rows, "unmapped_session_count": unmapped, "total_domains": len(rows)}


def psa(everything: list[Record], first: date, last: date, zone: str) -> dict:
    """`everything`: sessions of any time; what was logged counts when it was logged."""

    def within(at: datetime) -> bool:
        return first <= local(at, zone).date() <= last

    entries = [(record, hours, at) for record in everything for hours, at in record.times if within(at)]
    hours = sum((hours for _, hours, _ in entries), Fraction(0))
    sessions = len({id(record) for record, _, _ in entries})
    linked = [record for record in inside(everything, first, last, zone) if record.ticket]
    return {
        "total_time_entries": len(entries),
        "total_hours_logged": half_up(hours, 2),
        "avg_hours_per_session": said(hours / sessions if sessions else None, 2),
        "push_funnel": {
            "total_sessions": len(inside(everything, first, last, zone)),
            "linked_to_ticket": len(linked),
            "doc_pushed": sum(bool(record.notes) for record in linked),
            "time_entry_logged": sum(bool(record.times) for record in linked),
        },
        "daily_trend": [
            {
                "date": day.isoformat(),
                "entries": len(of_day),
                "hours": half_up(sum(of_day, Fraction(0)), 2),
            }
            for day in days(first, last)
            for of_day in [[h for _, h, at in entries if local(at, zone).date() == day]]
        ],
    }
