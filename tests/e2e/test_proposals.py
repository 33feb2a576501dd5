"""The review in a real browser: through the queue by keys, and from a proposal to a published flow."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from flowpilot.models import Flow
from flowpilot.tests.factories import (
    DomainFactory,
    FlowFactory,
    FlowProposalFactory,
    FlowVersionFactory,
    SessionFactory,
)
from flowpilot.tests.structures import leaf, question
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
    page.wait_for_load_state()
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_have_text("Scanner does not send mail")
    page.wait_for_load_state()
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


@pytest.fixture
def change(proposals):
    """A further answer to the thirtieth of forty questions."""
    steps = [question(f"q{n}", f"q{n + 1}", "end") for n in range(1, 40)]
    before = question("q0", "q1", "end", children=[*steps, leaf("q40"), leaf("end")])
    steps[29] = question("q30", "q31", "end", "new")
    after = question("q0", "q1", "end", children=[*steps, leaf("q40"), leaf("end"), leaf("new")])
    flow = FlowFactory(name="Long way")
    flow.current_version = FlowVersionFactory(flow=flow, structure=before)
    flow.save()
    about = {"kind": "missing_option", "node_id": "q30", "title": "Q30", "n": 6, "of": 20}
    return FlowProposalFactory(
        kind="enhancement",
        target_flow=flow,
        structure=after,
        evidence={"change": about},
        title="One more answer",
    )


def test_the_map_opens_at_the_change_and_keys_lead_to_the_decision(page, change, team_admin):
    log_in(page, team_admin)
    page.goto(f"/proposals/{change.id}/")
    level = page.get_by_role("button", name="Zoom to 100 %")
    expect(level).to_have_text("80 %")
    box = "() => document.querySelector('.node.tone-watch .box').getBoundingClientRect().toJSON()"
    frame = "() => document.querySelector('.map').getBoundingClientRect().toJSON()"
    changed, seen = page.evaluate(box), page.evaluate(frame)
    assert seen["left"] <= changed["left"] < changed["right"] <= seen["right"]
    assert seen["top"] <= changed["top"] < changed["bottom"] <= seen["bottom"]
    page.get_by_role("button", name="Whole map").click()
    sheet = page.evaluate("() => document.querySelector('.map-sheet').getBoundingClientRect().toJSON()")
    assert (sheet["width"] <= seen["width"], sheet["height"] <= seen["height"]) == (True, True)
    page.keyboard.press("r")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("read")  # letters are letters there
    page.keyboard.press("Escape")
    expect(page.get_by_text("Reject…")).to_be_focused()
    page.keyboard.press("e")
    expect(page.get_by_role("button", name="Edit & publish")).to_be_focused()
    page.get_by_role("link", name="31. Q30").first.click()
    expect(page.get_by_role("complementary", name="Step 31")).to_be_in_viewport()


@pytest.mark.parametrize("look", [NARROW], ids=str)
def test_the_decision_is_within_reach_on_a_phone(page, proposals, team_admin):
    log_in(page, team_admin)
    page.goto(f"/proposals/{proposals.id}/")
    expect(page.get_by_role("button", name="Approve and publish")).to_be_in_viewport(ratio=1)
    expect(page.locator(".keys")).to_be_hidden()
    page.evaluate("scrollTo(0, 1e6)")
    last = page.get_by_role("region", name="Details").bounding_box()
    bar = page.get_by_role("region", name="Your decision").bounding_box()
    assert last["y"] + last["height"] <= bar["y"]  # nothing lies below it in the end
    page.get_by_text("Reject…").tap()
    expect(page.get_by_role("button", name="Approve and publish")).to_be_hidden()
    page.get_by_label("Reason").fill("We do this another way.")
    page.get_by_role("button", name="Reject", exact=True).tap()
    expect(page.get_by_text("Next proposal")).to_be_in_viewport()
    proposals.refresh_from_db()
    assert (proposals.status, proposals.review_note) == ("rejected", "We do this another way.")
