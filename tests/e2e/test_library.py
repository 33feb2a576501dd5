"""The library in a real browser: search as one types, the starter library in an empty account, home of both roles."""

import re

import pytest
from playwright.sync_api import expect

from flowpilot.models import Flow
from flowpilot.tests.factories import FlowFactory, FlowVersionFactory, SessionFactory
from tests.e2e.looks import NARROW
from tests.e2e.people import log_in
from tests.e2e.rows import NOW

pytestmark = pytest.mark.browser


@pytest.fixture
def flows(noon, account):
    for name, title in [
        ("VPN does not connect", "Ping the gateway"),
        ("Printer offline", "Read the spooler's log"),
        ("Für Müller", "Call back"),
    ]:
        flow = FlowFactory(name=name)
        structure = {"id": "root", "type": "outcome", "outcome": "resolved", "title": title}
        flow.current_version = FlowVersionFactory(flow=flow, structure=structure)
        flow.save()


def names(page):
    return page.locator("#flows tbody th a")


def test_search_as_one_types(page, flows, engineer):
    log_in(page, engineer)
    page.goto("/flows/")
    expect(names(page)).to_have_text(["Für Müller", "Printer offline", "VPN does not connect"])
    box = page.get_by_role("searchbox")
    box.press_sequentially("muller")
    expect(names(page)).to_have_text(["Für Müller"])
    expect(page.locator("#flows mark").first).to_have_text("Müller")
    expect(box).to_be_focused()
    expect(box).to_have_value("muller")
    expect(page).to_have_url(re.compile(r"/flows/\?q=muller$"))
    box.fill("spooler")
    expect(names(page)).to_have_text(["Printer offline"])
    expect(page.locator(".flow-step")).to_have_text(re.compile("Step: Read the spooler's log"))
    expect(page.locator("#announcer")).to_have_text("1 flow")
    box.fill("nothing like it")
    expect(page.get_by_text("No flow has all of these words.")).to_be_visible()
    page.get_by_role("link", name="Show all flows").click()
    expect(names(page)).to_have_count(3)


def test_filters_and_order_without_a_button(page, flows, engineer):
    Flow.objects.filter(name="VPN does not connect").update(usage_count=9)
    Flow.objects.filter(name="Printer offline").update(status="draft")
    log_in(page, engineer)
    page.goto("/flows/")
    page.get_by_label("Order").select_option("usage")
    expect(names(page).first).to_have_text("VPN does not connect")
    page.get_by_label("Status").select_option("draft")
    expect(names(page)).to_have_text(["Printer offline"])
    expect(page).to_have_url(re.compile(r"/flows/\?status=draft&sort=usage$"))
    page.reload()
    expect(names(page)).to_have_text(["Printer offline"])


def test_an_empty_account_starts_from_the_starter_library(page, account, team_admin):
    log_in(page, team_admin)
    page.goto("/flows/")
    page.get_by_role("link", name="Start from the starter library").click()
    page.get_by_text("Preview").first.click()
    expect(page.locator(".steps-brief").first).to_be_visible()
    page.get_by_role("button", name="Choose all of Printing").click()
    page.get_by_label("Computer is slow").check()
    copy = page.get_by_role("button", name="Copy 4 flows")
    copy.dblclick()
    expect(page).to_have_url(re.compile(r"/flows/$"))
    expect(names(page)).to_have_count(4)
    page.get_by_role("link", name="Starter library").click()
    expect(page.get_by_label("Computer is slow")).to_be_disabled()
    expect(page.get_by_text("In your library")).to_have_count(4)


def test_a_new_flow_opens_in_the_editor(page, account, team_admin):
    log_in(page, team_admin)
    page.goto("/flows/")
    page.get_by_role("link", name="New flow").click()
    page.get_by_label("Name", exact=True).fill("Scanner does not scan")
    page.get_by_label("Domain").fill("Scanning")
    page.get_by_role("button", name="Write the steps").click()
    expect(page).to_have_url(re.compile(r"/flows/[0-9a-f-]+/edit/"))
    expect(page.get_by_text("Scanner does not scan").first).to_be_visible()


def test_the_engineers_home(page, team, flows, engineer):
    SessionFactory(user=engineer, status="active", started_at=NOW, problem_summary="Still at it")
    log_in(page, engineer)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    expect(page.get_by_role("link", name="Still at it")).to_be_visible()
    expect(page.get_by_text("Team analytics")).to_have_count(0)
    page.get_by_label("What is the problem?").fill("Outlook is away")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/sessions/new/\?problem=Outlook"))
    expect(page.get_by_label("What is the problem?")).to_have_value("Outlook is away")


def test_the_team_admins_home_brings_the_teams_figures(page, team, flows, team_admin):
    log_in(page, team_admin)
    page.goto("/")
    expect(page.locator("#panel-summary .stat")).to_have_count(4)
    page.get_by_role("link", name="Team analytics").click()
    expect(page).to_have_url(re.compile(r"/analytics/$"))


@pytest.mark.parametrize("look", [NARROW], ids=str)
def test_nothing_is_wider_than_a_phone(page, team, flows, team_admin):
    log_in(page, team_admin)
    for address in (
        "/",
        "/flows/?q=gateway",
        "/flows/starter/",
        "/flows/new/",
        "/flows/starter/computer-is-slow/",
    ):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW.width


def test_a_preview_opened_before_the_page_was_ready(page, account, team_admin):
    log_in(page, team_admin)
    held = []
    page.route("**/htmx.min.js", lambda route: held.append(route))  # noqa: PLW0108 - takes no builtin
    with page.expect_request("**/htmx.min.js"):
        page.goto("/flows/starter/", wait_until="commit")
    page.get_by_text("Preview").first.click()
    expect(page.get_by_role("link", name="Open the preview").first).to_be_visible()
    held[0].continue_()
    expect(page.locator(".steps-brief").first).to_be_visible()
