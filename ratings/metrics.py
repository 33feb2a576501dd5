"""The figures over ratings, as they are asked of sessions. docs/metrics.md defines each in words."""

from django.db.models import Avg, Count

from resolutionflow.metrics import Metric

# A session has one rating at the most, so the join counts nothing twice.
RATINGS_OF_SESSIONS = {
    "avg_csat": Metric("CSAT", "score", "higher", Avg("rating__rating")),
    "ratings": Metric("Ratings", "count", None, Count("rating__rating")),
}
