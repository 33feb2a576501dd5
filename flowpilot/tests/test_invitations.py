"""Inviting by mail, inviting again, coming back, and what a reset password does."""

import re
from smtplib import SMTPServerDisconnected
from unittest import mock

import pytest
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from resolutionflow.models import ApiToken, AuditEntry, User
from resolutionflow.tests.factories import UserFactory
from resolutionflow.tests.pages import read

INVITE = "/settings/users/invite/"
LIST = "/settings/users/"
CANNOT = "This email cannot be used in this account."
PASSWORD = "correct horse battery"
NOBODY = make_password(None)


@pytest.fixture(autouse=True)
def no_earlier_tries():
    """The limits are counted in the cache, over tests too."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


def invite(browser, email="new@northgate.example", name="Noor New", role="engineer"):
    return browser.post(INVITE, {"email": email, "name": name, "role": role})


def said(response):
    return read(response).one("div", class_="toasts").text


def refusal(response):
    assert response.status_code == 422
    return read(response).one("div", id="id_email_error").text


def set_password(letter, password=PASSWORD):
    browser = Client()
    [link] = re.findall(r"http\S+/accounts/password/reset/key/\S+", letter.body)
    form = browser.get(link, follow=True)
    assert "Choose a new password" in form.content.decode()
    done = browser.post(
        form.redirect_chain[-1][0], {"password1": password, "password2": password}, follow=True
    )
    assert "Your password is changed" in done.content.decode()
    return link


def sign_in(email, password=PASSWORD):
    return Client().post("/accounts/login/", {"login": email, "password": password}).status_code == 302


def test_who_is_invited_sets_a_password_and_is_in(lead, team_admin, account):
    response = invite(lead, " NEW@northgate.example ", " Noor  New ", "team_admin")
    assert response.headers["Location"] == LIST
    assert "Noor New is invited" in said(lead.get(LIST))
    person = User.objects.get(email="new@northgate.example")
    assert (person.name, person.account, person.role, person.state) == (
        "Noor New",
        account,
        "team_admin",
        "invited",
    )
    [letter] = mail.outbox
    assert (letter.to, letter.subject) == (["new@northgate.example"], "Your invitation to ResolutionFlow")
    assert letter.body.startswith(
        "Hello Noor New,\n\nDana Whitfield invites you to ResolutionFlow, where Northgate IT"
    )
    assert "It works once, for 3 days." in letter.body
    assert not letter.alternatives
    assert not sign_in(person.email)
    link = set_password(letter)
    assert sign_in(person.email)
    person.refresh_from_db()
    assert person.state == "active"
    assert "no longer valid" in Client().get(link, follow=True).content.decode()
    entry = AuditEntry.objects.get(action="user.invited")
    assert (entry.actor, entry.object, entry.detail) == (team_admin, person.email, {"role": "team_admin"})


@pytest.mark.parametrize(
    "email",
    [
        "",
        "nobody",
        "a b@example.com",
        "x@example.com\0",
        f"{'x' * 250}@example.com",
        "<script>@x",
        "former-engineer-1.x@anonymised.invalid",
    ],
)
def test_an_address_that_is_none_is_refused(lead, email):
    assert refusal(invite(lead, email)) == (CANNOT if email else "This field is required.")
    assert mail.outbox == []


def test_an_address_of_elsewhere_is_refused_like_one_that_is_none(lead, stranger, super_admin):
    for email in (stranger.email, super_admin.email.upper()):
        assert refusal(invite(lead, email)) == CANNOT
    assert User.objects.filter(email=stranger.email).get() == stranger
    assert mail.outbox == []
    assert not AuditEntry.objects.exists()


def test_who_is_here_already_is_named_so(lead, engineer):
    assert refusal(invite(lead, engineer.email)) == "Somebody in this account has this email already."


def test_an_address_that_is_taken_meanwhile_is_refused(lead, other_account):
    def look(*args, **kwargs):
        UserFactory(account=other_account, email="new@northgate.example")

    with mock.patch.object(User, "full_clean", side_effect=look):
        assert refusal(invite(lead)) == CANNOT
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("field", "value"), [("name", " "), ("name", "x" * 201), ("role", "super_admin"), ("role", "")]
)
def test_a_bad_name_or_role_is_said(lead, field, value):
    assert invite(lead, **{field: value}).status_code == 422
    assert not User.objects.filter(email="new@northgate.example").exists()


def test_a_name_cannot_write_the_mail(lead):
    invite(lead, name="Noor\r\nBcc: all@example.com\r\n\r\nPay here")
    [letter] = mail.outbox
    assert letter.body.startswith("Hello Noor Bcc: all@example.com Pay here,\n")
    assert letter.recipients() == ["new@northgate.example"]


def test_names_stand_in_the_mail_as_they_are(lead):
    invite(lead, name="""<b>O'Neil</b> & "Söhne" 😀""")
    assert """Hello <b>O'Neil</b> & "Söhne" 😀,""" in mail.outbox[0].body


