"""The start of a session, as an engineer types it."""

import re

import pytest
from playwright.sync_api import expect

from flowpilot.flows.copying import copy_flows
from flowpilot.flows.library import starter_library
from flowpilot.models import Session
from flowpilot.tests.factories import SessionFactory
from tests.e2e.axe import in_every_look
from tests.e2e.people import log_in
from tests.e2e.rows import NOW

pytestmark = pytest.mark.browser


def test_a_problem_is_typed_and_enter_starts_the_flow_that_fits(
    page, account, engineer, colleague, team_admin
):
    copy_flows(starter_library(), account, published=True, user=team_admin, now=NOW)
    SessionFactory(
        user=colleague,
        problem_summary="VPN is slow at home since Monday",
        resolution_summary="Set the MTU to 1350",
        psa_ticket_id="48213",
    )
    log_in(page, engineer)
    page.goto("/sessions/new/")
    page.keyboard.type("VPN very slow since monday")
    best = page.get_by_role("radio", name="VPN is slow or drops")
    expect(best).to_be_checked()
    expect(page.locator(".start-tier")).to_contain_text("Guided")
    expect(page.locator("#announcer")).to_have_text("VPN is slow or drops fits.")
    expect(page.get_by_label("Domain", exact=True)).to_have_value(re.compile(".+"))
    similar = page.get_by_role("region", name="Solved before")
    expect(similar).to_contain_text("Set the MTU to 1350")
    expect(similar.get_by_role("link")).to_have_count(0)
    in_every_look(page)
    page.get_by_label("What is the problem?").press("Enter")
    page.wait_for_url(re.compile(r"/sessions/[0-9a-f-]{36}/"))
    session = Session.objects.get(user=engineer)
    assert (session.flow.name, session.confidence_tier) == ("VPN is slow or drops", "guided")
    assert session.confidence >= 0.65


MAIL = "Hi team,\n\nsince this morning Outlook asks for a password.\n\nAlso the label printer is empty.\n\nRegards"
PASTED = """(field, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


def test_a_pasted_mail_keeps_its_lines_and_one_of_them_names_the_problem(page, engineer):
    log_in(page, engineer)
    page.goto("/sessions/new/")
    problem, more = page.get_by_label("What is the problem?"), page.get_by_label("More about it")
    problem.evaluate(PASTED, "one line")  # the browser's own
    expect(more).to_have_value("")
    problem.evaluate(PASTED, MAIL)
    expect(problem).to_have_value("since this morning Outlook asks for a password.")
    expect(more).to_have_value(MAIL)
