import datetime
import json
import re
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import plotly.graph_objects
import pytest

from analytics import charts
from analytics.flowpilot import charts as flowpilot
from analytics.flowpilot.coverage import Uncovered

ROOT = Path(__file__).resolve().parents[2]


def point(day, sessions=0, resolved=0, workaround=0, escalated=0, unresolved=0, month=11):
    return {
        "date": datetime.date(2026, month, day),
        "sessions": sessions,
        "resolved": resolved,
        "workaround": workaround,
        "escalated": escalated,
        "unresolved": unresolved,
    }


def figure_of(*points):
    return charts.outcomes_per_day(points, href=lambda day, outcome: f"/sessions/?{day}&{outcome}")


def traces(figure, key):
    return {trace["name"]: trace[key] for trace in figure["data"]}


@pytest.mark.parametrize("days", [0, 1, 2, 7, 8, 30])
def test_plotly_accepts_the_figure(days):
    figure = figure_of(*(point(day, sessions=3, resolved=2) for day in range(1, days + 1)))
    plotly.graph_objects.Figure(figure)
    json.dumps(figure)


def test_outcomes_are_stacked_from_resolved_up_with_all_sessions_over_them():
    figure = figure_of(
        point(8, 10, resolved=4, workaround=3, escalated=2, unresolved=1),
        point(9),
        point(10, 6, resolved=5),
    )
    assert [(trace["name"], trace["y"], trace.get("stackgroup")) for trace in figure["data"]] == [
        ("Resolved", [4, 0, 5], "outcomes"),
        ("Workaround", [3, 0, 0], "outcomes"),
        ("Escalated", [2, 0, 0], "outcomes"),
        ("Unresolved", [1, 0, 0], "outcomes"),
        ("All sessions", [10, 0, 6], None),
    ]
    assert {tuple(trace["x"]) for trace in figure["data"]} == {("2026-11-08", "2026-11-09", "2026-11-10")}


def test_colours_are_names_of_tokens():
    figure = figure_of(point(8), point(9), point(10))
    assert {name: line["color"] for name, line in traces(figure, "line").items()} == {
        "Resolved": "var(--c-resolved)",
        "Workaround": "var(--c-workaround)",
        "Escalated": "var(--c-escalated)",
        "Unresolved": "var(--c-unresolved)",
        "All sessions": "var(--ink-2)",
    }


def test_each_point_carries_the_address_of_its_sessions():
    figure = figure_of(point(8), point(9))
    links = traces(figure, "customdata")
    assert links["Escalated"] == ["/sessions/?2026-11-08&escalated", "/sessions/?2026-11-09&escalated"]
    assert links["All sessions"] == ["/sessions/?2026-11-08&None", "/sessions/?2026-11-09&None"]


@pytest.mark.parametrize(("days", "mode"), [(1, "lines+markers"), (2, "lines+markers"), (3, "lines")])
def test_one_or_two_days_are_marked_because_no_area_would_show_them(days, mode):
    figure = figure_of(*(point(day, 1) for day in range(1, days + 1)))
    assert set(traces(figure, "mode").values()) == {mode}


def test_a_single_day_stands_in_the_middle_and_is_the_only_one_named():
    axis = figure_of(point(30, 2))["layout"]["xaxis"]
    assert axis["range"] == ["2026-11-29", "2026-12-01"]
    assert axis["tickvals"] == ["2026-11-30"]


def test_a_week_names_no_day_twice():
    a_week = figure_of(*(point(day) for day in range(1, 8)))
    longer = figure_of(*(point(day) for day in range(1, 9)))
    assert a_week["layout"]["xaxis"]["dtick"] == 86_400_000
    assert "dtick" not in longer["layout"]["xaxis"]


@pytest.mark.parametrize(("most", "step"), [(0, 1), (1, 1), (5, 1), (6, 2), (10, 2), (11, None)])
def test_small_counts_have_no_fractions_on_their_axis(most, step):
    axis = figure_of(point(8, most), point(9))["layout"]["yaxis"]
    assert axis.get("dtick") == step
    assert axis["rangemode"] == "tozero"


def test_no_session_at_all_still_has_an_axis():
    assert figure_of(point(8), point(9))["layout"]["yaxis"]["range"] == [0, 1]


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        (
            [
                point(8, 1200, resolved=900, workaround=100, escalated=150, unresolved=50),
                point(9, 84, resolved=80, escalated=3),
            ],
            "1,284 sessions in the 2 days from 8 Nov 2026 to 9 Nov 2026; most on 8 Nov 2026 (1,200); "
            "980 resolved, 100 workaround, 153 escalated, 50 unresolved, 1 without an outcome.",
        ),
        (
            [point(8, 3, resolved=3), point(9), point(10, 3, escalated=3)],
            "6 sessions in the 3 days from 8 Nov 2026 to 10 Nov 2026; at most 3 a day, first on 8 Nov 2026; "
            "3 resolved, 3 escalated.",
        ),
        (
            [point(31, month=10), point(1, 1, unresolved=1)],
            "1 session in the 2 days from 31 Oct 2026 to 1 Nov 2026; most on 1 Nov 2026 (1); 1 unresolved.",
        ),
        ([point(8), point(9)], "No sessions in the 2 days from 8 Nov 2026 to 9 Nov 2026."),
        ([point(9, 1)], "1 session on 9 Nov 2026; 1 without an outcome."),
        ([point(9)], "No sessions on 9 Nov 2026."),
    ],
)
def test_the_sentence_says_what_the_chart_shows(points, sentence):
    assert charts.summary(points) == sentence


