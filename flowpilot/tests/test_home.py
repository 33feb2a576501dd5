"""The first page, for each role and for an account that is just beginning."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.tests.factories import ClientFactory, DomainFactory, FlowFactory, SessionFactory
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import UserFactory
from resolutionflow.tests.pages import listed, read

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)  # noon in London
HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית =HYPERLINK("x") {{ 7 }}"""


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def mine(client, engineer):
    client.force_login(engineer)
    return client


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


def card(page, title):
    [found] = [
        card
        for card in page.all("section", class_="card")
        if card.all("h2") and card.all("h2")[0].text == title
    ]
    return found


def rows(card):
    return [row.all("a", class_="link")[0].text for row in card.one("ul", class_="rows").all("li")]


def ago(**units):
    return NOW - timedelta(**units)


def test_strangers_sign_in_first(client, account, stranger, engineer):
    assert client.get("/")["Location"] == "/accounts/login/?next=%2F"
    SessionFactory(
        user=engineer,
        status="active",
        started_at=NOW,
        problem_summary="Ours",
        flow=FlowFactory(name="Our flow"),
    )
    client.force_login(stranger)
    page = client.get("/").content.decode()
    assert "Ours" not in page
    assert "Our flow" not in page


def test_the_problem_goes_to_the_intake(mine):
    form = read(mine.get("/")).one("section", class_="home-problem").one("form")
    assert (form.attributes["method"], form.attributes["action"]) == ("get", "/sessions/new/")
    assert form.one("input").attributes["name"] == "problem"
    intake = read(mine.get("/sessions/new/", {"problem": f"Outlook\0 {HOSTILE}"}))
    assert intake.one("input", name="problem_summary").attributes["value"] == f"Outlook {HOSTILE}"
    assert mine.get("/sessions/new/", {"problem": "x" * 900}).status_code == 200


def test_my_open_sessions_and_no_others(mine, engineer, colleague):
    def session(problem, status, at, **facts):
        SessionFactory(
            user=facts.pop("user", engineer), problem_summary=problem, status=status, started_at=at, **facts
        )

    session("Working", "active", ago(hours=3), client=ClientFactory(name="Acme"), psa_ticket_id="T-1")
    session("Waiting", "requesting_escalation", ago(hours=9))
    session("Left lying", "abandoned", ago(days=13))
    session("Long forgotten", "abandoned", ago(days=15))
    session("Done", "resolved", ago(hours=1))
    session("A colleague's", "active", ago(hours=1), user=colleague)
    page = read(mine.get("/"))
    mine_card, left = card(page, "My open sessions"), card(page, "To take up again")
    assert (rows(mine_card), rows(left)) == (["Waiting", "Working"], ["Left lying"])
    for words in ("Help wanted", "Active", "Acme · T-1", "31 Mar 2026, 09:00"):
        assert words in mine_card.text
    [figure] = mine_card.all("a", class_="figure")
    assert (figure.text, figure.attributes["title"]) == ("All 2", "2 sessions")
    assert listed(read(mine.get(figure.href))) == (2, ["Working", "Waiting"])
    [figure] = left.all("a", class_="figure")
    assert (figure.text, listed(read(mine.get(figure.href)))[0]) == ("All 2", 2)
    response = mine.post(left.one("form").attributes["action"], follow=True)
    assert read(response).one("main", id="runner").one("h1").text == "Left lying"
    assert not [head for head in read(mine.get("/")).all("h2") if head.text == "To take up again"]


def test_a_team_admins_open_sessions_are_the_own_ones_too(lead, team_admin, engineer):
    SessionFactory(user=engineer, status="active", started_at=NOW)
    SessionFactory(user=team_admin, status="active", started_at=NOW, problem_summary="Own")
    mine_card = card(read(lead.get("/")), "My open sessions")
    assert rows(mine_card) == ["Own"]
    assert listed(read(lead.get(mine_card.one("a", class_="figure").href))) == (1, ["Own"])


def test_flows_i_use_by_how_often(mine, engineer, colleague):
    often, once = (
        FlowFactory(name="Often", usage_count=9),
        FlowFactory(name="Once", domain=DomainFactory(name="VPN")),
    )
    gone = FlowFactory(name="Gone", status="archived")
    for flow, user, days in [
        *((often, engineer, days) for days in (1, 2, 89)),
        (often, engineer, 90),
        (once, engineer, 3),
        (once, colleague, 3),
        (gone, engineer, 1),
    ]:
        SessionFactory(flow=flow, user=user, started_at=ago(days=days))
    flows = card(read(mine.get("/")), "Flows I use")
    assert rows(flows) == ["Often", "Once"]
    figures = flows.all("a", class_="figure")
    assert [figure.text for figure in figures] == ["3 sessions", "1 session"]
    assert [listed(read(mine.get(figure.href)))[0] for figure in figures] == [3, 1]


