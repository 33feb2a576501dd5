"""The vendored Plotly bundle and charts.js in a real browser, under the policy of our pages."""

import datetime
import json
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from analytics import charts
from tests.e2e.plots import plot_point

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
STYLES = """
:root { --ink: #101010; --ink-2: #202020; --ink-3: #303030; --line: #e0e0e0; --line-strong: #c0c0c0;
  --surface: #fff; --raised: #fff; --sunken: #eee; --accent: #0000ff; --c-resolved: #00aa00;
  --c-workaround: #aaaa00; --c-escalated: #aa0000; --c-unresolved: #888888; }
:root[data-theme="dark"] { --ink: #f0f0f0; --surface: #000; --c-resolved: #00ff00; }
"""
TRACES = {
    "scatter": {"x": [1, 2, 3], "y": [1, 3, 2], "line": {"color": "var(--c-resolved)"}},
    "bar": {"x": ["a", "b"], "y": [1, 2]},
    "pie": {"labels": ["a", "b"], "values": [1, 2]},
    "funnel": {"x": [3, 2, 1], "y": ["a", "b", "c"]},
    "sankey": {
        "node": {"label": ["a", "b", "c"]},
        "link": {"source": [0, 0], "target": [1, 2], "value": [1, 2]},
    },
    "heatmap": {"z": [[1, 2], [3, 4]]},
}
# What only this type draws: a type that the bundle lacks is drawn as a scatter, without an error.
MARKS = {
    "scatter": "g.trace.scatter path.js-line",
    "bar": "g.trace.bars path",
    "pie": "g.pielayer g.slice path",
    "funnel": "g.funnellayer g.point path",
    "sankey": "g.sankey path.sankey-link",
    "heatmap": "g.heatmaplayer image",
}


def outcomes_figure():
    points = [
        {
            "date": datetime.date(2026, 11, day),
            "sessions": 10,
            "resolved": 4,
            "workaround": 2,
            "escalated": 2,
            "unresolved": 1,
        }
        for day in (7, 8, 9)
    ]
    return charts.outcomes_per_day(
        points, href=lambda day, outcome: f"/sessions/?day={day}&outcome={outcome or 'all'}"
    )


def chart(name, figure):
    return (
        f'<figure class="chart" id="chart-{name}">'
        f'<div class="chart-plot" data-figure="figure-{name}-json" role="img" aria-label="{name}"></div>'
        f'<script type="application/json" id="figure-{name}-json">{json.dumps(figure)}</script></figure>'
    )


def page_of(body, without=""):
    head = [
        '<link rel="stylesheet" href="/styles.css">',
        '<link rel="stylesheet" href="/static/css/charts.css">',
        '<link id="plotly.js-style-global" class="no-inline-styles" rel="stylesheet"'
        ' href="/static/vendor/plotly.css">',
        '<script defer src="/static/vendor/htmx.min.js"></script>',
        '<script defer src="/static/js/charts.js"></script>',
        '<script defer src="/static/vendor/plotly.min.js"></script>',
    ]
    head = "".join(line for line in head if not without or without not in line)
    return (
        '<!doctype html><html lang="en"><title>Charts</title><meta name="htmx-config" content=\''
        '{"includeIndicatorStyles": false, "allowEval": false, "historyCacheSize": 0}\'>'
        f'<meta name="viewport" content="width=device-width">{head}<body><main>{body}</main></body></html>'
    )


def site():
    all_traces = "".join(
        chart(kind, {"data": [{"type": kind, **trace}], "layout": {}}) for kind, trace in TRACES.items()
    )
    swap = '<button hx-get="/fragment" hx-target="#tab">Swap</button>'
    return {
        "/": page_of(all_traces),
        "/outcomes": page_of(chart("outcomes", outcomes_figure())),
        "/swap": page_of(f'{swap}<div id="tab">{chart("bar", bar([1, 2]))}</div>'),
        "/fragment": chart("bar", bar([3, 4])),
        "/elsewhere": page_of(
            chart("bar", bar([1, 2], customdata=["//example.org/", "https://example.org/"]))
        ),
        "/broken": page_of(chart("broken", None) + chart("bar", bar([1, 2]))),
        "/no-plotly": page_of(chart("bar", bar([1, 2])), without="plotly.min.js"),
        "/styles.css": STYLES,
    }


