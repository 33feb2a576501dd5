"""The flow editor as its authors use it: by keyboard, in two browsers at once, over a bad line, on a phone."""

import re

import pytest
from django.conf import settings
from playwright.sync_api import expect

from flowpilot.flows import publishing
from flowpilot.flows.structure import faults_of, nodes_of
from flowpilot.models import Flow, FlowDraft, Session
from tests.e2e.axe import axe
from tests.e2e.complaints import Complaints
from tests.e2e.looks import NARROW
from tests.e2e.people import fill_in, give_password, log_in
from tests.e2e.rows import NOW

pytestmark = pytest.mark.browser

HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית =HYPERLINK("x") {{ 7 }}"""


@pytest.fixture
def flow(noon, account, team_admin):
    return publishing.create(name="Mail does not arrive", user=team_admin, now=NOW)


@pytest.fixture
def other_page(browser, look, live_server):
    """A browser of somebody else."""
    context = browser.new_context(base_url=live_server.url, **look.options)
    context.base_address = live_server.url
    complaints = Complaints(context, live_server.url)
    complaints.expect("status of 409", "dialog: What you wrote here is not saved")
    yield context.new_page()
    assert complaints.all() == []
    context.close()


def open_editor(page, flow, step=""):
    page.goto(f"/flows/{flow.id}/edit/" + (f"?step={step}" if step else ""))
    expect(page.locator("#outline [aria-current]")).to_have_count(1)


def outline(page):
    return page.locator("#outline .t")


def saved(page):
    expect(page.locator("#save-state")).to_have_text("All changes saved")


def steps_of(flow):
    return {node["id"]: node for node in nodes_of(FlowDraft.objects.get(flow=flow).structure)}


def test_a_flow_is_built_and_published_by_the_keyboard_alone(page, flow, team_admin):
    log_in(page, team_admin)
    open_editor(page, flow)
    keys = page.keyboard
    page.locator("#step-title").focus()
    keys.press("Control+A")
    keys.type("Is anything in the outbox?")
    keys.press("Alt+J")
    expect(page.locator("#step-heading")).to_contain_text("Step 2")
    keys.press("Alt+A")  # before the outcome
    expect(page.locator("#step-title")).to_be_focused()
    keys.type("Restart the transport service")
    saved(page)
    expect(outline(page)).to_have_text(
        ["Is anything in the outbox?", "Restart the transport service", "Solved", "Hand over to a colleague"]
    )
    keys.press("Alt+K")
    expect(page.locator("#step-heading")).to_contain_text("Step 1")
    keys.press("Alt+N")
    expect(page.locator("#option-3-label")).to_be_focused()
    keys.type("Only for one domain")
    for _ in range(2):
        keys.press("Tab")
    keys.press("Enter")  # a new step behind the answer
    expect(page.locator("#step-title")).to_be_focused()
    keys.type("Ask for the bounce message")
    expect(page.locator("#faults")).to_contain_text("What comes next is missing.")
    keys.press("Alt+O")
    expect(page.locator("#step-heading")).to_contain_text("Step 6")
    keys.type("Blocked by the other side")
    saved(page)
    expect(page.get_by_text("no faults")).to_be_visible()
    keys.press("Alt+K")
    expect(page.locator("#step-title")).to_have_value("Ask for the bounce message")
    page.get_by_role("link", name="Publish").focus()
    keys.press("Enter")
    expect(page.get_by_label("What is new")).to_be_focused()
    keys.type("The first one")
    keys.press("Tab")
    keys.press("Enter")
    expect(page.get_by_text("Version 1 of Mail does not arrive is published.")).to_be_visible()
    flow.refresh_from_db()
    assert flow.status == Flow.Status.PUBLISHED
    assert faults_of(flow.current_version.structure) == []
    titles = [node["title"] for node in nodes_of(flow.current_version.structure)]
    assert sorted(titles) == sorted(
        [
            "Is anything in the outbox?",
            "Restart the transport service",
            "Solved",
            "Hand over to a colleague",
            "Ask for the bounce message",
            "Blocked by the other side",
        ]
    )


def test_what_is_typed_is_saved_by_itself_and_undone_step_by_step(page, complaints, flow, team_admin):
    log_in(page, team_admin)
    open_editor(page, flow)
    page.get_by_label("Title").fill(HOSTILE)
    expect(page.locator("#save-state")).to_have_text("Not saved yet")
    saved(page)
    expect(outline(page).first).to_have_text(HOSTILE)
    page.get_by_label("Help").fill("Look **twice** <b>here</b>")
    expect(page.locator("#help-preview strong")).to_have_text("twice")
    expect(page.locator("#help-preview b")).to_have_count(0)
    page.reload()
    expect(page.get_by_label("Title")).to_have_value(HOSTILE)
    expect(page.get_by_label("Help")).to_have_value("Look **twice** <b>here</b>")
    page.get_by_role("button", name="Outcome", exact=True).first.click()
    expect(page.get_by_label("Outcome", exact=True)).to_be_visible()
    page.locator("#step-heading").focus()
    page.keyboard.press("Control+Z")
    expect(page.get_by_role("textbox", name="Option 1")).to_have_value("Yes")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Help")).to_have_value("")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Title")).to_have_value("Is the problem solved?")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.get_by_role("link", name="Publish").click()
    page.get_by_label("What is new").fill("A note that nobody saves by itself")
    complaints.expect("dialog: What you wrote here is not saved")
    with page.expect_event("dialog"):  # it is declined
        page.locator("#outline a").first.click()
    expect(page.get_by_label("What is new")).to_have_value("A note that nobody saves by itself")
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_label("Title")).to_be_visible()


def test_answers_and_steps_are_moved_copied_and_deleted(page, flow, team_admin):
    log_in(page, team_admin)
    open_editor(page, flow)
    page.get_by_role("button", name="Move option 2 up").click()
    expect(outline(page)).to_have_text(["Is the problem solved?", "Hand over to a colleague", "Solved"])
    page.locator("#outline a").nth(2).click()
    expect(page).to_have_url(re.compile(r"step=solved$"))
    expect(page.get_by_label("Title")).to_have_value("Solved")
    page.keyboard.press("Alt+ArrowUp")
    expect(outline(page)).to_have_text(["Is the problem solved?", "Solved", "Hand over to a colleague"])
    page.keyboard.press("Alt+c")
    expect(page.get_by_label("Title")).to_have_value("Solved (copy)")
    page.keyboard.press("Alt+Backspace")
    expect(page.get_by_text("Leads there:")).to_be_visible()
    expect(page.get_by_role("button", name="Delete step")).to_be_focused()
    page.get_by_label("These lead to").select_option("hand-over")
    page.get_by_role("button", name="Delete step").click()
    expect(outline(page)).to_have_text(["Is the problem solved?", "Solved", "Hand over to a colleague"])
    assert [option["next"] for option in steps_of(flow)["start"]["options"]] == [
        "solved",
        "hand-over",
        "hand-over",
    ]
    page.locator('[value="add:action"]').dblclick()
    expect(outline(page)).to_have_count(4)
    page.get_by_role("button", name="Undo").click()
    expect(outline(page)).to_have_text(["Is the problem solved?", "Solved", "Hand over to a colleague"])
    with page.expect_event("load"):  # going back loads the page anew
        page.go_back()
    expect(page.get_by_label("Title")).not_to_have_value("")


def test_the_second_author_is_told_and_merges_both(page, other_page, flow, team_admin, colleague):
    colleague.can_author = True
    colleague.save()
    log_in(page, team_admin)
    log_in(other_page, colleague)
    open_editor(page, flow)
    open_editor(other_page, flow)
    page.get_by_label("Title").fill("Has the mail left?")
    saved(page)
    other_page.get_by_label("Title").fill("Is the mail in the outbox?")
    other_page.get_by_label("Help").fill("Ask for a screenshot.")
    other_page.get_by_role(
        "button", name="Undo"
    ).click()  # of what is not saved yet: first that has to be settled
    expect(other_page.get_by_role("heading", name="Changed in two places at once")).to_be_visible()
    with other_page.expect_event("dialog"):  # it is declined
        other_page.locator("#outline a").nth(1).click()
    expect(other_page.get_by_role("heading", name="Changed in two places at once")).to_be_visible()
    expect(other_page.locator("#save-state")).to_have_text("Not saved: choose below")
    expect(other_page.locator(".conflict")).to_contain_text("Dana Whitfield changed this flow meanwhile.")
    title = other_page.get_by_role("group", name=re.compile("title"))
    expect(title).to_contain_text("both changed it")
    expect(title.locator("mark")).to_have_text(["Is the mail in the outbox?", "Has the mail left?"])
    assert steps_of(flow)["start"]["title"] == "Has the mail left?"
    title.get_by_label("Theirs").check()
    other_page.get_by_role("button", name="Save this choice").click()
    expect(other_page.get_by_text("Both are merged.")).to_be_visible()
    expect(other_page.get_by_label("Title")).to_have_value("Has the mail left?")
    expect(other_page.get_by_label("Help")).to_have_value("Ask for a screenshot.")
    page.get_by_role("link", name="Next").click()  # whoever goes on sees what the other one did
    page.get_by_role("link", name="Previous").click()
    expect(page.get_by_label("Help")).to_have_value("Ask for a screenshot.")


def test_a_lost_connection_loses_nothing(page, context, complaints, flow, team_admin):
    complaints.expect("ERR_INTERNET_DISCONNECTED", "htmx:(sendError|afterRequest)")
    log_in(page, team_admin)
    open_editor(page, flow)
    context.set_offline(True)
    page.get_by_label("Title").fill("Typed on a train")
    expect(page.locator("#save-state")).to_have_text("Not saved. It is tried again.")
    page.get_by_label("Help").fill("Still there")
    context.set_offline(False)
    saved(page)
    node = steps_of(flow)["start"]
    assert (node["title"], node["help"]) == ("Typed on a train", "Still there")


def test_who_was_signed_out_while_typing_finds_it_saved(page, context, flow, team_admin):
    give_password(team_admin)
    log_in(page, team_admin)
    open_editor(page, flow, step="solved")
    context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.get_by_label("Title").fill("Typed after a long break")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    fill_in(page, team_admin)
    expect(page.locator("#save-state")).to_have_text("What you wrote before is saved")
    expect(page.get_by_label("Title")).to_have_value("Typed after a long break")
    assert steps_of(flow)["solved"]["title"] == "Typed after a long break"


def test_a_preview_leaves_no_trace(page, flow, team_admin):
    log_in(page, team_admin)
    open_editor(page, flow)
    page.get_by_label("Title").fill("Does it work now?")
    page.get_by_role("link", name="Preview").click()
    expect(page.get_by_role("heading", name="Does it work now?")).to_be_visible()
    page.get_by_role("link", name="Yes").click()
    expect(page.get_by_text("The session ends here")).to_contain_text("Resolved")
    page.get_by_role("link", name="Edit this step").click()
    expect(page.get_by_label("Title")).to_have_value("Solved")
    assert not Session.objects.exists()


def test_five_hundred_steps_and_thirty_answers(page, account, noon, team_admin):
    steps = [
        {"id": f"s{n}", "type": "action", "title": f"Step of the row {n}", "next": f"s{n + 1}"}
        for n in range(1, 499)
    ]
    structure = {
        "id": "s0",
        "type": "question",
        "title": "Which one?",
        "options": [{"label": f"Number {n}", "next": f"s{n * 16 + 1}"} for n in range(30)],
        "children": [*steps, {"id": "s499", "type": "outcome", "outcome": "resolved", "title": "Done"}],
    }
    flow = publishing.create(name="Long", user=team_admin, now=NOW, structure=structure)
    log_in(page, team_admin)
    open_editor(page, flow)
    expect(page.get_by_text("no faults")).to_be_visible()
    choice = page.get_by_label("Option 30 leads to")
    choice.focus()
    choice.select_option("s499")
    saved(page)
    assert steps_of(flow)["s0"]["options"][29]["next"] == "s499"
    page.locator("#outline a").nth(400).click()
    expect(page.locator("#step-heading")).to_contain_text("Step 401")


@pytest.mark.parametrize("look", [NARROW], ids=str)
def test_on_a_phone_the_form_stands_below_the_outline(page, flow, team_admin):
    log_in(page, team_admin)
    open_editor(page, flow)
    axe(page)
    page.get_by_role("button", name="New step behind option 1").click()
    page.get_by_label("Title").fill("Restart it")
    saved(page)
    assert page.locator("#outline").bounding_box()["y"] < page.get_by_label("Title").bounding_box()["y"]
    assert "Restart it" in [node["title"] for node in steps_of(flow).values()]
