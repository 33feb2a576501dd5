"""What the start of a session is offered while the problem is typed, and what the session keeps of it."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from uuid6 import uuid7

from flowpilot.models import Session
from flowpilot.tests.factories import DomainFactory, FlowFactory, FlowVersionFactory, SessionFactory
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.pages import read

URL, SUGGEST = "/sessions/new/", "/sessions/new/suggestions/"
PROBLEM = "VPN drops every hour"


@pytest.fixture(autouse=True)
def _today(clock):
    clock(datetime(2026, 3, 10, 9, 0, tzinfo=UTC))


@pytest.fixture
def browser(client, engineer):
    client.force_login(engineer)
    return client


def published(name, **facts):
    flow = FlowFactory(name=name, **facts)
    flow.current_version = FlowVersionFactory(flow=flow)
    flow.save()
    return flow


@pytest.fixture
def vpn(account):
    published("Printer offline", domain=DomainFactory(name="Printing"))
    published("Outlook asks for a password", domain=DomainFactory(name="Mail"))
    return published("VPN drops", domain=DomainFactory(name="Network"))


def offer(browser, problem=PROBLEM, **more):
    return read(browser.post(SUGGEST, {"problem_summary": problem} | more))


def chosen(page):
    return [
        label.one("b").text
        for label in page.all("label", class_="flow-choice")
        if "checked" in label.one("input").attributes
    ]


def thresholds(account, guided, exploring):
    account.guided_threshold, account.exploring_threshold = guided, exploring
    account.save()


def begun(browser, flow, suggested, problem=PROBLEM, **more):
    data = {"session_id": uuid7(), "problem_summary": problem, "offered": "1"}
    data |= {"flow": flow.id if flow else "", "suggested": suggested.id if suggested else ""} | more
    assert browser.post(URL, data).status_code == 302
    return Session.objects.order_by("-id").first()


def test_the_best_flow_is_chosen_with_its_score_and_words(browser, vpn):
    page = offer(browser)
    best = page.all("label", class_="flow-choice")[0]
    assert (best.one("b").text, chosen(page)) == ("VPN drops", ["VPN drops"])
    assert [word.text for word in best.all("mark")] == ["VPN", "drops"]
    assert best.one("span", class_="flow-score").text.endswith("match")
    assert page.one("input", name="suggested").attributes["value"] == str(vpn.id)
    domain = [option.text for option in page.all("option") if "selected" in option.attributes]
    assert domain == ["Network"]


@pytest.mark.parametrize(
    ("guided", "exploring", "word", "picked"),
    [
        (0, 0, "Guided", "VPN drops"),
        (1, 0, "Exploring", "VPN drops"),
        (1, 1, "Discovery", "Without a flow"),
    ],
)
def test_the_tier_is_said_by_the_accounts_thresholds(browser, account, vpn, guided, exploring, word, picked):
    thresholds(account, guided, exploring)
    page = offer(browser)
    assert page.one("p", class_="start-tier").text.startswith(word)
    assert chosen(page) == [picked]


def test_what_was_picked_by_hand_stays_while_one_types(browser, vpn):
    other = published("Coffee machine")
    page = offer(browser, flow=other.id, suggested="")
    assert chosen(page) == ["Coffee machine"]
    assert chosen(offer(browser, flow=vpn.id, suggested=vpn.id, problem="Printer is offline")) == [
        "Printer offline"
    ]
    assert chosen(offer(browser, flow="", suggested=vpn.id)) == ["Without a flow"]


def test_the_session_keeps_tier_score_and_domain(browser, account, vpn):
    thresholds(account, 1, 0)
    session = begun(browser, vpn, vpn)
    assert (session.confidence_tier, session.domain, session.flow) == ("exploring", vpn.domain, vpn)
    assert 0.25 < session.confidence < 1
    thresholds(account, 0.2, 0)
    assert begun(browser, vpn, vpn).confidence_tier == "guided"


def test_a_flow_picked_by_hand_guides_and_keeps_its_score_if_it_has_one(browser, account, vpn):
    thresholds(account, 1, 0)
    by_hand = begun(browser, vpn, None)
    assert (by_hand.confidence_tier, by_hand.confidence is not None) == ("guided", True)
    unlike = begun(browser, vpn, None, problem="Zebra")
    assert (unlike.confidence_tier, unlike.confidence) == ("guided", None)


def test_without_a_flow_it_is_a_discovery_in_the_domain_that_was_chosen(browser, vpn):
    domain = DomainFactory(name="Other")
    session = begun(browser, None, vpn, domain=domain.id)
    assert (session.confidence_tier, session.confidence, session.domain) == ("discovery", None, domain)


def test_who_starts_before_anything_was_offered_is_asked_first(browser, vpn):
    data = {"session_id": uuid7(), "problem_summary": PROBLEM}
    page = read(browser.post(URL, data))
    assert chosen(page) == ["VPN drops"]
    assert "A flow fits this problem" in page.one("div", role="alert").text
    assert not Session.objects.exists()
    browser.post(URL, data | {"offered": "1", "flow": vpn.id, "suggested": vpn.id})
    assert Session.objects.get().flow == vpn


def solved(user, **facts):
    facts = {"problem_summary": "VPN breaks off at home", "resolution_summary": "Changed the MTU"} | facts
    return SessionFactory(user=user, psa_ticket_id="48213", **facts)


def test_similar_sessions_say_what_solved_them_without_a_name(browser, engineer, colleague, vpn):
    theirs, own = solved(colleague), solved(engineer, problem_summary="VPN breaks off")
    solved(colleague, status="escalated", problem_summary="VPN breaks off in the train")
    page = offer(browser, "VPN breaks off")
    entries = page.one("section", id="similar-sessions").all("li")
    assert [entry.all("p")[0].text for entry in entries] == ["VPN breaks off", "VPN breaks off at home"]
    assert "Changed the MTU" in entries[1].text
    assert "Ticket 48213" in entries[1].text
    assert colleague.name not in page.text
    links = [link.attributes["href"] for link in page.one("section", id="similar-sessions").all("a")]
    assert links == [f"/sessions/{own.id}/"]
    assert browser.get(f"/sessions/{theirs.id}/").status_code == 403


def test_a_team_admin_may_open_them(client, team_admin, colleague):
    theirs = solved(colleague)
    client.force_login(team_admin)
    section = offer(client, "VPN breaks off").one("section", id="similar-sessions")
    assert [link.attributes["href"] for link in section.all("a")] == [f"/sessions/{theirs.id}/"]


def test_another_account_with_the_same_texts_says_nothing(browser, stranger):
    with account_scope(stranger.account):
        published("VPN drops", domain=DomainFactory(name="Theirs"))
        solved(stranger, problem_summary=PROBLEM)
    page = offer(browser)
    assert chosen(page) == ["Without a flow"]
    assert not page.one("section", id="similar-sessions").all("li")
    assert "Theirs" not in page.text


@pytest.mark.parametrize(
    "problem",
    [
        "vpn\0drops",
        "word " * 20_000,
        "x" * 100_000,
        "!!! ??? ---",
        "vpn & | ! ( ) <-> :* ' \\ \"",
        "😀 עברית \u202e vpn",
        "<script>alert('x')</script>",
        "%s %(account)s {{ 7 }}",
        "",
    ],
)
def test_any_input_is_answered(browser, vpn, problem):
    response = browser.post(
        SUGGEST, {"problem_summary": problem, "flow": "\0", "domain": "x", "find": "%' or"}
    )
    assert response.status_code == 200
    assert b"<script>alert" not in response.content


def test_ten_of_all_cost_as_many_queries_as_one(browser, engineer, vpn):
    counts = []
    for more in (1, 10):
        for n in range(more):
            published(f"VPN drops {more} {n}", domain=DomainFactory())
            solved(engineer)
        with CaptureQueriesContext(connection) as queries:
            offer(browser)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8
