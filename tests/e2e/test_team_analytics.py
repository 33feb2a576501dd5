"""A team admin reads the team's figures. They are counted by hand in rows.py."""

import re

import pytest
from playwright.sync_api import expect

from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory, TeamAdminFactory
from tests.e2e.history import back, forward
from tests.e2e.people import log_in
from tests.e2e.plots import plot_point
from tests.e2e.team_page import listed, row, shows, stat

pytestmark = pytest.mark.browser

WEEK = ("6", "83.3", "20.0", "2")
MONTH = ("8", "75.0", "25.0", "2")
QUARTER = ("9", "77.8", "30.0", "2")


@pytest.fixture
def page(page, team, team_admin):
    log_in(page, team_admin)
    return page


def period(page, name):
    return page.get_by_role("group", name="Period").get_by_role("link", name=name, exact=True)


def test_the_last_thirty_days_stand_there_at_once(page):
    page.goto("/analytics/")
    shows(page, *MONTH)
    expect(period(page, "30 days")).to_have_attribute("aria-current", "true")
    expect(page.locator("#chart-outcomes figcaption p")).to_contain_text("8 sessions in the 30 days")
    expect(page.locator("#chart-outcomes .main-svg").first).to_be_visible()
    # Outlook: 10 and 6 March resolved, 8 March unresolved, 20 February resolved: 4 ended, 10 10 40 60 minutes
    expect(row(page, "Top flows", "Outlook does not start").nth(0)).to_have_text("4")
    expect(row(page, "Top flows", "Outlook does not start").nth(2)).to_have_text("25.0 min")
    expect(row(page, "Top flows", "Outlook does not start").nth(3)).to_contain_text("4.0")
    # Amira: five, of which the abandoned one has no end; 10 20 10 60 minutes
    expect(row(page, "Top engineers", "Amira Haddad").nth(0)).to_have_text("5")
    expect(row(page, "Top engineers", "Amira Haddad").nth(1)).to_contain_text("80.0 %")
    expect(row(page, "Top engineers", "Amira Haddad").nth(2)).to_have_text("15.0 min")


def test_each_period_is_an_address_that_back_and_forward_know(page):
    page.goto("/analytics/")
    for name, address, figures in [
        ("7 days", "/analytics/?period=7d", WEEK),
        ("90 days", "/analytics/?period=90d", QUARTER),
    ]:
        period(page, name).click()
        expect(page).to_have_url(address)
        expect(period(page, name)).to_have_attribute("aria-current", "true")
        expect(page.get_by_role("group", name="Period").locator("[aria-current]")).to_have_count(1)
        shows(page, *figures)
    back(page)
    expect(page).to_have_url("/analytics/?period=7d")
    shows(page, *WEEK)
    back(page)
    expect(page).to_have_url("/analytics/")
    shows(page, *MONTH)
    forward(page)
    expect(page).to_have_url("/analytics/?period=7d")
    shows(page, *WEEK)
    forward(page)
    expect(page).to_have_url("/analytics/?period=90d")
    expect(period(page, "90 days")).to_have_attribute("aria-current", "true")
    shows(page, *QUARTER)


def test_panels_hold_their_place_while_they_load(page):
    page.goto("/analytics/")
    held = []

    def hold(route):
        held.append(route)

    page.route("**/analytics/panels/**", hold)
    period(page, "7 days").click()
    expect(page.locator(".skeleton")).to_have_count(7)  # four cards, the chart, two tables
    expect(page.locator(".skeleton").first).to_be_visible()
    expect(page.locator('[aria-busy="true"]')).to_have_count(4)
    assert {route.request.url.split("/panels/")[1] for route in held} == {
        f"{name}/?period=7d" for name in ("summary", "outcomes", "flows", "engineers")
    }
    for route in held:
        route.continue_()
    shows(page, *WEEK)
    expect(page.locator(".skeleton")).to_have_count(0)
    expect(page.locator("[aria-busy]")).to_have_count(0)
    expect(page.locator("#chart-outcomes .main-svg").first).to_be_visible()


def test_a_range_of_ones_own(page):
    page.goto("/analytics/")
    page.locator("#period-custom").click()
    page.get_by_label("From", exact=True).fill("2026-02-20")
    page.get_by_label("To, that day included").fill("2026-02-21")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url("/analytics/?from=2026-02-20&to=2026-02-21")
    expect(page.locator("#period-custom")).to_have_text("20 Feb 2026 – 21 Feb 2026")
    expect(page.locator("#period-custom")).to_have_attribute("aria-current", "true")
    expect(stat(page, "Total sessions")).to_have_text("2")
    expect(stat(page, "Completion rate")).to_have_text("1 of 2")
    expect(page.locator(".stat", has_text="Completion rate")).to_contain_text("too few sessions to judge")


def test_client_and_engineer_narrow_every_figure_and_stay(page, browser, look, live_server):
    page.goto("/analytics/")
    page.get_by_label("Client", exact=True).select_option("Harbour Dental")
    shows(page, "4", "3 of 4", "10.0", "1")  # 10 March twice, 6 March, and the abandoned one
    expect(row(page, "Top flows", "Outlook does not start").nth(0)).to_have_text("2")
    page.get_by_label("Client", exact=True).select_option("All clients")
    expect(stat(page, "Total sessions")).to_have_text("8")
    expect(page).to_have_url(re.compile(r"/analytics/\?period=30d$"))
    page.get_by_label("Engineer", exact=True).select_option("Jonas Weber")
    shows(page, "3", "2 of 3", "35.0", "1")
    period(page, "90 days").click()
    shows(page, "4", "3 of 4", "40.0", "1")
    page.get_by_label("Client", exact=True).select_option("Mill Lane School")
    shows(page, "2", "2 of 2", "35.0", "1")
    address = page.url

    page.reload()
    shows(page, "2", "2 of 2", "35.0", "1")
    colleague = page.context.new_page()
    colleague.goto(address)
    shows(colleague, "2", "2 of 2", "35.0", "1")
    expect(colleague.get_by_label("Client", exact=True).locator("option:checked")).to_have_text(
        "Mill Lane School"
    )
    expect(colleague.get_by_label("Engineer", exact=True).locator("option:checked")).to_have_text(
        "Jonas Weber"
    )


