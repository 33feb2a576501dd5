"""What somebody with bad intentions tries: redirects, stale rights, forged requests and hosts, odd input."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from resolutionflow.models import ApiToken, AuditEntry, User
from resolutionflow.tests.factories import SuperAdminFactory
from tests.isolation.places import TEAM_PANELS

PASSWORD = "correct horse battery"
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "javascript:alert(1)",
    "http:///evil.example",
]


@pytest.fixture
def with_password(north):
    def give(user):
        user.set_password(PASSWORD)
        user.save()
        return user

    return give


def sign_in(browser, user, password=PASSWORD, **data):
    return browser.post(reverse("account_login"), {"login": user.email, "password": password, **data})


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_sent_to_another_host(target, north, with_password, as_viewer):
    browser = Client()
    assert sign_in(browser, with_password(north.engineer), next=target).headers["Location"] == "/"
    assert sign_in(browser, north.engineer, next=target).headers["Location"] == "/"  # signed in already
    root = as_viewer("super_admin")
    chosen = {"account": north.account.slug, "next": target}
    assert root.post("/accounts/choose/", chosen).headers["Location"] == "/"
    assert f'value="{target}"' not in root.get("/accounts/choose/", {"next": target}).content.decode()


def test_signing_in_leads_back_to_where_one_was(north, with_password):
    browser = Client()
    response = sign_in(browser, with_password(north.engineer), next="/sessions/?period=7d")
    assert response.headers["Location"] == "/sessions/?period=7d"


def test_the_login_gets_a_new_key(north, with_password):
    browser = Client()
    browser.get(reverse("account_login"))
    session = browser.session
    session["chosen_account"] = "planted"
    session.save()
    browser.cookies["sessionid"] = planted = session.session_key
    sign_in(browser, with_password(north.engineer))
    assert browser.cookies["sessionid"].value != planted
    browser.logout()
    assert browser.get("/sessions/").status_code == 302


def test_a_choice_counts_for_super_admins_only(north, south, as_viewer):
    root = as_viewer("super_admin", south.account)
    assert "SOUTHMARK problem" in root.get("/sessions/?period=all").content.decode()
    User.objects.filter(is_superuser=True).update(is_superuser=False, account=north.account)
    body = root.get("/sessions/?period=all").content.decode()
    assert "SOUTHMARK" not in body
    assert root.get("/admin/").status_code == 403


def test_a_choice_ends_with_the_login(north, as_viewer):
    root = as_viewer("super_admin")
    root.post(reverse("account_logout"))
    root.force_login(User.objects.get(is_superuser=True))
    assert root.get("/sessions/").headers["Location"].startswith("/accounts/choose/")


def test_each_choice_is_audited(north, as_viewer):
    as_viewer("super_admin")
    entry = AuditEntry.objects.get(actor__is_superuser=True)
    assert (entry.action, entry.account, entry.actor.name) == ("account.opened", north.account, "Robin Root")


def test_others_choose_no_account(south, as_viewer):
    browser = as_viewer("team_admin")
    browser.post("/accounts/choose/", {"account": south.account.slug})
    assert "SOUTHMARK" not in browser.get("/sessions/?period=all").content.decode()


def test_a_deactivated_person_is_out_at_once(north, as_viewer):
    browser = as_viewer("engineer")
    assert browser.get("/sessions/").status_code == 200
    User.objects.filter(id=north.engineer.id).update(is_active=False)
    assert browser.get("/sessions/").status_code == 302


def test_a_changed_password_ends_other_logins(north, with_password, as_viewer):
    browser = as_viewer("engineer")
    with_password(north.engineer)
    assert browser.get("/sessions/").status_code == 302


def test_a_forged_post_is_refused(north, with_password):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(north.team_admin)
    for path in ("/accounts/choose/", "/accounts/logout/", "/accounts/password/change/", "/accounts/login/"):
        assert browser.post(path, {"account": north.account.slug}).status_code == 403, path


def test_the_reset_mail_names_no_host_of_an_attacker(settings, north):
    settings.ALLOWED_HOSTS = ["help.example.com"]
    reset, data = reverse("account_reset_password"), {"email": north.engineer.email}
    assert Client().post(reset, data, headers={"host": "evil.example"}).status_code == 400
    assert mail.outbox == []
    forwarded = {
        "host": "help.example.com",
        "x-forwarded-host": "evil.example",
        "forwarded": "host=evil.example",
    }
    Client().post(reset, data, headers=forwarded)
    assert "http://help.example.com/accounts/password/reset/key/" in mail.outbox[0].body
    assert "evil.example" not in mail.outbox[0].body


def test_a_reset_tells_nobody_who_has_a_login(north):
    def ask(email):
        response = Client().post(reverse("account_reset_password"), {"email": email}, follow=True)
        return response.redirect_chain, re.sub(
            r"csrf\S+|value=\S+|\"X-CSRFToken\S+ \S+", "", response.content.decode()
        )

    assert ask(north.engineer.email) == ask("nobody@example.com")
    assert [message.to for message in mail.outbox] == [[north.engineer.email], ["nobody@example.com"]]
    assert "/signup/" not in mail.outbox[1].body


def test_a_sign_in_tells_nobody_who_has_a_login(north, with_password):
    with_password(north.engineer)
    pages = []
    for email in (north.engineer.email, "nobody@northmark.example"):
        response = Client().post(reverse("account_login"), {"login": email, "password": "wrong"})
        pages.append(re.findall(r'role="alert".*?</', response.content.decode(), re.DOTALL))
    assert pages[0] == pages[1] != []


def test_guessing_passwords_is_slowed_down(north, with_password):
    with_password(north.engineer)
    answers = [sign_in(Client(), north.engineer, f"guess {n}").content.decode() for n in range(7)]
    assert "Too many failed" in answers[-1]
    assert "Too many failed" in sign_in(Client(), north.engineer).content.decode()


ODD = ["%00", "%FF%FE", "'", "x" * 3000, "99999999999999999999", "1e400"]
NAMES = [
    *("period", "from", "to", "on", "day", "completed_day", "engineer_id", "flow_id", "version", "domain_id"),
    *(
        "client_id",
        "status",
        "outcome",
        "tier",
        "ticket",
        "rated",
        "rating",
        "node_id",
        "option",
        "dropped_at",
    ),
    *("thumb", "pushed", "help", "q", "before", "after"),
]
OF_TEAM = ["period", "from", "to", "engineer_id", "client_id"]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/sessions/", NAMES),
        ("/analytics/", OF_TEAM),
        ("/settings/users/", ["state", "q", "page"]),
        (
            "/proposals/",
            [
                "q",
                "status",
                "kind",
                "domain_id",
                "confidence",
                "sort",
                "reviewed_from",
                "reviewed_to",
                "page",
            ],
        ),
        ("/api/v1/analytics/team", [*OF_TEAM, "account"]),
    ],
)
def test_odd_input_is_never_a_fault_of_the_server(path, names, as_viewer):
    browser = as_viewer("team_admin")
    for name in names:
        for value in ODD:
            assert browser.get(f"{path}?{name}={value}").status_code < 500, (name, value)


def test_the_ends_of_time_are_no_fault_of_the_server(north, as_viewer):
    browser, id_ = as_viewer("team_admin"), north.rows["session"].id
    moments = ["0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]
    for moment in [*moments, "2026-01-01T00:00:00+23:59", "2026-01-01T00:00:00+00:00:30", "2026-01-01"]:
        for side in ("before", "after"):
            response = browser.get("/sessions/", {"period": "all", side: f"{moment}_{id_}"})
            assert response.status_code == 200, moment


@pytest.mark.parametrize("panel", TEAM_PANELS)
def test_odd_input_to_a_panel(panel, as_viewer):
    browser = as_viewer("team_admin")
    for name in OF_TEAM:
        for value in ODD:
            assert browser.get(f"/analytics/panels/{panel}/?{name}={value}").status_code < 500, (name, value)


@pytest.mark.parametrize(
    "path", ["client", "domain", "flow", "flowversion", "step", "session", "psaactivitylog"]
)
def test_odd_input_to_the_back_office(path, as_viewer):
    root = as_viewer("super_admin")
    for query in (
        "id__exact=x",
        "account=x",
        "q=%00",
        "q=%FF",
        "p=x",
        "p=-1",
        "o=99.x",
        "e=1",
        "_to_field=x",
        "all=&p=9",
    ):
        assert root.get(f"/admin/flowpilot/{path}/?{query}", follow=True).status_code < 500, query
    for act in ("change", "delete", "history"):
        assert root.get(f"/admin/flowpilot/{path}/no-id_00/{act}/").status_code in (403, 404)


def test_a_name_that_exists_is_a_message_and_no_error(north, as_viewer):
    root = as_viewer("super_admin")
    for path in ("client", "domain"):
        body = root.post(f"/admin/flowpilot/{path}/add/", {"name": f"northmark {path}"}).content.decode()
        assert "with this name exists already." in body
    flow = {"name": "NORTHMARK FLOW", "kind": "troubleshooting"}
    assert "with this name exists already." in root.post("/admin/flowpilot/flow/add/", flow).content.decode()


def test_a_super_admin_without_account_stays_one(as_viewer):
    root = as_viewer("unchosen")
    user = User.objects.get(is_superuser=True)
    SuperAdminFactory()
    body = root.post(
        f"/admin/resolutionflow/user/{user.id}/change/",
        {"email": user.email, "name": "Robin", "role": "engineer", "is_active": "on"},
    )
    assert "only a super admin may have none" in body.content.decode()


@pytest.mark.parametrize("given_up", ["is_superuser", "is_active"])
def test_the_last_super_admin_stays_one(given_up, north, as_viewer):
    root = as_viewer("unchosen")
    user = User.objects.get(is_superuser=True)
    User.objects.filter(pk=user.pk).update(account=north.account)
    SuperAdminFactory(is_active=False)
    address = f"/admin/resolutionflow/user/{user.id}/change/"
    kept = {"email": user.email, "name": "Robin", "role": "engineer", "is_superuser": "on", "is_active": "on"}
    given = {name: value for name, value in kept.items() if name != given_up}
    assert "This is the last active super admin." in root.post(address, given).content.decode()
    assert root.post(address, kept).status_code == 302
    SuperAdminFactory()
    assert root.post(address, given).status_code == 302
    user.refresh_from_db()
    assert not (user.is_superuser and user.is_active)


def test_the_back_office_cannot_be_asked_for_password_hashes(as_viewer):
    root = as_viewer("unchosen")
    for path in (
        "user/?password__startswith=m",
        "apitoken/?hash__startswith=a",
        "apitoken/?user__password__startswith=m",
    ):
        assert root.get(f"/admin/resolutionflow/{path}").status_code == 400, path


def test_a_former_email_neither_signs_in_nor_resets(north, with_password):
    person = with_password(north.engineer)
    former = person.email
    assert sign_in(Client(), person).status_code == 302  # allauth remembers the address from here on
    person.email = "new-address@example.com"
    person.save()
    refused = Client().post(reverse("account_login"), {"login": former, "password": PASSWORD})
    assert refused.status_code == 200
    Client().post(reverse("account_reset_password"), {"email": former})
    assert [message for message in mail.outbox if "password/reset/key" in message.body] == []
    assert sign_in(Client(), person).status_code == 302


def test_who_comes_back_comes_back_without_old_logins_and_tokens(north, with_password):
    person = with_password(north.team_admin)
    browser = Client()
    sign_in(browser, person)
    _, secret = ApiToken.issue(person, "old")
    person.refresh_from_db()
    person.deactivate(at=timezone.now())
    person.is_active = True
    person.save()
    assert browser.get("/analytics/").status_code == 302
    assert ApiToken.user_of(secret) is None


@pytest.mark.parametrize("cookie", ['"\\000aaaaaaaaaaaaaaaaaaaaaaaaaaaa"', "x", "ü" * 32, "a" * 33])
def test_a_cookie_that_we_never_set_is_none(cookie, db):
    assert Client(headers={"Cookie": f"sessionid={cookie}"}).get("/accounts/login/").status_code == 200


@pytest.mark.parametrize(
    "query", ["name=%00", "name__regex=(", "created_at__year=0", "created_at__year=99999999999"]
)
def test_an_odd_filter_of_the_back_office_is_a_bad_request(query, super_admin):
    browser = Client()
    browser.force_login(super_admin)
    assert browser.get(f"/admin/resolutionflow/account/?{query}").status_code in (302, 400)
