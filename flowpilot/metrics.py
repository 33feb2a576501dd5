"""The figures over sessions. docs/metrics.md defines each in words."""

from collections.abc import Mapping
from typing import ClassVar

from django.db.models import Count, Q

from flowpilot.sessions.states import Outcome, Status
from resolutionflow.metrics import Median, Metric, MetricQuerySet, share

COMPLETED = Q(completed_at__isnull=False)
RESOLVED = Q(status=Status.RESOLVED)


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
        "active_engineers": Metric("Active engineers", "count", None, Count("user_id", distinct=True)),
        **{
            outcome.value: Metric(outcome.label, "count", None, Count("pk", filter=Q(outcome=outcome)))
            for outcome in Outcome
        },
    }