def bar(values, **more):
    return {"data": [{"type": "bar", "x": ["a", "b"], "y": values, **more}], "layout": {}}


class Handler(SimpleHTTPRequestHandler):
    pages = site()

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path.startswith("/static/"):
            super().do_GET()
            return
        body = self.pages.get(path, page_of(path)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/css" if path.endswith(".css") else "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=ROOT))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser, address):
    """A page of which the browser must not complain: of the policy, a script or a file that is missing."""
    context = browser.new_context(base_url=address, viewport={"width": 1000, "height": 800})
    page = context.new_page()
    complaints = []
    page.on(
        "console", lambda message: message.type in ("error", "warning") and complaints.append(message.text)
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.mark.parametrize("kind", TRACES)
def test_every_trace_type_is_drawn_as_itself(page, kind):
    page.goto("/")
    marks = page.locator(f"#chart-{kind} {MARKS[kind]}")
    expect(marks.first).to_be_attached()
    assert page.evaluate(f"document.querySelector('#chart-{kind} .chart-plot')._fullData[0].type") == kind


def test_the_page_does_not_move_when_a_chart_comes(page):
    page.goto("/")
    expect(page.locator(".main-svg").first).to_be_attached()
    assert {box["height"] for box in [plot.bounding_box() for plot in page.locator(".chart-plot").all()]} == {
        280
    }


def test_a_chart_takes_the_colours_of_the_theme_and_follows_it(page):
    page.goto("/")
    line = page.locator(f"#chart-scatter {MARKS['scatter']}")
    expect(line).to_have_css("stroke", "rgb(0, 170, 0)")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    expect(line).to_have_css("stroke", "rgb(0, 255, 0)")


def test_a_chart_fills_the_width_it_gets(page):
    page.goto("/outcomes")
    expect(page.locator(".main-svg").first).to_have_attribute("width", re.compile("9.."))
    page.set_viewport_size({"width": 390, "height": 800})
    expect(page.locator(".main-svg").first).to_have_attribute("width", re.compile("3.."))


def test_a_swapped_chart_is_drawn_and_the_old_one_is_let_go(page):
    page.goto("/swap")
    expect(page.locator(f"#tab {MARKS['bar']}")).to_have_count(2)
    page.evaluate("window.before = document.querySelector('.chart-plot')")
    page.get_by_role("button", name="Swap").click()
    expect(page.locator("#tab .yaxislayer-above text", has_text="4")).to_be_visible()
    assert page.evaluate("[window.before.isConnected, window.before._fullLayout === undefined]") == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("height", "outcome"),
    [(2, "resolved"), (5, "workaround"), (7, "escalated"), (8.5, "unresolved"), (9.5, "all")],
)
def test_a_click_opens_the_sessions_of_the_area_that_it_hits(page, height, outcome):
    page.goto("/outcomes")
    expect(page.locator("g.trace.scatter").first).to_be_attached()
    x, y = plot_point(page, "2026-11-08", height)
    page.mouse.move(x, y)
    expect(page.locator(".chart-plot")).to_have_class(re.compile("opens-link"))
    page.mouse.click(x, y)
    page.wait_for_url(f"**/sessions/?day=2026-11-08&outcome={outcome}")


def test_a_click_never_leaves_the_site(page):
    page.goto("/elsewhere")
    bars = page.locator(MARKS["bar"])
    for index in (0, 1):
        box = bars.nth(index).bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".hoverlayer .hovertext").first).to_be_visible()
    assert page.url.endswith("/elsewhere")


def test_without_plotly_the_chart_says_where_its_figures_are(page):
    page.goto("/no-plotly")
    expect(page.get_by_text("This chart could not be drawn. “Show data” has its figures")).to_be_visible()


def test_a_figure_that_fails_says_so_and_harms_no_other(browser, address):
    page = browser.new_page()
    page.goto(f"{address}/broken")
    expect(page.locator("#chart-broken")).to_contain_text("This chart could not be drawn.")
    expect(page.locator(f"#chart-bar {MARKS['bar']}")).to_have_count(2)
    page.close()
