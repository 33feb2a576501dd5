"""Team analytics as its readers see it; that the figures are right is tested in test_team_metrics.py."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.tests.factories import ClientFactory, FlowFactory, SessionFactory
from ratings.tests.factories import SessionRatingFactory
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import UserFactory
from resolutionflow.tests.pages import cards, embedded_json, read

URL = "/analytics/"
PANELS = ("summary", "outcomes", "flows", "engineers")
NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)  # noon in London
HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית {{ 7 }}"""


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


def tones(page):
    return {
        delta.text: tone
        for delta in page.all("span", class_="delta")
        for tone in delta.classes
        if tone != "delta"
    }


def table(page, panel):
    return [[cell.strip() for cell in row] for row in page.one("section", id=f"panel-{panel}").rows()]


def test_the_cards_and_their_change_against_the_period_before(lead, made, colleague):
    made(6, minutes=20)
    made(2, minutes=21, user=colleague)
    made(2, status="abandoned")
    made(4, days_ago=31, minutes=30)
    made(4, days_ago=40, status="active")
    shown = cards(read(lead.get(URL)))
    assert shown["Total sessions"] == "10 ▲up 25 % to the 30 days before, to this hour"
    assert shown["Completion rate"].startswith("80.0 % ▲up 30.0 points, better")
    assert "95 % interval 49.0 – 94.3 %, 8 of 10" in shown["Completion rate"]
    assert shown["Median duration"] == "20.0 min ▼down 10.0 min to the 30 days before, to this hour"
    assert shown["Active engineers"] == "2 ▲up 100 % to the 30 days before, to this hour"


def test_a_change_is_judged_only_where_both_sides_have_five(lead, made):
    made(5, minutes=20)
    made(5, days_ago=31, minutes=30)
    assert tones(read(lead.get(URL)))["▼down 10.0 min, better"] == "good"
    made(1, status="active", days_ago=31)
    made(4, days_ago=80)
    made(5, days_ago=100)
    page = read(lead.get(f"{URL}?from=2025-12-29&to=2026-01-28"))  # 4 there and 5 before
    assert set(tones(page).values()) == {"none"}


def test_four_sessions_are_too_few_and_five_have_an_interval(lead, made):
    flow = FlowFactory(name="Reset a password")
    made(3, flow=flow)
    made(1, flow=flow, status="active")
    page = read(lead.get(URL))
    assert cards(page)["Completion rate"] == "3 of 4 too few sessions to judge"
    assert table(page, "flows") == [
        ["Reset a password", "4", "3 of 4too few sessions", "10.0 min", "–no rating"]
    ]
    assert table(page, "engineers") == [["Amira Haddad", "4", "3 of 4too few sessions", "10.0 min"]]
    assert not page.all("svg", class_="interval")

    made(1, flow=flow)
    page = read(lead.get(URL))
    assert cards(page)["Completion rate"].startswith("80.0 % ")
    assert "80.0 % 95 % interval 37.6 – 96.4 %, 4 of 5" in table(page, "flows")[0][2]
    assert len(page.all("svg", class_="interval")) == 3


def test_of_abandoned_sessions_only_there_is_no_median(lead, made):
    made(5, status="abandoned", flow=FlowFactory(name="Reset a password"))
    page = read(lead.get(URL))
    assert cards(page)["Completion rate"].startswith("0.0 %")
    assert cards(page)["Median duration"].startswith("–")
    assert table(page, "flows")[0][3:] == ["–", "–no rating"]
    assert table(page, "engineers")[0][3] == "–"


def test_csat_says_how_many_rated_and_whose_opinion_it_is(lead, made):
    for stars, session in zip([4, 4, 4, 5], made(8, flow=FlowFactory()), strict=False):
        SessionRatingFactory(session=session, rating=stars)
    cell = read(lead.get(URL)).one("span", class_="csat")
    assert cell.text == "4.3n = 4 · 50.0 % of the completed sessions rated"
    assert (
        cell.attributes["title"]
        == "Engineers' own rating of these sessions: 4 ratings, 50.0 % of the completed sessions"
    )


