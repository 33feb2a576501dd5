"""A team admin reads FlowPilot's tabs: each at its own address, sorted, opened to its sessions, taken as a file."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from flowpilot.tests.factories import DomainFactory, FlowFactory, FlowVersionFactory, SessionFactory
from tests.e2e.axe import in_every_look
from tests.e2e.history import back, forward
from tests.e2e.looks import WITHOUT_SCRIPT
from tests.e2e.people import log_in
from tests.e2e.rows import NOW

pytestmark = pytest.mark.browser

TABS = {"Overview": "overview", "Coverage": "coverage", "Flow quality": "flow-quality", "PSA": "psa"}


@pytest.fixture
def page(page, team, team_admin):
    """Beside the team's sessions six of one domain, half of them escalated, along two flows."""
    domain = DomainFactory(name="Voice")
    for name, status, count in (("Phone", "resolved", 3), ("Headset", "escalated", 3)):
        flow = FlowFactory(name=name, domain=domain)
        FlowVersionFactory(flow=flow, published_at=NOW)
        for number in range(count):
            started_at = NOW - timedelta(days=2, hours=number)
            ended = {"completed_at": started_at + timedelta(minutes=10)}
            facts = {"confidence_tier": "guided", "flow": flow, "domain": domain, "psa_ticket_id": "7"}
            SessionFactory(user=team_admin, started_at=started_at, status=status, **ended, **facts)
    log_in(page, team_admin)
    return page


def tab(page, name):
    return page.get_by_role("navigation", name="FlowPilot").get_by_role("link", name=name, exact=True)


def test_each_tab_loads_when_it_is_opened_and_back_knows_it(page):
    asked = []
    page.goto("/analytics/flowpilot/")
    page.on("request", lambda request: asked.append(request.url))
    tab(page, "Coverage").click()
    expect(page).to_have_url(re.compile(r"/analytics/flowpilot/\?tab=coverage&period=30d"))
    expect(page).to_have_title("Coverage · FlowPilot · ResolutionFlow")
    expect(page.locator("#panel-heatmap").get_by_text("Voice", exact=True)).to_be_visible()
    expect(page.locator("#panel-gaps")).to_contain_text("is escalated often")
    assert not [url for url in asked if "/overview/" in url or "/flow-quality/" in url or "/psa/" in url]
    page.get_by_role("group", name="Period").get_by_role("link", name="7 days").click()
    expect(page).to_have_url(re.compile(r"period=7d"))
    expect(tab(page, "Coverage")).to_have_attribute("aria-current", "page")
    page.wait_for_load_state("networkidle")
    back(page)
    days = page.get_by_role("group", name="Period").get_by_role("link", name="30 days")
    expect(days).to_have_attribute("aria-current", "true")  # the address changes before the page loads anew
    expect(page).to_have_url(re.compile(r"tab=coverage&period=30d"))
    page.wait_for_load_state("networkidle")
    back(page)
    expect(tab(page, "Overview")).to_have_attribute("aria-current", "page")
    expect(page.locator("#chart-trend .main-svg").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    forward(page)
    expect(tab(page, "Coverage")).to_have_attribute("aria-current", "page")


def test_a_number_opens_its_sessions(page):
    page.goto("/analytics/flowpilot/?tab=coverage")
    row = page.locator("#panel-heatmap").get_by_role("row").filter(has_text="Voice")
    row.get_by_role("link", name="50.0 %").first.click()
    expect(page.locator(".pagination")).to_contain_text("3 sessions")


def test_a_row_opens_the_flows_behind_it(page):
    page.goto("/analytics/flowpilot/?tab=coverage")
    page.get_by_text("Voice", exact=True).first.click()
    expect(page.get_by_role("link", name="Headset", exact=True)).to_be_visible()


def test_the_table_is_sorted_by_keyboard(page):
    page.goto("/analytics/flowpilot/?tab=flow-quality")
    heading = page.get_by_role("columnheader", name="Flow", exact=True)
    heading.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Flow")
    expect(heading.get_by_role("link")).to_be_focused()
    names = page.locator("#panel-quality tbody th a").all_text_contents()
    assert names == sorted(names)


def test_the_score_is_opened_into_its_parts(page):
    page.goto("/analytics/flowpilot/?tab=flow-quality")
    table = page.locator("#panel-quality .table-scroll")
    assert table.evaluate(
        "table => table.scrollWidth === table.clientWidth && table.scrollHeight === table.clientHeight"
    )
    row = page.get_by_role("row").filter(has_text="Phone")
    button, parts = row.get_by_role("button"), row.get_by_role("tooltip")
    button.focus()
    expect(parts).to_be_visible()
    expect(parts).to_contain_text("Success rate 100.0 % × 50 % Guided rate 100.0 % × 30 % Recency")
    button.blur()
    expect(parts).to_be_hidden()
    button.hover()
    expect(parts).to_be_visible()
    page.emulate_media(media="print")
    expect(button).to_be_visible()
    expect(parts).to_be_hidden()


def test_the_data_of_the_trend_opens_the_sessions_resolved_on_a_day(page):
    page.goto("/analytics/flowpilot/")
    chart = page.locator("#panel-trend")
    expect(chart.locator(".main-svg").first).to_be_visible()
    chart.get_by_text("Show data").click()
    day = f"{(NOW - timedelta(days=2)).day} Mar 2026"
    row = chart.get_by_role("row").filter(has_text=day)
    count = row.get_by_role("link").inner_text()
    row.get_by_role("link").click()
    expect(page.get_by_text(f"{count} session", exact=False).first).to_be_visible()


@pytest.mark.parametrize("value", ["flow-quality", "psa"])
def test_tables_and_charts_leave_as_files(page, value):
    page.goto(f"/analytics/flowpilot/?tab={value}")
    page.get_by_text("Export", exact=True).first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").first.click()
    assert download.value.suggested_filename.startswith("flowpilot-")


@pytest.mark.parametrize("look", [WITHOUT_SCRIPT], ids=str)
def test_without_script_each_tab_is_a_page(page):
    page.goto("/analytics/flowpilot/")
    for name, value in TABS.items():
        tab(page, name).click()
        expect(page).to_have_url(re.compile(rf"tab={value}"))
        expect(page.locator("#dashboard section").first).to_be_visible()


def test_axe_finds_nothing_on_any_tab(page):
    for value in TABS.values():
        page.goto(f"/analytics/flowpilot/?tab={value}")
        page.wait_for_load_state("networkidle")
        in_every_look(page)
