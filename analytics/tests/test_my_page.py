"""My analytics as its readers see it; that the figures are right is tested in test_my_metrics.py."""

import csv
import re
from datetime import UTC, datetime
from io import StringIO
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.tests.factories import ClientFactory, FlowFactory, SessionFactory
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import UserFactory
from resolutionflow.tests.pages import cards, embedded_json, listed, read

URL = "/analytics/me/"
PANELS = ("summary", "days", "outcomes", "flows")
NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)  # noon in London
HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית =HYPERLINK("x") {{ 7 }}"""


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def me(client, engineer):
    client.force_login(engineer)
    return client


def tabs(page):
    links = [link for nav in page.all("nav", class_="tabs") for link in nav.all("a")]
    return [(link.text, link.href, link.attributes.get("aria-current")) for link in links]


def test_only_my_own_sessions_count(me, made, colleague):
    made(6, minutes=20)
    made(2, status="abandoned")
    made(4, days_ago=31, minutes=30)
    made(3, user=colleague)
    shown = cards(read(me.get(URL)))
    assert list(shown) == ["My sessions", "My completion rate", "My median duration", "My outcomes"]
    assert shown["My sessions"].startswith("8 ▲up 100 % to the 30 days before, to this hour")
    assert shown["My completion rate"].startswith("75.0 % ▼down 25.0 points")
    assert shown["My median duration"].startswith("20.0 min ▼down 10.0 min")
    assert shown["My outcomes"] == "Resolved6 Workaround0 Escalated0 Unresolved0"


def test_the_teams_median_stands_beside_mine_from_five_people_on(me, made, account, colleague):
    made(3)
    for user in [colleague, *(UserFactory(account=account) for _ in range(2))]:
        made(6, user=user, minutes=30)
    few = "Team's median: shown from 5 people on"
    figures = ["My sessions", "My completion rate", "My median duration"]
    shown = cards(read(me.get(URL)))
    assert all(shown[name].endswith(few) for name in figures)

    last = UserFactory(account=account)
    made(10, user=last, status="abandoned")
    shown = cards(
        read(me.get(URL))
    )  # sessions 3 6 6 6 10, rates 1 1 1 1 0; only four of them have a duration
    assert shown["My sessions"].endswith("Team's median: 6")
    assert shown["My completion rate"].endswith("3 of 3 too few sessions to judge Team's median: 100.0 %")
    assert shown["My median duration"].endswith(few)

    made(1, user=last, minutes=31)
    made(9, user=UserFactory(account=account), minutes=40)
    shown = cards(read(me.get(URL)))  # 3 6 6 6 9 11 sessions; 10 30 30 30 31 40 minutes
    assert shown["My sessions"].endswith("Team's median: 6")
    assert shown["My median duration"].endswith("Team's median: 30.0 min")
    assert "Team" not in shown["My outcomes"]


def test_the_median_of_counts_may_lie_between_two(me, made, account):
    made(1)
    for count in (2, 3, 4, 5, 6):
        made(count, user=UserFactory(account=account))
    assert cards(read(me.get(URL)))["My sessions"].endswith("Team's median: 3.5")


def test_the_median_is_that_of_the_period_and_of_the_client(me, made, account):
    client = ClientFactory()
    made(1, client=client)
    made(1)
    for _ in range(4):
        user = UserFactory(account=account)
        made(3, user=user)
        made(5, user=user, days_ago=40)
    assert cards(read(me.get(URL)))["My sessions"].endswith("Team's median: 3")
    assert cards(read(me.get(f"{URL}?period=90d")))["My sessions"].endswith("Team's median: 8")
    assert cards(read(me.get(f"{URL}?client_id={client.id}")))["My sessions"].endswith(
        "shown from 5 people on"
    )


def test_nobody_elses_name_or_figure_is_there(me, made, account, colleague):
    made(1)
    made(77, user=colleague)
    page = read(me.get(URL))
    assert colleague.name not in page.one("main").text
    assert "77" not in page.one("main").text


def test_sessions_per_day_are_a_line(me, made):
    made(3)
    made(1, days_ago=0, status="active")
    page = read(me.get(f"{URL}?period=7d"))
    chart = page.one("figure", id="chart-days")
    words = "4 sessions in the 7 days from 25 Mar 2026 to 31 Mar 2026; most on 30 Mar 2026 (3)."
    assert chart.one("figcaption").one("p").text == words
    assert chart.one("div", class_="chart-plot").attributes["aria-label"] == words
    assert chart.one("table").rows()[-3:] == [
        ["29 Mar 2026", "0"],
        ["30 Mar 2026", "3"],
        ["31 Mar 2026", "1"],
    ]
    [line] = embedded_json(page, "figure-days-json")["data"]
    assert (line["type"], line["y"]) == ("scatter", [0, 0, 0, 0, 0, 3, 1])


def test_outcomes_are_a_donut(me, made):
    made(2)
    made(1, status="escalated")
    made(1, status="active")
    page = read(me.get(URL))
    chart = page.one("figure", id="chart-outcomes")
    words = "3 completed sessions: 2 resolved (66.7 %), 1 escalated (33.3 %)."
    assert chart.one("figcaption").one("p").text == words
    assert chart.one("table").rows() == [
        ["Resolved", "2", "66.7 %"],
        ["Workaround", "0", "0.0 %"],
        ["Escalated", "1", "33.3 %"],
        ["Unresolved", "0", "0.0 %"],
    ]
    [ring] = embedded_json(page, "figure-outcomes-json")["data"]
    assert (ring["type"], ring["labels"], ring["values"]) == ("pie", ["Resolved", "Escalated"], [2, 1])
    assert [listed(read(me.get(href)))[0] for href in ring["customdata"]] == ring["values"]


def test_without_a_completed_session_there_is_no_donut(me, made):
    made(2, status="active")
    panel = read(me.get(URL)).one("section", id="panel-outcomes")
    assert not panel.all("figure")
    assert "No completed sessions in this period." in panel.text


def test_my_top_flows_are_those_of_my_sessions(me, made, colleague):
    mine, theirs = FlowFactory(name="Reset a password"), FlowFactory(name="VPN drops")
    made(2, flow=mine)
    made(3, flow=theirs, user=colleague)
    section = read(me.get(URL)).one("section", id="panel-flows")
    assert section.one("h2").text == "My top flows"
    assert [[cell.strip() for cell in row] for row in section.rows()] == [
        ["Reset a password", "2", "2 of 2too few sessions", "10.0 min", "–no rating"]
    ]


def check_links(client, address):
    """Every number opens as many sessions as it says or is a share of."""
    page = read(client.get(address))
    total = int(page.all("div", class_="stat")[0].one("a", class_="figure").text)
    links = page.one("main").all("a", class_="figure")
    for link in links:
        response = read(client.get(link.href))
        assert not response.all("div", role="alert"), link.href
        if link.text.isdigit():
            assert listed(response)[0] == int(link.text), link.href
    return total, len(links)


@pytest.mark.parametrize("query", ["", "?period=7d", "?from=2026-03-28&to=2026-03-30", "?client_id={client}"])
@pytest.mark.parametrize("role", ["engineer", "team_admin"])
def test_every_number_opens_my_sessions_and_nobody_elses(client, request, made, colleague, role, query):
    who, acme = request.getfixturevalue(role), ClientFactory()
    for n in range(12):
        made(1, user=who, days_ago=n / 2, client=acme if n % 2 else None, flow=FlowFactory())
    made(2, user=who, status="escalated", client=acme)
    made(1, user=who, status="active", client=acme)
    made(20, user=colleague, client=acme, flow=FlowFactory())
    client.force_login(who)
    total, links = check_links(client, URL + query.format(client=acme.id))
    expected = {"": 15, "?period=7d": 15, "?client_id={client}": 9}
    assert total == expected.get(query, total)
    assert 0 < total <= 15
    assert links > 15


def test_whom_the_page_is_about_is_no_parameter_of_it(client, team_admin, made, colleague):
    made(3, user=colleague)
    made(1, user=team_admin)
    client.force_login(team_admin)
    page = read(client.get(f"{URL}?engineer_id={colleague.id}"))
    assert cards(page)["My sessions"].startswith("1 ")
    assert not page.all("select", name="engineer_id")
    panel = read(client.get(URL, headers={"HX-Request": "true"})).one("section", id="panel-summary")
    assert panel.attributes["hx-get"] == f"{URL}panels/summary/?period=30d"


@pytest.mark.parametrize(
    ("panel", "first", "last"),
    [
        ("days", ["Day", "Sessions"], ["2026-03-31", "0"]),
        (
            "outcomes",
            ["Outcome", "Sessions", "Share of completed (0 to 1)"],
            ["Unresolved", "0", "0.000"],
        ),
        ("flows", None, ["Reset a password", "2", "2", "1.000", "10.0", "", "0"]),
    ],
)
def test_a_file_has_my_rows_only(me, made, colleague, panel, first, last):
    made(2, flow=FlowFactory(name="Reset a password"))
    made(5, flow=FlowFactory(name="VPN drops"), user=colleague, days_ago=0)
    menu = (
        read(me.get(f"{URL}?period=7d")).one("section", id=f"panel-{panel}").one("details", class_="export")
    )
    address = menu.all("a")[0].href
    assert address == f"{URL}panels/{panel}.csv?period=7d"
    text = b"".join(me.get(address).streaming_content).decode("utf-8-sig")
    lines = list(csv.reader(StringIO(text)))
    assert lines[-1] == last
    assert first in (None, lines[0])
    assert "VPN drops" not in text


def test_without_any_session_of_mine_it_says_when_there_will_be_figures(me, made, colleague):
    made(3, user=colleague)
    empty = read(me.get(URL)).one("section", id="panel-summary").one("div", class_="empty")
    assert empty.text == "No sessions yet Your figures appear here with your first session."


def test_an_empty_period_leads_to_the_90_days_that_end_with_my_newest_session(me, made, engineer, colleague):
    SessionFactory(user=engineer, started_at=datetime(2025, 6, 30, 23, 30, tzinfo=UTC))  # 1 July in London
    made(1, user=colleague, days_ago=100)
    empty = read(me.get(f"{URL}?period=7d")).one("section", id="panel-summary").one("div", class_="empty")
    assert "The newest one started on 1 July 2025." in empty.text
    link = empty.one("a")
    assert link.href == f"{URL}?from=2025-04-03&to=2025-07-01"
    assert cards(read(me.get(link.href)))["My sessions"].startswith("1 ")


def test_a_client_without_a_session_of_mine_can_be_cleared(me, made, colleague):
    client = ClientFactory()
    made()
    made(1, user=colleague, client=client)
    page = read(me.get(f"{URL}?period=7d&client_id={client.id}"))
    empty = page.one("section", id="panel-summary").one("div", class_="empty")
    assert empty.one("h2").text == "No sessions with this client"
    assert empty.one("a").href == f"{URL}?period=7d"


def test_a_bad_filter_says_so_over_the_default_period(me, made):
    made(2)
    for query, message in [
        ("period=5d", "Unknown period. Use 7d, 30d or 90d."),
        ("client_id=%00", "Client: This is not the id of a client."),
    ]:
        page = read(me.get(f"{URL}?{query}"))
        assert page.one("div", role="alert").text == message
        assert cards(page)["My sessions"].startswith("2 ")
        assert all(me.get(f"{URL}panels/{panel}/?{query}").status_code == 200 for panel in PANELS)


def test_team_and_my_are_tabs_that_keep_period_and_client(client, team_admin, engineer):
    acme = ClientFactory()
    query = f"?period=7d&client_id={acme.id}"
    client.force_login(team_admin)
    both = [("Team", f"/analytics/{query}"), ("My", f"{URL}{query}")]
    page = read(client.get(f"/analytics/{query}&engineer_id={engineer.id}"))
    assert tabs(page) == [(*both[0], "page"), (*both[1], None)]
    assert tabs(read(client.get(URL + query))) == [(*both[0], None), (*both[1], "page")]
    swapped = read(client.get(URL + query, headers={"HX-Request": "true"}))
    assert tabs(swapped) == [(*both[0], None), (*both[1], "page")]


def test_a_tab_that_would_be_the_only_one_is_not_shown(client, engineer, super_admin, account):
    client.force_login(engineer)
    assert tabs(read(client.get(URL))) == []
    client.force_login(super_admin)
    login = client.session
    login["chosen_account"] = str(account.id)
    login.save()
    assert tabs(read(client.get("/analytics/"))) == []


def test_the_entry_of_the_navigation_leads_where_one_may_go(client, engineer, team_admin):
    def entry(user):
        client.force_login(user)
        side = read(client.get("/sessions/")).one("nav", class_="side")
        return next(link.href for link in side.all("a") if link.text == "Analytics")

    assert (entry(engineer), entry(team_admin)) == (URL, "/analytics/")


def test_an_engineer_who_asks_for_the_team_is_shown_the_way_to_the_own_figures(me):
    response = me.get("/analytics/")
    assert response.status_code == 403
    page = read(response)
    assert "You don't have access to team analytics." in page.text
    assert [link.href for link in page.all("a", class_="button")] == [URL]


def test_a_super_admin_has_no_figures_of_their_own(client, super_admin, account):
    client.force_login(super_admin)
    for chosen in (None, account):
        if chosen:
            login = client.session
            login["chosen_account"] = str(chosen.id)
            login.save()
        for address in (URL, *(f"{URL}panels/{panel}/" for panel in PANELS)):
            response = client.get(address)
            assert response.status_code == 403
            page = read(response)
            assert "A super admin works no sessions" in page.text
            assert [link.href for link in page.all("a", class_="button")] == ["/analytics/"]


def test_of_another_account_nothing_exists(me, made, account, other_account, stranger):
    with account_scope(other_account):
        theirs = ClientFactory(name="Theirs")
        for _ in range(6):
            SessionFactory(user=UserFactory(account=other_account), client=theirs, started_at=NOW)
    made()
    page = read(me.get(URL))
    assert cards(page)["My sessions"].endswith("shown from 5 people on")
    assert "Theirs" not in page.text
    for id_ in (theirs.id, UUID(int=7)):
        for address in (URL, *(f"{URL}panels/{panel}/" for panel in PANELS)):
            assert me.get(f"{address}?client_id={id_}").status_code == 404
    me.force_login(stranger)
    page = read(me.get(URL))
    assert page.one("section", id="panel-summary").one("h2").text == "No sessions yet"


def test_who_is_not_signed_in_comes_back_after_it(client, account):
    response = client.get(f"{URL}?period=7d")
    assert response["Location"] == "/accounts/login/?next=%2Fanalytics%2Fme%2F%3Fperiod%3D7d"


def test_htmx_gets_the_frame_at_once_and_each_panel_by_itself(me, made):
    made(2, flow=FlowFactory())
    full = read(me.get(f"{URL}?period=7d"))
    frame = read(me.get(f"{URL}?period=7d", headers={"HX-Request": "true"}))
    assert full.all("html")
    assert not frame.all("html")
    for name in PANELS:
        address = frame.one("section", id=f"panel-{name}").attributes["hx-get"]
        assert address == f"{URL}panels/{name}/?period=7d"
        loaded = read(me.get(address, headers={"HX-Request": "true"}))
        assert loaded.text == full.one("section", id=f"panel-{name}").text
    assert me.get(f"{URL}panels/engineers/").status_code == 404


def test_names_are_text_whatever_is_in_them(me, made):
    flow, client = FlowFactory(name=HOSTILE), ClientFactory(name=HOSTILE)
    made(1, flow=flow, client=client)
    response = me.get(f"{URL}?client_id={client.id}")
    assert read(response).one("section", id="panel-flows").rows()[0][0].strip() == HOSTILE
    assert b"<script>alert" not in response.content


@pytest.mark.parametrize("query", ["", "?period=90d", "?from=2020-01-01&to=2020-12-31"])
def test_one_row_or_two_hundred_cost_the_same_few_queries(me, made, account, query):
    def costs(address):
        with CaptureQueriesContext(connection) as queries:
            assert me.get(address).status_code == 200
        return len(queries), sum(bool(re.search(r"\bflowpilot_session\b", q["sql"])) for q in queries)

    addresses = [f"{URL}{query}", *(f"{URL}panels/{panel}/{query}" for panel in PANELS)]
    with CaptureQueriesContext(connection) as signing_in:
        me.get(f"{URL}panels/bogus/")
    made(1, flow=FlowFactory())
    with_one = [costs(address) for address in addresses]
    for _ in range(199):
        made(1, flow=FlowFactory(), client=ClientFactory())
        made(1, user=UserFactory(account=account))
    assert [costs(address) for address in addresses] == with_one
    (page, _), *panels = with_one
    assert page <= 12
    assert all(total - len(signing_in) <= 2 for total, _ in panels), with_one
    assert all(sessions >= 1 for _, sessions in panels)
