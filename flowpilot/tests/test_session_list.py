from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.tests.factories import ClientFactory, DomainFactory, FlowFactory, SessionFactory
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.pages import listed, read

URL = "/sessions/"
NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)  # noon in London
HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית {{ 7 }}"""


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


def test_a_stranger_is_asked_to_sign_in(client, account):
    response = client.get(f"{URL}?status=active")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=%2Fsessions%2F%3Fstatus%3Dactive"


def test_an_engineer_sees_the_own_sessions_only(client, engineer, colleague):
    SessionFactory(user=engineer, problem_summary="My own problem", started_at=NOW - timedelta(days=1))
    SessionFactory(
        user=colleague, problem_summary="A colleague's problem", started_at=NOW - timedelta(days=1)
    )
    client.force_login(engineer)
    page = read(client.get(URL))
    assert page.one("h1").text == "My sessions"
    assert listed(page) == (1, ["My own problem"])
    assert "Engineer" not in [heading.text for heading in page.all("th", scope="col")]


def test_a_team_admin_sees_everybodys_but_no_other_accounts(
    lead, engineer, colleague, other_account, stranger
):
    SessionFactory(user=engineer, problem_summary="Hers", started_at=NOW - timedelta(hours=1))
    SessionFactory(user=colleague, problem_summary="His", started_at=NOW - timedelta(hours=2))
    with account_scope(other_account):
        SessionFactory(user=stranger, problem_summary="Theirs", started_at=NOW - timedelta(hours=1))
    page = read(lead.get(URL))
    assert page.one("h1").text == "Sessions"
    assert listed(page) == (2, ["Hers", "His"])


def test_a_row_says_what_it_was_and_how_it_ended(lead, engineer):
    session = SessionFactory(
        user=engineer,
        problem_summary="Printer on fire",
        psa_ticket_id="T-17",
        client=ClientFactory(name="Acme"),
        flow=FlowFactory(name="Put out fires"),
        started_at=datetime(2026, 3, 29, 0, 59, tzinfo=UTC),
        completed_at=datetime(2026, 3, 29, 1, 1, 30, tzinfo=UTC),  # the clocks went forward meanwhile
        status="resolved",
        outcome="workaround",
    )
    SessionFactory(
        user=engineer,
        problem_summary="Bare",
        started_at=datetime(2026, 3, 28, 9, tzinfo=UTC),
        status="active",
    )
    page = read(lead.get(URL))
    fire, bare = (row.text for row in page.one("section", aria_label="Sessions").one("tbody").all("tr"))
    for words in (
        "T-17",
        "29 Mar 2026, 00:59",
        "Amira Haddad",
        "Acme",
        "Put out fires",
        "Workaround",
        "2.5 min",
    ):
        assert words in fire
    for words in ("28 Mar 2026, 09:00", "Active", "–"):
        assert words in bare
    assert page.all("a", class_="link", href=f"/sessions/{session.id}/")


def test_names_are_text_whatever_is_in_them(lead, engineer):
    engineer.name = HOSTILE
    engineer.save()
    facts = {
        "client": ClientFactory(name=HOSTILE),
        "flow": FlowFactory(name=HOSTILE),
        "domain": DomainFactory(name=HOSTILE),
    }
    SessionFactory(user=engineer, problem_summary=HOSTILE, psa_ticket_id="<b>", started_at=NOW, **facts)
    ids = "&".join(f"{name}_id={row.id}" for name, row in {**facts, "engineer": engineer}.items())
    response = lead.get(f"{URL}?{ids}&q=%3Cscript%3E")
    page = read(response)
    assert listed(page) == (1, [HOSTILE])
    assert page.one("section", aria_label="Sessions").one("tbody").text.count(HOSTILE) >= 4
    chips = [chip.one("span").text for chip in page.all("li", class_="chip")]
    assert chips == [
        *(f"{label}: {HOSTILE}" for label in ("Engineer", "Flow", "Domain", "Client")),
        "Search: <script>",
    ]
    assert b"<script>alert" not in response.content


def test_with_names_hidden_engineers_are_numbered(lead, account, engineer, colleague, team_admin):
    account.names_hidden = True
    account.save()
    for minutes, user in enumerate([engineer, colleague, team_admin]):
        SessionFactory(user=user, started_at=NOW - timedelta(minutes=minutes))
    cells = [row[2] for row in read(lead.get(URL)).one("section", aria_label="Sessions").rows()]
    assert cells == ["Engineer 2", "Engineer 3", "Engineer 1 (you)"]


def test_a_chip_takes_its_own_value_off_and_nothing_else(lead, engineer):
    SessionFactory(user=engineer, started_at=NOW, status="active")
    page = read(lead.get(f"{URL}?period=7d&status=active&status=resolved&client_id=none"))
    chips = {chip.one("span").text: chip.one("a").href for chip in page.all("li", class_="chip")}
    assert chips == {
        "Client: No client": "/sessions/?period=7d&status=active&status=resolved",
        "Status: Active": "/sessions/?period=7d&status=resolved&client_id=none",
        "Status: Resolved": "/sessions/?period=7d&status=active&client_id=none",
    }
    clear = page.one("ul", class_="chips").all("a", class_="link")[0]
    assert (clear.text, clear.href) == ("Clear all", "/sessions/?period=7d")


def test_fifty_a_page_forward_and_back(lead, engineer):
    for minute in range(120):
        SessionFactory(user=engineer, problem_summary=f"{minute}", started_at=NOW - timedelta(minutes=minute))
    seen, addresses = [], [f"{URL}?status=resolved"]
    while addresses[-1]:
        page = read(lead.get(addresses[-1]))
        count, names = listed(page)
        assert count == 120
        seen.append(names)
        addresses.append(next((link.href for link in page.all("a", rel="next")), ""))
    assert [len(names) for names in seen] == [50, 50, 20]
    assert [name for names in seen for name in names] == [str(minute) for minute in range(120)]
    previous = page.one("a", rel="prev").href
    assert listed(read(lead.get(previous)))[1] == seen[1]
    first = read(lead.get(read(lead.get(previous)).one("a", rel="prev").href))
    assert listed(first)[1] == seen[0]
    assert not first.all("a", rel="prev")


def test_nothing_at_all(lead):
    empty = read(lead.get(f"{URL}?period=all")).one("div", class_="empty")
    assert empty.one("h2").text == "No sessions yet"
    assert not empty.all("a")


def test_nothing_in_the_period_leads_to_all_time(lead, engineer):
    SessionFactory(
        user=engineer, problem_summary="Old", status="active", started_at=datetime(2016, 3, 1, tzinfo=UTC)
    )
    empty = read(lead.get(f"{URL}?period=7d&status=active")).one("div", class_="empty")
    way_out = empty.one("a")
    assert way_out.text == "Show all time"
    assert listed(read(lead.get(way_out.href))) == (1, ["Old"])


def test_nothing_with_these_filters_leads_to_a_list_without(lead, engineer):
    SessionFactory(user=engineer, problem_summary="Resolved", started_at=NOW)
    empty = read(lead.get(f"{URL}?period=all&status=active")).one("div", class_="empty")
    way_out = empty.one("a")
    assert way_out.text == "Clear the filters"
    assert listed(read(lead.get(f"{URL}{way_out.href}"))) == (1, ["Resolved"])


def test_htmx_gets_the_list_alone(lead):
    full, panel = lead.get(URL), lead.get(URL, headers={"HX-Request": "true"})
    assert read(full).all("html")
    assert not read(panel).all("html")
    assert read(panel).one("section", aria_label="Sessions")
    for response in (full, panel):
        assert {"HX-Request", "HX-History-Restore-Request"} <= set(response["Vary"].split(", "))
    restored = lead.get(URL, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert read(restored).all("html")


def test_one_session_or_fifty_cost_the_same_queries(lead, account):
    SessionFactory(client=ClientFactory(), flow=FlowFactory(), domain=DomainFactory(), started_at=NOW)
    with CaptureQueriesContext(
        connection,
    ) as one:
        lead.get(URL)
    for _ in range(49):
        SessionFactory(client=ClientFactory(), flow=FlowFactory(), domain=DomainFactory(), started_at=NOW)
    with CaptureQueriesContext(connection) as fifty:
        lead.get(URL)
    assert len(one) == len(fifty)
