"""The sessions of a list as a file: the same rows as the list, one each, and nothing of a colleague's."""

import csv
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from threading import BoundedSemaphore

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from flowpilot.tests.factories import (
    ClientFactory,
    DomainFactory,
    FlowFactory,
    FlowVersionFactory,
    SessionFactory,
)
from ratings.tests.factories import SessionRatingFactory
from resolutionflow.models import AuditEntry
from resolutionflow.tests.pages import listed, read

NOW = datetime(2026, 3, 30, 12, 0, tzinfo=UTC)
PAGE, CSV, XLSX = "/sessions/", "/analytics/sessions.csv", "/analytics/sessions.xlsx"
HOSTILE = '=HYPERLINK("http://x","y") <script>'


@pytest.fixture
def browser(clock):
    clock(NOW)

    def of(user):
        client = Client()
        client.force_login(user)
        return client

    return of


@pytest.fixture
def lead(browser, team_admin):
    return browser(team_admin)


def lines(response):
    """Headings and rows of a CSV, as dicts."""
    assert response.status_code == 200
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(content, newline="")))


def test_a_row_has_all_that_a_session_tells(lead, engineer):
    flow = FlowFactory(name="Put out fires")
    session = SessionFactory(
        user=engineer,
        external_id="INC0000045",
        client=ClientFactory(name="Acme"),
        domain=DomainFactory(name="Fire"),
        flow=flow,
        flow_version=FlowVersionFactory(flow=flow, number=3),
        problem_summary="Printer, “on fire”",
        status="resolved",
        outcome="workaround",
        confidence_tier="guided",
        confidence=0.8455,
        started_at=datetime(2026, 3, 29, 0, 59, tzinfo=UTC),
        completed_at=datetime(2026, 3, 29, 1, 1, 30, tzinfo=UTC),  # the clocks went forward meanwhile
        step_count=4,
        psa_ticket_id="T-17",
    )
    bare = SessionFactory(
        user=engineer,
        problem_summary="Bare",
        status="requesting_escalation",
        started_at=datetime(2026, 3, 28, 9, tzinfo=UTC),
    )
    response = lead.get(CSV)
    assert response.headers["Content-Disposition"] == (
        'attachment; filename="sessions-2026-03-01-to-2026-03-30.csv"'
    )
    full, empty = lines(response)
    assert full == {
        "Id": str(session.id),
        "External id": "INC0000045",
        "Engineer": "Amira Haddad",
        "Client": "Acme",
        "Domain": "Fire",
        "Flow": "Put out fires",
        "Flow version": "3",
        "Problem": "Printer, “on fire”",
        "Status": "Resolved",
        "Outcome": "Workaround",
        "Tier": "Guided",
        "Confidence (0 to 1)": "0.846",
        "Started (Europe/London)": "2026-03-29 00:59:00",
        "Completed (Europe/London)": "2026-03-29 02:01:30",
        "Duration (minutes)": "2.5",
        "Steps": "4",
        "Ticket": "T-17",
        "Rated": "no",
        "Stars (own sessions)": "",
        "Comment (own sessions)": "",
    }
    told = {"Id": str(bare.id), "Engineer": "Amira Haddad", "Problem": "Bare", "Status": "Help wanted"}
    told |= {"Started (Europe/London)": "2026-03-28 09:00:00", "Steps": "0", "Rated": "no"}
    assert empty == dict.fromkeys(full, "") | told


@pytest.mark.parametrize(
    "query",
    [
        "",
        "period=7d",
        "period=all",
        "period=all&status=active",
        "period=all&client_id=none&q=Printer",
        "period=all&outcome=resolved&outcome=escalated",
        "from=2026-01-01&to=2026-02-01",
        "on=completed",
    ],
)
def test_the_file_has_the_rows_of_the_list(query, lead, engineer, colleague):
    client = ClientFactory()
    for days, status, of in [
        (0, "resolved", client),
        (3, "active", None),
        (20, "escalated", client),
        (70, "resolved", None),
    ]:
        for user in (engineer, colleague):
            SessionFactory(
                user=user,
                client=of,
                status=status,
                problem_summary=f"{user.name}: Printer {days}",
                started_at=NOW - timedelta(days=days, minutes=user == engineer),
            )
    count, problems = listed(read(lead.get(f"{PAGE}?{query}")))
    assert [row["Problem"] for row in lines(lead.get(f"{CSV}?{query}"))] == problems
    assert len(problems) == count
    book = load_workbook(BytesIO(lead.get(f"{XLSX}?{query}").getvalue()))
    assert [row[7].value for row in book.active.iter_rows(min_row=2)] == problems


