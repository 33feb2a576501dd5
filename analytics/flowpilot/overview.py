"""The rows of the tab Overview: how the sessions of the period went, by day, by tier and by domain."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, Max, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import TruncDate

from analytics.query import DashboardQuery
from flowpilot.metrics import ABANDONED, GUIDED, RESOLVED, UNGUIDED, SessionQuerySet
from flowpilot.models import Flow, FlowProposal
from flowpilot.sessions.states import Status, Tier
from ratings.metrics import RATINGS_OF_SESSIONS
from resolutionflow.metrics import Mean, Median, Metric

TOTALS = (
    *("sessions", "resolved_sessions", "escalated_sessions", "abandoned_sessions", "resolution_rate"),
    *("steps_to_resolution", "mean_duration", "mttr", "completed"),
)
TIME_SAVED = Metric(
    "Estimated time saved", "hours", "higher", Value(None)
)  # reckoned in Python, domain by domain
ENOUGH = 10  # sessions on each side before a domain's medians are compared


def totals(sessions: SessionQuerySet) -> dict[str, Any]:
    """TOTALS and `with_ticket`, and mean stars and number of the ratings of these sessions; one query."""
    linked = SessionQuerySet.metrics["with_ticket"].expression
    found: dict[str, Any] = sessions.aggregate(**_figures(), with_ticket=linked)
    return found


def totals_and_before(query: DashboardQuery) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same, tickets left out, over the period and over the one before, in one query."""
    rows = _both_periods(query).order_by().values("is_now").annotate(**_figures())
    found = {row["is_now"]: row for row in rows}
    counts = ("sessions", "resolved_sessions", "escalated_sessions", "abandoned_sessions", "completed")
    nothing = dict.fromkeys(_figures()) | dict.fromkeys((*counts, "ratings"), 0)
    return found.get(True, nothing), found.get(False, nothing)


def _both_periods(query: DashboardQuery) -> SessionQuerySet:
    """The sessions of the period, which are `is_now`, and of the one before.

    The planner knows that what is true or false makes two groups, and needs not sort the sessions to find them.
    """
    period, before = query.period, query.period.before
    is_now = Q(started_at__gte=period.start)
    both = query.sessions_ever.filter(started_at__gte=before.start, started_at__lt=period.end)
    return both.filter(is_now | Q(started_at__lt=before.end)).annotate(
        is_now=ExpressionWrapper(is_now, output_field=BooleanField())
    )


def _figures() -> dict[str, Combinable]:
    own = {name: SessionQuerySet.metrics[name].expression for name in TOTALS}
    return own | {name: metric.expression for name, metric in RATINGS_OF_SESSIONS.items()}


def mttr_trend(query: DashboardQuery) -> list[dict[str, Any]]:
    """For every local day of the period: `mttr`, mean seconds of the sessions that were resolved on it, None without
    one, and `count`. Of the sessions that started in the period."""
    rows = (
        query.sessions.filter(RESOLVED, completed_at__lt=query.period.end)
        .annotate(day=TruncDate("completed_at", tzinfo=query.account.tz))
        .values("day")
        .annotate(count=Count("pk"), mttr=Mean("duration_seconds"))
        .order_by("day")
    )
    found: dict[date, Mapping[str, Any]] = {row["day"]: row for row in rows}
    nothing = {"count": 0, "mttr": None}
    return [
        {"day": day, "count": row["count"], "mttr": row["mttr"]}
        for day in query.period.days
        for row in [found.get(day, nothing)]
    ]


@dataclass(frozen=True)
class TimeSaved:
    """`seconds` is None where no domain has enough to compare; it may be negative. `left_out` are the domains with a
    session in the period that have not."""

    seconds: Decimal | None
    domains: int
    left_out: int
    sessions: int  # resolved guided ones of the domains compared


def time_saved(query: DashboardQuery) -> TimeSaved:
    """Over domains with enough resolved sessions both guided and not: resolved guided ones × (median of the others −
    median of the guided ones), summed. An estimate."""
    return _saved(_guided_and_not(query.sessions))


