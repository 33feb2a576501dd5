from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from uuid6 import uuid7

from flowpilot.models import Flow, Session
from flowpilot.tests.factories import (
    ClientFactory,
    DomainFactory,
    FlowFactory,
    FlowVersionFactory,
    SessionFactory,
)
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.pages import read

URL, SUGGEST = "/sessions/new/", "/sessions/new/suggestions/"
NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def browser(client, engineer):
    client.force_login(engineer)
    return client


def published(name, **facts):
    flow = FlowFactory(name=name, **facts)
    flow.current_version = FlowVersionFactory(flow=flow)
    flow.save()
    return flow


def offered(page):
    return [label.one("b").text for label in page.all("label", class_="flow-choice")]


def chosen(page):
    return [
        label.one("b").text
        for label in page.all("label", class_="flow-choice")
        if "checked" in label.one("input").attributes
    ]


def form_of(page, **more):
    return {"session_id": page.one("input", name="session_id").attributes["value"]} | more


def test_the_problem_alone_is_enough(browser, engineer):
    page = read(browser.get(URL))
    assert chosen(page) == ["Without a flow"]
    assert page.one("form", class_="start").all("button")[0].text == "Start"  # what Enter presses
    response = browser.post(URL, form_of(page, problem_summary="Odd noise"))
    session = Session.objects.get()
    assert response["Location"] == f"/sessions/{session.id}/"
    assert (session.user, session.problem_summary, session.confidence_tier) == (
        engineer,
        "Odd noise",
        "discovery",
    )
    assert (session.status, session.started_at, session.psa_ticket_id) == ("active", NOW, None)


def test_with_everything(browser):
    flow, client = published("VPN drops", domain=DomainFactory(name="Network")), ClientFactory(name="Acme")
    data = {"problem_summary": "VPN drops", "problem_description": "Every hour", "psa_ticket_id": "48213"}
    data |= {"client": client.id, "flow": flow.id}
    browser.post(URL, form_of(read(browser.get(URL)), **data))
    session = Session.objects.get()
    assert (session.flow_version, session.client, session.domain) == (
        flow.current_version,
        client,
        flow.domain,
    )
    assert (session.psa_ticket_id, session.problem_description) == ("48213", "Every hour")
    flow.refresh_from_db()
    assert (session.confidence_tier, flow.usage_count) == ("guided", 1)


def test_the_same_form_twice_starts_one(browser):
    data = form_of(read(browser.get(URL)), problem_summary="Odd noise")
    first, second = browser.post(URL, data), browser.post(URL, data)
    assert first["Location"] == second["Location"]
    assert Session.objects.count() == 1


def test_the_id_of_a_colleagues_session_opens_nothing(browser, colleague, stranger):
    theirs = SessionFactory(user=colleague)
    with account_scope(stranger.account):
        foreign = SessionFactory(user=stranger)
    for other in (theirs, foreign):
        response = browser.post(URL, {"session_id": other.id, "problem_summary": "Odd noise"})
        assert response.status_code == 302
        assert browser.get(response["Location"]).status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        {"problem_summary": "  "},
        {"problem_summary": "\u200b\u2060"},
        {"problem_summary": "x" * 501},
        {"problem_summary": "x\0"},
        {"problem_summary": "x", "client": "nobody"},
        {"problem_summary": "x", "client": "\0"},
        {"problem_summary": "x", "flow": "nothing"},
        {"problem_summary": "x", "flow": "00000000-0000-7000-8000-000000000000"},
        {"problem_summary": "x", "psa_ticket_id": "1" * 101},
        {"problem_summary": "x", "session_id": "7"},
        {"problem_summary": "x", "session_id": "9b2c1d9e-7f53-4d0b-8a35-3a0b5d1a2f10"},
        {"problem_summary": "x", "problem_description": "x" * 10_001},
    ],
)
def test_bad_input_comes_back_with_words(browser, data):
    response = browser.post(URL, {"session_id": uuid7()} | data)
    assert response.status_code == 422
    assert read(response).one("div", role="alert").text
    assert not Session.objects.exists()


