"""What the panels of a flow's analytics give as files."""

from typing import Any

from analytics.exports.tables import Export
from analytics.flows import rows
from analytics.query import DashboardQuery
from flowpilot.sessions.states import Outcome
from resolutionflow.exports import Column

STEPS = Export(
    "Steps",
    (
        Column("title", "Step"),
        Column("node_id", "Step id"),
        Column("visits", "Visits", "count"),
        Column("sessions", "Sessions", "count"),
        Column("dropped", "Dropped off", "count"),
        Column("dropoff_rate", "Drop-off rate", "share"),
        Column("taken_back", "Taken back", "count"),
        Column("back_rate", "Back rate", "share"),
        Column("median_seconds", "Median seconds", "count"),
        Column("timed", "Visits timed", "count"),
        Column("helpful_yes", "Helpful", "count"),
        Column("helpful_no", "Not helpful", "count"),
        Column("helpful_rate", "Helpful rate", "share"),
    ),
    rows.steps,
)
OPTIONS = Export(
    "Answers and outcomes",
    (
        Column("title", "Step"),
        Column("node_id", "Step id"),
        Column("answer", "Answer"),
        Column("visits", "Times given", "count"),
        Column("sessions", "Sessions", "count"),
        *(Column(outcome.value, outcome.label, "count") for outcome in Outcome),
        Column("without_outcome", "Without an outcome", "count"),
    ),
    rows.options,
)


def _versions(query: DashboardQuery) -> list[dict[str, Any]]:
    """One row a version and figure; nothing where there is no version before."""
    found = rows.versions(query)
    if found is None:
        return []
    number, _, compared = found
    nothing = dict.fromkeys(column.key for column in VERSIONS.columns)
    return [
        nothing
        | {
            "version": of,
            "figure": one.metric.label,
            "count": measured.count,
            one.metric.unit: measured.value,
            f"{one.metric.unit}_low": measured.interval and measured.interval[0],
            f"{one.metric.unit}_high": measured.interval and measured.interval[1],
        }
        for one in compared
        for of, measured in ((number, one.now), (number - 1, one.before))
    ]


VERSIONS = Export(
    "Versions compared",
    (
        Column("figure", "Figure"),
        Column("version", "Version", "count"),
        Column("count", "Sessions counted", "count"),
        Column("share", "Share", "share"),
        Column("share_low", "Share, lower end", "share"),
        Column("share_high", "Share, upper end", "share"),
        Column("duration", "Duration", "duration"),
        Column("duration_low", "Duration, lower end", "duration"),
        Column("duration_high", "Duration, upper end", "duration"),
    ),
    _versions,
)
STARS = Export(
    "Stars given in the period",
    (
        Column("stars", "Stars", "count"),
        Column("ratings", "Ratings", "count"),
        Column("share", "Share", "share"),
    ),
    rows.star_counts,
    chart=True,
)
COMMENTS = Export(
    "Comments",
    (Column("day", "Day", "day"), Column("comment", "Comment")),
    rows.comments,
)
