"""Thumbs and stars as an engineer gives them: by mouse, by keyboard, without a connection, without scripts."""

import re

import pytest
from playwright.sync_api import expect

from flowpilot.models import Session, Step
from flowpilot.tests.factories import SessionFactory, StepFactory
from ratings.models import SessionRating, StepRating
from tests.e2e.axe import axe
from tests.e2e.looks import NARROW_DARK, WIDE, WITHOUT_SCRIPT
from tests.e2e.people import log_in
from tests.e2e.rows import NOW

pytestmark = pytest.mark.browser

HINT = "Rate this step to help improve flows"


@pytest.fixture
def session(team):
    """Amira's, resolved and not rated, with the flow “VPN drops”."""
    return team.newest


@pytest.fixture
def step(session):
    return StepFactory(flow=session.flow, title="Is the certificate valid?")


@pytest.fixture
def rate_step(page, session, step, engineer):
    """The step's thumbs, as a page."""
    log_in(page, engineer)
    page.goto(f"/sessions/{session.id}/steps/{step.id}/thumb/")
    return page.get_by_role("group", name="Was this step helpful?")


@pytest.fixture
def ask(page, session, engineer):
    """The dialog, as it comes after the end of a session: by a panel that asks once."""

    def ask():
        log_in(page, engineer)
        page.goto(f"/sessions/{session.id}/rating/")
        page.evaluate(
            "path => htmx.ajax('POST', path, {target: 'main', swap: 'beforeend'})",
            f"/sessions/{session.id}/rating/ask/",
        )
        dialog = page.get_by_role("dialog", name="How was this flow?")
        expect(dialog).to_be_visible()
        return dialog

    return ask


def counts(step):
    return Step.objects.values_list("helpful_yes", "helpful_no").get(id=step.id)


def test_thumbs_by_mouse(page, rate_step, step):
    helpful = rate_step.get_by_role("button", name="Helpful", exact=True)
    expect(page.get_by_text(HINT)).to_be_visible()
    helpful.click()
    expect(helpful).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text(HINT)).to_have_count(0)
    expect(page.locator("#announcer")).to_have_text("Rated helpful.")
    assert counts(step) == (1, 0)
    helpful.click()
    expect(helpful).to_have_attribute("aria-pressed", "false")
    assert counts(step) == (0, 0)
    helpful.dblclick()
    expect(helpful).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(helpful).to_have_attribute("aria-pressed", "true")
    assert counts(step) == (1, 0)