def test_engineers_have_their_own_sessions_only(browser, engineer, colleague):
    SessionFactory(user=engineer, problem_summary="Mine", started_at=NOW)
    SessionFactory(user=colleague, problem_summary="Not mine", started_at=NOW)
    mine = browser(engineer)
    assert [row["Problem"] for row in lines(mine.get(CSV))] == ["Mine"]
    assert lines(mine.get(f"{CSV}?engineer_id={colleague.id}")) == []


def test_help_wanted_is_exported_by_who_leads_the_team(browser, engineer, colleague, team_admin):
    SessionFactory(user=colleague, problem_summary="Help", status="requesting_escalation", started_at=NOW)
    refused = browser(engineer).get(f"{CSV}?help=wanted")
    assert refused.status_code == 403
    assert "only a team admin can export it" in refused.content.decode()
    assert not read(browser(engineer).get(f"{PAGE}?help=wanted")).all("details", class_="export")
    assert [row["Problem"] for row in lines(browser(team_admin).get(f"{CSV}?help=wanted"))] == ["Help"]


def test_stars_and_comment_are_for_who_gave_them(browser, engineer, colleague, team_admin):
    for user in (engineer, colleague):
        session = SessionFactory(user=user, problem_summary=user.name, started_at=NOW)
        SessionRatingFactory(session=session, rating=2, comment="-1 from me")
    own = lines(browser(engineer).get(CSV))
    told = ("Rated", "Stars (own sessions)", "Comment (own sessions)")
    assert [[row[name] for name in told] for row in own] == [["yes", "2", "'-1 from me"]]
    for row in lines(browser(team_admin).get(CSV)):
        assert [row[name] for name in told] == ["yes", "", ""]


def test_names_can_be_hidden(lead, account, engineer):
    SessionFactory(user=engineer, started_at=NOW)
    account.names_hidden = True
    account.save()
    (row,) = lines(lead.get(CSV))
    assert row["Engineer"].startswith("Engineer ")
    assert "Amira" not in "".join(row.values())


def test_names_are_text_whatever_is_in_them(lead, engineer):
    engineer.name = HOSTILE
    engineer.save()
    SessionFactory(
        user=engineer,
        client=ClientFactory(name=HOSTILE),
        flow=FlowFactory(name=HOSTILE),
        domain=DomainFactory(name=HOSTILE),
        problem_summary=HOSTILE,
        psa_ticket_id="+44",
        external_id="@SUM(1)\r",
        started_at=NOW,
    )
    (row,) = lines(lead.get(CSV))
    for name in ("Engineer", "Client", "Domain", "Flow", "Problem"):
        assert row[name] == f"'{HOSTILE}"
    assert (row["Ticket"], row["External id"]) == ("'+44", "'@SUM(1)\r")
    book = load_workbook(BytesIO(lead.get(XLSX).getvalue()))
    assert {cell.data_type for cell in book.active[2] if isinstance(cell.value, str)} == {"s"}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("period=31d", "Unknown period. Use 7d, 30d, 90d or all."),
        ("status=lost", "Status: Unknown value."),
        ("client_id=%00", "Client: This is not an id."),
        ("q=%00", "Search: Null characters are not allowed."),
        (f"q={'x' * 201}", "Search: Ensure this value has at most 200 characters"),
    ],
)
def test_faulty_filters_are_refused_with_words(query, words, lead, engineer):
    SessionFactory(user=engineer, started_at=NOW)
    response = lead.get(f"{CSV}?{query}")
    page = read(response)
    assert response.status_code == 422
    assert words in page.one("div", class_="notice").text
    assert page.one("a", class_="primary").href.startswith(f"{PAGE}?{query[:6]}")
    assert not read(lead.get(f"{PAGE}?{query}")).all("details", class_="export")
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("format", ["pdf", "CSV", "csv2", "-"])
def test_other_formats_do_not_exist(format, lead):
    assert lead.get(f"/analytics/sessions.{format}").status_code == 404