def test_sessions_per_day_in_words_as_a_chart_and_as_a_table(lead, made):
    made(3)
    made(1, status="escalated")
    made(1, days_ago=0, status="active")
    page = read(lead.get(f"{URL}?period=7d"))
    chart = page.one("figure", id="chart-outcomes")
    words = (
        "5 sessions in the 7 days from 25 Mar 2026 to 31 Mar 2026; most on 30 Mar 2026 (4); "
        "3 resolved, 1 escalated, 1 without an outcome."
    )
    assert chart.one("figcaption").one("p").text == words
    assert chart.one("div", class_="chart-plot").attributes["aria-label"] == words
    assert chart.one("table").rows()[-3:] == [
        ["29 Mar 2026", "0", "0", "0", "0", "0"],
        ["30 Mar 2026", "4", "3", "0", "1", "0"],
        ["31 Mar 2026", "1", "0", "0", "0", "0"],
    ]
    traces = {trace["name"]: trace["y"] for trace in embedded_json(page, "figure-outcomes-json")["data"]}
    assert traces["All sessions"] == [0, 0, 0, 0, 0, 4, 1]


def test_without_any_session_it_says_how_to_get_some(lead):
    empty = read(lead.get(URL)).one("section", id="panel-summary").one("div", class_="empty")
    assert empty.one("h2").text == "No sessions yet"
    assert "import_sessions" in empty.text
    assert not empty.all("a")


def test_an_empty_period_leads_to_the_90_days_that_end_with_the_newest_session(
    lead, made, engineer, colleague
):
    SessionFactory(user=engineer, started_at=datetime(2025, 6, 30, 23, 30, tzinfo=UTC))  # 1 July in London
    SessionFactory(user=colleague, started_at=datetime(2025, 8, 1, tzinfo=UTC))
    page = read(lead.get(f"{URL}?period=7d&engineer_id={engineer.id}"))
    empty = page.one("section", id="panel-summary").one("div", class_="empty")
    assert empty.one("h2").text == "No sessions in this period"
    assert "The newest one started on 1 July 2025." in empty.text
    link = empty.one("a")
    assert link.href == f"{URL}?from=2025-04-03&to=2025-07-01&engineer_id={engineer.id}"
    assert cards(read(lead.get(link.href)))["Total sessions"].startswith("1 ")
    texts = [
        page.one("section", id=f"panel-{name}").one("div", class_="empty").text
        for name in ("flows", "engineers")
    ]
    assert texts == [
        "No flow was used No session of this period ran a flow.",
        "Nobody worked a session No session started in this period.",
    ]


def test_a_session_that_is_yet_to_start_is_no_newest_one(lead, made):
    made(1, days_ago=200)
    made(1, days_ago=-3)  # the clock of whoever wrote it was wrong
    link = read(lead.get(URL)).one("section", id="panel-summary").one("div", class_="empty").one("a")
    page = read(lead.get(link.href))
    assert not page.all("div", role="alert")
    assert cards(page)["Total sessions"].startswith("1 ")


def test_filters_that_never_had_a_session_can_be_cleared(lead, made, colleague):
    made()
    page = read(lead.get(f"{URL}?period=7d&engineer_id={colleague.id}"))
    empty = page.one("section", id="panel-summary").one("div", class_="empty")
    assert empty.one("h2").text == "No sessions with these filters"
    assert empty.one("a").href == f"{URL}?period=7d"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("period=5d", "Unknown period. Use 7d, 30d or 90d."),
        ("period=all", "Unknown period. Use 7d, 30d or 90d."),
        ("from=2026-03-01", "A custom range needs both from and to."),
        ("from=2025-03-30&to=2026-03-31", "A custom range has at most 366 days."),
        ("from=2026-03-01&to=2026-04-01", "The range may not end after today."),
        ("period=%00", "Null characters are not allowed."),
        ("engineer_id=me", "Engineer: This is not the id of an engineer."),
        ("client_id=%00", "Client: This is not the id of a client."),
    ],
)
def test_a_bad_filter_says_so_over_the_default_period(lead, made, query, message):
    made(2, days_ago=29)
    made(1, days_ago=30)
    response = lead.get(f"{URL}?{query}")
    assert response.status_code == 200
    page = read(response)
    assert page.one("div", role="alert").text == message
    assert cards(page)["Total sessions"].startswith("2 ")
    assert page.one("a", id="period-2").attributes["aria-current"] == "true"
    for panel in PANELS:
        assert lead.get(f"{URL}panels/{panel}/?{query}").status_code == 200