@pytest.mark.parametrize("days", [0, 1, 2, 7, 30])
def test_sessions_per_day_are_one_line_whose_points_open(days):
    points = [point(day, sessions=day) for day in range(1, days + 1)]
    figure = charts.sessions_per_day(points, href=lambda day: f"/sessions/?{day}")
    plotly.graph_objects.Figure(figure)
    json.dumps(figure)
    [line] = figure["data"]
    assert line["y"] == list(range(1, days + 1))
    assert line["customdata"] == [f"/sessions/?2026-11-{day:02}" for day in range(1, days + 1)]
    assert line["line"]["color"] == "var(--accent)"


def test_the_sentence_of_the_line_says_nothing_of_outcomes():
    points = [point(8, 3, resolved=3), point(9)]
    words = "3 sessions in the 2 days from 8 Nov 2026 to 9 Nov 2026; most on 8 Nov 2026 (3)."
    assert charts.sessions_summary(points) == words
    assert charts.sessions_summary([point(9)]) == "No sessions on 9 Nov 2026."


def counts(resolved=0, workaround=0, escalated=0, unresolved=0):
    return dict(zip(charts.Outcome, (resolved, workaround, escalated, unresolved), strict=True))


def test_a_donut_has_a_slice_for_every_outcome_that_came():
    figure = charts.outcome_shares(counts(1200, escalated=30), href=lambda outcome: f"/sessions/?{outcome}")
    plotly.graph_objects.Figure(figure)
    json.dumps(figure)
    [ring] = figure["data"]
    assert (ring["labels"], ring["values"]) == (["Resolved", "Escalated"], [1200, 30])
    assert ring["customdata"] == ["/sessions/?resolved", "/sessions/?escalated"]
    assert ring["marker"]["colors"] == ["var(--c-resolved)", "var(--c-escalated)"]
    assert [line["text"] for line in figure["layout"]["annotations"]] == ["1,230", "completed"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (counts(1), "1 completed session: 1 resolved (100.0 %)."),
        (
            counts(1500, 3, 2, 1),
            "1,506 completed sessions: 1,500 resolved (99.6 %), 3 workaround (0.2 %), 2 escalated (0.1 %), "
            "1 unresolved (0.1 %).",
        ),
        (counts(1, unresolved=15), "16 completed sessions: 1 resolved (6.3 %), 15 unresolved (93.8 %)."),
        (counts(), "No completed sessions in this period."),
    ],
)
def test_the_sentence_of_the_donut(given, sentence):
    assert charts.shares_summary(given) == sentence


def test_every_trace_type_in_use_is_in_the_bundle():
    """One that is not would be drawn as a scatter, without an error."""
    entry = (ROOT / "scripts/vendor/plotly-entry.cjs").read_text()
    bundled = {"scatter", *re.findall(r'require\("plotly\.js/lib/(\w+)"\)', entry)} - {"core"}
    used = set(re.findall(r'"type": "(\w+)"', (ROOT / "analytics/charts.py").read_text())) - {"date"}
    assert "scatter" in used
    assert used <= bundled


DAY = datetime.date(2026, 11, 21)
UNCOVERED = [Uncovered(UUID(int=1), '<a href="//evil">VPN</a> & more', 3, Decimal(1), Decimal(1))]


@pytest.mark.parametrize(
    "figure",
    [
        flowpilot.mttr_trend([{"day": DAY, "mttr": 90, "count": 2}], href=str),
        flowpilot.pareto(UNCOVERED, href=str),
        flowpilot.funnel([{"label": "Sessions", "sessions": 3, "href": "/sessions/"}] * 4),
        flowpilot.time_per_day(
            [{"day": DAY, "entries": 2, "sessions": 1, "hours": Decimal("1.25")}], href=str
        ),
    ],
    ids=["mttr", "pareto", "funnel", "time"],
)
def test_plotly_knows_each_word_of_flowpilots_figures(figure):
    plotly.graph_objects.Figure(figure)
    json.dumps(figure)


def test_names_in_the_pareto_are_text_and_leave_room_for_the_bars():
    figure = flowpilot.pareto(UNCOVERED, href=str)
    assert figure["data"][0]["x"] == ['&lt;a href="//evil">VPN&lt;/a> &amp; more']
    assert figure["layout"]["xaxis"]["ticktext"] == ['&lt;a href="//evil">VPN&lt;/a…']
