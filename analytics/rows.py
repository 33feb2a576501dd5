"""The rows of each panel. Page, JSON and exports read the same ones."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, Window
from django.db.models.functions import Rank

from analytics.query import DashboardQuery
from flowpilot.metrics import SessionQuerySet
from flowpilot.sessions.states import Outcome
from ratings.metrics import RATINGS_OF_SESSIONS
from resolutionflow.metrics import Metric, every_day
from resolutionflow.periods import Period

SUMMARY = ("sessions", "completed", "completion_rate", "median_duration", "active_engineers", *Outcome.values)
SERIES = ("sessions", *Outcome.values)
ROW = ("sessions", "completed", "completion_rate", "median_duration")
TOP = 10
COMPLETED = {
    "outcome": Outcome.values
}  # as a filter of the session list: only completed sessions have an outcome


def daily(query: DashboardQuery) -> list[dict[str, Any]]:
    """One row a local day of the period: day and the counts in SERIES."""
    return every_day(query.sessions.daily(*SERIES, tz=query.account.tz), query.period, *SERIES)


def top_flows(query: DashboardQuery) -> list[dict[str, Any]]:
    """The ten flows with the most sessions: id, name, the figures in ROW, avg_csat and ratings."""
    return _top(query.sessions.filter(flow__isnull=False), "flow", RATINGS_OF_SESSIONS)


def top_engineers(query: DashboardQuery) -> list[dict[str, Any]]:
    """The ten users with the most sessions: id, name and the figures in ROW."""
    return _top(query.sessions, "user", {})


def _top(sessions: SessionQuerySet, of: str, further: Mapping[str, Metric]) -> list[dict[str, Any]]:
    # Counted by id alone first: names and medians are dear, and only those of the rows shown are needed.
    counted = sessions.values(f"{of}_id").annotate(count=Count("pk"))
    placed = counted.annotate(place=Window(Rank(), order_by=F("count").desc()))
    shown = placed.filter(place__lte=TOP)  # more than ten where the last place is shared
    ids = [row[f"{of}_id"] for row in shown]
    figures = sessions.filter(**{f"{of}_id__in": ids}).by(f"{of}_id", *ROW)
    also = {name: metric.expression for name, metric in further.items()}
    rows = [{"id": row.pop(f"{of}_id"), **row} for row in figures.annotate(name=Max(f"{of}__name"), **also)]
    # Python orders names by code point, as COLLATE "C" does.
    return sorted(rows, key=lambda row: (-row["sessions"], row["name"], row["id"]))[:TOP]


def newest_session_at(query: DashboardQuery) -> datetime | None:
    """When the newest session of this engineer and client began, up to today; None if there is none at all."""
    today = Period.of_days(1, now=query.now, tz=query.account.tz)
    rows = query.sessions_ever.filter(started_at__lt=today.end)
    newest: datetime | None = rows.aggregate(at=Max("started_at"))["at"]
    return newest