def test_engineers_and_clients_are_filters(lead, made, colleague):
    client = ClientFactory(name="Acme")
    made(2, client=client)
    made(3, user=colleague)
    page = read(lead.get(f"{URL}?engineer_id={colleague.id}"))
    assert cards(page)["Total sessions"].startswith("3 ")
    assert [row[0] for row in table(page, "engineers")] == ["Jonas Weber"]
    assert cards(read(lead.get(f"{URL}?client_id={client.id}")))["Total sessions"].startswith("2 ")


def test_of_another_account_nothing_exists(lead, made, other_account, stranger):
    with account_scope(other_account):
        theirs = ClientFactory(name="Theirs")
        SessionFactory(user=stranger, client=theirs, started_at=NOW - timedelta(days=1))
    made()
    page = read(lead.get(URL))
    assert cards(page)["Total sessions"].startswith("1 ")
    assert "Theirs" not in page.text
    assert stranger.name not in page.text
    queries = [f"engineer_id={id_}" for id_ in (stranger.id, UUID(int=7))]
    queries += [f"client_id={id_}" for id_ in (theirs.id, UUID(int=7))]
    for query in queries:
        for address in (URL, *(f"{URL}panels/{panel}/" for panel in PANELS)):
            assert lead.get(f"{address}?{query}").status_code == 404


def test_an_engineer_is_told_that_this_is_not_for_them(client, engineer):
    client.force_login(engineer)
    for address in (URL, *(f"{URL}panels/{panel}/" for panel in PANELS)):
        response = client.get(address)
        assert response.status_code == 403
        assert "You don't have access to team analytics." in read(response).text


def test_who_is_not_signed_in_comes_back_after_it(client, account):
    response = client.get(f"{URL}?period=7d")
    assert response["Location"] == "/accounts/login/?next=%2Fanalytics%2F%3Fperiod%3D7d"
    panel = client.get(
        f"{URL}panels/flows/", headers={"HX-Request": "true", "HX-Current-URL": "/analytics/?period=7d"}
    )
    assert panel["HX-Redirect"] == "/accounts/login/?next=%2Fanalytics%2F%3Fperiod%3D7d"


