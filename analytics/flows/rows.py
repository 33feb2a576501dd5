"""The rows of each panel of a flow's analytics. Page, JSON and exports read the same ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, Q, Value, When

from analytics import rows
from analytics.query import DashboardQuery
from flowpilot.flows.structure import Node, nodes_of
from flowpilot.metrics import COMPLETED, ENDED, SessionQuerySet, given_up
from flowpilot.sessions.states import Outcome
from flowpilot.sessions.steps import StepFigures
from ratings.metrics import RATINGS_OF_SESSIONS, Thumbs, newest_comments, stars
from resolutionflow.figures import Rate
from resolutionflow.metrics import Metric, Ranked, median_ranks

GIVEN = ("avg_csat", "ratings")
NO_STEP = StepFigures("", "", 0, 0, 0, 0, 0, None)
NO_THUMBS = Thumbs("", 0, 0)


def totals_and_before(query: DashboardQuery) -> tuple[dict[str, Any], dict[str, Any]]:
    """SUMMARY over the period and the one before, with `rated`: how many of the completed sessions are."""
    return rows.totals_and_before(query, rated=Count("rating__rating", filter=COMPLETED))


def given_and_before(query: DashboardQuery) -> tuple[dict[str, Any], dict[str, Any]]:
    """avg_csat and ratings of those given in the period and in the one before, in one query."""
    period, before = query.period, query.period.before
    side = Case(
        When(rating__created_at__gte=period.start, then=Value("now")),
        When(rating__created_at__lt=before.end, then=Value("before")),
    )
    both = query.sessions_ever.filter(
        rating__created_at__gte=before.start, rating__created_at__lt=period.end
    ).annotate(side=side)
    figures = {name: RATINGS_OF_SESSIONS[name].expression for name in GIVEN}
    found = {row["side"]: row for row in both.order_by().values("side").annotate(**figures)}
    nothing: dict[str, Any] = {"avg_csat": None, "ratings": 0}
    return found.get("now", nothing), found.get("before", nothing)


def nodes(query: DashboardQuery) -> dict[str, Node]:
    """The steps of the flow's current version, by id."""
    version = query.flow and query.flow.current_version
    return {node["id"]: node for node in nodes_of(version.structure)} if version else {}


def steps(query: DashboardQuery) -> list[dict[str, Any]]:
    """Every step with a visit or a thumb, by drop-off rate, then visits, both descending.

    A step is called as in the current version, else as in the newest version that had it (its Step is), else as in the
    newest decision.
    """
    current, walked, thumbs = nodes(query), query.walks.steps, query.thumbs
    found = []
    for node_id in walked.keys() | thumbs.keys():
        step, thumb = walked.get(node_id, NO_STEP), thumbs.get(node_id, NO_THUMBS)
        if not step.visits and not thumb.yes + thumb.no:
            continue
        title = current[node_id]["title"] if node_id in current else step.title or thumb.title
        found.append(
            {
                "node_id": node_id,
                "title": title or node_id,
                "visits": step.visits,
                "sessions": step.sessions,
                "dropped": step.dropped,
                "dropoff_rate": Rate(step.dropped, step.visits).value,
                "taken_back": step.taken_back,
                "decisions": step.visits + step.taken_back,
                "back_rate": Rate(step.taken_back, step.visits + step.taken_back).value,
                "timed": step.timed,
                "median_seconds": step.median_seconds,
                "helpful_yes": thumb.yes,
                "helpful_no": thumb.no,
                "thumbs": thumb.yes + thumb.no,
                "helpful_rate": Rate(thumb.yes, thumb.yes + thumb.no).value,
            }
        )

    def order(row: dict[str, Any]) -> tuple[Any, ...]:
        rate = row["dropoff_rate"]
        return rate is None, -(rate or 0), -row["visits"], row["title"], row["node_id"]

    return sorted(found, key=order)


def options(query: DashboardQuery) -> list[dict[str, Any]]:
    """Each answer that was given, with its sessions and how many of them ended in each outcome: in the order of the
    current version, then what it does not have, the most taken first."""
    current, walked = nodes(query), query.walks
    places = {
        (node["id"], option["label"]): place
        for place, (node, option) in enumerate(
            (node, option) for node in current.values() for option in node.get("options", [])
        )
    }
    found = [
        {
            "node_id": option.node_id,
            "title": current[option.node_id]["title"]
            if option.node_id in current
            else walked.steps[option.node_id].title or option.node_id,
            "answer": option.answer,
            "visits": option.visits,
            "sessions": option.sessions,
            **{outcome.value: option.outcomes[outcome] for outcome in Outcome},
            "without_outcome": option.without_outcome,
        }
        for option in walked.options.values()
        if option.answer
    ]

    def order(row: dict[str, Any]) -> tuple[Any, ...]:
        place = places.get((row["node_id"], row["answer"]), len(places))
        return place, -row["sessions"], row["title"], row["node_id"], row["answer"]

    return sorted(found, key=order)


