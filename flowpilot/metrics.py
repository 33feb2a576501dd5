"""The figures over sessions. docs/metrics.md defines each in words."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.db.models import (
    Count,
    DecimalField,
    DurationField,
    ExpressionWrapper,
    F,
    Func,
    Max,
    Q,
    QuerySet,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Greatest

from flowpilot.sessions.states import OPEN, Outcome, Status, Tier
from resolutionflow.metrics import Mean, Median, Metric, MetricQuerySet, share
from resolutionflow.periods import Period

FORGOTTEN = 90  # days without a session until nothing is left of a flow's recency
EXACT = DecimalField(max_digits=30, decimal_places=15)
ENDED = ~Q(status__in=OPEN)
GUIDED = Q(confidence_tier=Tier.GUIDED)
COMPLETED = Q(completed_at__isnull=False)
RESOLVED = Q(status=Status.RESOLVED)
ESCALATED = Q(status__in=[Status.ESCALATED, Status.REQUESTING_ESCALATION])
ABANDONED = Q(status=Status.ABANDONED)
UNGUIDED = Q(confidence_tier__isnull=True) | Q(confidence_tier__in=[Tier.EXPLORING, Tier.DISCOVERY])


def given_up(idle_since: datetime) -> Q:
    """Dropped off: abandoned, or active without a sign of life since then, which the account's idle limit sets."""
    return Q(status=Status.ABANDONED) | Q(status=Status.ACTIVE, last_activity_at__lt=idle_since)


class SessionQuerySet(MetricQuerySet):
    time_field = "started_at"
    metrics: ClassVar[Mapping[str, Metric]] = {
        "sessions": Metric("Sessions", "count", None, Count("pk")),
        "completed": Metric("Completed", "count", None, Count("pk", filter=COMPLETED)),
        "completion_rate": Metric("Completion rate", "share", "higher", share(COMPLETED, of=Q())),
        "median_duration": Metric(
            "Median duration", "duration", "lower", Median("duration_seconds", filter=COMPLETED)
        ),
        "resolution_rate": Metric("Resolution rate", "share", "higher", share(RESOLVED, of=Q())),
        "ended": Metric("Ended", "count", None, Count("pk", filter=ENDED)),
        "success_rate": Metric("Success rate", "share", "higher", share(RESOLVED, of=ENDED)),
        "escalation_rate": Metric("Escalation rate", "share", "lower", share(ESCALATED, of=Q())),
        "guided_rate": Metric("Guided rate", "share", "higher", share(GUIDED, of=Q())),
        "resolved_sessions": Metric("Resolved sessions", "count", None, Count("pk", filter=RESOLVED)),
        "escalated_sessions": Metric("Escalated sessions", "count", None, Count("pk", filter=ESCALATED)),
        "abandoned_sessions": Metric("Abandoned sessions", "count", None, Count("pk", filter=ABANDONED)),
        "guided_sessions": Metric("Guided sessions", "count", None, Count("pk", filter=GUIDED)),
        "steps_to_resolution": Metric(
            "Steps to resolution", "score", "lower", Mean("step_count", filter=RESOLVED)
        ),
        "mean_duration": Metric(
            "Mean duration", "duration", "lower", Mean("duration_seconds", filter=COMPLETED)
        ),
        "mttr": Metric("Time to resolve", "duration", "lower", Mean("duration_seconds", filter=RESOLVED)),
        "with_ticket": Metric(
            "Sessions with a ticket", "count", None, Count("pk", filter=Q(psa_ticket_id__isnull=False))
        ),
        "active_engineers": Metric("Active engineers", "count", None, Count("user_id", distinct=True)),
        **{
            outcome.value: Metric(outcome.label, "count", None, Count("pk", filter=Q(outcome=outcome)))
            for outcome in Outcome
        },
    }

    def flow_quality(self, period: Period) -> QuerySet:
        """One row for each flow that ever had one of these sessions: `flow_id`, `sessions_ever`, `last_matched_at` (the
        newest start, ever) and the figures of `flow_quality` over the period."""
        rows: QuerySet = self.filter(flow__isnull=False).order_by().values("flow_id")
        figures = {name: metric.expression for name, metric in flow_quality(period).items()}
        ever: QuerySet = rows.annotate(sessions_ever=Count("pk"), last_matched_at=Max("started_at"))
        told: QuerySet = ever.annotate(**figures)
        return told


def flow_quality(period: Period) -> dict[str, Metric]:
    """The figures of a flow over all its sessions, as of the period's `now`; they look for its `last_matched_at`."""
    within = Q(started_at__gte=period.start, started_at__lt=period.end)
    return {
        "success_rate": Metric("Success rate", "share", "higher", share(RESOLVED, of=ENDED & within)),
        "guided_rate": Metric("Guided rate", "share", "higher", share(GUIDED, of=within)),
        "recency_score": Metric("Recency score", "share", "higher", _recency(period)),
        "quality_score": Metric("Quality score", "share", "higher", _quality()),
    }


def _recency(period: Period) -> Combinable:
    """1 of a flow that was used just now, 0 after FORGOTTEN days, in a straight line between."""
    unused = ExpressionWrapper(Value(period.now) - F("last_matched_at"), output_field=DurationField())
    days = Func(unused, template="(extract(epoch FROM %(expressions)s) / 86400)", output_field=EXACT)
    return Greatest(
        Value(Decimal(0)), Value(Decimal(1)) - days / Value(Decimal(FORGOTTEN)), output_field=EXACT
    )


def _quality() -> Combinable:
    """NULL where nothing ended: then there is no success rate either."""
    weights = {"success_rate": "0.5", "guided_rate": "0.3", "recency_score": "0.2"}
    parts = [Value(Decimal(weight)) * F(name) for name, weight in weights.items()]
    return ExpressionWrapper(parts[0] + parts[1] + parts[2], output_field=EXACT)