def settled(page):
    """What htmx put in last listens from now on."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


@pytest.mark.parametrize("look", [WIDE, NARROW_DARK], ids=str)
def test_thumbs_and_reasons_by_keyboard(page, rate_step, step):
    rate_step.get_by_role("button", name="Helpful", exact=True).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    down = rate_step.get_by_role("button", name="Not helpful")
    expect(down).to_have_attribute("aria-pressed", "true")
    expect(down).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Wrong")).to_be_focused()
    page.keyboard.press("Tab")
    settled(page)
    page.keyboard.press("Space")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    expect(page.get_by_label("Outdated")).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.type("The button is gone 😀")
    expect(page.get_by_text("21 of 500")).to_be_visible()
    page.keyboard.press("Tab")
    with page.expect_response(re.compile("/thumb/")):
        page.keyboard.press("Enter")
    settled(page)
    page.wait_for_timeout(300)  # what was dimmed while it was saved comes back in colour
    axe(page)
    page.reload()
    expect(page.get_by_label("Outdated")).to_be_checked()
    expect(page.get_by_label("Comment")).to_have_value("The button is gone 😀")
    thumb = StepRating.objects.get()
    assert (thumb.reasons, thumb.comment, counts(step)) == (["outdated"], "The button is gone 😀", (0, 1))


@pytest.mark.parametrize("look", [WITHOUT_SCRIPT], ids=str)
def test_without_scripts(page, rate_step, step, session, engineer):
    rate_step.get_by_role("button", name="Not helpful").click()
    page.get_by_label("Unclear").check()
    page.get_by_label("Comment").fill("Which one?")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("What you said of this step is saved.")).to_be_visible()
    expect(page.get_by_label("Unclear")).to_be_checked()
    assert StepRating.objects.get().comment == "Which one?"
    page.goto(f"/sessions/{session.id}/rating/")
    page.get_by_role("button", name="Submit").click()
    expect(page).to_have_url(re.compile("/rating/$"))  # the browser asks for a star
    page.get_by_label("3 stars: Fine").check()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Your rating is saved.")).to_be_visible()
    assert SessionRating.objects.get(session=session).rating == 3


@pytest.mark.parametrize("look", [WIDE, NARROW_DARK], ids=str)
def test_stars_by_keyboard_alone(page, ask, session):
    dialog = ask()
    expect(dialog.get_by_label("1 star: Poor")).to_be_focused()
    submit = dialog.get_by_role("button", name="Submit")
    expect(submit).to_be_disabled()
    axe(page)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(dialog.get_by_label("4 stars: Good")).to_be_checked()
    expect(dialog.get_by_text("Good", exact=True)).to_be_visible()
    expect(submit).to_be_enabled()
    axe(page)
    page.keyboard.press("Tab")
    page.keyboard.type("Straight there.")
    expect(dialog.get_by_text("15 of 500")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(submit).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Your rating is saved.")).to_be_visible()
    rating = SessionRating.objects.get(session=session)
    assert (rating.rating, rating.comment) == (4, "Straight there.")


def test_from_the_end_of_a_session_to_its_stars(page, team, engineer):
    session = SessionFactory(
        user=engineer,
        status="active",
        flow=team.outlook,
        flow_version=team.outlook.versions.get(),
        confidence_tier="guided",
        started_at=NOW,
    )
    log_in(page, engineer)
    page.goto(f"/sessions/{session.id}/")
    page.locator(".runner-head").get_by_text("Finish", exact=False).click()
    finishing = page.locator("dialog[open]")
    finishing.get_by_role("radio", name="Resolved", exact=True).check()
    finishing.get_by_role("button", name="Finish").click()
    dialog = page.get_by_role("dialog", name="How was this flow?")
    dialog.locator(".stars label").nth(3).click()
    dialog.get_by_role("button", name="Submit").click()
    expect(dialog).to_be_hidden()
    card = page.locator("section.card", has=page.get_by_role("heading", name="Your rating"))
    expect(card.get_by_role("img", name="4 of 5 stars")).to_be_visible()
    page.reload()
    expect(card.get_by_role("img", name="4 of 5 stars")).to_be_visible()
    expect(dialog).to_have_count(0)


@pytest.mark.parametrize("how", ["Skip", "Escape", "Close"])
def test_skipping_and_closing_are_the_same_and_it_can_be_rated_later(page, ask, session, how):
    dialog = ask()
    if how == "Escape":
        page.keyboard.press("Escape")
    else:
        dialog.get_by_role("button", name=how).click()
    expect(dialog).to_be_hidden()
    asked = page.request.post(
        f"/sessions/{session.id}/rating/ask/",
        headers={"X-CSRFToken": page.locator("[name=csrfmiddlewaretoken]").first.input_value()},
    )
    assert asked.status == 204
    assert not SessionRating.objects.filter(session=session).exists()
    page.goto(f"/sessions/{session.id}/rating/")
    axe(page)
    page.locator(".stars label").nth(4).click()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("img", name="5 of 5 stars")).to_be_visible()
    assert SessionRating.objects.get(session=session).rating == 5


def test_what_goes_wrong_is_said_in_the_dialog_and_nothing_is_lost(page, ask, session, complaints):
    complaints.expect(
        "status of 500", "Response Status Error Code 500", "ERR_FAILED", "htmx:sendError", "htmx:afterRequest"
    )
    complaints.expect("status of 409", "status of 422")
    dialog = ask()
    dialog.locator(".stars label").nth(1).click()
    comment, submit = dialog.get_by_label("Comment"), dialog.get_by_role("button", name="Submit")
    comment.fill("Too long.")
    alert = dialog.get_by_role("alert")
    for answer, words in [
        (lambda route: route.abort(), "The server cannot be reached."),
        (lambda route: route.fulfill(status=500, body=""), "Something went wrong on our side."),
    ]:
        page.route("**/rating/", answer)
        submit.click()
        expect(alert).to_contain_text(words)
        expect(alert).to_have_count(1)
        expect(comment).to_have_value("Too long.")
        expect(dialog.get_by_label("2 stars: Fair")).to_be_checked()
        page.unroute("**/rating/")
    page.mouse.click(5, 5)  # beside the dialog: what was written must not go with it
    expect(dialog).to_be_visible()
    comment.evaluate("field => { field.removeAttribute('maxlength'); field.value = 'x'.repeat(501); }")
    submit.click()
    expect(alert).to_contain_text("at most 500 characters")
    expect(comment).to_have_value("x" * 501)
    axe(page)
    SessionRating.objects.create(
        session=session, user=session.user, flow=session.flow, rating=5
    )  # the other tab
    comment.fill("Too long.")
    submit.click()
    expect(alert).to_contain_text("You rated this session already")
    expect(dialog.get_by_label("What you wrote just now")).to_have_value("Too long.")
    axe(page)
    dialog.get_by_role("button", name="Close").last.click()
    expect(dialog).to_be_hidden()
    assert SessionRating.objects.get(session=session).rating == 5


def test_a_click_on_another_page_says_what_it_could_not_save(page, rate_step, step, complaints):
    complaints.expect("ERR_FAILED", "htmx:sendError", "htmx:afterRequest")
    page.route("**/thumb/", lambda route: route.abort())
    rate_step.get_by_role("button", name="Helpful", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved.")
    assert counts(step) == (0, 0)
    assert Session.objects.filter(step_ratings__isnull=False).count() == 0
