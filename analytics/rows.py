"""The rows of each panel. Page, JSON and exports read the same ones."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, Max, QuerySet, Value, When, Window
from django.db.models.expressions import Combinable
from django.db.models.functions import Rank

from analytics.query import DashboardQuery
from flowpilot.metrics import SessionQuerySet
from flowpilot.sessions.states import Outcome
from ratings.metrics import RATINGS_OF_SESSIONS
from resolutionflow.accounts.names import shown_names
from resolutionflow.metrics import every_day, median_of_groups
from resolutionflow.periods import Period

SUMMARY = ("sessions", "completed", "completion_rate", "median_duration", "active_engineers", *Outcome.values)
SERIES = ("sessions", *Outcome.values)
ROW = ("sessions", "completed", "completion_rate", "median_duration")
COMPARED = ("sessions", "completion_rate", "median_duration")  # of My, with the team's median
FEWEST_ENGINEERS = 5  # behind a median over people
TOP = 10
# As a filter of the session list: only completed sessions have an outcome.
COMPLETED = {"outcome": Outcome.values}


def totals_and_before(query: DashboardQuery, **more: Combinable) -> tuple[dict[str, Any], dict[str, Any]]:
    """SUMMARY, and `more` counts, over the period and over the one before, in one query."""
    period, before = query.period, query.period.before
    side = Case(
        When(started_at__gte=period.start, then=Value("now")),
        When(started_at__lt=before.end, then=Value("before")),
    )
    both = query.sessions_ever.filter(started_at__gte=before.start, started_at__lt=period.end)
    found = {row["side"]: row for row in both.annotate(side=side).by("side", *SUMMARY).annotate(**more)}
    nothing = dict.fromkeys([*SUMMARY, *more], 0) | {"completion_rate": None, "median_duration": None}
    return found.get("now", nothing), found.get("before", nothing)


def team_medians(query: DashboardQuery) -> dict[str, Decimal | None]:
    """Of each figure in COMPARED the median over the engineers who have one, in the period and for the client.

    None where fewer than FEWEST_ENGINEERS have one: among so few it would give a colleague's figure away.
    """
    each = query.everybodys.by("user_id", *COMPARED)
    medians = {f"median_{name}": median_of_groups(name) for name in COMPARED}
    people = {f"people_{name}": Count(name) for name in COMPARED}
    found = each.aggregate(**medians, **people)
    enough = {name: found[f"people_{name}"] >= FEWEST_ENGINEERS for name in COMPARED}
    return {name: found[f"median_{name}"] if enough[name] else None for name in COMPARED}


def daily(query: DashboardQuery) -> list[dict[str, Any]]:
    """One row a local day of the period: day and the counts in SERIES."""
    return every_day(query.sessions.daily(*SERIES, tz=query.account.tz), query.period, *SERIES)


def outcome_shares(query: DashboardQuery) -> list[dict[str, Any]]:
    """Each outcome with its label, its sessions and their share of all that have one, None of none."""
    counts = query.sessions.totals(*Outcome.values)
    total = sum(counts.values())
    return [
        {
            "outcome": outcome,
            "label": outcome.label,
            "sessions": counts[outcome.value],
            "share": Decimal(counts[outcome.value]) / total if total else None,
        }
        for outcome in Outcome
    ]


def top_flows(query: DashboardQuery) -> list[dict[str, Any]]:
    """The ten flows with the most sessions: id, name, the figures in ROW, avg_csat and ratings."""
    ratings = {name: metric.expression for name, metric in RATINGS_OF_SESSIONS.items()}
    found = _most_used(query.sessions.filter(flow__isnull=False), "flow_id")
    return _first_ten(found.annotate(name=Max("flow__name"), **ratings), "flow_id")


def top_engineers(query: DashboardQuery) -> list[dict[str, Any]]:
    """The ten users with the most sessions: id, name as it is shown, and the figures in ROW."""
    names = shown_names(query.account)
    found = _most_used(query.sessions, "user_id")
    return _first_ten([row | {"name": names[row["user_id"]]} for row in found], "user_id")


def _most_used(sessions: SessionQuerySet, of: str) -> QuerySet[Any, dict[str, Any]]:
    """ROW of each that has a place among the first ten: more than ten where the last place is shared."""
    # Counted by id alone first: medians are dear, and only those of the rows shown are needed.
    counted = sessions.values(of).annotate(count=Count("pk"))
    placed = counted.annotate(place=Window(Rank(), order_by=F("count").desc()))
    first = placed.filter(place__lte=TOP).values(of)
    return sessions.filter(**{f"{of}__in": first}).by(of, *ROW)


def _first_ten(found: Iterable[dict[str, Any]], of: str) -> list[dict[str, Any]]:
    rows = [{"id": row[of], **{name: row[name] for name in row if name != of}} for row in found]
    # Python orders names by code point, as COLLATE "C" does.
    return sorted(rows, key=lambda row: (-row["sessions"], row["name"], row["id"]))[:TOP]


def newest_session_at(query: DashboardQuery) -> datetime | None:
    """When the newest session of this engineer and client began, up to today; None if there is none at all."""
    today = Period.of_days(1, now=query.now, tz=query.account.tz)
    rows = query.sessions_ever.filter(started_at__lt=today.end)
    newest: datetime | None = rows.aggregate(at=Max("started_at"))["at"]
    return newest