def test_htmx_gets_the_frame_at_once_and_each_panel_by_itself(lead, made):
    made(2, flow=FlowFactory())
    full, swap = lead.get(f"{URL}?period=7d"), lead.get(f"{URL}?period=7d", headers={"HX-Request": "true"})
    assert read(full).all("html")
    page = read(swap)
    assert not page.all("html")
    for response in (full, swap):
        assert {"HX-Request", "HX-History-Restore-Request"} <= set(response["Vary"].split(", "))
    panels = [page.one("section", id=f"panel-{name}") for name in PANELS]
    for place, name in zip(panels, PANELS, strict=True):
        assert place.attributes["hx-get"] == f"{URL}panels/{name}/?period=7d"
        loaded = read(lead.get(place.attributes["hx-get"], headers={"HX-Request": "true"}))
        assert [child.attributes["id"] for child in loaded.children if not isinstance(child, str)] == [
            f"panel-{name}"
        ]
        assert loaded.text == read(full).one("section", id=f"panel-{name}").text
    restored = lead.get(URL, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert read(restored).all("html")


def test_a_panel_that_does_not_exist_is_not_found(lead):
    assert lead.get(f"{URL}panels/bogus/").status_code == 404


def test_names_are_text_whatever_is_in_them(lead, made, engineer):
    engineer.name = HOSTILE
    engineer.save()
    flow, client = FlowFactory(name=HOSTILE), ClientFactory(name=HOSTILE)
    made(1, flow=flow, client=client)
    response = lead.get(f"{URL}?engineer_id={engineer.id}&client_id={client.id}")
    page = read(response)
    assert table(page, "flows")[0][0] == HOSTILE
    assert table(page, "engineers")[0][0] == HOSTILE
    options = {option.attributes.get("value"): option.text for option in page.all("option")}
    assert options[str(engineer.id)] == options[str(client.id)] == HOSTILE
    assert b"<script>alert" not in response.content
    # the names come along to the lists, as text too
    link = page.one("section", id="panel-flows").all("a", class_="figure")[0].href
    chips = [chip.one("span").text for chip in read(lead.get(link)).all("li", class_="chip")]
    assert chips == [f"{label}: {HOSTILE}" for label in ("Engineer", "Flow", "Client")]


def test_ties_are_in_code_point_order(lead, account):
    names = ["b", "a", "C", "Ä", "z", "日本", "😀"]
    for name in names:
        SessionFactory(
            user=UserFactory(account=account, name=name), flow=FlowFactory(name=f"{name}!"), started_at=NOW
        )
    page = read(lead.get(URL))
    in_order = ["C", "a", "b", "z", "Ä", "日本", "😀"]
    assert [row[0] for row in table(page, "engineers")] == in_order
    assert [row[0] for row in table(page, "flows")] == [f"{name}!" for name in in_order]


def test_hidden_names_are_numbers_wherever_people_are_named(lead, account, team_admin, made, colleague):
    last = UserFactory(account=account, name="Ada Lovelace")
    made(1), made(1, user=colleague), made(1, user=last)
    account.names_hidden = True
    account.save()
    page = read(lead.get(f"{URL}?engineer_id={last.id}"))
    # in the order in which they came: the team admin's account first, whoever is asked for
    numbers = {
        user.id: f"Engineer {n}" for n, user in enumerate(account.users.order_by("created_at", "id"), 1)
    }
    options = {option.attributes["value"]: option.text for option in page.all("option")}
    assert {str(id_): name for id_, name in numbers.items()}.items() <= options.items()
    assert [row[0] for row in table(page, "engineers")] == [numbers[last.id]]
    everybody = [row[0] for row in table(read(lead.get(URL)), "engineers")]
    assert everybody == sorted(everybody)
    assert len(everybody) == 3
    link = page.one("section", id="panel-engineers").all("a", class_="figure")[0].href
    chips = [chip.one("span").text for chip in read(lead.get(link)).all("li", class_="chip")]
    assert chips == [f"Engineer: {numbers[last.id]}"]
    for shown in (page, read(lead.get(URL))):
        assert not {"Ada Lovelace", colleague.name} & {
            cell for row in table(shown, "engineers") for cell in row
        }
        assert "Ada Lovelace" not in shown.one("main").text


def tenant_queries(client, address):
    """How many queries the answer takes in all, and how many of these ask for sessions."""
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address)
    assert response.status_code == 200
    sessions = [query["sql"] for query in queries if re.search(r"\bflowpilot_session\b", query["sql"])]
    return len(queries), len(sessions)


@pytest.mark.parametrize("query", ["", "?period=90d", "?from=2020-01-01&to=2020-12-31"])
def test_one_row_or_two_hundred_cost_the_same_few_queries(lead, account, query):
    def add(count):
        for _ in range(count):
            user = UserFactory(account=account)
            SessionFactory(
                user=user, flow=FlowFactory(), client=ClientFactory(), started_at=NOW - timedelta(days=1)
            )

    addresses = [f"{URL}{query}", *(f"{URL}panels/{panel}/{query}" for panel in PANELS)]
    with CaptureQueriesContext(connection) as signing_in:
        lead.get(f"{URL}panels/bogus/")
    add(1)
    with_one = [tenant_queries(lead, address) for address in addresses]
    add(199)
    assert [tenant_queries(lead, address) for address in addresses] == with_one
    page, *panels = with_one
    assert page[0] <= 14
    assert all(total - len(signing_in) <= 2 for total, _ in panels), with_one
    assert all(sessions >= 1 for _, sessions in panels)


def test_without_any_session_it_costs_no_more(lead, account):
    with CaptureQueriesContext(connection) as signing_in:
        lead.get(f"{URL}panels/bogus/")
    assert tenant_queries(lead, URL)[0] <= 14
    for panel in PANELS:
        assert tenant_queries(lead, f"{URL}panels/{panel}/")[0] - len(signing_in) <= 2