def star_counts(query: DashboardQuery) -> list[dict[str, Any]]:
    """How often each number of stars was given in the period, five first, and its share of all that were."""
    counts = stars(query.rated)
    total = sum(counts.values())
    return [
        {
            "stars": number,
            "label": f"{number} star{'' if number == 1 else 's'}",
            "ratings": count,
            "share": Decimal(count) / total if total else None,
        }
        for number, count in counts.items()
    ]


def comments(query: DashboardQuery) -> list[dict[str, Any]]:
    """The newest comments given in the period: rating, comment and `day`. Nothing tells whose a comment is."""
    return [
        {
            "rating": given.rating,
            "comment": given.comment,
            "day": given.created_at.astimezone(query.account.tz).date(),
        }
        for given in newest_comments(query.rated)
    ]


@dataclass(frozen=True)
class Measured:
    """A figure of one version with its 95 % interval, which is None where there are too few sessions for one."""

    value: Decimal | float | None
    count: int
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Compared:
    """A figure of one version beside that of the version before. `verdict` says whether they differ at all."""

    metric: Metric
    of: str  # what is counted
    now: Measured
    before: Measured

    @property
    def verdict(self) -> str:
        if self.now.interval is None or self.before.interval is None:
            return "few"
        (low, high), (low_before, high_before) = self.now.interval, self.before.interval
        if low <= high_before and low_before <= high:
            return "noise"
        return "better" if (low > high_before) == (self.metric.better == "higher") else "worse"


SUCCESS = SessionQuerySet.metrics["success_rate"]
MEDIAN = SessionQuerySet.metrics["median_duration"]
DROP_OFF = Metric("Drop-off", "share", "lower", Value(0))


def versions(query: DashboardQuery) -> tuple[int, dict[int, int], list[Compared]] | None:
    """The number of the version shown, how many sessions it and the one before have in the period, and their figures
    side by side; None where there is no version before."""
    version = query.shown_version
    if version is None or version.number < 2:
        return None
    pair = (version.number, version.number - 1)
    sessions = query.of_all_versions.filter(flow_version__number__in=pair)
    dropped = given_up(query.now - query.account.idle_limit)
    names = ("sessions", "completed", "ended", "resolved_sessions", "median_duration")
    found = {
        row["flow_version__number"]: row
        for row in sessions.by("flow_version__number", *names).annotate(
            dropped=Count("pk", filter=dropped), settled=Count("pk", filter=ENDED | dropped)
        )
    }
    nothing = dict.fromkeys([*names, "dropped", "settled"], 0) | {"median_duration": None}
    both = [found.get(number, nothing) for number in pair]
    intervals = _median_intervals(
        sessions, {number: row["completed"] for number, row in zip(pair, both, strict=True)}
    )
    medians = [
        Measured(row["median_duration"], row["completed"], intervals.get(number))
        for number, row in zip(pair, both, strict=True)
    ]
    compared = [
        Compared(
            SUCCESS, "ended sessions", *(_share(row["resolved_sessions"], row["ended"]) for row in both)
        ),
        Compared(MEDIAN, "completed sessions", *medians),
        Compared(
            DROP_OFF, "sessions that are over", *(_share(row["dropped"], row["settled"]) for row in both)
        ),
    ]
    return version.number, {number: row["sessions"] for number, row in zip(pair, both, strict=True)}, compared


def _share(part: int, whole: int) -> Measured:
    rate = Rate(part, whole)
    return Measured(rate.value, whole, rate.interval if whole and not rate.few else None)


def _median_intervals(
    sessions: SessionQuerySet, completed: Mapping[int, int]
) -> dict[int, tuple[float, float]]:
    """Of each version with enough completed sessions the durations between which its median lies."""
    ends = {}
    for number, count in completed.items():
        if ranks := median_ranks(count):
            of_version = COMPLETED & Q(flow_version__number=number)
            for end, rank in zip(("low", "high"), ranks, strict=True):
                ends[f"{end}_{number}"] = Ranked(
                    "duration_seconds", rank=rank, count=count, filter=of_version
                )
    if not ends:
        return {}
    found = sessions.aggregate(**ends)
    return {
        number: (found[f"low_{number}"], found[f"high_{number}"])
        for number in completed
        if f"low_{number}" in found
    }
