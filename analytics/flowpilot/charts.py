"""FlowPilot's charts: rows in, figure out, and the sentence that says what each shows. See analytics/charts.py."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from analytics.charts import Figure, count_axis, day_axis, percent
from analytics.flowpilot.coverage import Uncovered
from resolutionflow.figures import counted, said
from resolutionflow.metrics import round_half_up

Row = Mapping[str, Any]
LONGEST_LABEL = 24
MOST_BARS = 12  # domains in the Pareto; its table has all


def mttr_trend(points: Sequence[Row], *, href: Callable[[date], str]) -> Figure:
    """Mean minutes to resolve a day, as a line with a gap where nothing was resolved. `points`: "day", "mttr" in
    seconds or None, "count"; one for every day."""
    days = [point["day"] for point in points]
    line = {
        "type": "scatter",
        "name": "Mean time to resolve",
        "x": [day.isoformat() for day in days],
        "y": [_minutes(point["mttr"]) for point in points],
        "text": [point["count"] for point in points],
        "customdata": [href(point["day"]) if point["count"] else "" for point in points],
        "connectgaps": False,
        "mode": "lines+markers",
        "marker": {"size": 5},
        "line": {"color": "var(--accent)", "width": 2},
        "hovertemplate": "%{y:,.1f} min over %{text:,d} resolved<extra></extra>",
    }
    axis = {"rangemode": "tozero", "ticksuffix": " min"}
    return {"data": [line], "layout": {"hovermode": "x", "xaxis": day_axis(days), "yaxis": axis}}


def mttr_summary(points: Sequence[Row], resolved: int) -> str:
    """What `mttr_trend` shows, as one sentence; `resolved` sessions of the period, some of which may have been resolved
    after it and are in no point."""
    shown = sum(point["count"] for point in points)
    without = sum(1 for point in points if not point["count"])
    if not shown:
        return "Nothing was resolved on a day of this period."
    parts = [f"{counted(shown, 'session')} resolved"]
    slowest = max((point for point in points if point["count"]), key=lambda point: point["mttr"])
    day = slowest["day"]
    parts.append(f"slowest on {day.day} {day:%b %Y} ({said(slowest['mttr'], 'duration')})")
    if without:
        parts.append(f"nothing on {counted(without, 'day')}")
    if resolved > shown:
        parts.append(f"{resolved - shown:,} more were resolved after the period and are in no point")
    return "; ".join(parts) + "."


def pareto(uncovered: Sequence[Uncovered], *, href: Callable[[Uncovered], str]) -> Figure:
    """The domains with the most work that no flow guided, as bars, and the running share of all of it as a line."""
    shown = uncovered[:MOST_BARS]
    names = [_plain(row.name) for row in shown]
    bars = {
        "type": "bar",
        "name": "Sessions without a guide",
        "x": names,
        "y": [row.sessions for row in shown],
        "customdata": [href(row) for row in shown],
        "marker": {"color": "var(--accent)"},
        "hovertemplate": "%{x}: %{y:,d}<extra></extra>",
    }
    line = {
        "type": "scatter",
        "name": "Running share",
        "x": names,
        "y": [float(row.running) for row in shown],
        "yaxis": "y2",
        "mode": "lines+markers",
        "marker": {"size": 6},
        "line": {"color": "var(--ink-2)", "width": 1.5},
        "hovertemplate": "%{y:.0%} up to here<extra></extra>",
    }
    second = {
        "overlaying": "y",
        "side": "right",
        "range": [0, 1.04],
        "tickmode": "array",
        "tickvals": [0, 0.25, 0.5, 0.75, 1],
        "tickformat": ".0%",
        "showgrid": False,
    }
    layout = {
        "xaxis": {
            "type": "category",
            "automargin": True,
            "tickmode": "array",
            "tickvals": names,
            "ticktext": [_plain(shortened(row.name)) for row in shown],
        },
        "yaxis": count_axis(max((row.sessions for row in shown), default=0)),
        "yaxis2": second,
        "margin": {"r": 48},
    }
    return {"data": [bars, line], "layout": layout}


def shortened(name: str) -> str:
    """A name as a label of an axis: one of 200 characters would leave no room for the chart."""
    return name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 1]}…"


def _plain(name: str) -> str:
    """A name as text: Plotly takes some tags for markup, and a link for a link."""
    return name.replace("&", "&amp;").replace("<", "&lt;")


def pareto_summary(uncovered: Sequence[Uncovered]) -> str:
    """The few domains that make up 80 % of what no flow guided, in one sentence."""
    if not uncovered:
        return "No session with a domain went without a guide."
    few = next(n for n, row in enumerate(uncovered, start=1) if row.running >= 0.8)
    names = [row.name for row in uncovered[:few]]
    listed = names[0] if few == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    total = sum(row.sessions for row in uncovered)
    part = sum(row.sessions for row in uncovered[:few])
    verb = "is" if few == 1 else "are"
    share = f"{percent(part, total)} of the {counted(total, 'session')}"
    return f"{listed} {verb} {share} with a domain that no flow guided."


def funnel(stages: Sequence[Row]) -> Figure:
    """How many sessions reach each stage on the way to the ticket system. `stages`: "label", "sessions", "href"."""
    trace = {
        "type": "funnel",
        "name": "Sessions",
        "y": [stage["label"] for stage in stages],
        "x": [stage["sessions"] for stage in stages],
        "customdata": [stage["href"] for stage in stages],
        "texttemplate": "%{x:,d}",
        "marker": {
            "color": ["var(--c-unresolved)", "var(--accent)", "var(--c-resolved)", "var(--c-resolved)"]
        },
        "connector": {"line": {"width": 0}, "fillcolor": "var(--sunken)"},
        "hovertemplate": "%{y}: %{x:,d}<extra></extra>",
    }
    return {"data": [trace], "layout": {"yaxis": {"automargin": True}, "margin": {"l": 8, "r": 8}}}


def funnel_summary(stages: Sequence[Row]) -> str:
    """What `funnel` shows, as one sentence: each stage as a share of those with a ticket, that one of all."""
    total, linked, noted, timed = (stage["sessions"] for stage in stages)
    if not total:
        return "No session started in this period."
    parts = [counted(total, "session"), f"{linked:,} with a ticket ({percent(linked, total)})"]
    if linked:
        parts.append(f"of these {noted:,} with a note ({percent(noted, linked)})")
        parts.append(f"{timed:,} with time logged ({percent(timed, linked)})")
    return ", ".join(parts) + "."


def time_per_day(points: Sequence[Row], *, href: Callable[[date], str]) -> Figure:
    """Time entries a day as bars and the hours on them as a line. `points`: "day", "entries", "sessions", "hours"."""
    days = [point["day"] for point in points]
    x = [day.isoformat() for day in days]
    bars = {
        "type": "bar",
        "name": "Entries",
        "x": x,
        "y": [point["entries"] for point in points],
        "text": [point["sessions"] for point in points],
        "textposition": "none",
        "customdata": [href(point["day"]) if point["entries"] else "" for point in points],
        "marker": {"color": "var(--c-unresolved)"},
        "hovertemplate": "%{y:,d} entries in %{text:,d} sessions<extra></extra>",
    }
    line = {
        "type": "scatter",
        "name": "Hours",
        "x": x,
        "y": [float(point["hours"]) for point in points],
        "yaxis": "y2",
        "mode": "lines" if len(points) > 31 else "lines+markers",
        "marker": {"size": 5},
        "line": {"color": "var(--accent)", "width": 2},
        "hovertemplate": "%{y:,.2f} h<extra></extra>",
    }
    layout = {
        "hovermode": "x unified",
        "xaxis": day_axis(days),
        "yaxis": count_axis(max((point["entries"] for point in points), default=0)),
        "yaxis2": {
            "overlaying": "y",
            "side": "right",
            "rangemode": "tozero",
            "tickmode": "auto",
            "nticks": 5,
            "ticksuffix": " h",
            "showgrid": False,
        },
        "margin": {"r": 48},
    }
    return {"data": [bars, line], "layout": layout}


def time_summary(points: Sequence[Row]) -> str:
    """What `time_per_day` shows, as one sentence."""
    entries, hours = sum(p["entries"] for p in points), sum(p["hours"] for p in points)
    if not entries:
        return "No time was logged in this period."
    busiest = max(points, key=lambda point: point["hours"])
    day = busiest["day"]
    noun = "time entry" if entries == 1 else "time entries"
    return (
        f"{entries:,} {noun}, {round_half_up(hours, 2):,} h; most on {day.day} {day:%b %Y} "
        f"({round_half_up(busiest['hours'], 2):,} h)."
    )


def _minutes(seconds: Any) -> float | None:
    return None if seconds is None else float(seconds) / 60
