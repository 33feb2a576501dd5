"""The panels: what each shows, as its template's context, from the query alone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from analytics import charts, rows
from analytics.exports import tables
from analytics.exports.tables import Export
from analytics.query import DashboardQuery
from flowpilot.metrics import SessionQuerySet
from flowpilot.sessions.states import Outcome
from resolutionflow.figures import parts
from resolutionflow.metrics import MINIMUM
from resolutionflow.periods import Period

OUTCOME_COLUMNS = [(outcome.value, outcome.label, "count") for outcome in Outcome]


@dataclass(frozen=True)
class Panel:
    """One panel of a dashboard: its template's context from the query, at most two queries.

    `skeleton` holds its place while it loads, as often as there are `places`.
    """

    name: str
    context: Callable[[DashboardQuery], dict[str, Any]]
    skeleton: str
    places: int = 1
    wide: bool = False
    export: Export | None = None
    template: str = ""

    @property
    def file(self) -> str:
        return f"analytics/panels/_{self.template or self.name}.html"

    def html(self, query: DashboardQuery, *, menu: bool = True) -> SafeString:
        """Rendered by itself, so that no panel sees what another one was given; without `menu` nothing is exported."""
        context = self.context(query)
        if self.export and menu:
            context["export"] = self.export.menu(self.name, query)
        return render_to_string(self.file, context)

    @property
    def panels(self) -> tuple["Panel", ...]:
        return (self,)

    @property
    def skeletons(self) -> tuple[str, ...]:
        return (self.skeleton,) * self.places


@dataclass(frozen=True)
class Together:
    """Panels that ask the same of the database, which is much: they come in one answer, on a page after the rest.

    `words` name them for who has to ask for them, without a script.
    """

    name: str
    panels: tuple[Panel, ...]
    words: str
    wide = True

    def html(self, query: DashboardQuery) -> SafeString:
        return format_html_join("", "{}", ((panel.html(query),) for panel in self.panels))

    @property
    def skeletons(self) -> tuple[str, ...]:
        return tuple(kind for panel in self.panels for kind in panel.skeletons)


def _summary(query: DashboardQuery) -> dict[str, Any]:
    now = query.sessions.totals(*rows.SUMMARY)
    if not now["sessions"]:
        return {"empty": no_sessions(query)}
    return cards(query, now, query.sessions_before.totals(*rows.SUMMARY))


def _my_summary(query: DashboardQuery) -> dict[str, Any]:
    now, before = rows.totals_and_before(query)
    if not now["sessions"]:
        return {"empty": no_sessions(query)}
    beside = {name: _beside(name, median) for name, median in rows.team_medians(query).items()}
    outcomes = [(outcome, now[outcome.value], query.href(outcome=outcome.value)) for outcome in Outcome]
    return cards(query, now, before) | {"beside": beside, "outcomes": outcomes}


def _beside(name: str, median: Decimal | None) -> str:
    """The team's median of a figure in words. That of a count may lie between two of them."""
    if median is None:
        return f"Team's median: shown from {rows.FEWEST_ENGINEERS} people on"
    unit = SessionQuerySet.metrics[name].unit
    whole = unit != "count" or median == int(median)
    number, sign = parts(median, unit if whole else "score")
    return f"Team's median: {number} {sign}".rstrip()


