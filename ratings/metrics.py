"""The figures over session ratings. docs/metrics.md defines each in words."""

from collections.abc import Mapping
from typing import ClassVar

from django.db.models import Avg, Count

from resolutionflow.metrics import Metric, MetricQuerySet

RATINGS_OF_SESSIONS = {  # asked of sessions: their rating is one to one, so nothing is counted twice
    "avg_csat": Avg("rating__rating"),
    "ratings": Count("rating__rating"),
}


class SessionRatingQuerySet(MetricQuerySet):
    time_field = "created_at"
    metrics: ClassVar[Mapping[str, Metric]] = {
        "ratings": Metric("Ratings", "count", None, Count("pk")),
        "avg_csat": Metric("CSAT", "score", "higher", Avg("rating")),
    }
