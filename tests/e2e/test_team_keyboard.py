"""The team page without a mouse, on a phone and in the dark."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.looks import DARK, NARROW, NARROW_DARK
from tests.e2e.people import log_in
from tests.e2e.team_page import stat

pytestmark = pytest.mark.browser

DRAWN_FOCUS = "element => getComputedStyle(element).outlineStyle"
LIGHT_PAGE, DARK_PAGE = "rgb(246, 247, 249)", "rgb(11, 16, 27)"


@pytest.fixture
def page(page, team, team_admin):
    log_in(page, team_admin)
    return page


def tab_to(page, target):
    """Presses Tab until `target` has the focus, which must be seen on it."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            assert target.evaluate(DRAWN_FOCUS) == "solid"
            return
    raise AssertionError("Tab does not get there")


def test_the_period_is_changed_and_keeps_the_focus(page):
    page.goto("/analytics/")
    week = page.locator("#period-1")
    tab_to(page, week)
    page.keyboard.press("Enter")
    expect(page).to_have_url("/analytics/?period=7d")
    expect(stat(page, "Total sessions")).to_have_text("6")
    expect(week).to_be_focused()
    assert week.evaluate(DRAWN_FOCUS) == "solid"


def test_the_first_tab_skips_the_navigation(page):
    page.goto("/analytics/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Client", exact=True)).to_be_focused()


def test_escape_closes_the_custom_range_and_gives_the_focus_back(page):
    page.goto("/analytics/")
    custom, first_day = page.locator("#period-custom"), page.get_by_label("From", exact=True)
    tab_to(page, custom)
    page.keyboard.press("Enter")
    expect(first_day).to_be_visible()
    page.keyboard.press("Tab")
    expect(first_day).to_be_focused()
    page.keyboard.press("Escape")
    expect(first_day).to_be_hidden()
    expect(custom).to_be_focused()


def test_a_click_beside_it_closes_a_menu(page):
    page.goto("/analytics/")
    page.locator("#period-custom").click()
    page.get_by_role("heading", level=1).click()
    expect(page.get_by_label("From", exact=True)).to_be_hidden()


def test_the_own_menu_opens_and_closes_by_key(page):
    page.goto("/analytics/")
    me, sign_out = page.locator(".me > summary"), page.get_by_role("button", name="Sign out")
    tab_to(page, me)
    page.keyboard.press("Enter")
    expect(sign_out).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(sign_out).to_be_hidden()
    expect(me).to_be_focused()


def test_the_explanation_of_a_figure_shows_on_focus_and_goes_with_escape(page):
    page.goto("/analytics/")
    about = page.get_by_role("link", name="Median duration: how it is computed")
    about.focus()
    words = page.get_by_role("tooltip", name=re.compile("Half of the completed sessions took longer"))
    expect(words).to_be_visible()
    page.keyboard.press("Escape")
    expect(words).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page).to_have_url("/help/metrics/#median-duration")
    expect(page.get_by_role("heading", name="Median duration", exact=True)).to_be_in_viewport()


def test_the_number_of_sessions_is_opened_by_key(page):
    page.goto("/analytics/")
    tab_to(page, stat(page, "Total sessions"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Pages").get_by_text("8 sessions", exact=True)).to_be_visible()


@pytest.mark.parametrize("look", [NARROW_DARK], ids=str)
def test_on_a_phone_the_navigation_is_a_drawer(page):
    page.goto("/analytics/")
    menu = page.get_by_role("button", name="Menu", exact=True)
    sessions = page.get_by_role("navigation", name="Main").get_by_role("link", name="Sessions")
    expect(sessions).to_be_hidden()
    menu.tap()
    expect(sessions).to_be_visible()
    page.get_by_role("button", name="Close menu").tap()
    expect(sessions).to_be_hidden()
    menu.focus()
    page.keyboard.press("Enter")
    expect(sessions).to_be_visible()
    page.keyboard.press("Escape")
    expect(sessions).to_be_hidden()
    expect(menu).to_be_focused()
    menu.tap()
    sessions.tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sessions")


@pytest.mark.parametrize("look", [NARROW], ids=str)
def test_on_a_phone_the_period_is_changed_by_touch(page):
    page.goto("/analytics/")
    page.locator("#period-custom").tap()
    page.get_by_label("From", exact=True).fill("2026-03-08")
    page.get_by_label("To, that day included").fill("2026-03-09")
    page.get_by_role("button", name="Show", exact=True).tap()
    expect(stat(page, "Total sessions")).to_have_text("2")
    expect(page.locator("#period-custom")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("look", [DARK], ids=str)
def test_without_a_choice_the_theme_is_the_systems(page):
    page.goto("/analytics/")
    expect(page.locator("body")).to_have_css("background-color", DARK_PAGE)


def test_the_chosen_theme_stays_and_is_there_before_the_first_paint(page):
    page.context.add_init_script(
        """new MutationObserver((_, observer) => {
            if (!document.body) return;
            window.themeAtFirst = document.documentElement.dataset.theme;
            observer.disconnect();
        }).observe(document, { childList: true, subtree: true })"""
    )
    page.goto("/analytics/")
    expect(page.locator("body")).to_have_css("background-color", LIGHT_PAGE)
    page.locator(".me > summary").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("body")).to_have_css("background-color", DARK_PAGE)
    for address in ("/analytics/", "/sessions/"):
        page.goto(address)
        assert page.evaluate("window.themeAtFirst") == "dark"
        expect(page.locator("body")).to_have_css("background-color", DARK_PAGE)
    page.locator(".me > summary").click()
    page.get_by_role("button", name="System").click()
    page.reload()
    expect(page.locator("body")).to_have_css("background-color", LIGHT_PAGE)
