"""The frame around every page: navigation, account switch, messages, and the pages of signing in."""

import re

import pytest
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.core import mail
from django.core.cache import cache
from django.template.loader import get_template

from resolutionflow.tests.factories import AccountFactory, SuperAdminFactory, TeamAdminFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_earlier_tries():
    """The limits on signing in are counted in the cache, over tests too."""
    cache.clear()
    yield
    cache.clear()


def links(page):
    """The entries of the navigation, by label."""
    side = page.content.decode().split('<nav class="side"')[1].split("</nav>")[0]
    found = re.findall(r'<a href="([^"]+)"([^>]*)>\s*<svg.*?</svg>([^<]+)', side, re.DOTALL)
    return {label.strip(): (href, attributes.strip()) for href, attributes, label in found}


def test_engineer_is_offered_own_pages_only(client):
    client.force_login(UserFactory())
    entries = links(client.get("/accounts/password/change/"))
    assert list(entries) == [
        "Home",
        "New session",
        "Flows",
        "My sessions",
        "Help wanted",
        "Analytics",
        "Settings",
        "API docs",
        "Change password",
    ]


def test_team_admin_is_offered_analytics(client):
    client.force_login(TeamAdminFactory())
    assert list(links(client.get("/sessions/"))) == [
        "Home",
        "New session",
        "Flows",
        "Sessions",
        "Help wanted",
        "Analytics",
        "FlowPilot",
        "Proposals",
        "PSA pushes",
        "Settings",
        "API docs",
        "Change password",
    ]


def test_super_admin_is_offered_the_back_office_and_every_account(client):
    account = AccountFactory(name="Northgate IT", slug="northgate")
    AccountFactory(name="Aldgate")
    client.force_login(SuperAdminFactory())
    client.post("/accounts/choose/", {"account": "northgate"})
    page = client.get("/accounts/password/change/").content.decode()
    assert "Admin" in links(client.get("/accounts/password/change/"))
    assert page.index("Aldgate") < page.index(account.name)
    assert '<option value="northgate" selected>' in page


def test_others_are_not_told_of_accounts(client):
    AccountFactory(name="Somebody else")
    client.force_login(TeamAdminFactory())
    page = client.get("/accounts/password/change/").content.decode()
    assert "Somebody else" not in page
    assert "account-switch" not in page


def test_the_open_page_is_marked(client):
    client.force_login(TeamAdminFactory())
    entries = links(client.get("/sessions/"))
    assert entries["Sessions"][1] == 'aria-current="page"'
    assert entries["Analytics"][1] == ""


def test_the_frame_costs_one_query_of_its_own(client, django_assert_num_queries):
    client.force_login(UserFactory())
    with django_assert_num_queries(3):  # the login, its user, account included, and how many want help
        client.get("/accounts/password/change/")


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/sessions/new/", "New session"),
        ("/sessions/?help=wanted", "Help wanted"),
        ("/sessions/?period=all", "Sessions"),
    ],
)
def test_of_the_pages_of_sessions_one_entry_is_marked(client, path, label):
    client.force_login(TeamAdminFactory())
    entries = links(client.get(path))
    assert [name for name, (_, marks) in entries.items() if "aria-current" in marks] == [label]


def test_messages_are_in_the_page():
    text = "Saved <b>&</b>"
    page = get_template("components/toasts.html").render({"messages": [Message(constants.SUCCESS, text)]})
    assert 'class="toast success"' in page
    assert "Saved &lt;b&gt;&amp;&lt;/b&gt;" in page


def test_pages_have_no_inline_style_or_script(client):
    client.force_login(TeamAdminFactory())
    for path in ["/accounts/password/change/", "/accounts/logout/"]:
        page = client.get(path).content.decode()
        assert "style=" not in page
        assert "<style" not in page
        assert not re.search(r"<script(?![^>]*(src|application/json))", page)


# signing in


def test_sign_in_and_out(client):
    user = UserFactory(email="amira@example.com")
    user.set_password("correct horse 7")
    user.save()
    wrong = client.post("/accounts/login/", {"login": "amira@example.com", "password": "guess"})
    assert "not correct" in wrong.content.decode()
    assert 'role="alert"' in wrong.content.decode()
    right = client.post("/accounts/login/", {"login": "amira@example.com", "password": "correct horse 7"})
    assert right.status_code == 302
    assert "Sign out?" in client.get("/accounts/logout/").content.decode()
    page = client.post("/accounts/logout/", follow=True).content.decode()
    assert "You are signed out." in page


def test_password_reset_by_mail(client):
    UserFactory(email="amira@example.com", name="Amira Haddad")
    page = client.post("/accounts/password/reset/", {"email": "amira@example.com"}, follow=True)
    assert "Check your mail" in page.content.decode()
    (message,) = mail.outbox
    assert "Choose a new password for ResolutionFlow" in message.subject
    assert "Hello Amira Haddad," in message.body
    link = re.search(r"http\S+/accounts/password/reset/key/\S+", message.body)[0]
    page = client.get(link, follow=True)
    assert "Choose a new password" in page.content.decode()
    action = page.redirect_chain[-1][0]
    page = client.post(action, {"password1": "short", "password2": "other"})
    assert "field-errors" in page.content.decode()
    page = client.post(action, {"password1": "correct horse 7", "password2": "correct horse 7"}, follow=True)
    assert "Your password is changed" in page.content.decode()
    assert "This link is no longer valid" in client.get(link, follow=True).content.decode()


def test_password_reset_tells_nobody_which_addresses_exist(client):
    UserFactory(email="amira@example.com")
    known = client.post("/accounts/password/reset/", {"email": "amira@example.com"}, follow=True)
    unknown = client.post("/accounts/password/reset/", {"email": "stranger@example.com"}, follow=True)
    assert known.redirect_chain == unknown.redirect_chain
    assert "There is no login with this address" in mail.outbox[1].body


def test_inactive_login_is_told_so(client):
    assert "deactivated" in client.get("/accounts/inactive/").content.decode()


def test_too_many_tries_have_a_page(client):
    for _ in range(60):
        page = client.post("/accounts/password/reset/", {"email": "stranger@example.com"})
    assert page.status_code == 429
    assert "Too many tries" in page.content.decode()


# errors


def test_error_pages_need_no_context():
    for name in ["400", "403", "403_csrf", "404", "500"]:
        page = get_template(f"{name}.html").render()
        assert "<h1>" in page
        assert f'<p class="code">{name[:3]}</p>' in page


def test_no_access_says_why():
    page = get_template("403.html").render({"exception": "You don't have access to team analytics."})
    assert "You don&#x27;t have access to team analytics." in page
