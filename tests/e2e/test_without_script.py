"""Everything can be read and filtered where scripts do not run."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.looks import WITHOUT_SCRIPT
from tests.e2e.people import fill_in, give_password, log_in
from tests.e2e.team_page import listed, shows, stat

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("look", [WITHOUT_SCRIPT], ids=str),
]


def test_the_team_page_has_its_figures_periods_and_filters(page, team, team_admin):
    give_password(team_admin)
    page.goto("/analytics/")
    fill_in(page, team_admin)
    shows(page, "8", "75.0", "25.0", "2")
    expect(page.locator(".chart-plot")).to_be_hidden()
    expect(page.locator("#chart-outcomes figcaption p")).to_contain_text("8 sessions in the 30 days")
    page.get_by_text("Show data").click()
    expect(page.get_by_role("table", name="Sessions per day").get_by_role("rowheader")).to_have_count(30)

    page.get_by_role("link", name="7 days", exact=True).click()
    shows(page, "6", "83.3", "20.0", "2")
    page.get_by_label("Client", exact=True).select_option("Harbour Dental")
    page.get_by_role("button", name="Apply").click()
    expect(stat(page, "Total sessions")).to_have_text("3")
    expect(page).to_have_url(re.compile("period=7d"))
    page.locator("#period-custom").click()
    page.get_by_label("From", exact=True).fill("2026-01-01")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(stat(page, "Total sessions")).to_have_text("5")  # still of Harbour Dental
    stat(page, "Total sessions").click()
    listed(page, 5)


def test_sessions_are_searched_filtered_and_read(page, team, team_admin):
    log_in(page, team_admin)
    page.goto("/sessions/")
    listed(page, 8)
    page.get_by_label("Outcome", exact=True).select_option("Escalated")
    page.get_by_role("button", name="Apply").click()
    listed(page, 1)
    page.get_by_role("link", name="Remove filter Outcome: Escalated").click()
    listed(page, 8)
    page.get_by_role("searchbox").fill("password again")
    page.get_by_role("button", name="Search").click()
    listed(page, 1)
    page.get_by_role("link", name="Outlook asks for the password again").click()
    expect(page.locator(".timeline > li")).to_have_count(3)


def test_somebody_is_invited_and_deactivated(page, team, team_admin, engineer):
    log_in(page, team_admin)
    page.goto("/settings/users/")
    page.get_by_role("link", name="Invite", exact=True).click()
    page.get_by_label("Email").fill("new@northgate.example")
    page.get_by_label("Name").fill("Noor New")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_text("Noor New is invited")).to_be_visible()
    page.get_by_role("link", name="Amira Haddad").click()
    page.get_by_role("link", name="Deactivate…").click()
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("Amira Haddad is deactivated")).to_be_visible()


def test_a_token_is_made_and_can_be_read(page, team, team_admin):
    log_in(page, team_admin)
    page.goto("/settings/tokens/")
    page.get_by_label("Label of a new token").fill("Report")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_label("Token", exact=True)).to_have_value(re.compile("^rf_"))
    expect(page.get_by_role("button", name="Copy")).to_be_hidden()


def test_the_account_is_switched_and_left(page, look, team, super_admin, other_account):
    log_in(page, super_admin)
    page.goto("/analytics/")
    page.get_by_role("main").get_by_role("button", name="Northgate IT").click()
    expect(stat(page, "Total sessions")).to_have_text("8")
    if look.width == 390:
        page.get_by_role("button", name="Menu", exact=True).click()
    side = page.get_by_role("navigation", name="Main")
    side.get_by_label("Account").select_option("Southgate IT")
    side.get_by_role("button", name="Open").click()
    expect(page.get_by_text("No sessions yet")).to_be_visible()
    if look.width == 390:
        page.get_by_role("button", name="Menu", exact=True).click()
    side.locator(".me > summary").click()
    side.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
