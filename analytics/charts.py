"""Rows in, figure out: each chart as plain data in Plotly's schema, and the sentence that says what it shows.

No ORM, no request, no clock. A colour is the name of a design token, "var(--…)", which static/js/charts.js
turns into the colour of the reader's theme; fonts, grid and margins come from there too. A point's `customdata`
is the address that a click on it opens.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flowpilot.sessions.states import Outcome
from resolutionflow.figures import counted
from resolutionflow.metrics import round_half_up

Figure = dict[str, Any]
Point = Mapping[str, Any]

HOVER = "%{fullData.name}: %{y:,d}<extra></extra>"
ONE_DAY = 24 * 60 * 60 * 1000  # Plotly counts steps of a date axis in milliseconds


def outcomes_per_day(points: Sequence[Point], *, href: Callable[[date, Outcome | None], str]) -> Figure:
    """Sessions per day: the outcomes as stacked areas, all sessions (the open ones too) as a line.

    `points` has one mapping for every day of the period, in order: "date" and the counts "sessions",
    "resolved", "workaround", "escalated" and "unresolved", never null. `href` gives the address of the sessions
    of a day, of one outcome or, with None, of all.
    """
    days = [point["date"] for point in points]
    mode = "lines" if len(points) > 2 else "lines+markers"
    areas = [
        {
            "type": "scatter",
            "name": outcome.label,
            "x": [day.isoformat() for day in days],
            "y": [point[outcome.value] for point in points],
            "customdata": [href(day, outcome) for day in days],
            "mode": mode,
            "marker": {"size": 8},
            "stackgroup": "outcomes",
            # without any session an outline would only repeat that of the area below
            "line": {
                "color": f"var(--c-{outcome.value})",
                "width": 1 if any(p[outcome.value] for p in points) else 0,
            },
            "hovertemplate": HOVER,
        }
        for outcome in Outcome
    ]
    everything = {
        "type": "scatter",
        "name": "All sessions",
        "x": [day.isoformat() for day in days],
        "y": [point["sessions"] for point in points],
        "customdata": [href(day, None) for day in days],
        "mode": mode,
        "marker": {"size": 8},
        "line": {"color": "var(--ink-2)", "width": 1.5},
        "hovertemplate": HOVER,
    }
    return {
        "data": [*areas, everything],
        "layout": {
            "hovermode": "x unified",
            "xaxis": day_axis(days),
            "yaxis": count_axis(max((point["sessions"] for point in points), default=0)),
        },
    }


def sessions_per_day(points: Sequence[Point], *, href: Callable[[date], str]) -> Figure:
    """Sessions per day as a line. `points` and days are those of `outcomes_per_day`; of each point only "date" and
    "sessions" count."""
    days = [point["date"] for point in points]
    line = {
        "type": "scatter",
        "name": "Sessions",
        "x": [day.isoformat() for day in days],
        "y": [point["sessions"] for point in points],
        "customdata": [href(day) for day in days],
        "mode": "lines" if len(points) > 31 else "lines+markers",
        "marker": {"size": 5 if len(points) > 2 else 8},
        "line": {"color": "var(--accent)", "width": 2},
        "hovertemplate": HOVER,
    }
    return {
        "data": [line],
        "layout": {
            "hovermode": "x",
            "xaxis": day_axis(days),
            "yaxis": count_axis(max((point["sessions"] for point in points), default=0)),
        },
    }


def outcome_shares(counts: Mapping[Outcome, int], *, href: Callable[[Outcome], str]) -> Figure:
    """Completed sessions by outcome as a donut with their number in its middle; an outcome without any has no slice.

    `href` gives the address of the sessions of an outcome.
    """
    shown = [outcome for outcome in Outcome if counts[outcome]]
    total = sum(counts[outcome] for outcome in shown)
    ring = {
        "type": "pie",
        "name": "Outcomes",
        "hole": 0.64,
        "labels": [outcome.label for outcome in shown],
        "values": [counts[outcome] for outcome in shown],
        "customdata": [href(outcome) for outcome in shown],
        "marker": {"colors": [f"var(--c-{outcome.value})" for outcome in shown]},
        "sort": False,
        "direction": "clockwise",
        "texttemplate": "%{value:,d}",
        "textposition": "inside",
        "insidetextorientation": "horizontal",
        "insidetextfont": {"weight": 600, "color": "var(--c-ink)"},
        "hovertemplate": "%{label}: %{value:,d} (%{percent})<extra></extra>",
    }
    # Two lines of their own: bold words within one would need an inline style, which the page does not allow.
    middle = [
        _in_the_middle(f"{total:,}", up=9, font={"size": 24, "weight": 600, "color": "var(--ink)"}),
        _in_the_middle("completed", up=-14, font={"size": 12, "color": "var(--ink-3)"}),
    ]
    # The names stand below: beside the ring a phone has no room for them. A slice too slim for its number has it
    # in the sentence and the data; no slice is taken out by a click, for the number in the middle would stay.
    below = {
        "x": 0.5,
        "xanchor": "center",
        "y": -0.04,
        "yanchor": "top",
        "itemclick": False,
        "itemdoubleclick": False,
    }
    layout = {
        "showlegend": True,
        "legend": below,
        "annotations": middle,
        "margin": {"l": 16, "r": 16, "t": 8, "b": 8},
        "uniformtext": {"minsize": 11, "mode": "hide"},
    }
    return {"data": [ring], "layout": layout}


def _in_the_middle(text: str, *, up: int, font: Figure) -> Figure:
    return {"text": text, "x": 0.5, "y": 0.5, "yshift": up, "showarrow": False, "font": font}


def shares_summary(counts: Mapping[Outcome, int]) -> str:
    """What `outcome_shares` shows of the same counts, as one sentence."""
    total = sum(counts[outcome] for outcome in Outcome)
    if total == 0:
        return "No completed sessions in this period."
    parts = [
        f"{counts[outcome]:,} {outcome.label.lower()} ({percent(counts[outcome], total)})"
        for outcome in Outcome
        if counts[outcome]
    ]
    return f"{counted(total, 'completed session')}: {', '.join(parts)}."


def stars(rows: Sequence[Point]) -> Figure:
    """How often each number of stars was given, as bars, the first row on top. A row has "label" and "ratings".

    They open nothing: whose stars they are is nobody's business.
    """
    bars = {
        "type": "bar",
        "orientation": "h",
        "name": "Ratings",
        "y": [row["label"] for row in rows],
        "x": [row["ratings"] for row in rows],
        "text": [f"{row['ratings']:,}" for row in rows],
        "textposition": "auto",
        "marker": {"color": "var(--accent)"},
        "hovertemplate": "%{y}: %{x:,d}<extra></extra>",
    }
    return {
        "data": [bars],
        "layout": {
            "bargap": 0.35,
            "xaxis": count_axis(max((row["ratings"] for row in rows), default=0)),
            "yaxis": {"autorange": "reversed", "showgrid": False},
        },
    }


def stars_summary(rows: Sequence[Point]) -> str:
    """What `stars` shows of the same rows, as one sentence."""
    total = sum(row["ratings"] for row in rows)
    if total == 0:
        return "No session was rated in this period."
    parts = [f"{row['ratings']:,} with {row['label']}" for row in rows if row["ratings"]]
    return f"{counted(total, 'rating')}, the engineers' own: {', '.join(parts)}."


def percent(part: int, whole: int) -> str:
    return f"{round_half_up(Decimal(part) * 100 / whole, 1)} %"


def sessions_summary(points: Sequence[Point]) -> str:
    """What `sessions_per_day` shows of the same points (one at least), as one sentence."""
    return "; ".join(_over_days(points)) + "."


def summary(points: Sequence[Point]) -> str:
    """What `outcomes_per_day` shows of the same points (one at least), as one sentence."""
    parts = _over_days(points)
    total = sum(point["sessions"] for point in points)
    if total:
        counts = {outcome.label.lower(): sum(point[outcome.value] for point in points) for outcome in Outcome}
        counts["without an outcome"] = total - sum(counts.values())
        parts.append(", ".join(f"{count:,} {name}" for name, count in counts.items() if count))
    return "; ".join(parts) + "."


def _over_days(points: Sequence[Point]) -> list[str]:
    total = sum(point["sessions"] for point in points)
    first, last = points[0]["date"], points[-1]["date"]
    period = (
        f"on {_day(first)}"
        if first == last
        else f"in the {len(points)} days from {_day(first)} to {_day(last)}"
    )
    if total == 0:
        return [f"No sessions {period}"]
    busiest = [_busiest(points)] if first != last else []
    return [f"{counted(total, 'session')} {period}", *busiest]


def _busiest(points: Sequence[Point]) -> str:
    most = max(point["sessions"] for point in points)
    days = [point["date"] for point in points if point["sessions"] == most]
    if len(days) == 1:
        return f"most on {_day(days[0])} ({most:,})"
    return f"at most {most:,} a day, first on {_day(days[0])}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def day_axis(days: Sequence[date]) -> Figure:
    axis: Figure = {"type": "date", "tickformat": "%-d %b", "hoverformat": "%a %-d %b %Y"}
    if len(days) == 1:
        around = [(days[0] + timedelta(days=step)).isoformat() for step in (-1, 1)]
        return axis | {"tickvals": [days[0].isoformat()], "range": around}
    if len(days) <= 7:  # left alone, so few days get ticks at noon too, which repeat the name of the day
        return axis | {"dtick": ONE_DAY}
    return axis


def count_axis(most: int) -> Figure:
    axis: Figure = {"rangemode": "tozero", "tickformat": ",d"}
    if most <= 10:  # left alone, small counts get ticks at fractions
        axis["dtick"] = 1 if most <= 5 else 2
    if most == 0:
        axis["range"] = [0, 1]
    return axis
