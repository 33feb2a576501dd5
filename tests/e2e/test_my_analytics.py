"""Amira reads her own figures, and a team admin goes to and fro. They are counted by hand in rows.py."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.axe import in_every_look
from tests.e2e.looks import NARROW, WITHOUT_SCRIPT
from tests.e2e.people import log_in
from tests.e2e.team_page import listed, row, stat

pytestmark = pytest.mark.browser


@pytest.fixture
def page(page, team, engineer):
    log_in(page, engineer)
    return page


def shows(page, sessions, rate, median):
    expect(stat(page, "My sessions")).to_have_text(sessions)
    expect(stat(page, "My completion rate")).to_have_text(rate)
    expect(stat(page, "My median duration")).to_have_text(median)


def period(page, name):
    return page.get_by_role("group", name="Period").get_by_role("link", name=name, exact=True)


def tab(page, name):
    return page.get_by_role("navigation", name="Analytics").get_by_role("link", name=name, exact=True)


def slice_point(page, place):
    """Where the slice of the donut in this place, clockwise, lies on the screen."""
    expect(page.locator("#chart-outcomes g.slice")).to_have_count(2)
    page.locator("#chart-outcomes").scroll_into_view_if_needed()
    return page.evaluate(
        """(place) => {
            const plot = document.querySelector("#chart-outcomes .chart-plot");
            const [first] = plot.calcdata[0], box = plot.getBoundingClientRect();
            const [x, y] = plot.calcdata[0].find((part) => part.i === place).pxmid;
            return [box.x + first.cx + x * .82, box.y + first.cy + y * .82];
        }""",
        place,
    )


def test_my_figures_change_with_the_period(page):
    page.goto("/analytics/me/")
    shows(page, "5", "80.0", "15.0")  # of which the abandoned one has no end; 10 20 10 60 minutes
    expect(page.locator(".stat", has_text="My sessions")).to_contain_text("shown from 5 people on")
    expect(row(page, "My top flows", "Outlook does not start").nth(0)).to_have_text("3")
    period(page, "7 days").click()
    expect(page).to_have_url("/analytics/me/?period=7d")
    shows(page, "3", "3 of 3", "10.0")
    expect(page.locator("#chart-days .main-svg").first).to_be_visible()
    expect(page.locator("#chart-outcomes g.slice")).to_have_count(2)
    page.go_back()
    shows(page, "5", "80.0", "15.0")


def test_the_donut_is_drawn_and_a_slice_opens_its_sessions(page):
    page.goto("/analytics/me/?period=7d")
    expect(page.locator("#chart-outcomes g.slice")).to_have_count(2)
    expect(page.locator("#chart-outcomes figcaption p")).to_have_text(
        "3 completed sessions: 2 resolved (66.7 %), 1 workaround (33.3 %)."
    )
    slices = page.locator("#chart-outcomes g.slice path.surface")
    expect(slices.first).to_have_css("fill", "rgb(52, 211, 153)")
    page.mouse.click(*slice_point(page, 1))
    expect(page).to_have_url(re.compile("outcome=workaround"))
    listed(page, 1)
    expect(page.get_by_role("link", name="VPN drops every hour")).to_be_visible()


def test_the_data_of_the_donut_is_a_table(page):
    page.goto("/analytics/me/?period=7d")
    data = page.get_by_role("table", name="Outcomes")
    expect(data).to_be_hidden()
    page.locator("#chart-outcomes .chart-data summary").click()
    expect(data.get_by_role("row", name="Workaround").get_by_role("cell")).to_have_text(["1", "33.3 %"])


def test_a_figure_opens_my_sessions(page):
    page.goto("/analytics/me/")
    stat(page, "My completion rate").click()
    listed(page, 4)
    page.go_back()
    page.locator(".stat", has_text="My outcomes").get_by_role("link", name="3", exact=True).click()
    listed(page, 3)


def test_an_engineer_has_no_tab_that_would_be_refused(page, complaints):
    page.goto("/sessions/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Analytics").click()
    expect(page).to_have_url("/analytics/me/")
    expect(page.get_by_role("navigation", name="Analytics")).to_have_count(0)
    complaints.expect("status of 403")
    assert page.goto("/analytics/").status == 403
    page.get_by_role("link", name="Open my analytics").click()
    expect(page).to_have_url("/analytics/me/")


def test_a_team_admin_goes_to_and_fro_by_key(page, team_admin):
    log_in(page, team_admin)
    page.goto("/analytics/?period=7d")
    tab(page, "My").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url("/analytics/me/?period=7d")
    expect(page.get_by_text("No sessions yet")).to_be_visible()
    page.keyboard.press("Tab")
    tab(page, "Team").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url("/analytics/?period=7d")
    expect(stat(page, "Total sessions")).to_have_text("6")


@pytest.mark.parametrize("look", [NARROW], ids=str)
def test_on_a_phone_the_second_tap_opens_a_slice(page):
    page.goto("/analytics/me/?period=7d")
    place = slice_point(page, 1)
    page.touchscreen.tap(*place)
    expect(page.locator("#chart-outcomes .hoverlayer")).to_contain_text("Workaround: 1")
    page.touchscreen.tap(*place)
    listed(page, 1)


@pytest.mark.parametrize("look", [WITHOUT_SCRIPT], ids=str)
def test_without_scripts_the_data_stands_there(page):
    page.goto("/analytics/me/")
    shows(page, "5", "80.0", "15.0")
    page.locator("#chart-outcomes .chart-data summary").click()
    expect(page.get_by_role("table", name="Outcomes").get_by_role("rowheader")).to_have_count(4)
    period(page, "7 days").click()
    shows(page, "3", "3 of 3", "10.0")


def test_axe_finds_nothing(page):
    for address in ("/analytics/me/", "/analytics/me/?from=2025-06-01&to=2025-06-30"):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        in_every_look(page)
