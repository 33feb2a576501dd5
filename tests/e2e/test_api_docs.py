"""The API's documentation is drawn by Swagger UI: under our policy, from our own files."""

import pytest
from playwright.sync_api import expect

from tests.e2e.people import log_in

pytestmark = pytest.mark.browser


def test_the_docs_draw_themselves_and_try_a_call(page, team, team_admin):
    log_in(page, team_admin)
    page.goto("/api/v1/docs")
    expect(page.get_by_role("heading", name="ResolutionFlow API")).to_be_visible()
    page.locator(".opblock-summary-control").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    expect(page.locator(".live-responses-table")).to_contain_text('"total_sessions"')


def test_the_docs_start_a_session_by_the_login_of_the_browser(page, team, engineer):
    log_in(page, engineer)
    page.goto("/api/v1/docs")
    start = page.locator(".opblock", has_text="Start a session")
    start.locator(".opblock-summary-control").click()
    start.get_by_role("button", name="Try it out").click()
    start.get_by_role("button", name="Execute").click()
    answer = start.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").last).to_contain_text("201")
    expect(answer).to_contain_text('"problem_summary": "Outlook asks for the password again and again"')
