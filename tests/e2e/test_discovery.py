"""A session without a flow as an engineer works in it: the keyboard alone, no connection, a finger."""

import pytest
from playwright.sync_api import expect

from flowpilot.sessions import starting
from flowpilot.tests.factories import DomainFactory, SessionFactory
from tests.e2e.axe import axe
from tests.e2e.looks import NARROW_DARK
from tests.e2e.people import log_in
from tests.e2e.rows import NOW

pytestmark = pytest.mark.browser

KNOWN = [
    ("Replaced the cyan toner", "works"),
    ("Ran the colour calibration", "no change"),
    ("Cleaned the glass", ""),
]


@pytest.fixture
def session(noon, engineer, colleague):
    printing = DomainFactory(name="Printing")
    for user in (engineer, colleague):
        for number, (title, answer) in enumerate(KNOWN):
            for _ in range(len(KNOWN) - number):
                decision = {"id": "1", "node_id": None, "title": title, "answer": answer, "note": ""}
                SessionFactory(
                    user=user,
                    domain=printing,
                    confidence_tier="discovery",
                    problem_summary="Prints are pink",
                    decisions=[decision],
                )
    return starting.start(engineer, problem_summary="Pink prints", domain=printing, now=NOW)


@pytest.fixture
def runner(page, session, engineer):
    log_in(page, engineer)
    page.goto(f"/sessions/{session.id}/")
    yield page
    page.wait_for_load_state("networkidle")


def known(page):
    return page.locator("#known-steps .option span")


def so_far(page):
    return page.get_by_role("complementary", name="So far").get_by_role("listitem").locator("p:first-child")


def taken(session):
    session.refresh_from_db()
    return [(d["title"], d["answer"]) for d in session.decisions]


def test_steps_by_the_keyboard_and_without_connection(runner, session, complaints):
    complaints.expect("ERR_INTERNET_DISCONNECTED")
    keyboard = runner.keyboard
    titles = [title for title, _ in KNOWN]
    expect(known(runner)).to_have_text(sorted(titles, key=titles.index))
    expect(runner.get_by_label("What did you do?")).to_be_focused()
    keyboard.press("ArrowDown")
    keyboard.press("1")
    expect(so_far(runner)).to_have_count(1)
    first, *_ = taken(session)[0]
    expect(runner.get_by_label("What did you do?")).to_be_focused()
    runner.locator(".open-step").get_by_role(
        "button", name="works" if "toner" in first else "no change"
    ).click()
    expect(runner.locator(".open-step")).to_have_count(0)

    keyboard.type("Glass")  # the first letter begins the next step
    title = runner.get_by_label("What did you do?")
    expect(title).to_have_value("Glass")
    expect(known(runner)).to_have_text(["Cleaned the glass"])
    keyboard.press("ArrowDown")
    keyboard.press("ArrowUp")
    expect(title).to_be_focused()
    title.fill("")
    keyboard.type("2 photos asked for")
    keyboard.press("Enter")
    expect(so_far(runner)).to_have_count(2)
    expect(title).to_be_focused()
    expect(title).to_have_value("")

    runner.context.set_offline(True)
    for words in ("Swapped the paper", "Swapped the tray"):
        keyboard.type(words)
        keyboard.press("Enter")
        keyboard.press("Enter")  # nothing stands there any more
    keyboard.press("Escape")
    bar = runner.locator("#unsaved")
    expect(bar).to_contain_text("“Swapped the paper”, “Swapped the tray”")
    known(runner).first.dblclick()
    keyboard.type("Half a")
    runner.context.set_offline(False)
    expect(so_far(runner)).to_have_count(5)
    expect(bar).to_be_hidden()
    expect(title).to_have_value("Half a")
    expect(title).to_be_focused()
    keyboard.type(" thought")
    expect(title).to_have_value("Half a thought")
    recorded = [title for title, _ in taken(session)]
    assert recorded[1:4] == ["2 photos asked for", "Swapped the paper", "Swapped the tray"]
    assert len(recorded) == 5


@pytest.mark.parametrize("look", [NARROW_DARK], ids=str)
def test_a_tap_on_a_phone(runner, session):
    runner.get_by_role("button", name="Replaced the cyan toner: works").tap()
    expect(so_far(runner)).to_have_text(["Replaced the cyan toner works"])
    runner.locator("#known-steps .option").first.tap()
    expect(so_far(runner)).to_have_count(2)
    row = runner.locator(".open-step")
    row.get_by_role("textbox").fill("Better, not good")
    known(runner).first.tap()  # what was typed goes with it
    expect(so_far(runner)).to_have_count(3)
    said = taken(session)
    assert said[0] == ("Replaced the cyan toner", "works")
    assert said[1][1] == "Better, not good"
    axe(runner)
    assert runner.evaluate("document.documentElement.scrollWidth <= innerWidth")
