"""The rows of the tab PSA: what reached the ticket system, and how far sessions came on their way there."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, DecimalField, Exists, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast, Coalesce, NullIf, TruncDate

from analytics.query import DashboardQuery
from flowpilot.models import PsaActivityLog, PsaPush
from resolutionflow.metrics import Metric

Kind = PsaActivityLog.ActivityType
WITH_TIME = Count("session_id", distinct=True)
HOURS = Coalesce(Sum("hours_logged"), Value(Decimal(0)))
PER_SESSION = HOURS / Cast(NullIf(WITH_TIME, 0), DecimalField(max_digits=20, decimal_places=0))
METRICS = {
    "entries": Metric("Time entries", "count", None, Count("pk")),
    "hours": Metric("Hours logged", "hours", None, HOURS),
    "sessions": Metric("Sessions with time logged", "count", None, WITH_TIME),
    "hours_per_session": Metric("Hours per session", "hours", None, PER_SESSION),
}
FIGURES = {name: metric.expression for name, metric in METRICS.items()}


def _entries(query: DashboardQuery, since: datetime) -> QuerySet[PsaActivityLog]:
    """The time entries from then on to the end of the period, of the client's sessions where one is chosen."""
    rows = PsaActivityLog.objects.filter(
        activity_type=Kind.TIME_ENTRY_POSTED, created_at__gte=since, created_at__lt=query.period.end
    )
    return rows.filter(session__client=query.client) if query.client else rows


def time_logged(query: DashboardQuery) -> dict[str, Any]:
    """METRICS of the period: `entries`, `hours` (0 without any), `sessions` with one, `hours_per_session` (None)."""
    found: dict[str, Any] = _entries(query, query.period.start).aggregate(**FIGURES)
    return found


def time_logged_and_before(query: DashboardQuery) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same over the period and over the one before, in one query."""
    period, before = query.period, query.period.before
    side = Case(
        When(created_at__gte=period.start, then=Value("now")),
        When(created_at__lt=before.end, then=Value("before")),
    )
    rows = _entries(query, before.start).annotate(side=side).values("side").annotate(**FIGURES)
    found: dict[Any, dict[str, Any]] = {row["side"]: {**row} for row in rows}
    nothing = dict.fromkeys(FIGURES, 0) | {"hours": Decimal(0), "hours_per_session": None}
    return found.get("now", nothing), found.get("before", nothing)


def funnel(query: DashboardQuery) -> dict[str, int]:
    """Sessions of the period: all of them, with a ticket, of these with a note posted, and with time logged."""
    linked = Q(psa_ticket_id__isnull=False)
    found: dict[str, int] = query.sessions.annotate(
        noted=_has(Kind.NOTE_POSTED), timed=_has(Kind.TIME_ENTRY_POSTED)
    ).aggregate(
        total_sessions=Count("pk"),
        linked_to_ticket=Count("pk", filter=linked),
        doc_pushed=Count("pk", filter=linked & Q(noted=True)),
        time_entry_logged=Count("pk", filter=linked & Q(timed=True)),
    )
    return found


def _has(kind: str) -> Exists:
    return Exists(
        PsaActivityLog.objects.filter(session=OuterRef("pk"), account=OuterRef("account"), activity_type=kind)
    )


def daily(query: DashboardQuery) -> list[dict[str, Any]]:
    """For every local day of the period: `entries` and `hours` (Decimal) of the time logged on it, and in how many
    `sessions`."""
    rows = (
        _entries(query, query.period.start)
        .annotate(day=TruncDate("created_at", tzinfo=query.account.tz))
        .values("day")
        .annotate(entries=Count("pk"), hours=Sum("hours_logged"), sessions=Count("session_id", distinct=True))
        .order_by("day")
    )
    found: dict[date, Mapping[str, Any]] = {row["day"]: row for row in rows}
    nothing = {"entries": 0, "hours": None, "sessions": 0}
    return [
        {
            "day": day,
            "entries": row["entries"],
            "hours": row["hours"] or Decimal(0),
            "sessions": row["sessions"],
        }
        for day in query.period.days
        for row in [found.get(day, nothing)]
    ]


def pushes(query: DashboardQuery) -> dict[str, int]:
    """Of the pushes finished in the period: `finished`, `success`, and `retried`, which succeeded after a retry."""
    rows = PsaPush.objects.filter(
        status__in=PsaPush.FINISHED, finished_at__gte=query.period.start, finished_at__lt=query.period.end
    )
    if query.client:
        rows = rows.filter(session__client=query.client)
    success = Q(status=PsaPush.Status.SUCCESS)
    found: dict[str, int] = rows.aggregate(
        finished=Count("pk"),
        success=Count("pk", filter=success),
        retried=Count("pk", filter=success & Q(retry_count__gt=0)),
    )
    return found


def is_known() -> bool:
    """Whether anything of the account ever reached a ticket system."""
    return PsaActivityLog.objects.exists()
