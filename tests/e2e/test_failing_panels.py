"""What people see while the network or the server fails under them."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.people import fill_in, give_password, log_in, log_out
from tests.e2e.team_page import row, stat

pytestmark = pytest.mark.browser


@pytest.fixture
def page(page, team, team_admin):
    log_in(page, team_admin)
    page.goto("/analytics/")
    return page


def test_a_panel_that_fails_says_so_in_its_place_and_can_be_tried_again(page, complaints):
    complaints.expect("status of 503", "Response Status Error Code 503")
    page.route("**/analytics/panels/flows/**", lambda route: route.fulfill(status=503, body="away"))
    page.locator("#period-1").click()
    panel = page.locator("#panel-flows")
    expect(panel.get_by_role("alert")).to_contain_text("The service is taking a short break.")
    expect(stat(page, "Total sessions")).to_have_text("6")  # the others came
    page.unroute("**/analytics/panels/flows/**")
    panel.get_by_role("button", name="Try again").click()
    expect(row(page, "Top flows", "Outlook does not start").nth(0)).to_have_text("3")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_without_a_connection_the_page_keeps_what_it_shows_and_can_try_again(page, complaints):
    complaints.expect("net::ERR_FAILED", "htmx:sendError", "htmx:afterRequest")
    page.route(re.compile("period=7d"), lambda route: route.abort())
    page.locator("#period-1").click()
    toast = page.get_by_role("alert")
    expect(toast).to_contain_text(
        "The server cannot be reached. Check your connection. What you see is unchanged."
    )
    expect(stat(page, "Total sessions")).to_have_text("8")
    page.unroute(re.compile("period=7d"))
    toast.get_by_role("button", name="Try again").click()
    expect(page).to_have_url("/analytics/?period=7d")
    expect(stat(page, "Total sessions")).to_have_text("6")
    expect(toast).to_have_count(0)


def test_what_no_retry_can_mend_offers_none(page, complaints):
    complaints.expect("status of 404", "Response Status Error Code 404")
    page.route("**/analytics/panels/engineers/**", lambda route: route.fulfill(status=404, body=""))
    page.locator("#period-1").click()
    panel = page.locator("#panel-engineers")
    expect(panel.get_by_role("alert")).to_contain_text("This no longer exists.")
    expect(panel.get_by_role("button")).to_have_count(0)


def test_an_expired_login_leads_to_signing_in_and_back(page, team_admin):
    log_in(page, give_password(team_admin))
    page.goto("/analytics/?period=90d")
    log_out(page)
    page.locator("#period-1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    fill_in(page, team_admin)
    expect(page).to_have_url("/analytics/?period=90d")
    expect(stat(page, "Total sessions")).to_have_text("9")


def test_two_filters_in_quick_succession_both_hold(page, team, complaints):
    complaints.expect("htmx:sendAbort", "htmx:afterRequest")  # the first request gives way
    slow = []

    def hold_the_first(route):
        if slow:
            route.continue_()
        else:
            slow.append(route)

    page.route(re.compile(r"/analytics/\?.*period=7d"), hold_the_first)
    with page.expect_request(re.compile("period=7d")):
        page.locator("#period-1").click()
    page.get_by_label("Client", exact=True).select_option("Harbour Dental")
    expect(stat(page, "Total sessions")).to_have_text("3")
    expect(page).to_have_url(
        re.compile(f"period=7d.*client_id={team.harbour.id}|client_id={team.harbour.id}.*period=7d")
    )
    expect(page.locator("#period-1")).to_have_attribute("aria-current", "true")
    expect(page.get_by_label("Client", exact=True).locator("option:checked")).to_have_text("Harbour Dental")
    expect(page.locator("#progress")).not_to_have_class(re.compile("on"))
