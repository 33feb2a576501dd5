"""The ledger and the sessions without time as files: what the page shows, text that stays text, and nothing secret."""

from datetime import UTC, datetime, timedelta

import pytest

from flowpilot.models import PsaConnection
from flowpilot.psa import sealing
from flowpilot.tests.factories import ClientFactory, PsaConnectionFactory, PsaPushFactory, SessionFactory
from flowpilot.tests.psa_pages.keys import KEYS
from resolutionflow.models import AuditEntry
from resolutionflow.tests.files import book, lines
from resolutionflow.tests.pages import read

HOSTILE = '=HYPERLINK("http://x","y") <script> 😀 عربي'
NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)


@pytest.fixture
def lead(client, team_admin, clock):
    clock(NOW)
    client.force_login(team_admin)
    return client


@pytest.fixture
def session(engineer):
    return SessionFactory(
        user=engineer,
        client=ClientFactory(name=HOSTILE),
        problem_summary=HOSTILE,
        psa_ticket_id="5001",
        status="resolved",
        outcome="resolved",
        started_at=NOW - timedelta(hours=1),
        completed_at=NOW - timedelta(minutes=30),
    )


@pytest.fixture
def pushes(session):
    connection = PsaConnectionFactory(credentials=sealing.seal(KEYS))
    facts = {"connection": connection, "session": session, "psa_ticket_id": "5001", "created_at": NOW}
    PsaPushFactory(status="success", external_id="9001", tries=1, **facts)
    PsaPushFactory(
        kind="time_entry", hours="0.50", status="needs_attention", last_error=HOSTILE, tries=2, **facts
    )
    PsaPushFactory(kind="status", **facts)


def test_the_ledger_is_what_its_filters_leave(lead, pushes):
    menu = read(lead.get("/psa/?state=attention")).one("details", class_="export")
    assert menu.one("p").text == "2 pushes"
    href = menu.all("a")[0].href
    assert href == "/analytics/psa/pushes.csv?state=attention"
    table = lines(lead.get(href))
    rows = [dict(zip(table[0], row, strict=True)) for row in table[1:]]
    assert [(row["What"], row["State"], row["Time (h)"], row["Attempts"]) for row in rows] == [
        ("Time entry", "Needs attention", "0.50", "2"),
        ("Status", "Waits for you", "", "0"),
    ]
    assert {rows[0][name] for name in ("Problem", "Client", "Where it stands")} == {f"'{HOSTILE}"}
    assert rows[0]["Engineer"] == "Amira Haddad"
    entry = AuditEntry.objects.get(action="export.downloaded")
    assert (entry.object, entry.detail["filters"]) == ("psa-pushes.csv", {"state": ["attention"]})
    whole = book(lead.get("/analytics/psa/pushes.xlsx"))
    assert [row[5] for row in whole] == ["What", "Note", "Time entry", "Status"]
    sealed = PsaConnection.objects.get().credentials
    for row in whole:
        assert not [cell for cell in row if str(cell) in (*KEYS.values(), sealed)]


def test_sessions_without_time(lead, session):
    menu = read(lead.get("/psa/without-time/?period=7d")).one("details", class_="export")
    table = lines(lead.get(menu.all("a")[0].href))
    assert table[1][:4] == [f"'{HOSTILE}", "Amira Haddad", f"'{HOSTILE}", "5001"]
    assert len(table) == 2


def test_bad_filters_give_no_file(lead, pushes):
    for address in ("pushes.csv?state=nonsense", "without-time.csv?period=1h"):
        assert lead.get(f"/analytics/psa/{address}").status_code == 422
    assert lead.get("/analytics/psa/pushes.pdf").status_code == 404


def test_engineers_have_none_of_it(client, engineer):
    client.force_login(engineer)
    for name in ("pushes", "without-time"):
        assert client.get(f"/analytics/psa/{name}.csv").status_code == 403
