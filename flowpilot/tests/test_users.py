"""Users and roles: the list, a person's page, role, deactivation and return. Invitations are in test_invitations.py."""

from datetime import UTC, datetime
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flowpilot.tests.factories import SessionFactory
from resolutionflow.accounts import rights
from resolutionflow.models import Account, ApiToken, AuditEntry, User
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory, TeamAdminFactory, UserFactory
from resolutionflow.tests.pages import listed, read

URL = "/settings/users/"
HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית =HYPERLINK("x") {{ 7 }}"""
NOBODY = make_password(None)


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


def page_of(person):
    return f"{URL}{person.pk}/"


def table(page):
    return {row[0]: row[1:] for row in page.one("table").rows()}


def said(page):
    return page.one("div", class_="toasts").text


def test_it_is_for_team_admins(client, engineer):
    paths = [URL, f"{URL}invite/", *(f"{page_of(engineer)}{act}" for act in ("", "deactivate/", "invite/"))]
    for path in paths:
        assert client.get(path).status_code == 302
    client.force_login(engineer)
    assert client.get(URL).status_code == 403
    for path in [*paths[1:], f"{page_of(engineer)}reactivate/"]:
        assert client.post(path, {"role": "team_admin"}).status_code == 403


def test_the_list_has_everybody_of_the_account(lead, team_admin, engineer, stranger):
    User.objects.filter(pk=engineer.pk).update(last_login=datetime(2026, 7, 1, 9, tzinfo=UTC))
    UserFactory(account=engineer.account, name="Ines Invited", password=NOBODY, invited_at=timezone.now())
    UserFactory(account=engineer.account, name="Ivo Imported", password=NOBODY)
    UserFactory(account=engineer.account, name="Gone", is_active=False)
    rows = table(read(lead.get(URL)))
    assert next(iter(rows)) == "Dana Whitfield (you)lead@northgate.example"
    assert rows["Amira Haddadengineer@northgate.example"] == ["Engineer", "Active", "1 Jul 2026, 10:00", "0"]
    assert [row[1] for row in rows.values()] == ["Active", "Active", "Invited", "Not invited yet"]
    everybody = table(read(lead.get(f"{URL}?state=all")))
    assert [row[1] for name, row in everybody.items() if name.startswith("Gone")] == ["Deactivated"]
    assert "Stranger" not in str(everybody)


def test_an_engineer_may_be_allowed_to_write_flows(lead, team_admin, engineer):
    box = read(lead.get(page_of(engineer))).one("input", name="can_author")
    assert "checked" not in box.attributes
    response = lead.post(page_of(engineer), {"role": "engineer", "can_author": "on"}, follow=True)
    page = read(response)
    assert "Amira Haddad is an engineer who may write flows now." in said(page)
    assert "checked" in page.one("input", name="can_author").attributes
    assert table(read(lead.get(URL)))["Amira Haddadengineer@northgate.example"][0] == "Engineerwrites flows"
    engineer.refresh_from_db()
    assert engineer.writes_flows
    entry = AuditEntry.objects.get(action="user.authoring_changed")
    assert (entry.actor, entry.object, entry.detail) == (
        team_admin,
        engineer.email,
        {"old": False, "new": True},
    )
    lead.post(page_of(engineer), {"role": "engineer"})
    engineer.refresh_from_db()
    assert not engineer.writes_flows
    lead.post(page_of(engineer), {"role": "engineer"})
    assert AuditEntry.objects.filter(action="user.authoring_changed").count() == 2


def test_nobody_allows_themselves_to_write_flows(client, lead, team_admin, engineer):
    assert lead.post(page_of(team_admin), {"role": "team_admin", "can_author": "on"}).status_code == 422
    client.force_login(engineer)
    assert client.post(page_of(engineer), {"role": "engineer", "can_author": "on"}).status_code == 403
    assert not User.objects.filter(can_author=True).exists()


def test_open_sessions_lead_to_exactly_these(lead, engineer, colleague):
    now = timezone.now()
    old = datetime(2016, 3, 1, tzinfo=UTC)
    for status in ("active", "requesting_escalation"):
        SessionFactory(user=engineer, status=status, started_at=old, problem_summary=status)
    for status in ("abandoned", "resolved"):
        SessionFactory(user=engineer, status=status, started_at=now)
    SessionFactory(user=colleague, status="active", started_at=now)
    page = read(lead.get(URL))
    figures = {
        row.one("th").one("a").text: row.all("a", class_="figure") for row in page.one("tbody").all("tr")
    }
    assert not figures["Dana Whitfield"]
    [figure] = figures["Amira Haddad"]
    assert figure.text == "2"
    assert listed(read(lead.get(figure.href))) == (2, ["requesting_escalation", "active"])
    [figure] = read(lead.get(page_of(engineer))).all("a", class_="figure")
    assert (figure.text, figure.href) == ("2", figures["Amira Haddad"][0].href)


def test_people_are_found_by_name_or_email(lead, engineer, colleague):
    assert len(table(read(lead.get(f"{URL}?q=weber")))) == 1
    assert len(table(read(lead.get(f"{URL}?q=ENGINEER@")))) == 1
    assert read(lead.get(f"{URL}?q=%25")).one("div", class_="empty").one("h2").text == "Nobody found"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("state=x", 200),
        ("q=%00", 200),
        (f"q={'x' * 300}", 200),
        ("page=", 200),
        ("page=1", 200),
        ("page=2", 404),
        ("page=abc", 404),
    ],
)
def test_odd_queries_are_answered(lead, query, status):
    assert lead.get(f"{URL}?{query}").status_code == status


def test_fifty_a_page(lead, account):
    for number in range(60):
        UserFactory(account=account, name=f"Person {number:02}")
    page = read(lead.get(f"{URL}?state=all"))
    assert page.one("nav", class_="pagination").one("p").text == "1 – 50 of 61 users"
    following = page.one("a", rel="next").href
    assert "state=all" in following
    page = read(lead.get(following))
    assert len(table(page)) == 11
    assert not page.all("a", rel="next")


def test_one_person_or_two_hundred_cost_the_same_queries(lead, account, engineer):
    with CaptureQueriesContext(connection) as one:
        lead.get(URL)
    for _ in range(200):
        UserFactory(account=account)
    SessionFactory(user=engineer, status="active", started_at=timezone.now())
    with CaptureQueriesContext(connection) as many:
        lead.get(URL)
    assert len(one) == len(many)


def test_a_person_of_another_account_does_not_exist(lead, stranger):
    for person in (stranger.pk, uuid4()):
        for act in ("", "deactivate/", "invite/", "reactivate/"):
            assert lead.post(f"{URL}{person}/{act}", {"role": "engineer"}).status_code == 404
    stranger.refresh_from_db()
    assert (stranger.role, stranger.is_active) == ("team_admin", True)


def test_a_role_is_changed_and_audited(lead, engineer, team_admin):
    page = read(lead.post(page_of(engineer), {"role": "team_admin"}, follow=True))
    assert "Amira Haddad is a team admin now." in said(page)
    engineer.refresh_from_db()
    assert engineer.role == "team_admin"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.object) == ("user.role_changed", team_admin, engineer.email)
    assert entry.detail == {"old": "engineer", "new": "team_admin"}
    lead.post(page_of(engineer), {"role": "team_admin"})
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("role", ["", "super_admin", "x\0", "ENGINEER"])
def test_an_unknown_role_is_refused(lead, engineer, role):
    assert lead.post(page_of(engineer), {"role": role}).status_code == 422
    engineer.refresh_from_db()
    assert engineer.role == "engineer"


def test_nobody_changes_themselves_by_mistake(lead, team_admin, account):
    TeamAdminFactory(account=account)
    page = read(lead.get(page_of(team_admin)))
    assert "This is you." in page.one("div", class_="notice").text
    assert not page.one("main").all("form")
    response = lead.post(page_of(team_admin), {"role": "engineer"})
    assert response.status_code == 422
    assert lead.post(f"{page_of(team_admin)}deactivate/").status_code == 422
    team_admin.refresh_from_db()
    assert (team_admin.role, team_admin.is_active) == ("team_admin", True)


def test_nobody_changes_a_super_admin_here(lead, account, super_admin):
    User.objects.filter(pk=super_admin.pk).update(account=account)
    assert "back office" in read(lead.get(page_of(super_admin))).one("div", class_="notice").text
    assert lead.post(page_of(super_admin), {"role": "team_admin"}).status_code == 422
    assert lead.post(f"{page_of(super_admin)}deactivate/").status_code == 422
    lead.post(f"{page_of(super_admin)}reactivate/")
    lead.post(f"{page_of(super_admin)}invite/")
    super_admin.refresh_from_db()
    assert (super_admin.role, super_admin.is_active, super_admin.invited_at) == ("engineer", True, None)
    assert not AuditEntry.objects.exists()


def test_who_is_anonymised_does_not_come_back(lead, engineer):
    engineer.deactivate(timezone.now())
    User.objects.filter(pk=engineer.pk).update(email="former-engineer-1.northgate@anonymised.invalid")
    page = read(lead.post(f"{page_of(engineer)}reactivate/", follow=True))
    assert "does not come back" in said(page)
    assert not page.one("main").all("form")
    engineer.refresh_from_db()
    assert not engineer.is_active


def test_the_last_team_admin_stays(client, super_admin, account, team_admin, engineer):
    TeamAdminFactory(account=account, password=NOBODY)  # was never able to sign in
    client.force_login(super_admin)
    client.post("/accounts/choose/", {"account": account.slug})
    response = client.post(page_of(team_admin), {"role": "engineer"})
    assert response.status_code == 422
    assert "last team admin" in read(response).one("div", class_="form-errors").text
    response = client.post(f"{page_of(team_admin)}deactivate/")
    assert response.status_code == 422
    assert "last team admin" in read(response).one("div", class_="notice").text
    client.post(page_of(engineer), {"role": "team_admin"})
    assert client.post(page_of(team_admin), {"role": "engineer"}).status_code == 302


def test_who_is_deactivated_is_out_at_once(lead, engineer, team_admin):
    engineer.set_password("correct horse battery")
    engineer.save()
    theirs = Client()
    theirs.force_login(engineer)
    _, secret = ApiToken.issue(engineer, "old")
    SessionFactory(user=engineer, status="active", started_at=timezone.now())
    assert theirs.get("/sessions/").status_code == 200
    asked = read(lead.get(f"{page_of(engineer)}deactivate/")).one("main")
    assert "Amira Haddad is signed out everywhere at once" in asked.text
    assert "1 open session stays open." in asked.text
    engineer.refresh_from_db()
    assert engineer.is_active

    page = read(lead.post(f"{page_of(engineer)}deactivate/", follow=True))
    assert "Amira Haddad is deactivated" in said(page)
    notice = page.one("div", class_="watch")
    assert notice.text == "Nobody works on the 1 open session of Amira Haddad."
    assert listed(read(lead.get(notice.one("a").href)))[0] == 1
    assert theirs.get("/sessions/").status_code == 302
    assert ApiToken.user_of(secret) is None
    signing_in = Client().post(
        "/accounts/login/", {"login": engineer.email, "password": "correct horse battery"}
    )
    assert signing_in.status_code == 200
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.object) == ("user.deactivated", team_admin, engineer.email)
    lead.post(f"{page_of(engineer)}deactivate/")
    assert AuditEntry.objects.count() == 1


def test_names_are_text(lead, account):
    person = UserFactory(account=account, name=HOSTILE)
    for path in (f"{URL}?q=script", page_of(person), f"{page_of(person)}deactivate/"):
        response = lead.get(path)
        assert HOSTILE in read(response).one("main").text
        assert b"<script>alert" not in response.content


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("others", [0, 1])
def test_of_two_who_demote_each_other_one_wins(others):
    account = AccountFactory()
    pair = [TeamAdminFactory(account=account) for _ in range(2)]
    for _ in range(others):
        TeamAdminFactory(account=account)
    outcomes, start = [], Barrier(2)

    def demote(by, person):
        try:
            start.wait()
            with account_scope(account):
                rights.change_role(person, "engineer", by=by)
            outcomes.append("done")
        except (rights.NotAllowed, rights.PermissionDenied):
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [Thread(target=demote, args=(by, person)) for by, person in (pair, pair[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused"]
    assert User.objects.filter(account=account, role="team_admin").count() == 1 + others
    assert Account.objects.get() == account
