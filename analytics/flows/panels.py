"""The panels of a flow's analytics: what each shows, as its template's context, from the query alone."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from analytics import charts, panels
from analytics.exports import tables
from analytics.flows import exports, rows
from analytics.panels import Panel, Together
from analytics.query import DashboardQuery
from flowpilot.flows.drawing import Notes, StepNote, WayNote, draw
from flowpilot.flows.structure import Node, nodes_of
from flowpilot.sessions.states import Outcome, Status
from ratings.metrics import RATINGS_OF_SESSIONS
from resolutionflow.figures import Rate, Tone, counted, parts, said
from resolutionflow.metrics import MINIMUM

MOST_ROWS = 200  # of options in the table; its export has all
MANY_LEAVE = Decimal("0.2")  # the share of visits from which a step is marked on the map
WITHOUT_OUTCOME = [Status.ABANDONED.value, Status.ACTIVE.value, Status.REQUESTING_ESCALATION.value]
# How a session may end, and what narrows the session list to that.
ENDS = {outcome.value: urlencode({"outcome": outcome.value}) for outcome in Outcome} | {
    "without_outcome": urlencode({"status": WITHOUT_OUTCOME}, doseq=True)
}
VERDICTS: dict[str, tuple[str, Tone]] = {
    "few": ("too few sessions", "none"),
    "noise": ("within noise", "none"),
    "better": ("better", "good"),
    "worse": ("worse", "bad"),
}


def _summary(query: DashboardQuery) -> dict[str, Any]:
    now, before = rows.totals_and_before(query)
    if not now["sessions"]:
        return {"empty": panels.no_sessions(query)}
    given, given_before = rows.given_and_before(query)
    rated = Rate(now["rated"], now["completed"])
    share = f"{rated.percent} % of the completed sessions rated" if rated.whole else "no completed session"
    return panels.cards(query, now, before) | {
        "csat": RATINGS_OF_SESSIONS["avg_csat"],
        "given": given,
        "given_before": given_before,
        "few_given": min(given["ratings"], given_before["ratings"]) < MINIMUM,
        "given_words": f"n = {given['ratings']:,} · {share}",
        "rated": rated,
        "given_href": query.href(on="rated") if given["ratings"] else "",
    }


def step_time(seconds: float | None) -> str:
    """The time of a step in words: "47 s", from two minutes on in minutes."""
    if seconds is not None and seconds < 120:
        return f"{said(seconds, 'count')} s"
    return said(seconds, "duration")


def _steps(query: DashboardQuery) -> dict[str, Any]:
    found = []
    for row in rows.steps(query):
        node_id = row["node_id"]
        hrefs = {
            "visits_href": query.href(node_id=node_id) if row["visits"] else "",
            "dropped_href": query.href(dropped_at=node_id) if row["dropped"] else "",
            "up_href": query.href(node_id=node_id, thumb="up") if row["helpful_yes"] else "",
            "down_href": query.href(node_id=node_id, thumb="down") if row["helpful_no"] else "",
        }
        found.append(row | hrefs | {"time": step_time(row["median_seconds"])})
    return {"steps": found, "unnamed": _beside_the_flow(query, found)}


def _beside_the_flow(query: DashboardQuery, steps: list[dict[str, Any]]) -> bool:
    """Whether some of the steps shown are none of the current version."""
    current = rows.nodes(query)
    return bool(current) and any(row["node_id"] not in current for row in steps)


def _options(query: DashboardQuery) -> dict[str, Any]:
    found = rows.options(query)
    shown = []
    for row in found[:MOST_ROWS]:
        href = query.href(node_id=row["node_id"], option=row["answer"])  # has a query string, or is ""
        ends = [
            (row[end], f"{href}&{narrowed}" if href and row[end] else "") for end, narrowed in ENDS.items()
        ]
        shown.append(row | {"href": href, "ends": ends})
    for before, row in zip([None, *shown], shown, strict=False):
        row["first"] = before is None or before["node_id"] != row["node_id"]
    return {
        "options": shown,
        "outcomes": list(Outcome),
        "more": len(found) - len(shown),
    }


def _tree(query: DashboardQuery) -> dict[str, Any]:
    version = query.shown_version
    if version is None:
        return {}
    structure = version.structure
    return {
        "version": version,
        "all_versions": query.version is None,
        "drawing": draw(structure, notes(structure, query)),
        "name": f"{query.flow}, with its traffic",
    }


def notes(structure: Node, query: DashboardQuery) -> Notes:
    """The figures on the map: visits, drop-off, time and thumbs of a step, and how often each way was taken."""
    figures = {row["node_id"]: row for row in rows.steps(query)}
    taken: defaultdict[tuple[str, str], int] = defaultdict(int)
    for option in query.walks.options.values():
        taken[option.node_id, option.answer] += option.visits
    ways: dict[tuple[str, str], int] = {}
    for node in nodes_of(structure):
        if node["type"] == "question":
            ways |= {(node["id"], o["label"]): taken[node["id"], o["label"]] for o in node["options"]}
        elif node["type"] == "action":  # whatever was written down there, it leads on to the same step
            ways[node["id"], ""] = figures[node["id"]]["visits"] if node["id"] in figures else 0
    most = max(ways.values(), default=0)
    return Notes(
        steps={
            node["id"]: _note(figures.get(node["id"]))
            for node in nodes_of(structure)
            if node["type"] != "outcome"
        },
        ways={
            way: WayNote(suffix=f"{count:,}", share=count / most if most else 0.0)
            for way, count in ways.items()
        },
    )


def _note(row: Mapping[str, Any] | None) -> StepNote:
    if row is None:
        return StepNote(("not visited",))
    visits = counted(row["visits"], "visit")
    lines = [f"{visits} · {step_time(row['median_seconds'])}" if row["timed"] else visits]
    leaving = Rate(row["dropped"], row["visits"])
    many = False
    if row["dropped"] and leaving.few:
        lines.append(f"{row['dropped']} of {row['visits']} left here")
    elif row["dropped"]:
        lines.append(f"{leaving.percent} % left here")
        many = leaving.value is not None and leaving.value > MANY_LEAVE
    if row["thumbs"]:
        lines.append(f"{row['helpful_yes']:,} helpful, {row['helpful_no']:,} not")
    return StepNote(tuple(lines), "bad" if many else "")


def _versions(query: DashboardQuery) -> dict[str, Any]:
    found = rows.versions(query)
    if found is None:
        return {"number": query.shown_version and query.shown_version.number}
    number, sessions, compared = found
    return {
        "number": number,
        "before": number - 1,
        "sessions": [(count, query.href(version=of) if count else "") for of, count in sessions.items()],
        "rows": [
            {
                "label": one.metric.label,
                "of": one.of,
                "sides": [_side(one.metric.unit, measured) for measured in (one.now, one.before)],
                "verdict": VERDICTS[one.verdict],
            }
            for one in compared
        ],
    }


def _side(unit: str, measured: rows.Measured) -> dict[str, str]:
    if measured.value is None:
        return {"value": "–", "interval": ""}
    if measured.interval is None:
        few = f"too few ({measured.count:,})"
        return {"value": said(measured.value, unit), "interval": few}
    low, high = measured.interval
    return {
        "value": said(measured.value, unit),
        "interval": f"{parts(low, unit)[0]} – {said(high, unit)}",
    }


def _stars(query: DashboardQuery) -> dict[str, Any]:
    found = rows.star_counts(query)
    about = {
        "name": "stars",
        "title": "Stars given in the period",
        "anchor": "stars",
        "chart_summary": charts.stars_summary(found),
    }
    if not any(row["ratings"] for row in found):
        return about
    return about | {
        "points": found,
        "chart": charts.stars(found),
        "columns": [("label", "Stars", "text"), ("ratings", "Ratings", "count"), ("share", "Share", "share")],
    }


def _comments(query: DashboardQuery) -> dict[str, Any]:
    return {"comments": rows.comments(query)}


SUMMARY = Panel("summary", _summary, skeleton="card", places=4, wide=True, template="flow_summary")
DAYS = Panel(
    "days", panels.outcomes_by_day, skeleton="chart", wide=True, template="chart", export=tables.OUTCOMES
)
STEPS = Panel("steps", _steps, skeleton="table", wide=True, template="flow_steps", export=exports.STEPS)
TREE = Panel("tree", _tree, skeleton="chart", wide=True, template="flow_tree")
OPTIONS = Panel(
    "options", _options, skeleton="table", wide=True, template="flow_options", export=exports.OPTIONS
)
SHARES = Panel("outcomes", panels.shares, skeleton="chart", template="chart", export=tables.SHARES)
VERSIONS = Panel("versions", _versions, skeleton="table", template="flow_versions", export=exports.VERSIONS)
STARS = Panel("stars", _stars, skeleton="chart", template="chart", export=exports.STARS)
COMMENTS = Panel("comments", _comments, skeleton="table", template="flow_comments", export=exports.COMMENTS)
WALKS = Together("walks", (TREE, STEPS, OPTIONS), words="the map, the steps and the answers")
ALL = (SUMMARY, DAYS, WALKS, SHARES, VERSIONS, STARS, COMMENTS)