def test_a_flow_is_preselected(browser):
    flow = published("VPN drops")
    assert chosen(read(browser.get(f"{URL}?flow={flow.id}"))) == ["VPN drops"]


def test_only_a_published_one_of_the_account(browser, stranger):
    draft = FlowFactory(name="Not yet", status=Flow.Status.DRAFT)
    page = read(browser.get(f"{URL}?flow={draft.id}"))
    assert chosen(page) == ["Without a flow"]
    assert "“Not yet” is not published" in page.one("div", id="toasts").text
    with account_scope(stranger.account):
        foreign = published("Theirs")
    for given in (foreign.id, uuid7(), "x", "\0"):
        assert browser.get(f"{URL}?flow={quote(str(given))}").status_code == 404
    assert "Theirs" not in browser.get(URL).content.decode()
    data = {"session_id": uuid7(), "problem_summary": "x", "flow": foreign.id}
    assert browser.post(URL, data).status_code == 422


def test_flows_are_found_as_one_types(browser):
    vpn = published("VPN drops", domain=DomainFactory(name="Network"), usage_count=3)
    published("Outlook hangs", description="When the network is slow", usage_count=9)
    published("Archived", status=Flow.Status.ARCHIVED)
    press = published("Press", description="La creme", usage_count=1)
    leaf = {"id": "root", "type": "outcome", "outcome": "resolved", "title": "Oil it twice"}
    press.current_version = FlowVersionFactory(flow=press, number=2, structure=leaf)
    press.save()

    def found(find, **more):
        return read(browser.post(SUGGEST, {"find": find} | more))

    assert offered(found("")) == ["Outlook hangs", "VPN drops", "Press", "Without a flow"]
    assert offered(found("NETWORK")) == ["Outlook hangs", "VPN drops", "Without a flow"]
    assert offered(found("net drops")) == ["VPN drops", "Without a flow"]
    page = found("outlook", flow=vpn.id)
    assert (offered(page), chosen(page)) == (["VPN drops", "Outlook hangs", "Without a flow"], ["VPN drops"])
    assert offered(found("crème oil it")) == ["Press", "Without a flow"]
    assert "No published flow has these words" in found("zebra\0").text


def test_without_a_script_a_button_filters_and_nothing_is_lost(browser):
    published("VPN drops")
    published("Outlook hangs")
    data = {
        "session_id": uuid7(),
        "problem_summary": "Slow",
        "psa_ticket_id": "7",
        "find": "vpn",
        "suggest": "1",
    }
    page = read(browser.post(URL, data))
    assert offered(page) == ["VPN drops", "Without a flow"]
    assert page.one("input", name="problem_summary").attributes["value"] == "Slow"
    assert page.one("input", name="session_id").attributes["value"] == str(data["session_id"])
    assert not Session.objects.exists()


def test_names_are_text(browser):
    hostile = """<script>alert("x")</script> 😀 עברית {{ 7 }} =HYPERLINK("x")"""
    published(hostile, domain=DomainFactory(name=hostile))
    ClientFactory(name=hostile)
    response = browser.get(URL)
    assert offered(read(response))[0] == hostile
    assert b"<script>alert" not in response.content


def test_a_super_admin_works_no_sessions(client, super_admin, account):
    client.force_login(super_admin)
    client.post("/accounts/choose/", {"account": account.slug})
    assert client.get(URL).status_code == 403
    for address in (URL, SUGGEST):
        assert client.post(address, {"session_id": uuid7(), "problem_summary": "x"}).status_code == 403


def test_one_flow_costs_as_many_queries_as_two_hundred(browser):
    counts = []
    for more in (1, 199):
        for n in range(more):
            published(f"Flow {more} {n}", domain=DomainFactory())
        with CaptureQueriesContext(connection) as queries:
            browser.get(URL)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8
