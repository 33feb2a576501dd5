"""Signing in and out, and a forgotten password, from the first page to the last."""

import re

import pytest
from django.core import mail
from playwright.sync_api import expect

from tests.e2e.people import PASSWORD, fill_in, give_password, log_in
from tests.e2e.team_page import listed

pytestmark = pytest.mark.browser

FIRST_PAGE = re.compile(r"//[^/]+/$")


def test_a_wrong_password_says_so_and_the_right_one_opens_the_first_page(page, team, team_admin):
    give_password(team_admin)
    page.goto("/")
    expect(page).to_have_url(re.compile(r"/accounts/login/\?next=%2F$"))
    fill_in(page, team_admin, "something else")
    expect(page.get_by_role("alert")).to_contain_text(
        "email address and/or password you specified are not correct"
    )
    expect(page.get_by_label("Email")).to_have_value(team_admin.email)
    fill_in(page, team_admin)
    expect(page).to_have_url(FIRST_PAGE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")


def test_an_engineer_starts_there_too(page, team, engineer):
    give_password(engineer)
    page.goto("/accounts/login/")
    fill_in(page, engineer)
    expect(page).to_have_url(FIRST_PAGE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")


def test_signing_in_leads_back_to_the_page_that_was_asked_for(page, team, team_admin):
    give_password(team_admin)
    page.goto(f"/sessions/?period=90d&client_id={team.harbour.id}")
    fill_in(page, team_admin)
    expect(page).to_have_url(re.compile(rf"/sessions/\?period=90d&client_id={team.harbour.id}$"))
    listed(page, 5)


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org/", "javascript:alert(1)"])
def test_signing_in_never_leads_to_another_site(page, team, team_admin, elsewhere):
    give_password(team_admin)
    page.goto(f"/accounts/login/?next={elsewhere}")
    fill_in(page, team_admin)
    expect(page).to_have_url(FIRST_PAGE)


def test_signing_out_closes_every_page(page, team, team_admin):
    log_in(page, team_admin)
    page.goto("/analytics/")
    page.locator(".me > summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile(r"/accounts/login/$"))
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.goto("/analytics/")
    expect(page).to_have_url(re.compile(r"/accounts/login/\?next=%2Fanalytics%2F$"))


def test_a_forgotten_password_is_set_anew_by_the_link_in_the_mail(page, live_server, team, engineer):
    give_password(engineer, "the one I forgot")
    page.goto("/accounts/login/")
    page.get_by_role("link", name="Forgot").click()
    page.get_by_label("Email").fill(engineer.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail")
    [letter] = mail.outbox
    assert letter.to == [engineer.email]
    [link] = re.findall(r"https?://\S+", letter.body)
    assert link.startswith(f"{live_server.url}/accounts/password/reset/key/")

    page.goto(link)
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("New password, again").fill("short")
    page.get_by_role("button", name="Save password").click()
    expect(page.get_by_role("alert")).to_contain_text("too short")
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password, again").fill(PASSWORD)
    page.get_by_role("button", name="Save password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your password is changed")
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    fill_in(page, engineer)
    expect(page).to_have_url(FIRST_PAGE)

    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("This link is no longer valid")


def test_who_has_no_login_is_told_the_same_and_gets_no_link(page, account):
    page.goto("/accounts/password/reset/")
    page.get_by_label("Email").fill("nobody@northgate.example")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail")
    assert [letter.body for letter in mail.outbox if "/reset/key/" in letter.body] == []


def test_sign_up_is_closed(page, complaints, account):
    complaints.expect("status of 404")
    page.goto("/accounts/login/")
    expect(page.get_by_role("link", name=re.compile("sign up", re.IGNORECASE))).to_have_count(0)
    assert page.goto("/accounts/signup/").status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
