"""The review in a real browser: through the queue by keys, and from a proposal to a published flow."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from flowpilot.models import Flow
from flowpilot.tests.factories import DomainFactory, FlowProposalFactory, SessionFactory
from tests.e2e.axe import axe
from tests.e2e.looks import DARK, NARROW
from tests.e2e.people import log_in
from tests.e2e.rows import NOW

pytestmark = pytest.mark.browser


@pytest.fixture
def proposals(noon, account, engineer, colleague):
    domain = DomainFactory(name="Printing")
    behind = [
        SessionFactory(
            user=colleague if n % 2 else engineer,
            domain=domain,
            problem_summary=f"Printer on floor {n} is offline",
            started_at=NOW - timedelta(days=20 - n),
            completed_at=NOW - timedelta(days=20 - n) + timedelta(minutes=30 + n),
            confidence_tier="discovery",
        )
        for n in range(12)
    ]
    for n in range(9):
        at = NOW - timedelta(days=n + 1)
        SessionFactory(
            user=engineer, domain=domain, started_at=at, completed_at=at + timedelta(minutes=9 + n),
            confidence_tier="guided",
        )  # fmt: skip
    FlowProposalFactory(title="Scanner does not send mail", confidence=0.6, domain=domain)
    return FlowProposalFactory(
        title="Printer is offline", summary="The spooler hangs.", domain=domain, behind=behind
    )


def test_through_the_queue_by_keys_and_on_to_a_flow(page, proposals, team_admin):
    log_in(page, team_admin)
    page.goto("/proposals/")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Printer is offline")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Scanner does not send mail")).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Printer is offline")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_have_text("Scanner does not send mail")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", level=1)).to_have_text("Printer is offline")
    page.get_by_role("button", name="Edit & publish").click()
    expect(page).to_have_url(re.compile(r"/flows/[0-9a-f-]+/edit/"))
    page.get_by_role("link", name="Publish").first.click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("From 12 sessions, proposal of")).to_be_visible()
    assert Flow.objects.get(name="Printer is offline").origin == "ai_generated"
    proposals.refresh_from_db()
    assert proposals.status == "modified"


@pytest.mark.parametrize("look", [DARK, NARROW], ids=str)
def test_the_review_is_readable_for_everybody(page, proposals, team_admin, look):
    log_in(page, team_admin)
    for address in ("/proposals/", f"/proposals/{proposals.id}/"):
        page.goto(address)
        page.evaluate(
            "document.querySelectorAll('.card details').forEach((details) => (details.open = true))"
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= look.width
        axe(page)
