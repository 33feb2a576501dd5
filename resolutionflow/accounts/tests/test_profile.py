"""The frame of the settings, and what everybody may change of themselves."""

import pytest

from resolutionflow.models import User
from resolutionflow.tests.pages import read

URL = "/settings/profile/"
HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית =HYPERLINK("x") {{ 7 }}"""


@pytest.fixture
def browser(client, engineer):
    client.force_login(engineer)
    return client


def facts(page):
    return {row.one("dt").text: row.one("dd").text for row in page.one("dl", class_="facts").all("div")}


def test_a_stranger_is_asked_to_sign_in(client, db):
    assert client.get(URL).headers["Location"] == "/accounts/login/?next=%2Fsettings%2Fprofile%2F"
    assert client.post(URL, {"name": "X"}).status_code == 302


def test_settings_begin_with_the_profile(browser):
    assert browser.get("/settings/").headers["Location"] == URL


def test_an_engineer_is_offered_own_pages_only(browser):
    side = read(browser.get(URL)).one("nav", class_="settings-pages")
    assert [heading.text for heading in side.all("h2")] == ["You"]
    assert side.one("a", aria_current="page").text == "Profile"


def test_it_says_who_one_is(browser):
    page = read(browser.get(URL))
    assert facts(page) == {
        "Email": "engineer@northgate.example",
        "Role": "Engineer",
        "Account": "Northgate IT",
        "Password": "Change password",
    }
    assert page.one("input", id="id_name").attributes["value"] == "Amira Haddad"


def test_name_and_digest_are_saved(browser, engineer):
    page = read(browser.post(URL, {"name": f"  {HOSTILE}\n "}, follow=True))
    engineer.refresh_from_db()
    assert (engineer.name, engineer.weekly_digest) == (HOSTILE, False)
    assert page.one("span", class_="who").one("b").text == HOSTILE
    assert "Your profile is saved." in page.one("div", class_="toasts").text
    browser.post(URL, {"name": "Amira", "weekly_digest": "on"})
    engineer.refresh_from_db()
    assert engineer.weekly_digest


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("  ", "This field is required."),
        ("a\0b", "Null characters are not allowed."),
        ("x" * 201, "at most 200 characters"),
    ],
)
def test_a_bad_name_is_said_and_not_saved(browser, engineer, name, words):
    response = browser.post(URL, {"name": name, "weekly_digest": "on"})
    assert response.status_code == 422
    page = read(response)
    assert words in page.one("div", class_="form-errors").text
    assert page.one("span", class_="who").one("b").text == "Amira Haddad"
    engineer.refresh_from_db()
    assert engineer.name == "Amira Haddad"


def test_nothing_else_of_a_person_can_be_set(browser, engineer, other_account):
    more = {"role": "team_admin", "is_superuser": "on", "email": "x@example.com", "account": other_account.id}
    browser.post(URL, {"name": "Amira", **more})
    person = User.objects.get(pk=engineer.pk)
    assert (person.role, person.is_superuser, person.email) == ("engineer", False, engineer.email)
    assert person.account_id == engineer.account_id


def test_a_super_admin_without_account_has_a_profile(client, super_admin):
    client.force_login(super_admin)
    page = read(client.get(URL))
    assert facts(page)["Account"] == "None: you choose one"
    assert not page.all("input", id="id_weekly_digest")
    assert client.post(URL, {"name": "Robin"}).status_code == 302


def test_what_turns_or_hides_a_name_is_left_out(browser, engineer):
    browser.post(URL, {"name": "Amira\u202e \x1b[31mHaddad"})
    engineer.refresh_from_db()
    assert engineer.name == "Amira [31mHaddad"