@pytest.mark.parametrize(
    ("label", "count"), [("Total sessions", 6), ("Completion rate", 5), ("Median duration", 5)]
)
def test_a_figure_opens_exactly_its_sessions(page, label, count):
    page.goto("/analytics/?period=7d")
    stat(page, label).click()
    listed(page, count)


def test_the_figures_of_a_table_open_exactly_their_sessions(page):
    page.goto("/analytics/")
    row(page, "Top flows", "VPN drops").nth(0).get_by_role("link").click()
    listed(page, 2)
    expect(page.get_by_role("list", name="Filters")).to_contain_text("Flow: VPN drops")
    back(page)
    row(page, "Top engineers", "Amira Haddad").nth(1).get_by_role("link").click()
    listed(page, 4)
    back(page)
    row(page, "Top flows", "Outlook does not start").nth(3).get_by_role("link").click()
    listed(page, 1)
    expect(page.get_by_role("link", name="Outlook asks for the password again")).to_be_visible()


@pytest.mark.parametrize(
    ("day", "height", "chip", "problem"),
    [
        ("2026-03-10", 0.5, "Outcome: Resolved", "Outlook asks for the password again"),
        ("2026-03-10", 1.5, "Outcome: Workaround", "VPN drops every hour"),
        (
            "2026-03-09",
            0.5,
            "Outcome: Escalated",
            "No VPN at all",
        ),  # the only one: all areas end at its height
        (
            "2026-03-05",
            0.5,
            "Day: 5 Mar 2026",
            "Printer is offline",
        ),  # open still: below the line of all only
    ],
)
def test_a_point_of_the_chart_opens_its_sessions(page, day, height, chip, problem):
    page.goto("/analytics/?period=7d")
    expect(page.locator("#chart-outcomes g.trace.scatter").first).to_be_attached()
    page.mouse.click(*plot_point(page, day, height))
    expect(page).to_have_url(re.compile(f"day={day}"))
    listed(page, 1)
    expect(page.get_by_role("list", name="Filters")).to_contain_text(chip)
    expect(page.get_by_role("link", name=problem)).to_be_visible()


def test_the_data_of_the_chart_is_a_table(page):
    page.goto("/analytics/?period=7d")
    data = page.get_by_role("table", name="Sessions per day")
    expect(data).to_be_hidden()
    page.get_by_text("Show data").click()
    expect(data.get_by_role("columnheader")).to_have_text(
        ["Day", "Sessions", "Resolved", "Workaround", "Escalated", "Unresolved"]
    )
    expect(data.get_by_role("rowheader")).to_have_count(7)
    tenth = data.get_by_role("row", name="10 Mar 2026").get_by_role("cell")
    expect(tenth).to_have_text(["2", "1", "1", "0", "0"])
    expect(data.get_by_role("row", name="7 Mar 2026").get_by_role("cell")).to_have_text(["0"] * 5)


def test_a_bad_filter_says_what_is_wrong_and_shows_the_usual_period(page):
    page.goto("/analytics/?period=5y")
    expect(page.get_by_role("alert")).to_have_text("Unknown period. Use 7d, 30d or 90d.")
    shows(page, *MONTH)
    page.goto("/analytics/?from=2026-03-02")
    expect(page.get_by_role("alert")).to_have_text("A custom range needs both from and to.")


def test_a_range_that_ends_before_it_starts_is_refused_where_it_was_entered(page):
    page.goto("/analytics/")
    page.locator("#period-custom").click()
    page.get_by_label("From", exact=True).fill("2026-03-02")
    page.get_by_label("To, that day included").fill("2026-03-01")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("The range ends before it starts.")
    shows(page, *MONTH)


def test_an_empty_period_leads_to_the_newest_sessions(page):
    page.goto("/analytics/?from=2025-06-01&to=2025-06-30")
    expect(page.get_by_text("No sessions in this period")).to_be_visible()
    expect(page.get_by_text("The newest one started on 10 March 2026.")).to_be_visible()
    page.get_by_role("link", name="Show the 90 days to the newest session").click()
    expect(page).to_have_url("/analytics/?period=90d")
    shows(page, *QUARTER)


def test_a_client_and_an_engineer_without_a_common_session_say_so(page, team):
    page.goto(f"/analytics/?client_id={team.mill_lane.id}&engineer_id={team.amira.id}&period=7d")
    page.get_by_role("link", name="Show the 90 days to the newest session").click()
    expect(page).to_have_url(re.compile("from=2025-11-23&to=2026-02-20"))
    expect(stat(page, "Total sessions")).to_have_text("1")


def test_an_account_without_sessions_says_how_they_come(page):
    fresh = AccountFactory(name="Eastgate IT", slug="eastgate")
    with account_scope(fresh):
        log_in(page, TeamAdminFactory(account=fresh))
    page.goto("/analytics/")
    expect(page.get_by_text("No sessions yet")).to_be_visible()
    expect(page.get_by_text("manage.py import_sessions")).to_be_visible()
    page.goto("/sessions/?period=all")
    expect(page.get_by_text("No sessions yet")).to_be_visible()
