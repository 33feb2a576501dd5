"""The sheet of one client: its figures, and nobody's name."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.tests.factories import ClientFactory, FlowFactory, SessionFactory
from ratings.tests.factories import SessionRatingFactory
from resolutionflow.models import User
from resolutionflow.tests.pages import read

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
URL = "/analytics/sheet/"
HOSTILE = "<script>alert(1)</script> & 'Söhne' 😀"


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


@pytest.fixture
def acme(engineer, colleague):
    """Two sessions within 30 days, one of them completed and rated, and one before; another client's beside them."""
    acme, flow = ClientFactory(name="Acme"), FlowFactory(name="Printer is offline")
    rated = SessionFactory(client=acme, flow=flow, user=engineer, started_at=NOW - timedelta(days=2))
    SessionRatingFactory(session=rated, rating=4, comment="quite private words")
    SessionFactory(client=acme, user=colleague, status="active", started_at=NOW - timedelta(days=1))
    SessionFactory(client=acme, user=colleague, started_at=NOW - timedelta(days=40))
    SessionFactory(client=ClientFactory(name="Rival"), flow=FlowFactory(name="Theirs"), started_at=NOW)
    return acme


def figures(page):
    return [card.one("a", class_="figure").text for card in page.all("div", class_="stat")]


def test_it_has_the_clients_figures(lead, acme):
    response = lead.get(f"{URL}?client_id={acme.id}&period=30d")
    page = read(response)
    assert page.one("h1").text == "Acme"
    head = page.one("header", class_="pagehead").text
    assert "Northgate IT" in head
    assert "2 Mar 2026 – 31 Mar 2026" in head
    assert figures(page) == ["2", "1 of 2", "10.0", "2"]
    assert page.one("figure", id="chart-outcomes").one("p").text.startswith("2 sessions in the 30 days")
    assert [row[0] for row in page.one("section", id="panel-flows").one("table").rows()] == [
        "Printer is offline"
    ]
    assert "sessions of Acme that started in this period" in page.one("p", class_="sheet-words").text
    assert "Made on 31 Mar 2026" in page.one("p", class_="sheet-foot").text


def test_it_names_nobody_and_no_other_client(lead, acme):
    for htmx in ({}, {"HX-Request": "true"}):
        text = lead.get(f"{URL}?client_id={acme.id}&period=90d", headers=htmx).content.decode()
        for user in User.objects.all():
            assert user.name not in text
            assert user.email not in text
            assert str(user.id) not in text
        for words in ("Rival", "Theirs", "panel-engineers", "engineer_id", "quite private words"):
            assert words not in text


def test_without_a_client_it_asks_which(lead, acme):
    page = read(lead.get(f"{URL}?period=7d"))
    assert [option.text for option in page.one("select").all("option")] == [
        "Choose a client…",
        "Acme",
        "Rival",
    ]
    assert page.one("form").one("input", name="period").attributes["value"] == "7d"
    assert not page.all("div", class_="stat")


def test_the_team_page_leads_to_it(lead, acme, engineer):
    page = read(lead.get(f"/analytics/?period=7d&client_id={acme.id}&engineer_id={engineer.id}"))
    (link,) = [link for link in page.all("a") if link.text == "Print sheet"]
    assert link.href == f"{URL}?period=7d&client_id={acme.id}"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("period=1d", "Unknown period"),
        ("client_id=x", "This is not the id of a client."),
        ("from=2026-03-01", "needs both"),
    ],
)
def test_a_faulty_filter_is_said(query, words, lead, acme):
    response = lead.get(f"{URL}?{query}")
    assert response.status_code == 200
    assert words in read(response).one("div", class_="notice").text


def test_a_client_without_sessions(lead, account):
    client = ClientFactory(name=HOSTILE)
    response = lead.get(f"{URL}?client_id={client.id}")
    assert read(response).one("h1").text == HOSTILE
    assert b"<script>alert" not in response.content
    assert "No sessions" in read(response).one("section", id="panel-summary").text


def test_engineers_and_strangers_do_not_get_it(client, engineer, stranger, acme):
    client.force_login(engineer)
    assert client.get(f"{URL}?client_id={acme.id}").status_code == 403
    client.force_login(stranger)
    assert client.get(f"{URL}?client_id={acme.id}").status_code == 404
    assert "Acme" not in client.get(URL).content.decode()


def test_one_flow_or_many_cost_the_same_queries(lead, acme):
    def ask():
        with CaptureQueriesContext(connection) as queries:
            lead.get(f"{URL}?client_id={acme.id}")
        return len(queries)

    one = ask()
    for _ in range(9):
        SessionFactory(client=acme, flow=FlowFactory(), started_at=NOW)
    assert ask() == one
