"""The library: search, filters, order, figures, and who may follow them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test.utils import CaptureQueriesContext

from flowpilot.flows.models import FlowDraft, FlowVersion
from flowpilot.flows.search import Piece, marked, matching_step
from flowpilot.tests.factories import (
    DomainFactory,
    FlowDraftFactory,
    FlowFactory,
    FlowVersionFactory,
    SessionFactory,
)
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import UserFactory
from resolutionflow.tests.pages import listed, read

URL = "/flows/"
NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)  # noon in London
HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית =HYPERLINK("x") {{ 7 }}"""


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


def published(name, *, structure=None, **facts):
    flow = FlowFactory(name=name, **facts)
    flow.current_version = FlowVersionFactory(flow=flow, structure=structure or step("Done"))
    flow.save()
    return flow


def step(title, **more):
    return {"id": "root", "type": "action", "title": title, **more}


def names(page):
    """What the list shows, in its order."""
    card = page.one("section", id="flows")
    return (
        [row.one("th").all("a")[0].text for row in card.one("tbody").all("tr")] if card.all("tbody") else []
    )


def test_a_stranger_sees_nothing_of_it(client, account, stranger):
    published("Ours")
    response = client.get(f"{URL}?q=ours")
    assert (response.status_code, response["Location"]) == (
        302,
        "/accounts/login/?next=%2Fflows%2F%3Fq%3Dours",
    )
    client.force_login(stranger)
    assert "Ours" not in client.get(URL).content.decode()
    assert "Ours" not in client.get(f"{URL}?q=ours").content.decode()


def test_everybody_finds_all_but_the_archived(client, lead, engineer):
    for name in ("VPN", "Älter", "Printer"):
        published(name)
    FlowFactory(name="Half done", status="draft")
    FlowFactory(name="Gone", status="archived")
    assert names(read(lead.get(URL))) == ["Älter", "Half done", "Printer", "VPN"]
    client.force_login(engineer)
    assert names(read(client.get(URL))) == ["Älter", "Half done", "Printer", "VPN"]
    assert names(read(client.get(f"{URL}?status=archived"))) == ["Gone"]
    assert len(names(read(client.get(f"{URL}?status=all")))) == 5


def test_a_row_says_what_it_is_and_how_good(lead):
    flow = published(
        "VPN does not connect",
        description="From home",
        domain=DomainFactory(name="Network"),
        origin="ai_generated",
        usage_count=1234,
        quality_score=0.8436,
        last_matched_at=datetime(2026, 3, 29, 0, 59, tzinfo=UTC),
        quality_calculated_at=datetime(2026, 3, 31, 1, 40, tzinfo=UTC),
    )
    page = read(lead.get(URL))
    [row] = page.one("section", id="flows").rows()
    assert row[1:5] == ["Network", "1,234", "84.4 %", "29 Mar 2026"]
    for words in (flow.name, "From home", "AI generated"):
        assert words in row[0]
    note = page.one("p", class_="table-note").text
    assert "Quality: 90 days, as of 31 Mar 2026, 02:40." in note


def test_without_figures_there_is_a_dash(lead):
    published("New")
    page = read(lead.get(URL))
    assert page.one("section", id="flows").rows()[0][1:5] == ["–", "0", "–", "–"]
    assert "not reckoned yet" in page.one("p", class_="table-note").text


def test_usage_leads_who_leads_the_team_to_exactly_these_sessions(client, lead, engineer):
    flow = published("VPN", usage_count=2)
    old = NOW - timedelta(days=800)
    for problem in ("One", "Two"):
        SessionFactory(flow=flow, problem_summary=problem, started_at=old, user=engineer)
    SessionFactory(started_at=old)
    [figure] = read(lead.get(URL)).one("section", id="flows").all("a", class_="figure")
    assert figure.text == "2"
    assert listed(read(lead.get(figure.href)))[0] == 2
    client.force_login(engineer)
    page = read(client.get(URL)).one("section", id="flows")
    assert page.rows()[0][2] == "2"
    assert not page.all("a", class_="figure")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("vpn", ["VPN does not connect"]),
        ("CONNECT vpn", ["VPN does not connect"]),
        ("muller", ["Für Müller"]),
        ("MÜLLER", ["Für Müller"]),
        ("ﬁrewall", ["VPN does not connect"]),  # a ligature
        ("firewall", ["VPN does not connect"]),
        ("drucker", ["Für Müller"]),
        ("vpn drucker", []),
        ("100%", ["VPN does not connect"]),
        ("1%0", []),
        ("C:\\Temp", ["Für Müller"]),
        ('say "hi"', ["Für Müller"]),
        ("Invoke-Fix", ["Für Müller"]),
        ("server name", ["Für Müller"]),
        ("restart", ["Für Müller"]),
        ("nrestart", []),  # what stands after a new line has no n before it
        ("question", []),  # the word of a type is no text
        ("привет", ["Für Müller"]),
    ],
)
def test_what_the_search_finds(lead, query, found):
    published("VPN does not connect", structure=step("Check the ﬁrewall", help="At 100% it drops"))
    published(
        "Für Müller",
        description="Der Drucker",
        structure={
            "id": "root",
            "type": "question",
            "title": "Is it on?",
            "help": 'Look in C:\\Temp and say "hi"\nRestart it. ПРИВЕТ',
            "options": [{"label": "Yes", "next": "fix"}, {"label": "No", "next": "fix"}],
            "children": [
                {
                    "id": "fix",
                    "type": "action",
                    "title": "Mend",
                    "script": {
                        "shell": "powershell",
                        "text": "Invoke-Fix {server}",
                        "blanks": [{"name": "server", "label": "Server name", "secret": False}],
                    },
                }
            ],
        },
    )
    FlowFactory(name="Gone vpn", status="archived")
    page = read(lead.get(URL, {"q": query}))
    assert names(page) == found
    if not found:
        assert page.one("div", class_="empty").one("h2").text == "Nothing found"


