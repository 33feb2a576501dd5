"""Users, clients and domains as files: the rows and figures of their list in the settings, of all its pages."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.tests.factories import ClientFactory, DomainFactory, FlowFactory, SessionFactory
from resolutionflow.models import AuditEntry, User
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import SuperAdminFactory, UserFactory
from resolutionflow.tests.files import book, lines
from resolutionflow.tests.pages import read

HOSTILE = '=HYPERLINK("http://x","y") <script> 😀 עברית'
NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
FORMATS = ["csv", "xlsx"]
LISTS = ["users", "clients", "domains"]
each = pytest.mark.parametrize("what", LISTS)


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


def address(what, format="csv", query=""):
    return f"/analytics/settings/{what}.{format}{query}"


def menu(page):
    """The note of the export menu, and its addresses."""
    [menu] = page.all("details", class_="export")
    return menu.one("p").text, [link.href for link in menu.all("a")]


def shown(client, href):
    """The rows of all pages of a list."""
    rows = []
    while href:
        page = read(client.get(href))
        rows += page.one("table").rows()
        following = page.all("a", rel="next")
        href = following[0].href if following else ""
    return rows


def fill(engineer, number):
    for index in range(number):
        client, domain = ClientFactory(psa_company_id=f"C-{index}"), DomainFactory()
        FlowFactory(domain=domain)
        user = UserFactory(account=engineer.account, is_active=index % 2 == 0)
        for _ in range(1 + index % 2):
            SessionFactory(user=user, client=client, domain=domain, status="active")
    ClientFactory(name="Idle", psa_company_id="")
    DomainFactory(name="Idle")


def test_users_have_what_the_page_says_of_them(lead, engineer):
    User.objects.filter(pk=engineer.pk).update(last_login=NOW)
    for status in ("active", "requesting_escalation", "resolved"):
        SessionFactory(user=engineer, status=status)
    response = lead.get(address("users", query="?q=engineer@"))
    assert response.headers["Content-Disposition"] == 'attachment; filename="users.csv"'
    headings = ["Name", "Email", "Role", "State", "Last sign-in (Europe/London)", "Open sessions"]
    row = ["Amira Haddad", "engineer@northgate.example", "Engineer", "Active"]
    assert lines(response) == [headings, [*row, "2026-07-01 10:00:00", "2"]]
    sheet = book(lead.get(address("users", "xlsx", "?q=engineer@")))
    assert [str(cell) for cell in sheet[1]] == [*row, "2026-07-01 10:00:00", "2"]


@pytest.mark.parametrize(
    ("query", "people"), [("", 31), ("?state=all", 61), ("?q=whitfield", 1), ("?state=all&q=Engineer", 58)]
)
def test_the_users_are_those_of_all_pages(lead, account, query, people):
    for number in range(60):
        user = UserFactory(
            account=account,
            name=f"{'Person' if number < 2 else 'Engineer'} {number:02}",
            is_active=number % 2 == 0,
        )
        if number % 3:
            SessionFactory(user=user, status="active")
    rows = shown(lead, f"/settings/users/{query}")
    assert len(rows) == people
    page = [(row[0].replace(" (you)", ""), row[1], row[2], row[4]) for row in rows]
    note, hrefs = menu(read(lead.get(f"/settings/users/{query}")))
    assert note == f"{people} user{'' if people == 1 else 's'}"
    for href, table in zip(hrefs, (lines, book), strict=True):
        assert [(row[0] + row[1], row[2], row[3], str(row[5])) for row in table(lead.get(href))[1:]] == page


@pytest.mark.parametrize("what", ["clients", "domains"])
@pytest.mark.parametrize(("query", "left"), [("", 61), ("?q=idle", 1)])
def test_clients_and_domains_are_those_of_all_pages(lead, engineer, what, query, left):
    fill(engineer, 60)
    page = shown(lead, f"/settings/{what}/{query}")
    assert len(page) == left
    _, hrefs = menu(read(lead.get(f"/settings/{what}/{query}")))
    for href, table in zip(hrefs, (lines, book), strict=True):
        headings, *rows = table(lead.get(href))
        assert headings == ["Name", "ID in the PSA" if what == "clients" else "Flows", "Sessions"]
        assert [["–" if cell in ("", None) else str(cell) for cell in row] for row in rows] == page


@each
def test_names_are_never_formulas(lead, account, what):
    UserFactory(account=account, name=HOSTILE)
    ClientFactory(name=HOSTILE, psa_company_id="+1")
    DomainFactory(name=HOSTILE)
    for format, table in zip(FORMATS, (lines, book), strict=True):
        cells = [cell for row in table(lead.get(address(what, format))) for cell in row]
        assert f"'{HOSTILE}" in cells
        assert not [cell for cell in cells if str(cell).startswith(("=", "+"))]


@each
def test_a_stranger_gets_the_own_rows_only(client, stranger, engineer, what):
    fill(engineer, 2)
    with account_scope(stranger.account):
        ClientFactory(name="Theirs")
        DomainFactory(name="Theirs")
    client.force_login(stranger)
    [row] = lines(client.get(address(what)))[1:]
    assert row[0] == (stranger.name if what == "users" else "Theirs")


@each
def test_they_are_for_team_admins(client, engineer, account, what):
    for format in FORMATS:
        assert client.get(address(what, format)).headers["Location"].startswith("/accounts/login/?next=")
    client.force_login(engineer)
    for format in FORMATS:
        assert client.get(address(what, format)).status_code == 403
    client.force_login(SuperAdminFactory(account=account))
    assert client.get(address(what)).status_code == 200
    assert client.post(address(what)).status_code == 405
    assert client.get(address(what, "pdf")).status_code == 404


@pytest.mark.parametrize(
    ("what", "query"),
    [
        ("users", "?state=x"),
        *((what, query) for what in LISTS for query in ("?q=%00", f"?q={'x' * 201}")),
    ],
)
def test_a_faulty_filter_gives_no_file(lead, what, query):
    ClientFactory()
    DomainFactory()
    for format in FORMATS:
        response = lead.get(address(what, format, query))
        assert response.status_code == 422
        assert "Nothing was exported" in read(response).text
    page = read(lead.get(f"/settings/{what}/{query}"))
    assert page.all("table")
    assert not page.all("details", class_="export")
    assert not AuditEntry.objects.exists()


@each
def test_an_empty_list_has_no_menu_and_a_file_of_headings(lead, what):
    query = "?q=nobody-has-this"
    assert not read(lead.get(f"/settings/{what}/{query}")).all("details", class_="export")
    assert len(lines(lead.get(address(what, query=query)))) == 1


@each
def test_a_download_is_written_down(lead, team_admin, what):
    lead.get(address(what, "xlsx", "?q=acme&page=2"))
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.object) == ("export.downloaded", team_admin, f"{what}.xlsx")
    assert entry.detail == {"filters": {"q": ["acme"]}}


@each
def test_one_row_or_two_hundred_cost_the_same_queries(lead, engineer, what):
    counts = []
    for number in (1, 199):
        for _ in range(number):
            user = UserFactory(account=engineer.account)
            SessionFactory(user=user, client=ClientFactory(), domain=DomainFactory(), status="active")
        for format in FORMATS:
            with CaptureQueriesContext(connection) as queries:
                assert lead.get(address(what, format)).getvalue()
            counts.append(len(queries))
    assert len(set(counts)) == 1


@pytest.mark.parametrize("format", FORMATS)
def test_who_manages_the_users_has_their_names_where_they_are_hidden(lead, account, engineer, format):
    account.names_hidden = True
    account.save()
    table = {"csv": lines, "xlsx": book}[format]
    assert "Amira Haddad" in [row[0] for row in table(lead.get(address("users", format)))]
