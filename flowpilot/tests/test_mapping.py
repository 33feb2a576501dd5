"""Giving sessions without a domain one, from the list."""

import pytest

from flowpilot.models import Session
from flowpilot.tests.factories import DomainFactory, SessionFactory
from resolutionflow.models import AuditEntry
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.pages import read

LIST = "/sessions/?period=all&domain_id=none"


@pytest.fixture
def domain(account):
    return DomainFactory(name="Printing")


def post(client, **data):
    return client.post("/sessions/domain/", {"filters": "period=all&domain_id=none"} | data)


def test_the_ticked_ones_get_the_domain(client, team_admin, domain):
    ticked, other = SessionFactory(), SessionFactory()
    client.force_login(team_admin)
    page = read(client.get(LIST))
    assert len(page.all("input", name="session_id")) == 2
    answer = post(client, domain=domain.id, session_id=[ticked.id])
    assert answer.url == LIST.replace("/?", "/?")
    ticked.refresh_from_db()
    other.refresh_from_db()
    assert (ticked.domain, other.domain) == (domain, None)
    assert "1 session moved to Printing." in client.get(LIST).content.decode()
    assert AuditEntry.objects.get(action="sessions.mapped").detail == {"sessions": 1}


def test_all_that_the_list_is_about_get_it_and_nothing_else(client, team_admin, domain):
    here = [SessionFactory(problem_summary=f"Paper jam {n}") for n in range(60)]
    kept = SessionFactory(problem_summary="Paper jam elsewhere", domain=DomainFactory(name="Other"))
    other = SessionFactory(problem_summary="VPN")
    client.force_login(team_admin)
    post(client, domain=domain.id, everything="on", filters="period=all&domain_id=none&q=paper+jam")
    assert Session.objects.filter(domain=domain).count() == len(here)
    kept.refresh_from_db()
    other.refresh_from_db()
    assert (kept.domain.name, other.domain) == ("Other", None)


def test_with_filters_that_are_faulty_nothing_moves(client, team_admin, domain):
    SessionFactory()
    client.force_login(team_admin)
    post(client, domain=domain.id, everything="on", filters="period=nonsense")
    assert not Session.objects.filter(domain=domain).exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "Choose a domain."),
        ({"domain": "x"}, "Choose a domain of the list."),
        ({"session_id": "x"}, "This is not an id."),
        ({"session_id": "\0"}, "This is not an id."),
    ],
)
def test_what_is_missing_is_said(client, team_admin, domain, data, words):
    SessionFactory()
    client.force_login(team_admin)
    assert post(client, **data).status_code == 302
    assert words in client.get(LIST).content.decode()


def test_nothing_ticked_is_said(client, team_admin, domain):
    client.force_login(team_admin)
    post(client, domain=domain.id)
    assert "Tick the sessions first." in client.get(LIST).content.decode()


def test_an_engineer_gives_none(client, engineer, domain):
    session = SessionFactory(user=engineer)
    client.force_login(engineer)
    assert post(client, domain=domain.id, session_id=[session.id]).status_code == 403
    assert not read(client.get(LIST)).all("input", name="session_id")


def test_another_list_has_no_boxes(client, team_admin, domain):
    SessionFactory(domain=domain)
    client.force_login(team_admin)
    assert not read(client.get("/sessions/?period=all")).all("input", name="session_id")


def test_a_stranger_reaches_neither_sessions_nor_domains(client, stranger, other_account, account, domain):
    session = SessionFactory()
    with account_scope(other_account):
        foreign = DomainFactory(name="Theirs")
    client.force_login(stranger)
    post(client, domain=foreign.id, session_id=[session.id])
    post(client, domain=domain.id, session_id=[session.id])
    session.refresh_from_db()
    assert session.domain is None