def test_names_come_first_then_descriptions_then_steps(lead):
    published("A", structure=step("Restart the Outlook"))
    published("B", description="For outlook")
    published("Z Outlook")
    assert names(read(lead.get(f"{URL}?q=outlook"))) == ["Z Outlook", "B", "A"]


def test_the_step_that_matched_is_named_with_the_words_marked(lead):
    published("Found", structure=step("Read the log", help="Open **Netlogon** and look for the caller"))
    page = read(lead.get(f"{URL}?q=NETLOGON"))
    [line] = page.all("small", class_="flow-step")
    assert line.text == "Step: Read the log – Open **Netlogon** and look for the caller"
    assert [mark.text for mark in line.all("mark")] == ["Netlogon"]
    page = read(lead.get(f"{URL}?q=log+read"))
    assert [mark.text for mark in page.one("small", class_="flow-step").all("mark")] == ["Read", "log"]


def test_the_draft_is_searched_where_nothing_is_published_yet(lead):
    draft = FlowFactory(name="Draft", status="draft")
    FlowDraftFactory(flow=draft, structure=step("Turn the crank"))
    revised = published("Published", structure=step("Old words"))
    FlowDraftFactory(flow=revised, structure=step("Turn the crank"))
    assert names(read(lead.get(f"{URL}?q=crank"))) == ["Draft"]
    assert names(read(lead.get(f"{URL}?q=old"))) == ["Published"]


@pytest.mark.parametrize(
    "structure", [[], {}, "text", {"children": 5}, {"title": 5, "children": [1, None, []]}]
)
def test_a_faulty_draft_breaks_nothing(lead, structure):
    draft = FlowFactory(name="Draft", description="crank", status="draft")
    FlowDraftFactory(flow=draft, structure=structure)
    assert names(read(lead.get(f"{URL}?q=crank"))) == ["Draft"]
    assert matching_step(structure, ["crank"]) == ("", "")


def test_filters(lead):
    network = DomainFactory(name="Network")
    published("In network", domain=network)
    published("Nowhere", origin="ai_enhanced")
    assert names(read(lead.get(f"{URL}?domain_id={network.id}"))) == ["In network"]
    assert names(read(lead.get(f"{URL}?domain_id=none"))) == ["Nowhere"]
    assert names(read(lead.get(f"{URL}?origin=ai_enhanced"))) == ["Nowhere"]
    assert names(read(lead.get(f"{URL}?status=draft"))) == []


@pytest.mark.parametrize(
    ("sort", "found"),
    [("", "abc"), ("usage", "bca"), ("quality", "cab"), ("used", "acb")],
)
def test_order(lead, sort, found):
    published("a", usage_count=1, quality_score=0.5, last_matched_at=NOW)
    published("b", usage_count=9)
    published("c", usage_count=3, quality_score=0.7, last_matched_at=NOW - timedelta(days=1))
    assert names(read(lead.get(f"{URL}?sort={sort}"))) == list(found)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("domain_id=x", "Domain: This is none of the choices."),
        ("domain_id=00000000-0000-7000-8000-000000000000", "Domain: This is none of the choices."),
        ("status=x", "Status: This is none of the choices."),
        ("origin=%27", "Origin: This is none of the choices."),
        ("sort=x", "Order: This is none of the choices."),
        ("q=%00", "Search: Null characters are not allowed."),
        (f"q={'x' * 300}", "Search: Ensure this value has at most 200 characters (it has 300)."),
    ],
)
def test_a_bad_filter_says_so_and_filters_nothing(lead, query, said):
    published("VPN")
    page = read(lead.get(f"{URL}?{query}"))
    assert page.one("div", role="alert").text == said
    assert names(page) == ["VPN"]


