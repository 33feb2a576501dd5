"""Team analytics and one's own once more, from a list of plain records: no database, nothing of the product.

What metrics.md says in words, in the most literal way that Python has. The tests compare the product with it.
"""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

OUTCOMES = ("resolved", "escalated", "workaround", "unresolved")


@dataclass(frozen=True)
class Named:
    id: str
    name: str


@dataclass(frozen=True)
class Record:
    """One session: `seconds` from its start to its end, None while it is open; `stars` only where it was rated."""

    account: str
    engineer: Named
    client: str | None
    flow: Named | None
    started_at: datetime
    seconds: int | None
    outcome: str | None
    stars: int | None = None


def half_up(value: Fraction, places: int) -> float:
    scaled = value * 10**places + Fraction(1, 2)
    return float(Fraction(scaled.numerator // scaled.denominator, 10**places))


def local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def between(records: Iterable[Record], first: date, last: date, zone: str) -> list[Record]:
    return [record for record in records if first <= local(record.started_at, zone).date() <= last]


def before(records: Iterable[Record], first: date, last: date, zone: str, now: datetime) -> list[Record]:
    """The sessions of the as many days before; while today is in the period, its last day up to the time it is now."""
    length = (last - first).days + 1
    end = first - timedelta(days=1)
    found = between(records, first - timedelta(days=length), end, zone)
    today = local(now, zone)
    if not first <= today.date() <= last:
        return found
    cut = moment_of(datetime.combine(end, today.time()), zone)
    return [
        record for record in found if local(record.started_at, zone).date() < end or record.started_at < cut
    ]


def moment_of(wall: datetime, zone: str) -> datetime:
    """When clocks first show this; what they skip is read with the offset from before the skip."""
    wall = wall.replace(tzinfo=UTC, fold=0)
    old, new = (local(wall + timedelta(hours=hours), zone).utcoffset() for hours in (-26, 26))
    shows = [
        wall - offset
        for offset in (old, new)
        if local(wall - offset, zone).replace(tzinfo=None) == wall.replace(tzinfo=None)
    ]
    return min(shows, default=wall - old)


def summary(records: list[Record]) -> dict:
    return {
        "total_sessions": len(records),
        "completed_sessions": len(completed(records)),
        "completion_rate": completion_rate(records),
        "median_duration_minutes": median_minutes(records),
        "active_engineers": len({record.engineer for record in records}),
        "outcome_breakdown": outcomes(records),
    }


def completed(records: list[Record]) -> list[Record]:
    return [record for record in records if record.seconds is not None]


def completion_rate(records: list[Record]) -> float:
    return half_up(Fraction(len(completed(records)), len(records)), 3) if records else 0.0


def median_minutes(records: list[Record]) -> float:
    durations = [Fraction(record.seconds, 60) for record in completed(records)]
    return half_up(statistics.median(durations), 1) if durations else 0.0


def outcomes(records: list[Record]) -> dict[str, int]:
    return {outcome: sum(record.outcome == outcome for record in records) for outcome in OUTCOMES}


def csat(records: list[Record]) -> float | None:
    stars = [Fraction(record.stars) for record in records if record.stars is not None]
    return half_up(statistics.mean(stars), 1) if stars else None


def series(records: list[Record], first: date, last: date, zone: str) -> list[dict]:
    points = []
    day = first
    while day <= last:
        of_day = between(records, day, day, zone)
        points.append({"date": day.isoformat(), "sessions": len(of_day), **outcomes(of_day)})
        day += timedelta(days=1)
    return points


def top(records: list[Record], of: Callable[[Record], Named | None]) -> list[tuple[Named, list[Record]]]:
    """The ten with the most sessions; ties in code-point order of their names, then of their ids."""
    groups: dict[Named, list[Record]] = {}
    for record in records:
        if named := of(record):
            groups.setdefault(named, []).append(record)
    return sorted(groups.items(), key=lambda group: (-len(group[1]), group[0].name, group[0].id))[:10]


def team(records: list[Record], first: date, last: date, zone: str) -> dict:
    """The answer of /api/v1/analytics/team about these sessions, which all lie in the period."""
    return {
        "summary": summary(records),
        "time_series": series(records, first, last, zone),
        "top_flows": [
            {"tree_id": flow.id, **_row(flow, rows), "avg_csat": csat(rows)}
            for flow, rows in top(records, lambda record: record.flow)
        ],
        "top_engineers": [
            {"user_id": engineer.id, **_row(engineer, rows)}
            for engineer, rows in top(records, lambda record: record.engineer)
        ],
    }


def mine(records: list[Record], me: Named, first: date, last: date, zone: str) -> dict:
    """The answer of /api/v1/analytics/me about these sessions of the account, which all lie in the period."""
    own = [record for record in records if record.engineer == me]
    answer = team(own, first, last, zone)
    del answer["top_engineers"]
    answer["summary"]["active_engineers"] = 1
    return answer


def team_medians(records: list[Record]) -> dict[str, Fraction | None]:
    """Over the people with a session here the median of each one's own figure; None of fewer than five values."""
    people = {record.engineer for record in records}
    each = [[record for record in records if record.engineer == person] for person in people]
    values = {
        "sessions": [Fraction(len(own)) for own in each],
        "completion_rate": [Fraction(len(completed(own)), len(own)) for own in each],
        "median_duration": [
            statistics.median([Fraction(record.seconds) for record in completed(own)])
            for own in each
            if completed(own)
        ],
    }
    return {name: statistics.median(of) if len(of) >= 5 else None for name, of in values.items()}


def _row(named: Named, records: list[Record]) -> dict:
    return {
        "name": named.name,
        "sessions": len(records),
        "completion_rate": completion_rate(records),
        "median_duration_minutes": median_minutes(records),
    }
