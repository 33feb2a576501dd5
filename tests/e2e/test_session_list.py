"""The session list and a session's page. The rows are those of rows.py."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from flowpilot.models import Session
from flowpilot.tests.factories import SessionFactory
from tests.e2e.looks import NARROW, WIDE
from tests.e2e.people import log_in
from tests.e2e.rows import NOW
from tests.e2e.team_page import listed

pytestmark = pytest.mark.browser


@pytest.fixture
def page(page, team, team_admin):
    log_in(page, team_admin)
    return page


def problems(page):
    return page.get_by_role("table", name="Sessions").get_by_role("rowheader").get_by_role("link")


def chips(page):
    return page.get_by_role("list", name="Filters")


def test_filters_narrow_the_list_and_each_can_be_taken_off(page):
    page.goto("/sessions/")
    listed(page, 8)
    page.get_by_label("Outcome", exact=True).select_option("Resolved")
    listed(page, 3)
    page.get_by_label("Client", exact=True).select_option("Harbour Dental")
    listed(page, 2)
    page.get_by_role("link", name="90 days", exact=True).click()
    listed(page, 3)
    expect(problems(page)).to_have_text(
        ["Outlook asks for the password again", "Outlook hangs at start", "VPN certificate has expired"]
    )
    page.get_by_role("link", name="All time", exact=True).click()
    listed(page, 4)
    page.reload()
    listed(page, 4)
    chips(page).get_by_role("link", name="Remove filter Outcome: Resolved").click()
    listed(page, 6)
    expect(page.get_by_label("Outcome", exact=True)).to_have_value("")
    chips(page).get_by_role("link", name="Clear all").click()
    listed(page, 10)
    expect(page).to_have_url("/sessions/?period=all")
    page.go_back()
    listed(page, 6)


def test_search_finds_words_and_tickets(page):
    page.goto("/sessions/?period=all")
    search = page.get_by_role("searchbox")
    search.fill("vpn")
    search.press("Enter")
    listed(page, 4)
    expect(chips(page)).to_contain_text("Search: vpn")
    search.fill("t-1001")
    page.get_by_role("button", name="Search").click()
    listed(page, 1)
    expect(problems(page)).to_have_text(["Outlook asks for the password again"])
    search.fill("nothing like it")
    search.press("Enter")
    expect(page.get_by_text("No session fits these filters.")).to_be_visible()
    page.get_by_role("link", name="Clear the filters").click()
    listed(page, 10)


def test_a_period_without_sessions_leads_to_all_of_them(page):
    page.goto("/sessions/?from=2025-06-01&to=2025-06-30&outcome=resolved")
    page.get_by_role("link", name="Show all time").click()
    listed(page, 5)
    expect(chips(page)).to_contain_text("Outcome: Resolved")


def test_pages_go_forth_and_back_and_a_session_leads_back_to_its_place(page, engineer):
    for number in range(110):
        SessionFactory(
            user=engineer, started_at=NOW - timedelta(minutes=number), problem_summary=f"Ticket {number:03}"
        )
    page.goto("/sessions/?q=Ticket")
    expect(page.get_by_role("navigation", name="Pages").get_by_text("110 sessions")).to_be_visible()
    expect(problems(page)).to_have_count(50)
    expect(page.get_by_role("link", name="Previous")).to_have_count(0)
    page.get_by_role("link", name="Next").click()
    expect(problems(page).first).to_have_text("Ticket 050")
    assert page.evaluate("scrollY") == 0
    second = page.url

    problems(page).nth(40).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ticket 090")
    page.go_back()
    expect(page).to_have_url(second)
    expect(problems(page).first).to_have_text("Ticket 050")
    expect(problems(page).nth(40)).to_be_in_viewport()

    page.get_by_role("link", name="Next").click()
    expect(problems(page)).to_have_count(10)
    expect(problems(page).last).to_have_text("Ticket 109")
    expect(page.get_by_role("link", name="Next")).to_have_count(0)
    page.get_by_role("link", name="Previous").click()
    expect(problems(page).first).to_have_text("Ticket 050")
    page.get_by_role("link", name="Previous").click()
    expect(problems(page).first).to_have_text("Ticket 000")


@pytest.mark.parametrize("look", [WIDE, NARROW], ids=str)
def test_a_session_shows_what_was_done_in_order(page):
    page.goto("/sessions/")
    page.get_by_role("link", name="Outlook asks for the password again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Outlook asks for the password again")
    steps = page.locator(".timeline > li")
    expect(steps).to_have_text(
        [
            re.compile(r"Does webmail work\? No\s+taken back\s+10 Mar 2026, 09:01"),
            re.compile(
                r"Does webmail work\? Yes\s+After the second try\.\s*The first was a typo\.\s+10 Mar 2026, 09:03"
            ),
            re.compile(r"Remove the stored password Done\s+10 Mar 2026, 09:08"),
        ]
    )
    facts = page.get_by_role("region", name="Details")
    for name, value in [
        ("Engineer", "Amira Haddad"),
        ("Client", "Harbour Dental"),
        ("Flow", "Outlook does not start v1"),
        ("Ticket", "T-1001"),
        ("Duration", "10.0 min"),
        ("Steps", "2"),
    ]:
        fact = facts.locator("div", has=page.get_by_role("term").get_by_text(name, exact=True))
        expect(fact.get_by_role("definition")).to_have_text(value)
    expect(page.get_by_role("img", name="of 5 stars")).to_have_count(0)  # shown to its giver only
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Sessions").click()
    listed(page, 8)


def test_a_time_says_its_exact_moment_in_the_zone_of_the_account(page):
    session = Session.objects.get(psa_ticket_id="T-1001")
    page.goto(f"/sessions/{session.id}/")
    started = page.get_by_role("region", name="Details").get_by_role("time").first
    expect(started).to_have_attribute("title", "Tuesday 10 March 2026, 09:00:00 GMT")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (
            "/sessions/?outcome=great",
            "Outcome: Unknown value. Use one of: resolved, workaround, escalated, unresolved.",
        ),
        ("/sessions/?after=yesterday", "This page does not exist. Go back to the first one."),
        ("/sessions/?day=2026-02-30", "Day: Give the day as YYYY-MM-DD."),
    ],
)
def test_a_bad_filter_is_named_and_filters_nothing(page, address, words):
    page.goto(address)
    expect(page.get_by_role("alert")).to_have_text(words)
    expect(problems(page).first).to_be_visible()