@pytest.mark.parametrize("query", ["q=%ed%a0%80", "q=%ff", "q=%25_%5C", "page=1", "q=" + "a+" * 90])
def test_odd_queries_are_answered(lead, query):
    published("VPN")
    assert lead.get(f"{URL}?{query}").status_code == 200
    assert lead.get(f"{URL}?page=99").status_code == 404


def test_texts_are_text_whatever_is_in_them(lead):
    published(
        HOSTILE,
        description=HOSTILE,
        domain=DomainFactory(name=HOSTILE),
        structure=step(HOSTILE, help=HOSTILE),
    )
    published("Other", structure=step(HOSTILE))
    for query in ("", "<script>", "עברית"):
        response = lead.get(URL, {"q": query})
        assert b"<script>alert" not in response.content
        assert HOSTILE in names(read(response))


def test_fifty_a_page_and_the_links_keep_the_search(lead):
    for number in range(120):
        published(f"Flow {number:03}")
    seen, address = [], f"{URL}?q=flow&sort=usage"
    while address:
        page = read(lead.get(address))
        seen.append(names(page))
        address = next((link.href for link in page.all("a", rel="next")), "")
    assert [len(rows) for rows in seen] == [50, 50, 20]
    assert seen[2][-1] == "Flow 119"
    assert page.one("nav", class_="pagination").one("p").text == "101 – 120 of 120 flows"


def test_one_flow_or_fifty_cost_the_same_queries(lead):
    published("Flow", domain=DomainFactory(), structure=step("Words"))
    for query in ("", "?q=words"):
        with CaptureQueriesContext(connection) as one:
            lead.get(f"{URL}{query}")
        for number in range(10):
            published(f"{query} {number}", domain=DomainFactory(), structure=step("Words"))
        with CaptureQueriesContext(connection) as many:
            lead.get(f"{URL}{query}")
        assert len(one) == len(many)
        assert len([query for query in many if '"step_texts"' in query["sql"]]) <= 2  # the count and the rows


def test_htmx_gets_the_rows_alone(lead):
    published("VPN")
    panel = read(lead.get(URL, headers={"HX-Request": "true"}))
    assert panel.one("section", id="flows").attributes["data-announce"] == "1 flow"
    assert not panel.all("html")


def test_an_empty_library_says_what_to_do_first(client, lead, engineer):
    empty = read(lead.get(URL)).one("div", class_="empty")
    assert (empty.one("a").text, empty.one("a").href) == ("Start from the starter library", "/flows/starter/")
    client.force_login(engineer)
    page = read(client.get(URL))
    assert page.one("div", class_="empty").one("h2").text == "No flows yet"
    assert "/flows/starter/" not in [link.href for link in page.all("a")]
    assert not page.all("a", href="/flows/new/")


def test_authors_find_the_ways_to_new_flows(client, account):
    published("VPN")
    client.force_login(UserFactory(account=account, can_author=True))
    actions = [link.href for link in read(client.get(URL)).one("div", class_="pagehead-actions").all("a")]
    assert {"/flows/new/", "/flows/starter/"} <= set(actions)


def test_the_flows_of_another_account_are_not_found(lead, other_account):
    with account_scope(other_account):
        published("Theirs", structure=step("Secret words"))
    assert "Theirs" not in lead.get(f"{URL}?q=secret").content.decode()


@pytest.mark.parametrize(
    ("text", "words", "pieces"),
    [
        ("Müller", ["mull"], [Piece("Müll", True), Piece("er", False)]),
        ("aaa", ["a"], [Piece("aaa", True)]),
        ("nothing", ["x"], [Piece("nothing", False)]),
        ("ﬁn", ["i"], [Piece("ﬁ", True), Piece("n", False)]),
        ("", ["x"], []),
        ("abc", [], [Piece("abc", False)]),
        ("İstanbul", ["istan"], [Piece("İstan", True), Piece("bul", False)]),
    ],
)
def test_marking(text, words, pieces):
    assert marked(text, words) == pieces


@pytest.mark.parametrize("model", [FlowDraft, FlowVersion])
def test_the_migrations_make_the_column_of_words_that_the_model_has(model):
    made = MigrationLoader(None).project_state().models["flowpilot", model._meta.model_name]
    assert made.fields["step_texts"].expression == model._meta.get_field("step_texts").expression
