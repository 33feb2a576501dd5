"""The rows of a dashboard's panels as files: those that the panel shows, by the filters of the page."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.tests.factories import ClientFactory, FlowFactory, SessionFactory
from ratings.tests.factories import SessionRatingFactory
from resolutionflow.models import AuditEntry
from resolutionflow.tests.files import book, lines
from resolutionflow.tests.pages import read

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
HOSTILE = '=HYPERLINK("http://x","y")\r\n😀 עברית'
FORMATS = ["csv", "xlsx"]
PANELS = ["outcomes", "flows", "engineers"]


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


def address(panel, format="csv", query=""):
    return f"/analytics/panels/{panel}.{format}{query}"


@pytest.fixture
def rows(engineer, colleague):
    """Three sessions of the flow Printer (10, 20 and no minutes; one rated 4, one 5), one of VPN for Acme."""
    printer, vpn, acme = FlowFactory(name="Printer"), FlowFactory(name="VPN"), ClientFactory(name="Acme")
    for minutes, user, stars in ((10, engineer, 4), (20, engineer, 5), (None, colleague, None)):
        ended = {} if minutes is None else {"completed_at": NOW - timedelta(days=1, minutes=-minutes)}
        session = SessionFactory(
            user=user,
            flow=printer,
            started_at=NOW - timedelta(days=1),
            status="active" if minutes is None else "resolved",
            **ended,
        )
        if stars:
            SessionRatingFactory(session=session, rating=stars)
    SessionFactory(user=colleague, flow=vpn, client=acme, started_at=NOW, status="escalated")
    return acme


def test_a_rate_has_its_part_and_its_whole_and_a_mean_its_number(lead, rows):
    headings, printer, vpn = lines(lead.get(address("flows")))
    assert headings == [
        "Flow",
        "Sessions",
        "Completed",
        "Completion rate (0 to 1)",
        "Median duration (minutes)",
        "CSAT of these sessions",
        "Ratings",
    ]
    assert printer == ["Printer", "3", "2", "0.667", "15.0", "4.5", "2"]
    assert vpn == ["VPN", "1", "1", "1.000", "10.0", "", "0"]
    assert book(lead.get(address("flows", "xlsx")))[1] == ["Printer", 3, 2, 0.667, 15, 4.5, 2]


def test_engineers_by_the_names_of_the_page(lead, rows):
    assert lines(lead.get(address("engineers")))[1:] == [
        ["Amira Haddad", "2", "2", "1.000", "15.0"],
        ["Jonas Weber", "2", "1", "0.500", "10.0"],
    ]


@pytest.mark.parametrize("query", ["", "?period=7d", "?period=90d", "?from=2026-01-01&to=2026-03-30"])
def test_the_rows_of_the_chart_are_those_of_its_table(query, lead, rows):
    page = read(lead.get(f"/analytics/{query}")).one("figure", id="chart-outcomes")
    shown = page.one("table").rows()
    headings, *days = lines(lead.get(address("outcomes", query=query)))
    assert headings == ["Day", "Sessions", "Resolved", "Workaround", "Escalated", "Unresolved"]
    assert [day[1:] for day in days] == [day[1:] for day in shown]
    assert [f"{datetime.fromisoformat(day[0]):%-d %b %Y}" for day in days] == [day[0] for day in shown]
    workbook = book(lead.get(address("outcomes", "xlsx", query)))
    assert [[str(cell) for cell in row[1:]] for row in workbook[1:]] == [day[1:] for day in days]


def test_the_filters_of_the_page_hold(lead, rows, engineer):
    assert [row[0] for row in lines(lead.get(address("flows", query=f"?client_id={rows.id}")))] == [
        "Flow",
        "VPN",
    ]
    by_engineer = lines(lead.get(address("engineers", query=f"?engineer_id={engineer.id}")))
    assert [row[0] for row in by_engineer] == ["Engineer", "Amira Haddad"]
    response = lead.get(address("flows", query="?from=2026-01-01&to=2026-01-31"))
    assert response.headers["Content-Disposition"] == (
        'attachment; filename="team-flows-2026-01-01-to-2026-01-31.csv"'
    )
    assert len(lines(response)) == 1


def test_each_panel_offers_its_files_and_its_chart_a_picture(lead, rows):
    page = read(lead.get(f"/analytics/?period=7d&client_id={rows.id}"))
    for panel in PANELS:
        menu = page.one(id=f"panel-{panel}").one("details", class_="export")
        query = f"?period=7d&client_id={rows.id}"
        assert [link.href for link in menu.all("a")] == [address(panel, f, query) for f in FORMATS]
        pictures = [button.attributes["data-file"] for button in menu.all("button")]
        assert pictures == (["team-outcomes-2026-03-25-to-2026-03-31.png"] if panel == "outcomes" else [])
    alone = read(lead.get("/analytics/panels/flows/?period=7d"))
    assert alone.one("details", class_="export").all("a")[0].href == address("flows", query="?period=7d")


def test_a_panel_without_rows_offers_nothing(lead):
    assert not read(lead.get("/analytics/")).all("details", class_="export")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("panel", PANELS)
def test_names_are_text_whatever_is_in_them(panel, format, lead, engineer):
    engineer.name = HOSTILE
    engineer.save()
    SessionFactory(user=engineer, flow=FlowFactory(name=HOSTILE), started_at=NOW)
    response = lead.get(address(panel, format))
    if panel == "outcomes":
        assert response.status_code == 200
        response.getvalue()
    elif format == "csv":
        assert lines(response)[1][0] == f"'{HOSTILE}"
    else:
        assert book(response)[1][0].startswith("'=HYPERLINK")


@pytest.mark.parametrize(
    "query", ["?period=1d", "?client_id=x", "?from=2026-03-01", "?engineer_id=%00", "?period=all"]
)
def test_faulty_filters_are_refused_with_words(query, lead, rows):
    response = lead.get(address("flows", query=query))
    assert response.status_code == 422
    assert read(response).one("div", class_="notice").text
    assert read(response).one("a", class_="primary").href.startswith("/analytics/?")
    assert not AuditEntry.objects.exists()


def test_what_does_not_exist_is_not_found(lead, other_account, stranger):
    for path in (
        address("summary"),
        address("nothing"),
        address("flows", "pdf"),
        address("flows", query=f"?engineer_id={stranger.id}"),
        address("flows", query="?client_id=0195b7a4-0000-7000-8000-000000000000"),
    ):
        assert lead.get(path).status_code == 404, path


def test_engineers_and_strangers_have_none_of_it(client, engineer, stranger, rows):
    client.force_login(engineer)
    assert client.get(address("flows")).status_code == 403
    client.force_login(stranger)
    assert len(lines(client.get(address("flows")))) == 1
    assert client.get(address("flows", query=f"?client_id={rows.id}")).status_code == 404


def test_an_export_is_written_to_the_audit_trail(lead, team_admin, account, rows):
    lead.get(address("engineers", "xlsx", f"?period=7d&client_id={rows.id}&engineer_id=")).getvalue()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.account) == ("export.downloaded", team_admin, account)
    assert entry.object == "team-engineers-2026-03-25-to-2026-03-31.xlsx"
    assert entry.detail == {"filters": {"period": ["7d"], "client_id": [str(rows.id)]}}


def test_one_row_or_many_cost_the_same_queries(lead, account):
    def ask():
        with CaptureQueriesContext(connection) as queries:
            for panel in PANELS:
                lines(lead.get(address(panel)))
        return len(queries)

    SessionFactory(flow=FlowFactory(), started_at=NOW)
    one = ask()
    for _ in range(9):
        SessionFactory(flow=FlowFactory(), started_at=NOW)
    assert ask() == one
