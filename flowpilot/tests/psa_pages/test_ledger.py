"""The ledger of team admins: what stands where, sent again, doubles, sessions without time, and the banner."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from flowpilot.models import PsaActivityLog, PsaConnection, PsaPush
from flowpilot.tests.factories import PsaActivityLogFactory, PsaPushFactory, SessionFactory
from flowpilot.tests.runner.posting import NOW
from resolutionflow.tests.pages import read
from tests.guard import without_guard


def ended(engineer, **facts):
    usual = {
        "status": "resolved",
        "outcome": "resolved",
        "started_at": NOW - timedelta(hours=1),
        "completed_at": NOW,
    }
    return SessionFactory(user=engineer, **usual | facts)


def act(push, name):
    return f"/sessions/{push.session_id}/push/{push.id}/{name}/"


def test_the_navigation_counts_beside_the_ledger_too(lead, engineer):
    SessionFactory(user=engineer, status="requesting_escalation")
    navigation = read(lead.get("/psa/")).one("a", href="/sessions/?help=wanted")
    assert navigation.text == "Help wanted 1"


@pytest.fixture
def pushes(connection, engineer):
    session = ended(engineer, problem_summary="No network", psa_ticket_id="5001")
    facts = {"connection": connection, "session": session, "psa_ticket_id": "5001"}
    return {
        "refused": PsaPushFactory(
            status="needs_attention", last_error="The ticket is gone.", tries=3, **facts
        ),
        "waiting": PsaPushFactory(kind="time_entry", hours="0.50", **facts),
        "there": PsaPushFactory(kind="status", status="success", external_id="5001", **facts),
    }


def rows(page):
    """The ledger's rows of pushes, without those that name a session."""
    lines = [[cell.text for cell in row.all("th") + row.all("td")] for row in page.all("tr")]
    return [line for line in lines[1:] if len(line) > 1]


def test_each_push_with_where_it_stands(lead, pushes):
    page = read(lead.get("/psa/"))
    assert [row[:3] for row in rows(page)] == [  # in the order in which they are sent
        ["Note", "Needs attention The ticket is gone.", "3 attempts"],
        ["Time entry 0.50 h", "Waiting to be sent It is sent within a minute.", ""],
        ["Status", "Delivered The ticket has this status.", ""],
    ]
    session = page.one("tr", class_="ledger-session").text
    assert session.startswith("No network")
    assert "Ticket 5001" in session
    tabs = [link.text for link in page.one("nav", aria_label="Which pushes").all("a")]
    assert tabs == ["Needs attention 1", "Under way 1", "Delivered 1", "All 3"]


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("state=attention", 1),
        ("state=under_way", 1),
        ("state=delivered", 1),
        ("kind=time_entry", 1),
        ("q=5001", 3),
        ("q=network", 3),
        ("q=zebra", 0),
        ("q=%00zebra", 3),
        ("state=nonsense", 3),
    ],
)
def test_filters(lead, pushes, query, number):
    page = read(lead.get(f"/psa/?{query}"))
    assert len(rows(page)) == number


def test_many_rows_cost_no_more_queries(lead, pushes, connection, engineer):
    lead.get("/psa/")
    with CaptureQueriesContext(database) as few:
        lead.get("/psa/")
    for ticket in range(20):
        PsaPushFactory(connection=connection, session=ended(engineer), psa_ticket_id=str(ticket))
    with CaptureQueriesContext(database) as many:
        lead.get("/psa/")
    assert len(many) == len(few)


def test_every_page_counts_what_needs_somebody_by_an_index_of_the_few(lead, pushes):
    """Of all that ever arrived it reads nothing."""
    with CaptureQueriesContext(database) as queries:
        lead.get("/sessions/")
    (counting,) = [query["sql"] for query in queries if 'FROM "flowpilot_psaconnection"' in query["sql"]]
    with without_guard(), database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {counting}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "psa_push_open" in plan
    assert "Seq Scan on flowpilot_psapush" not in plan