def test_who_used_none_yet_sees_what_the_team_uses(mine):
    FlowFactory(name="Rare", usage_count=1)
    FlowFactory(name="Popular", usage_count=30)
    FlowFactory(name="Draft", status="draft", usage_count=99)
    flows = card(read(mine.get("/")), "Flows")
    assert rows(flows) == ["Popular", "Rare"]
    assert not flows.all("a", class_="figure")  # the sessions are colleagues'


def test_help_wanted_is_said_to_everybody(mine, colleague):
    assert not read(mine.get("/")).all("p", class_="notice")
    SessionFactory(user=colleague, status="requesting_escalation", started_at=ago(days=300))
    notice = read(mine.get("/")).one("p", class_="notice")
    assert notice.text == "1 session asks for help."
    assert listed(read(mine.get(notice.one("a").href)))[0] == 1


def test_the_teams_figures_are_for_who_leads_it(client, lead, engineer):
    FlowFactory()
    page = read(lead.get("/"))
    team = page.one("section", class_="home-team")
    panel = next(part for part in team.all("div") if "hx-get" in part.attributes)
    assert panel.attributes["hx-get"] == "/analytics/panels/summary/"
    assert read(lead.get(panel.attributes["hx-get"])).one("section", id="panel-summary")
    assert team.one("header").one("a").href == "/analytics/"
    client.force_login(engineer)
    assert not read(client.get("/")).all("section", class_="home-team")


def test_a_new_account_is_told_what_to_do_first(client, lead, engineer, account):
    page = read(lead.get("/"))
    steps = [step.all("a")[0].href for step in card(page, "First steps").all("li")]
    assert steps == ["/flows/starter/", "/settings/users/invite/", "/sessions/new/"]
    assert "Nothing open" in card(page, "My open sessions").text
    client.force_login(engineer)
    page = read(client.get("/"))
    assert "No flows yet" in card(page, "Flows").text
    assert not page.all("a", href="/flows/starter/")
    client.force_login(UserFactory(account=account, can_author=True))
    assert card(read(client.get("/")), "Flows").one("a").href == "/flows/starter/"


def test_an_account_with_nothing_but_drafts_is_told_so(mine):
    FlowFactory(status="draft")
    assert "None is published yet" in card(read(mine.get("/")), "Flows").text


def test_a_super_admin_chooses_an_account_and_works_no_sessions(client, super_admin, account):
    client.force_login(super_admin)
    assert client.get("/")["Location"] == "/accounts/choose/?next=%2F"
    FlowFactory(name="VPN")
    client.post("/accounts/choose/", {"account": account.slug})
    page = read(client.get("/"))
    assert page.one("section", class_="home-team")
    assert not page.all("section", class_="home-problem")
    assert rows(card(page, "Flows")) == ["VPN"]
    assert not page.all("a", class_="small")


def test_texts_are_text_whatever_is_in_them(mine, engineer):
    facts = {
        "client": ClientFactory(name=HOSTILE),
        "flow": FlowFactory(name=HOSTILE, domain=DomainFactory(name=HOSTILE)),
    }
    SessionFactory(
        user=engineer, status="active", started_at=NOW, problem_summary=HOSTILE, psa_ticket_id="<b>", **facts
    )
    response = mine.get("/")
    assert b"<script>alert" not in response.content
    assert rows(card(read(response), "Flows I use")) == [HOSTILE]


def test_nothing_of_another_account(mine, engineer, other_account, stranger):
    with account_scope(other_account):
        SessionFactory(user=stranger, status="requesting_escalation", started_at=NOW, flow=FlowFactory())
    page = read(mine.get("/"))
    assert not page.all("p", class_="notice")
    assert "No flows yet" in card(page, "Flows").text


def test_few_or_many_cost_the_same_queries(mine, engineer):
    def add(count):
        for _ in range(count):
            flow = FlowFactory(domain=DomainFactory())
            SessionFactory(user=engineer, status="active", started_at=NOW, client=ClientFactory(), flow=flow)

    add(1)
    with CaptureQueriesContext(connection) as few:
        mine.get("/")
    add(30)
    with CaptureQueriesContext(connection) as many:
        mine.get("/")
    assert len(few) == len(many)