def cards(query: DashboardQuery, now: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    return {
        "metrics": SessionQuerySet.metrics,
        "now": now,
        "before": before,
        "few_before": before["sessions"] < MINIMUM,
        "few_medians": min(now["completed"], before["completed"]) < MINIMUM,
        "since": query.period.before.words,
        "all_href": query.href(),
        "completed_href": query.href(**rows.COMPLETED),
    }


def no_sessions(query: DashboardQuery) -> dict[str, Any]:
    """What to say, and where to go, when the period has no session."""
    newest = rows.newest_session_at(query)
    if newest is None:
        narrowed = any(query.choice.values())
        return {"own": query.own, "narrowed": narrowed, "clear_href": query.page(**query.period.query)}
    day = newest.astimezone(query.account.tz).date()
    last_90 = Period.ending(day, 90, now=query.now, tz=query.account.tz)
    return {
        "text": f"The newest one started on {date_format(day, 'j F Y')}.",
        "newest_href": query.page(**last_90.query | query.choice),
    }


def _about(name: str, title: str, anchor: str, summary: str, *, wide: bool = False) -> dict[str, Any]:
    """What every chart panel says, with anything to draw or without; `anchor` is that of the figure's definition."""
    return {"name": name, "title": title, "anchor": anchor, "chart_summary": summary, "wide": wide}


def outcomes_by_day(query: DashboardQuery) -> dict[str, Any]:
    points = [{"date": row["day"], **row} for row in rows.daily(query)]
    name = "days" if query.flow else "outcomes"
    about = _about(name, "Sessions per day", "sessions-per-day", charts.summary(points), wide=True)
    if not any(point["sessions"] for point in points):
        return about
    every = query.href()  # has a query string, the period, unless there is nothing to open

    def href(day: date, outcome: str | None) -> str:
        return every and f"{every}&day={day}" + (f"&outcome={outcome}" if outcome else "")

    def hrefs(point: dict[str, Any]) -> dict[str, str]:
        names = {"sessions": None} | {outcome: outcome for outcome in Outcome.values}
        return {name: href(point["date"], outcome) for name, outcome in names.items() if point[name]}

    return about | {
        "points": [point | {"hrefs": hrefs(point)} for point in points],
        "chart": charts.outcomes_per_day(points, href=href),
        "columns": [("date", "Day", "day"), ("sessions", "Sessions", "count"), *OUTCOME_COLUMNS],
    }


def _flows(query: DashboardQuery) -> dict[str, Any]:
    return {
        "title": "My top flows" if query.own else "Top flows",
        "anchor": "my-top-flows" if query.own else "top-flows",
        "flows": [row | _hrefs(query, flow_id=row["id"]) for row in rows.top_flows(query)],
    }


def _engineers(query: DashboardQuery) -> dict[str, Any]:
    found = rows.top_engineers(query)
    return {"engineers": [row | _hrefs(query, engineer_id=row["id"]) for row in found]}


def _days(query: DashboardQuery) -> dict[str, Any]:
    points = [{"date": row["day"], **row} for row in rows.daily(query)]
    about = _about(
        "days", "Sessions per day", "my-sessions-per-day", charts.sessions_summary(points), wide=True
    )
    if not any(point["sessions"] for point in points):
        return about
    every = query.href()  # always has a query string: the period

    def href(day: date) -> str:
        return f"{every}&day={day}"

    return about | {
        "points": [
            point | {"hrefs": {"sessions": href(point["date"])} if point["sessions"] else {}}
            for point in points
        ],
        "chart": charts.sessions_per_day(points, href=href),
        "columns": [("date", "Day", "day"), ("sessions", "Sessions", "count")],
    }


def shares(query: DashboardQuery) -> dict[str, Any]:
    found = rows.outcome_shares(query)
    counts = {share["outcome"]: share["sessions"] for share in found}
    about = _about(
        "outcomes", "Outcomes", "my-outcomes" if query.own else "outcomes", charts.shares_summary(counts)
    )
    if not any(counts.values()):
        return about

    def href(outcome: Outcome) -> str:
        return query.href(outcome=outcome.value)

    return about | {
        "points": [
            share | {"hrefs": {"sessions": href(share["outcome"])} if share["sessions"] else {}}
            for share in found
        ],
        "chart": charts.outcome_shares(counts, href=href),
        "columns": [
            ("label", "Outcome", "text"),
            ("sessions", "Sessions", "count"),
            ("share", "Share", "share"),
        ],
    }


def _hrefs(query: DashboardQuery, **of: Any) -> dict[str, str]:
    return {
        "href": query.href(**of),
        "completed_href": query.href(**of, **rows.COMPLETED),
        "rated_href": query.href(**of, rated="yes"),
    }


SUMMARY = Panel("summary", _summary, skeleton="card", places=4, wide=True)
OUTCOMES = Panel(
    "outcomes", outcomes_by_day, skeleton="chart", wide=True, template="chart", export=tables.OUTCOMES
)
FLOWS = Panel("flows", _flows, skeleton="table", export=tables.FLOWS)
ENGINEERS = Panel("engineers", _engineers, skeleton="table", export=tables.ENGINEERS)
MY_SUMMARY = Panel("summary", _my_summary, skeleton="card", places=4, wide=True, template="my_summary")
DAYS = Panel("days", _days, skeleton="chart", wide=True, template="chart", export=tables.DAYS)
SHARES = Panel("outcomes", shares, skeleton="chart", template="chart", export=tables.SHARES)