def test_a_mail_server_that_is_away_is_said_and_can_be_tried_again(lead):
    with mock.patch("django.core.mail.EmailMessage.send", side_effect=SMTPServerDisconnected("away")):
        invite(lead)
    assert "could not be sent. Try “Send again”" in said(lead.get(LIST))
    person = User.objects.get(email="new@northgate.example")
    assert "on its way" in said(lead.post(f"{LIST}{person.pk}/invite/", follow=True))
    set_password(mail.outbox[0])
    assert sign_in(person.email)


def test_inviting_again_is_for_those_without_a_password(lead, account, engineer):
    imported = UserFactory(account=account, password=NOBODY)
    assert "Send invitation" in read(lead.get(f"{LIST}{imported.pk}/")).one("main").text
    lead.post(f"{LIST}{imported.pk}/invite/")
    imported.refresh_from_db()
    assert imported.state == "invited"
    assert "Send again" in read(lead.get(f"{LIST}{imported.pk}/")).one("main").text
    assert [letter.to for letter in mail.outbox] == [[imported.email]]
    assert "needs no invitation" in said(lead.post(f"{LIST}{engineer.pk}/invite/", follow=True))
    User.objects.filter(pk=imported.pk).update(is_active=False)
    assert "needs no invitation" in said(lead.post(f"{LIST}{imported.pk}/invite/", follow=True))
    assert len(mail.outbox) == 1


def test_nobody_is_flooded(lead, account):
    person = UserFactory(account=account, password=NOBODY)
    for _ in range(3):
        lead.post(f"{LIST}{person.pk}/invite/")
    assert "Too many invitations" in said(lead.post(f"{LIST}{person.pk}/invite/", follow=True))
    assert len(mail.outbox) == 3


def test_addresses_cannot_be_tried_out_by_the_hundred(lead, stranger):
    for _ in range(60):
        assert invite(lead, stranger.email).status_code == 422
    response = invite(lead)
    assert response.status_code == 429
    assert "Too many invitations" in said(response)
    assert not User.objects.filter(email="new@northgate.example").exists()


def test_who_comes_back_sets_a_new_password(lead, engineer, team_admin):
    engineer.set_password("the old password")
    engineer.save()
    _, secret = ApiToken.issue(engineer, "old")
    lead.post(f"{LIST}{engineer.pk}/deactivate/")
    page = lead.post(f"{LIST}{engineer.pk}/reactivate/", follow=True)
    assert "Amira Haddad is back" in said(page)
    assert not sign_in(engineer.email, "the old password")
    [letter] = mail.outbox
    assert letter.subject == "Your ResolutionFlow login is open again"
    assert "Dana Whitfield has opened your ResolutionFlow login for Northgate IT again." in letter.body
    set_password(letter)
    assert sign_in(engineer.email)
    assert ApiToken.user_of(secret) is None
    actions = AuditEntry.objects.order_by("at").values_list("action", flat=True)
    assert list(actions) == ["user.deactivated", "user.reactivated", "password.reset"]
    lead.post(f"{LIST}{engineer.pk}/reactivate/")
    assert len(mail.outbox) == 1  # is active already


def test_a_link_from_before_opens_nothing_after_a_deactivation(lead, engineer):
    Client().post("/accounts/password/reset/", {"email": engineer.email})
    lead.post(f"{LIST}{engineer.pk}/deactivate/")
    [link] = re.findall(r"http\S+/accounts/password/reset/key/\S+", mail.outbox[0].body)
    assert "no longer valid" in Client().get(link, follow=True).content.decode()


def test_a_reset_password_ends_the_tokens_and_an_ordinary_change_keeps_them(engineer):
    engineer.set_password("the old password")
    engineer.save()
    _, secret = ApiToken.issue(engineer, "mine")
    browser = Client()
    browser.force_login(engineer)
    page = browser.get("/accounts/password/change/").content.decode()
    assert "API tokens keep working" in page
    change = {"oldpassword": "the old password", "password1": PASSWORD, "password2": PASSWORD}
    assert browser.post("/accounts/password/change/", change).status_code == 302
    assert ApiToken.user_of(secret) == engineer
    Client().post("/accounts/password/reset/", {"email": engineer.email})
    assert "revokes your API tokens" in mail.outbox[0].body
    set_password(mail.outbox[0], "yet another password")
    assert ApiToken.user_of(secret) is None
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.detail) == ("password.reset", {"tokens_revoked": 1})


def test_a_new_password_saves_nothing_but_itself(engineer):
    """Whoever is deactivated while they set a password stays deactivated."""
    browser = Client()
    Client().post("/accounts/password/reset/", {"email": engineer.email})
    [link] = re.findall(r"http\S+/accounts/password/reset/key/\S+", mail.outbox[0].body)
    form = browser.get(link, follow=True)
    real = User.set_password

    def set_late(user, password):
        User.objects.get(pk=user.pk).deactivate(timezone.now())
        real(user, password)

    with mock.patch.object(User, "set_password", set_late):
        browser.post(form.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
    engineer.refresh_from_db()
    assert not engineer.is_active
