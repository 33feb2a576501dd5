"""Inviting, leaving and tokens, as the people concerned see it, each in a browser of their own."""

import re

import pytest
from django.core import mail
from playwright.sync_api import Error, expect

from resolutionflow.models import ApiToken
from resolutionflow.tests.factories import UserFactory
from tests.e2e.complaints import Complaints
from tests.e2e.looks import NARROW, WIDE
from tests.e2e.people import PASSWORD, log_in

pytestmark = pytest.mark.browser


@pytest.fixture
def other_page(browser, look, live_server):
    """A browser of somebody else."""
    context = browser.new_context(base_url=live_server.url, **look.options)
    context.base_address = live_server.url
    complaints = Complaints(context, live_server.url)
    page = context.new_page()
    yield page
    assert complaints.all() == []
    context.close()


@pytest.mark.parametrize("look", [NARROW], ids=str)
def test_from_the_invitation_to_the_first_page(page, other_page, team, team_admin):
    log_in(page, team_admin)
    page.goto("/settings/users/")
    page.get_by_role("link", name="Invite", exact=True).click()
    dialog = page.get_by_role("dialog", name="Invite somebody")
    dialog.get_by_label("Email").fill("noor@northgate.example")
    dialog.get_by_label("Name").fill("Noor <b>New</b>")
    dialog.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_text("Noor <b>New</b> is invited")).to_be_visible()
    expect(page.get_by_role("row", name="Noor <b>New</b>")).to_contain_text("Invited")

    [letter] = mail.outbox
    [link] = re.findall(r"https?://\S+/reset/key/\S+", letter.body)
    other_page.goto(link)
    other_page.get_by_label("New password", exact=True).fill(PASSWORD)
    other_page.get_by_label("New password, again").fill(PASSWORD)
    other_page.get_by_role("button", name="Save password").click()
    other_page.get_by_role("main").get_by_role("link", name="Sign in").click()
    other_page.get_by_label("Email").fill("noor@northgate.example")
    other_page.get_by_label("Password").fill(PASSWORD)
    other_page.get_by_role("button", name="Sign in").click()
    expect(other_page.get_by_role("heading", name="Home")).to_be_visible()
    page.reload()
    expect(page.get_by_role("row", name="Noor <b>New</b>")).to_contain_text("Active")


def test_who_is_deactivated_is_signed_out_in_the_other_browser(page, other_page, team, team_admin, engineer):
    log_in(other_page, engineer)
    other_page.goto("/settings/profile/")
    log_in(page, team_admin)
    page.goto("/settings/users/")
    page.get_by_role("link", name="Amira Haddad").click()
    page.get_by_role("link", name="Deactivate…").click()
    dialog = page.get_by_role("dialog", name="Deactivate Amira Haddad?")
    expect(dialog).to_contain_text("signed out everywhere at once")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("Amira Haddad is deactivated")).to_be_visible()
    other_page.get_by_role("link", name="My sessions").click()
    expect(other_page).to_have_url(re.compile(r"/accounts/login/"))


def test_a_token_is_copied_works_and_ends(page, context, other_page, team, team_admin):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    log_in(page, team_admin)
    page.goto("/settings/tokens/")
    page.get_by_label("Label of a new token").fill("Wallboard")
    page.get_by_role("button", name="Create token").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    secret = page.evaluate("navigator.clipboard.readText()")
    assert page.get_by_label("Token", exact=True).input_value() == secret
    assert secret not in page.url

    def asked():
        headers = {"Authorization": f"Bearer {secret}"}
        return other_page.request.get("/api/v1/analytics/team", headers=headers).status

    assert asked() == 200
    page.get_by_role("link", name="Settings", exact=True).click()
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        page.go_back()  # the browser has not kept it
    page.wait_for_url("chrome-error://**")
    page.goto("/settings/tokens/")
    expect(page.get_by_label("Token", exact=True)).to_have_count(0)
    page.get_by_role("link", name="Revoke Wallboard").click()
    page.get_by_role("button", name="Revoke token").click()
    expect(page.get_by_text("The token “Wallboard” is revoked.")).to_be_visible()
    assert asked() == 401


def test_the_settings_of_the_account_hold(page, team, team_admin):
    log_in(page, team_admin)
    page.goto("/settings/account/")
    page.get_by_label("Time zone").fill("Asia/Kolkata")
    page.get_by_label("Idle limit, in hours").fill("8")
    page.get_by_label("Hide the names of engineers").check()
    page.get_by_role("button", name="Save account").click()
    expect(page.get_by_text("The settings of the account are saved.")).to_be_visible()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Kolkata")
    expect(page.get_by_label("Idle limit, in hours")).to_have_value("8")
    page.goto("/sessions/?q=outlook+hangs")
    expect(page.locator("tbody time").first).to_have_attribute("title", re.compile("IST$"))


@pytest.mark.parametrize("look", [NARROW, WIDE], ids=str)
def test_the_longest_names_have_room(page, team, team_admin, account):
    """`page` complains about a page that scrolls sideways."""
    long = "Ü" * 195 + "<b>😀"
    account.name = long
    account.save()
    person = UserFactory(account=account, name=long, email=f"{'x' * 60}@{'y' * 60}.example")
    token, _ = ApiToken.issue(team_admin, "t" * 100)
    log_in(page, team_admin)
    for address in (
        "users/",
        f"users/{person.pk}/",
        f"users/{person.pk}/deactivate/",
        f"tokens/{token.pk}/revoke/",
    ):
        page.goto(f"/settings/{address}")
    page.goto("/settings/tokens/")
    page.get_by_label("Label of a new token").fill("s" * 100)
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_role("heading", name="s" * 100)).to_be_visible()
