"""What stands in a digest: five figures, three things to look at, one that got better. Rows in, facts out."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Q

from analytics.query import DashboardQuery
from analytics.rows import COMPLETED
from flowpilot.metrics import SessionQuerySet
from flowpilot.sessions.states import Outcome, Status
from ratings.metrics import RATINGS_OF_SESSIONS
from resolutionflow.figures import Change, change, counted, said, timespan
from resolutionflow.links import url_with
from resolutionflow.metrics import MINIMUM, Metric

METRICS = {**SessionQuerySet.metrics, **RATINGS_OF_SESSIONS}
ASKED = (
    "sessions",
    "completed",
    "completion_rate",
    "median_duration",
    "resolution_rate",
    "avg_csat",
    "ratings",
)
# Each figure with what it rests on, and the filters that open that.
FIGURES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("sessions", "sessions", {}),
    ("completion_rate", "sessions", COMPLETED),
    ("median_duration", "completed", COMPLETED),
    ("resolution_rate", "sessions", {"status": Status.RESOLVED.value}),
    ("avg_csat", "ratings", {"rated": "yes"}),
)
NOT_COMPLETED = [Status.ACTIVE.value, Status.REQUESTING_ESCALATION.value, Status.ABANDONED.value]
THINGS = 3


@dataclass(frozen=True)
class Figure:
    """`few`: either week has too little behind it for the change to mean something. `note` is of the figure itself."""

    metric: Metric
    value: Any
    before: Any
    few: bool
    href: str
    note: str = ""

    @property
    def words(self) -> str:
        return said(self.value, self.metric.unit)

    @property
    def words_before(self) -> str:
        return said(self.before, self.metric.unit)

    @property
    def change(self) -> Change | None:
        return change(self.metric, self.value, self.before)

    @property
    def changed(self) -> str:
        """ "up 12 %, better"; "" where there is nothing to compare with."""
        moved = self.change
        if moved is None:
            return ""
        direction = "" if moved.direction == "same" else f"{moved.direction} "
        tone = {"good": ", better", "bad": ", worse"}.get(moved.tone, "") if not self.few else ""
        return f"{direction}{moved.words}{tone}"

    @property
    def gain(self) -> Decimal:
        """By how much of itself it got better; 0 if it did not, or nobody can tell."""
        moved = self.change
        if moved is None or moved.tone != "good" or self.few:
            return Decimal(0)
        before = Decimal(str(self.before))
        return abs(Decimal(str(self.value)) - before) / before if before else Decimal("Infinity")


@dataclass(frozen=True)
class Thing:
    """One fact to look at: `linked` opens exactly the sessions that it counts."""

    linked: str
    rest: str
    href: str


@dataclass(frozen=True)
class Contents:
    query: DashboardQuery
    figures: list[Figure]
    things: list[Thing]
    better: Figure | None

    @property
    def sessions(self) -> int:
        count: int = self.figures[0].value
        return count


def contents(query: DashboardQuery) -> Contents:
    """Seven queries, however many sessions there are."""
    figures = _figures(query)
    gains = [figure for figure in figures if figure.gain]
    return Contents(query, figures, _things(query), max(gains, key=lambda figure: figure.gain, default=None))


def _figures(query: DashboardQuery) -> list[Figure]:
    now, before = _totals(query.sessions), _totals(query.sessions_before)
    notes = {"median_duration": timespan(now["median_duration"]), "avg_csat": _rated(now)}
    return [
        Figure(
            METRICS[name],
            now[name],
            before[name],
            few=min(now[basis], before[basis]) < MINIMUM,
            href=query.href(**filters),
            note=notes.get(name, ""),
        )
        for name, basis, filters in FIGURES
    ]


def _totals(sessions: SessionQuerySet) -> dict[str, Any]:
    return sessions.aggregate(**{name: METRICS[name].expression for name in ASKED})


def _rated(totals: dict[str, Any]) -> str:
    if not totals["ratings"]:
        return "engineers’ own rating; nobody rated a session"
    rated = f"{totals['ratings']:,} of {counted(totals['completed'], 'session')} completed"
    return f"engineers’ own rating of {rated}"


def _things(query: DashboardQuery) -> list[Thing]:
    """The facts that are there, the most pressing first, at most THINGS."""
    candidates = [_waiting(query), _flow(query), _escalations(query), *_left(query)]
    return [thing for thing in candidates if thing is not None][:THINGS]


def _waiting(query: DashboardQuery) -> Thing | None:
    status = Status.REQUESTING_ESCALATION.value
    count = query.sessions_ever.filter(status=status).count()
    if not count:
        return None
    href = url_with("sessions:list", {"period": "all", "status": status} | query.narrowing)
    whose = "of yours " if query.own else ""
    return Thing(counted(count, "session"), f"{whose}asked for help, and nobody has answered yet.", href)


def _flow(query: DashboardQuery) -> Thing | None:
    rows = query.sessions.filter(flow__isnull=False).by("flow_id", "sessions", "completed", "completion_rate")
    found = [row for row in rows.annotate(name=Max("flow__name")) if row["sessions"] >= MINIMUM]
    lowest = min(found, key=lambda row: (row["completion_rate"], row["name"], row["flow_id"]), default=None)
    if lowest is None or lowest["completed"] == lowest["sessions"]:
        return None
    return Thing(
        counted(lowest["sessions"] - lowest["completed"], "session"),
        f"of {lowest['sessions']:,} with the flow {_quoted(lowest['name'])} did not come to an end: "
        f"the lowest completion rate of a flow, {said(lowest['completion_rate'], 'share')}.",
        query.href(flow_id=str(lowest["flow_id"]), status=NOT_COMPLETED),
    )


def _escalations(query: DashboardQuery) -> Thing | None:
    """The domain or the client, whichever has more of them."""
    most = None
    for of, words in (("domain", "in the domain"), ("client", "for the client")):
        rows = query.sessions.filter(**{f"{of}__isnull": False}).by(f"{of}_id", "sessions", "escalated")
        for row in rows.annotate(name=Max(f"{of}__name")).order_by("name", f"{of}_id"):
            enough = row["sessions"] >= MINIMUM and row["escalated"]
            if enough and (most is None or row["escalated"] > most[0]["escalated"]):
                most = row, of, words
    if most is None:
        return None
    row, of, words = most
    where = f"of {row['sessions']:,} {words} {_quoted(row['name'])}"
    filters = {f"{of}_id": str(row[f"{of}_id"]), "outcome": Outcome.ESCALATED.value}
    return Thing(
        counted(row["escalated"], "session"),
        f"{where} {_was(row['escalated'])} escalated: the most of any {of}.",
        query.href(**filters),
    )


def _left(query: DashboardQuery) -> list[Thing | None]:
    found = query.sessions.aggregate(
        abandoned=Count("pk", filter=Q(status=Status.ABANDONED)),
        active=Count("pk", filter=Q(status=Status.ACTIVE)),
    )
    words = {"abandoned": "given up without an outcome", "active": "still open"}
    return [
        Thing(
            counted(count, "session"),
            f"of the week {_was(count)} {words[status]} when this was written.",
            query.href(status=status),
        )
        if count
        else None
        for status, count in found.items()
    ]


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _quoted(name: str) -> str:
    return f"“{' '.join(name.split())}”"
