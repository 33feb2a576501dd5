"""The panels are quick because one index has all that they count: no figure may reach for the table beside it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from flowpilot.tests.factories import ClientFactory, FlowFactory, SessionFactory
from ratings.tests.factories import SessionRatingFactory
from tests.guard import without_guard

RANGE = {"from": "2026-03-01", "to": "2026-03-31"}


@pytest.mark.parametrize("filters", [[], ["engineer_id"], ["client_id"], ["engineer_id", "client_id"]])
def test_every_panel_reads_sessions_from_the_covering_index_alone(
    client, team_admin, engineer, filters, only_the_covering_index
):
    msp_client = ClientFactory()
    session = SessionFactory(user=engineer, client=msp_client, flow=FlowFactory())
    SessionRatingFactory(session=session)
    ids = {"engineer_id": str(engineer.id), "client_id": str(msp_client.id)}
    client.force_login(team_admin)

    with CaptureQueriesContext(connection) as queries:
        response = client.get(reverse("analytics:team"), RANGE | {name: ids[name] for name in filters})

    assert response.status_code == 200
    scans = [
        scan
        for query in queries.captured_queries
        if 'FROM "flowpilot_session"' in query["sql"]
        for scan in _scans_of_sessions(query["sql"])
    ]
    assert len(scans) == 7  # two periods, the days, and two for each of both tables
    assert set(scans) == {("Index Only Scan", "session_figures")}


@pytest.fixture
def only_the_covering_index(db):
    """With so few rows the planner would read the table; what it may do with many is asked here."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX session_by_user, session_by_flow, session_by_end")
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
