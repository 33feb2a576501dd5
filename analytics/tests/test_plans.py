"""The panels are quick because one index has all that they count: no figure may reach for the table beside it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from flowpilot.models import Session
from flowpilot.tests.factories import STARTED_AT, ClientFactory, FlowFactory, SessionFactory
from ratings.tests.factories import SessionRatingFactory
from resolutionflow.tests.factories import UserFactory
from tests.guard import without_guard

MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


@pytest.mark.parametrize("filters", [[], ["engineer_id"], ["client_id"], ["engineer_id", "client_id"]])
def test_every_panel_reads_sessions_from_the_covering_index_alone(client, team_admin, engineer, filters):
    msp_client = ClientFactory()
    belongings = {"user": engineer, "client": msp_client, "flow": FlowFactory()}
    year = [SessionFactory.build(**belongings, started_at=STARTED_AT - timedelta(days=n)) for n in range(365)]
    Session.objects.bulk_create(year)
    SessionRatingFactory(session=year[0])
    _leave_only_the_covering_index()
    ids = {"engineer_id": str(engineer.id), "client_id": str(msp_client.id)}
    client.force_login(team_admin)

    with CaptureQueriesContext(connection) as queries:
        response = client.get(reverse("analytics:team"), MARCH | {name: ids[name] for name in filters})

    assert response.status_code == 200
    scans = [
        scan
        for query in queries.captured_queries
        if _of_a_panel(query["sql"])
        for scan in _scans_of_sessions(query["sql"])
    ]
    assert len(scans) == 7  # two periods, the days, and two for each of both tables
    assert set(scans) == {("Index Only Scan", "session_figures")}


@pytest.mark.parametrize("filters", [[], ["client_id"]])
def test_my_panels_read_sessions_from_the_covering_index_alone(client, engineer, colleague, filters):
    acme = ClientFactory()
    year = [
        SessionFactory.build(
            user=user, client=acme, flow=FlowFactory(), started_at=STARTED_AT - timedelta(days=n)
        )
        for user in (engineer, colleague)
        for n in range(200)
    ]
    Session.objects.bulk_create(year)
    _leave_only_the_covering_index()
    scans = _scans_of_my_page(client, engineer, MARCH | {name: str(acme.id) for name in filters})
    assert len(scans) == 6  # both periods at once, everybody's, the days, the outcomes, and two for the flows
    assert set(scans) == {("Index Only Scan", "session_figures")}


def test_my_own_sessions_are_found_among_many_without_reading_those_of_others(client, account, engineer):
    others, flow = [UserFactory(account=account) for _ in range(40)], FlowFactory()
    Session.objects.bulk_create(
        SessionFactory.build(user=user, flow=flow, started_at=STARTED_AT - timedelta(hours=7 * n))
        for user in [engineer, *others]
        for n in range(60)
    )
    _leave_indexes("session_by_user", "session_figures")
    scans = _scans_of_my_page(client, engineer, MARCH)
    assert len(scans) == 6
    assert (
        scans.count(("Index Scan", "session_by_user")) >= 5
    )  # all but everybody's, which has to read them all


def _scans_of_my_page(client, user, parameters):
    client.force_login(user)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(reverse("analytics:me"), parameters).status_code == 200
    return [
        scan
        for query in queries.captured_queries
        if _of_a_panel(query["sql"])
        for scan in _scans_of_sessions(query["sql"])
    ]


INDEXES = {"session_by_user", "session_by_flow", "session_by_end", "session_figures"}


def _of_a_panel(sql):
    """Not the number of calls for help, which every page has in its navigation."""
    return 'FROM "flowpilot_session"' in sql and "requesting_escalation" not in sql


def _leave_only_the_covering_index():
    """What can answer with so few rows says little: asked is what the covering index is able to."""
    _leave_indexes("session_figures")


def _leave_indexes(*names):
    with without_guard(), connection.cursor() as cursor:
        cursor.execute("ANALYZE flowpilot_session, ratings_sessionrating")
        for index in sorted(INDEXES - set(names)):
            cursor.execute(f"DROP INDEX {index}")
        # of few rows in a single account it can find all as well
        cursor.execute("ALTER TABLE flowpilot_session DROP CONSTRAINT session_external_id_once")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")


def _scans_of_sessions(sql):
    # a statement as it was logged: its account's id is spelt without the hyphens that the guard looks for
    with without_guard(), connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + sql)
        return list(_walk(cursor.fetchone()[0][0]["Plan"]))


def _walk(node):
    if node.get("Relation Name") == "flowpilot_session":
        yield node["Node Type"], node.get("Index Name")
    for child in node.get("Plans", []):
        yield from _walk(child)