def test_an_export_is_written_to_the_audit_trail(lead, team_admin, account, engineer):
    SessionFactory(user=engineer, problem_summary="Secret", started_at=NOW)
    query = f"period=7d&status=active&status=resolved&q=S&engineer_id={engineer.id}&after=x&unknown=1"
    lead.get(f"{XLSX}?{query}").getvalue()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.account) == ("export.downloaded", team_admin, account)
    assert entry.object == "sessions-2026-03-24-to-2026-03-30.xlsx"
    assert entry.detail == {
        "filters": {
            "period": ["7d"],
            "status": ["active", "resolved"],
            "q": ["S"],
            "engineer_id": [str(engineer.id)],
        }
    }


def test_a_stranger_has_none_of_it(browser, stranger, engineer):
    SessionFactory(user=engineer, client=ClientFactory(name="Acme"), started_at=NOW)
    assert lines(browser(stranger).get(f"{CSV}?period=all")) == []
    assert lines(browser(stranger).get(f"{CSV}?engineer_id={engineer.id}")) == []


def test_the_list_offers_the_files_of_what_it_shows(lead, engineer):
    SessionFactory(user=engineer, status="active", started_at=NOW)
    page = read(lead.get(f"{PAGE}?period=7d&status=active&client_id=none"))
    menu = page.one("details", class_="export")
    assert menu.one("summary").attributes["aria-label"] == "Export sessions"
    assert menu.one("p").text == "1 session"
    query = "period=7d&status=active&client_id=none"
    assert [link.href for link in menu.all("a")] == [f"{CSV}?{query}", f"{XLSX}?{query}"]
    assert not read(lead.get(f"{PAGE}?status=resolved")).all("details", class_="export")  # nothing is listed


def test_one_session_or_two_hundred_cost_the_same_queries_and_no_decisions(lead, account):
    def ask():
        with CaptureQueriesContext(connection) as queries:
            lines(lead.get(f"{CSV}?period=all"))
        return [query["sql"] for query in queries]

    def add(many):
        for _ in range(many):
            flow = FlowFactory()
            SessionFactory(client=ClientFactory(), flow=flow, flow_version=FlowVersionFactory(flow=flow))

    add(1)
    one = ask()
    add(199)
    assert len(ask()) == len(one)
    assert not any("decisions" in statement for statement in one)


@pytest.mark.django_db(transaction=True)
def test_rows_are_sent_before_the_last_one_is_read(lead, account, monkeypatch):
    """Five at a time, by a cursor of the server; a reader who goes away leaves neither cursor nor transaction."""
    monkeypatch.setattr("analytics.exports.sessions.ROWS_AT_ONCE", 5)
    monkeypatch.setattr("resolutionflow.exports.LINES_AT_ONCE", 5)
    SessionFactory.create_batch(30, started_at=NOW)
    response = lead.get(CSV)
    stream = response.streaming_content
    assert next(stream).startswith(b"\xef\xbb\xbfId,")
    assert not connection.in_atomic_block
    assert next(stream).count(b"\r\n") == 5
    assert connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_cursors where not is_holdable")
        assert cursor.fetchone() == (1,)
    response.close()
    assert not connection.in_atomic_block


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_who_comes_when_many_files_are_written_is_told_to_wait(format, lead, monkeypatch):
    monkeypatch.setattr("resolutionflow.exports._running", BoundedSemaphore(1))
    first = lead.get("/analytics/sessions.csv?period=all")
    busy = lead.get(f"/analytics/sessions.{format}?period=all")
    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "20")
    assert "Several exports are being written just now." in read(busy).one("main").text
    assert AuditEntry.objects.filter(action="export.downloaded").count() == 1
    assert b"".join(first.streaming_content)
    again = lead.get(f"/analytics/sessions.{format}?period=all")
    assert again.status_code == 200
    assert b"".join(again.streaming_content)
