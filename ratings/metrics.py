"""The figures over ratings, as they are asked of sessions. docs/metrics.md defines each in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Avg, Count, Q

from flowpilot.metrics import SessionQuerySet
from ratings.models import SessionRating, StepRating
from resolutionflow.metrics import Metric

# A session has one rating at the most, so the join counts nothing twice.
RATINGS_OF_SESSIONS = {
    "avg_csat": Metric("CSAT", "score", "higher", Avg("rating__rating")),
    "ratings": Metric("Ratings", "count", None, Count("rating__rating")),
}
FEWEST_COMMENTS, FEWEST_PEOPLE = 3, 2  # before any comment is shown to others
NEWEST_COMMENTS = 10


@dataclass(frozen=True)
class Thumbs:
    """The thumbs on one step. A session has one on a step at the most, so each counts sessions too."""

    title: str
    yes: int
    no: int


def thumbs(sessions: SessionQuerySet) -> Mapping[str, Thumbs]:
    """The thumbs given in these sessions, all of one flow, by node_id; steps without any are left out."""
    given = StepRating.objects.filter(session__in=sessions.order_by().values("pk"))
    rows = given.values_list("step__node_id", "step__title").annotate(
        yes=Count("pk", filter=Q(was_helpful=True)), no=Count("pk", filter=Q(was_helpful=False))
    )
    return {node_id: Thumbs(title, yes, no) for node_id, title, yes, no in rows}


def stars(rated: SessionQuerySet) -> dict[int, int]:
    """How many of these sessions have five stars, four, …, one."""
    found = dict(rated.order_by().values_list("rating__rating").annotate(count=Count("pk")))
    return {number: found.get(number, 0) for number in (5, 4, 3, 2, 1)}


def newest_comments(rated: SessionQuerySet) -> list[SessionRating]:
    """The newest comments on these sessions, with stars and moment, not with their writers.

    None as long as they are fewer than three or of a single engineer, whom one could guess.
    """
    given = SessionRating.objects.filter(session__in=rated.order_by().values("pk"), comment__regex=r"\S")
    are = given.aggregate(comments=Count("pk"), people=Count("user", distinct=True))
    if are["comments"] < FEWEST_COMMENTS or are["people"] < FEWEST_PEOPLE:
        return []
    newest = given.order_by("-created_at", "-id").only("account", "rating", "comment", "created_at")
    return list(newest[:NEWEST_COMMENTS])
