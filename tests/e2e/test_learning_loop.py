"""From three sessions in the engineers' own words to a flow that guides the fourth, all of it as people do it."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from flowpilot.analysis.running import analyse
from flowpilot.models import Flow, Session
from flowpilot.tests.factories import DomainFactory
from tests.e2e.people import log_in
from tests.e2e.rows import NOW

pytestmark = pytest.mark.browser

PROBLEMS = [  # and what was done, with what came of it
    ("Voicemails no longer arrive by email for Marta", [
        ("Left a test message in the voicemail box", "no mail came"),
        ("Read the mail log of the phone system", "sign-in refused"),
        ("Entered the new password of the mail account", "works"),
    ]),
    ("Voicemail by email stopped at reception", [
        ("Left a test message on the voicemail box", "no mail"),
        ("Read the phone system's mail log", "sign-in refused"),
        ("Entered the new mail account password", "works"),
    ]),
    ("No email with the voicemails since Monday", [
        ("Test message left in voicemail box", "no mail came"),
        ("Mail log of the phone system read", "sign-in refused"),
        ("Entered the mail account's new password", "works"),
    ]),
]  # fmt: skip


def solve(page, problem, steps):
    page.goto("/sessions/new/")
    page.get_by_label("What is the problem?").fill(problem)
    expect(page.locator(".start-tier")).to_contain_text("Discovery")
    page.get_by_label("Domain", exact=True).select_option(label="Telephony")
    page.get_by_role("button", name="Start session").click()
    page.wait_for_url(re.compile(r"/sessions/[0-9a-f-]{36}/"))
    done = page.get_by_role("complementary", name="So far").get_by_role("listitem")
    form = page.locator("form.beside")
    for number, (title, result) in enumerate(steps, start=1):
        form.get_by_label("What did you do?").fill(title)
        form.get_by_label("What came of it?").fill(result)
        page.keyboard.press("Enter")
        expect(done).to_have_count(number)
    page.get_by_role("link", name="Finish", exact=True).click()
    page.get_by_role("dialog", name="Finish the session").get_by_role("button", name="Finish").click()
    expect(page.locator(".told")).to_be_visible()
    page.wait_for_load_state("networkidle")


def test_what_three_sessions_found_out_guides_the_fourth(
    page, clock, account, engineer, colleague, team_admin
):
    DomainFactory(name="Telephony")
    for number, (problem, steps) in enumerate(PROBLEMS):
        clock(NOW + timedelta(hours=number))
        log_in(page, colleague if number == 1 else engineer)
        solve(page, problem, steps)
    assert Session.objects.filter(status="resolved", confidence_tier="discovery").count() == len(PROBLEMS)

    assert analyse(account, NOW + timedelta(hours=4)).filed.new == 1
    log_in(page, team_admin)
    page.goto("/proposals/")
    page.locator("main .table th a").first.click()
    page.get_by_role("button", name="Edit & publish").click()
    expect(page).to_have_url(re.compile(r"/flows/[0-9a-f-]+/edit/"))
    page.get_by_role("link", name="Publish").first.click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("From 3 sessions")).to_be_visible()
    flow = Flow.objects.get()
    assert (flow.status, flow.origin, flow.domain.name) == ("published", "ai_generated", "Telephony")

    log_in(page, engineer)
    page.goto("/sessions/new/")
    page.get_by_label("What is the problem?").fill("Helen’s voicemail does not arrive by email any more")
    expect(page.locator(".start-tier")).to_contain_text("Guided")
    page.get_by_label("What is the problem?").press("Enter")
    page.wait_for_url(re.compile(r"/sessions/[0-9a-f-]{36}/"))
    session = Session.objects.get(status="active")
    assert (session.flow, session.confidence_tier) == (flow, "guided")
    expect(page.locator("#step-title")).to_have_text(flow.current_version.structure["title"])
    page.wait_for_load_state("networkidle")