def time_saved_and_before(query: DashboardQuery) -> tuple[TimeSaved, TimeSaved]:
    """The same over the period and over the one before, in one query."""
    rows = list(_guided_and_not(_both_periods(query), "is_now"))
    now, before = ([row for row in rows if row["is_now"] is side] for side in (True, False))
    return _saved(now), _saved(before)


def _guided_and_not(sessions: SessionQuerySet, *dimensions: str) -> QuerySet[Any, dict[str, Any]]:
    """Of each domain with a session the number and the median duration of the resolved ones, guided and not."""
    guided, unguided = RESOLVED & GUIDED, RESOLVED & UNGUIDED
    rows: QuerySet[Any, dict[str, Any]] = (
        sessions.filter(domain__isnull=False)
        .order_by()
        .values("domain_id", *dimensions)
        .annotate(
            guided=Count("pk", filter=guided),
            unguided=Count("pk", filter=unguided),
            guided_median=Median("duration_seconds", filter=guided),
            unguided_median=Median("duration_seconds", filter=unguided),
        )
    )
    return rows


def _saved(rows: Iterable[Mapping[str, Any]]) -> TimeSaved:
    rows = list(rows)
    compared = [row for row in rows if row["guided"] >= ENOUGH and row["unguided"] >= ENOUGH]
    saved = [
        row["guided"] * (Decimal(str(row["unguided_median"])) - Decimal(str(row["guided_median"])))
        for row in compared
    ]
    return TimeSaved(
        seconds=sum(saved, Decimal(0)) if compared else None,
        domains=len(compared),
        left_out=len(rows) - len(compared),
        sessions=sum(row["guided"] for row in compared),
    )


def tiers(query: DashboardQuery) -> list[dict[str, Any]]:
    """Each tier with `count` and `resolved` of its sessions that are no longer worked on, and the rate of the two."""
    rows = (
        query.sessions.exclude(ABANDONED | Q(status=Status.ACTIVE))
        .filter(confidence_tier__isnull=False)
        .values("confidence_tier")
        .annotate(count=Count("pk"), resolved=Count("pk", filter=RESOLVED))
        .order_by("confidence_tier")
    )
    found = {row["confidence_tier"]: row for row in rows}
    nothing = {"count": 0, "resolved": 0}
    return [
        {
            "tier": tier,
            "label": tier.label,
            "count": row["count"],
            "resolved": row["resolved"],
            "resolution_rate": Decimal(row["resolved"]) / row["count"] if row["count"] else None,
        }
        for tier in Tier
        for row in [found.get(tier.value, nothing)]
    ]


def domains(query: DashboardQuery) -> list[dict[str, Any]]:
    """Each domain with a session: `id`, `name`, sessions, resolved, escalated, resolution rate; most sessions first."""
    rows = query.sessions.filter(domain__isnull=False).by(
        "domain_id", "sessions", "resolved_sessions", "escalated_sessions", "resolution_rate"
    )
    named = [
        row | {"id": row["domain_id"], "name": row["name"]} for row in rows.annotate(name=Max("domain__name"))
    ]
    # Python orders names by code point, as COLLATE "C" does.
    return sorted(named, key=lambda row: (-row["sessions"], row["name"], row["id"]))


def knowledge(query: DashboardQuery) -> dict[str, int]:
    """How many flows there are and which of them the product wrote, and what became of proposals. Flows and proposals
    are those of the account, whatever client is chosen."""
    period = Q(reviewed_at__gte=query.period.start, reviewed_at__lt=query.period.end)
    kinds = FlowProposal.Status
    flows = Flow.objects.exclude(status=Flow.Status.ARCHIVED).aggregate(
        total_flows=Count("pk"),
        ai_generated_flows=Count("pk", filter=~Q(origin=Flow.Origin.MANUAL)),
    )
    proposals = FlowProposal.objects.aggregate(
        total_proposals_pending=Count("pk", filter=Q(status=kinds.PENDING)),
        proposals_approved_this_period=Count(
            "pk", filter=period & Q(status__in=[kinds.APPROVED, kinds.MODIFIED])
        ),
        proposals_rejected_this_period=Count("pk", filter=period & Q(status=kinds.REJECTED)),
    )
    return flows | proposals