def test_what_needs_somebody_is_sent_again_one_or_all(lead, pushes):
    response = lead.post(act(pushes["refused"], "again"), {"back": "state=attention&kind=note&page=9"})
    assert response.url == "/psa/?state=attention&kind=note"
    assert PsaPush.objects.get(id=pushes["refused"].id).status == "pending"
    response = lead.post("/psa/again/", follow=True)
    assert "There is nothing to send again." in response.text
    response = lead.post(act(pushes["there"], "again"), follow=True)
    assert "goes on by itself" in response.text
    PsaPush.objects.filter(id=pushes["refused"].id).update(
        status="needs_attention", finished_at=NOW, next_attempt_at=None
    )
    assert "1 push is sent again." in lead.post("/psa/again/", follow=True).text


def test_a_double_is_shown_and_deleted_or_left(lead, pushes, stand_in):
    push = pushes["there"]
    doubles = [{"external_id": "7", "url": ""}, {"external_id": "8", "url": ""}]
    PsaPush.objects.filter(id=push.id).update(doubles=doubles)
    assert "Delivered twice" in read(lead.get("/psa/?state=attention")).one("table").text
    own = read(lead.get(f"/sessions/{push.session_id}/")).one("section", id="pushes")
    assert [link.href for link in own.all("a") if link.text == "See the double"] == [
        f"/psa/{push.id}/double/"
    ]
    assert "No. 7" in lead.get(f"/psa/{push.id}/double/").text
    lead.post(f"/psa/{push.id}/double/", {"external_id": "7", "keep": "1"})
    assert PsaPush.objects.get(id=push.id).doubles == doubles[1:]
    response = lead.post(f"/psa/{push.id}/double/", {"external_id": "99"}, follow=True)
    assert "This one is not there twice any more." in response.text


def test_resolved_sessions_without_time(lead, connection, engineer):
    ended(engineer, problem_summary="Nothing logged")
    logged = ended(engineer, problem_summary="Logged")
    PsaActivityLogFactory(
        session=logged, activity_type=PsaActivityLog.ActivityType.TIME_ENTRY_POSTED, hours_logged="0.5"
    )
    PsaPushFactory(
        connection=connection, session=ended(engineer, problem_summary="On its way"), kind="time_entry"
    )
    ended(engineer, problem_summary="Imported", source="import")
    ended(engineer, problem_summary="Escalated", status="escalated", outcome="escalated")
    ended(
        engineer,
        problem_summary="Old",
        completed_at=NOW - timedelta(days=8),
        started_at=NOW - timedelta(days=9),
    )
    ended(engineer, problem_summary="No ticket", psa_ticket_id=None)
    page = read(lead.get("/psa/without-time/?period=7d&ticket=no"))
    assert [a.text for a in page.one("table").all("a", class_="link")] == ["No ticket", "Nothing logged"]
    assert "2 sessions" in page.one("main").text
    assert "3 sessions" in read(lead.get("/psa/without-time/")).one("main").text


def test_team_admins_are_told_on_every_page_and_engineers_are_not(client, pushes, team_admin, engineer):
    client.force_login(team_admin)
    banner = read(client.get("/flows/")).one("aside", class_="psa-banner")
    assert banner.text == "1 push needs attention.See what happened"
    PsaConnection.objects.update(held_until=NOW + timedelta(hours=1), held_reason="keys_refused")
    banner = read(client.get("/flows/")).one("aside", class_="psa-banner")
    assert "The ticket system refuses the keys of the connection." in banner.text
    PsaConnection.objects.update(held_reason="too_many_requests")
    assert "asks to wait" in read(client.get("/flows/")).one("aside", class_="psa-banner").text
    PsaConnection.objects.update(held_until=NOW + timedelta(minutes=10))  # passes by itself
    assert "asks to wait" not in client.get("/flows/").text
    client.force_login(engineer)
    assert "psa-banner" not in client.get("/flows/").text
    assert client.get("/psa/").status_code == 403
