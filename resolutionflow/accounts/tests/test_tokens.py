"""API tokens on their settings page."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from resolutionflow.models import ApiToken, AuditEntry
from resolutionflow.tests.pages import read

URL = "/settings/tokens/"
HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית =HYPERLINK("x") {{ 7 }}"""


@pytest.fixture
def browser(client, team_admin):
    client.force_login(team_admin)
    return client


def create(browser, label="Report"):
    return read(browser.post(URL, {"label": label}))


def secret_on(page):
    return page.one("input", id="secret").attributes["value"]


def rows(browser):
    return [row[:3:2] for row in read(browser.get(URL)).one("table").rows()]


def test_a_stranger_is_asked_to_sign_in(client, db):
    assert client.post(URL, {"label": "X"}).status_code == 302
    assert not ApiToken.objects.exists()


def test_nothing_yet(browser):
    assert read(browser.get(URL)).one("div", class_="empty").one("h2").text == "No tokens yet"


def test_a_token_is_shown_once_by_the_answer_that_made_it(browser, team_admin):
    response = browser.post(URL, {"label": "  Monthly\n report "})
    assert response.status_code == 200
    assert {"no-store", "private"} <= set(response["Cache-Control"].split(", "))
    secret = secret_on(read(response))
    assert ApiToken.user_of(secret) == team_admin
    assert rows(browser) == [["Monthly report", "Live"]]
    assert secret not in browser.get(URL).content.decode()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.detail) == (
        "token.created",
        team_admin,
        {"label": "Monthly report"},
    )


def test_it_opens_the_api_until_it_is_revoked(browser, team_admin):
    bearer = {"Authorization": f"Bearer {secret_on(create(browser))}"}
    assert Client().get("/api/v1/analytics/team", headers=bearer).status_code == 200
    revoke = read(browser.get(URL)).one("a", aria_label="Revoke Report").href
    assert "Revoke “Report”?" in [heading.text for heading in read(browser.get(revoke)).all("h2")]
    assert Client().get("/api/v1/analytics/team", headers=bearer).status_code == 200  # asking changes nothing
    page = read(browser.post(revoke, follow=True))
    assert "The token “Report” is revoked." in page.one("div", class_="toasts").text
    assert Client().get("/api/v1/analytics/team", headers=bearer).status_code == 401
    [[label, state]] = rows(browser)
    assert (label, state[:7]) == ("Report", "Revoked")
    browser.post(revoke)
    assert [entry.action for entry in AuditEntry.objects.all()] == ["token.revoked", "token.created"]
    assert "already" in browser.get(revoke).content.decode()


def test_a_form_that_is_sent_twice_makes_one_token(browser):
    create(browser)
    again = browser.post(URL, {"label": "REPORT"})
    assert again.status_code == 422
    assert "live token with this label" in read(again).one("div", class_="form-errors").text
    assert ApiToken.objects.count() == 1


def test_a_label_is_free_again_once_its_token_is_revoked(browser):
    create(browser)
    ApiToken.objects.get().revoke(timezone.now())
    assert secret_on(create(browser))


@pytest.mark.parametrize("label", ["", "   ", "a\0b", "x" * 101])
def test_a_bad_label_makes_no_token(browser, label):
    assert browser.post(URL, {"label": label}).status_code == 422
    assert not ApiToken.objects.exists()


def test_a_label_is_text(browser):
    page = create(browser, HOSTILE)
    assert page.one("h2", id="new-token").text == f"Your new token “{HOSTILE}”"
    assert rows(browser)[0][0] == HOSTILE


def test_there_is_an_end_to_tokens(browser, team_admin):
    for number in range(20):
        ApiToken.issue(team_admin, str(number))
    assert (
        "20 live tokens" in read(browser.post(URL, {"label": "more"})).one("div", class_="form-errors").text
    )


def test_only_the_own_tokens_are_there(client, engineer, team_admin, stranger):
    theirs, _ = ApiToken.issue(team_admin, "Hers")
    foreign, _ = ApiToken.issue(stranger, "Foreign")
    client.force_login(engineer)
    assert not read(client.get(URL)).all("table")
    for method in (client.get, client.post):
        assert method(f"{URL}{theirs.id}/revoke/").status_code == 403
        assert method(f"{URL}{foreign.id}/revoke/").status_code == 404
    assert not ApiToken.objects.exclude(revoked_at=None).exists()


def test_a_super_admin_without_account_has_tokens(client, super_admin):
    client.force_login(super_admin)
    assert ApiToken.user_of(secret_on(create(client))) == super_admin
    token = ApiToken.objects.get()
    assert client.post(f"{URL}{token.id}/revoke/").status_code == 302


def test_one_token_or_many_cost_the_same_queries(browser, team_admin):
    ApiToken.issue(team_admin, "one")
    with CaptureQueriesContext(connection) as one:
        browser.get(URL)
    for number in range(90):
        ApiToken.issue(team_admin, str(number))
    with CaptureQueriesContext(connection) as many:
        browser.get(URL)
    assert len(one) == len(many)
