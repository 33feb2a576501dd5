from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.tests.factories import (
    ClientFactory,
    DomainFactory,
    FlowFactory,
    FlowVersionFactory,
    PsaActivityLogFactory,
    SessionFactory,
)
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.pages import read

HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית {{ 7 }}"""


def url(session):
    return f"/sessions/{session.id}/"


def facts(page):
    pairs = page.one("section", aria_label="Details").one("dl").all("div")
    return {pair.one("dt").text: pair.one("dd").text for pair in pairs}


def decision(title, **more):
    return {
        "id": title,
        "node_id": None,
        "title": title,
        "answer": "",
        "note": "",
        "at": None,
        "undone_at": None,
    } | more


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


def test_the_facts_of_a_session(lead, engineer):
    flow = FlowFactory(name="Put out fires")
    session = SessionFactory(
        user=engineer,
        problem_summary="Printer on fire",
        client=ClientFactory(name="Acme"),
        domain=DomainFactory(name="Printing"),
        flow=flow,
        flow_version=FlowVersionFactory(flow=flow, number=3),
        confidence_tier="guided",
        confidence=0.846,
        psa_ticket_id="T-17",
        started_at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # 01:30, the first time
        completed_at=datetime(2026, 10, 25, 2, 31, tzinfo=UTC),
        status="escalated",
    )
    page = read(lead.get(url(session)))
    assert page.one("h1").text == "Printer on fire"
    assert [status.text for status in page.one("main").all("span", class_="status")] == ["Escalated"]
    shown = facts(page)
    assert shown | {"Tier": "Guided (84.6 % sure)"} == shown
    assert shown["Engineer"] == "Amira Haddad"
    assert shown["Client"] == "Acme"
    assert shown["Domain"] == "Printing"
    assert shown["Flow"] == "Put out fires v3"
    assert shown["Ticket"] == "T-17"
    assert shown["Started"] == "25 Oct 2026, 01:30"
    assert shown["Ended"] == "25 Oct 2026, 02:31"
    assert page.one("section", aria_label="Details").one("span", title="2 h 1 min").text == "121.0 min"


@pytest.mark.parametrize(
    ("outcome", "answer", "left", "shown"),
    [
        ("workaround", "Yes", None, "Resolved"),
        ("resolved", "Yes", None, None),
        ("workaround", "", None, None),  # in the middle nothing is proposed
        ("workaround", "Yes", "guided", None),
    ],
)
def test_what_the_flow_proposed_is_told_where_the_engineer_chose_otherwise(
    lead, engineer, outcome, answer, left, shown
):
    options = [{"label": "Yes", "next": "done"}, {"label": "No", "next": "done"}]
    done = {"id": "done", "type": "outcome", "outcome": "resolved", "title": "Solved"}
    root = {"id": "root", "type": "question", "title": "Well?", "options": options, "children": [done]}
    version = FlowVersionFactory(structure=root)
    decisions = [decision("Well?", node_id="root", answer=answer)]
    if left:
        decisions += [decision("Solved", left_flow=left)]
    session = SessionFactory(
        user=engineer, flow=version.flow, flow_version=version, outcome=outcome, decisions=decisions
    )
    assert facts(read(lead.get(url(session)))).get("The flow proposed") == shown


def test_with_names_hidden_the_engineer_is_numbered(lead, account, engineer, colleague):
    account.names_hidden = True
    account.save()
    for user, status, name in (
        (engineer, "requesting_escalation", "Engineer 3"),
        (colleague, "resolved", "Engineer 3 (you)"),
    ):
        lead.force_login(user)
        page = read(lead.get(url(SessionFactory(user=colleague, status=status))))
        assert facts(page)["Engineer"] == name
        assert page.one("header", class_="pagehead").one("p").text == name


def test_what_is_not_known_is_a_dash(lead, engineer):
    session = SessionFactory(user=engineer, status="active")
    shown = facts(read(lead.get(url(session))))
    for name in ("Client", "Domain", "Flow", "Tier", "Ticket", "Ended"):
        assert shown[name] == "–"


def test_the_timeline_in_the_order_of_the_steps(lead, engineer):
    session = SessionFactory(
        user=engineer,
        decisions=[
            decision("Is it plugged in?", answer="Yes", note="Twice.\nReally.", at="2026-03-29T01:30:00Z"),
            decision(
                "Is it on?", answer="No", at="2026-03-29T01:00:00+00:00", undone_at="2026-03-29T01:40:00Z"
            ),
            decision("Asked before", taken_over=True),
            {},
        ],
    )
    items = read(lead.get(url(session))).one("ol", class_="timeline").all("li")
    assert [item.text for item in items] == [
        "Is it plugged in? Yes Twice.Really. 29 Mar 2026, 02:30",
        "Is it on? No taken back 29 Mar 2026, 02:00",
        "Asked before taken over",
        "",
    ]


def test_without_steps_it_says_so(lead, engineer):
    page = read(lead.get(url(SessionFactory(user=engineer))))
    assert page.one("div", class_="empty").one("h2").text == "No steps recorded"


def test_what_was_written_into_the_ticket_system(lead, engineer):
    session = SessionFactory(user=engineer)
    at = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
    PsaActivityLogFactory(
        session=session, activity_type="time_entry_posted", hours_logged="1.25", created_at=at
    )
    text = read(lead.get(url(session))).one("main").text
    assert "1.25 h" in text
    assert "10 Mar 2026, 09:30" in text


def test_text_is_text_whatever_is_in_it(lead, engineer):
    engineer.name = HOSTILE
    engineer.save()
    session = SessionFactory(
        user=engineer,
        problem_summary=HOSTILE,
        client=ClientFactory(name=HOSTILE),
        domain=DomainFactory(name=HOSTILE),
        flow=FlowFactory(name=HOSTILE),
        psa_ticket_id="<i>T</i>",
        decisions=[decision(HOSTILE, answer=HOSTILE, note=HOSTILE)],
    )
    response = lead.get(url(session))
    page = read(response)
    assert page.one("h1").text == HOSTILE
    assert [facts(page)[name] for name in ("Engineer", "Client", "Domain", "Flow")] == [HOSTILE] * 4
    assert page.one("ol", class_="timeline").one("li").text == " ".join([HOSTILE] * 3)
    assert b"<script>alert" not in response.content


def test_its_engineer_and_who_leads_the_team_may_read_it(client, engineer, team_admin, super_admin, account):
    session = SessionFactory(user=engineer)
    for user in (engineer, team_admin):
        client.force_login(user)
        assert client.get(url(session)).status_code == 200
    client.force_login(super_admin)
    client.post("/accounts/choose/", {"account": account.slug})
    login = client.session
    login["chosen_account"] = str(account.id)
    login.save()
    assert client.get(url(session)).status_code == 200


def test_a_colleague_may_not_unless_it_asks_for_help(client, engineer, colleague):
    client.force_login(colleague)
    for status in ["active", "resolved", "escalated", "unresolved", "abandoned"]:
        response = client.get(url(SessionFactory(user=engineer, status=status, problem_summary="Secret")))
        assert response.status_code == 403
        assert "This is a colleague's session." in read(response).text
        assert "Secret" not in read(response).text
    assert client.get(url(SessionFactory(user=engineer, status="requesting_escalation"))).status_code == 200


def test_to_others_it_does_not_exist(client, engineer, stranger):
    session = SessionFactory(user=engineer)
    client.force_login(stranger)
    assert client.get(url(session)).status_code == 404
    with account_scope(stranger.account):
        theirs = SessionFactory(user=stranger)
    client.force_login(engineer)
    assert client.get(url(theirs)).status_code == 404
    assert client.get(f"/sessions/{UUID(int=7)}/").status_code == 404
    assert client.get("/sessions/7/").status_code == 404


def test_a_long_session_costs_no_more_queries(lead, engineer):
    counts = []
    for steps in (1, 200):
        session = SessionFactory(user=engineer, decisions=[decision(f"Step {n}") for n in range(steps)])
        with CaptureQueriesContext(connection) as queries:
            lead.get(url(session))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


def test_after_the_end_all_of_it_is_on_one_page(client, engineer):
    flow = FlowFactory(name="Put out fires")
    session = SessionFactory(
        user=engineer,
        problem_summary="Printer on fire",
        problem_description="It smells",
        resolution_summary="The fuse\nand the toner",
        flow=flow,
        flow_version=FlowVersionFactory(flow=flow, number=3),
        psa_ticket_id="T-17",
        decisions=[
            decision("Is it hot?", node_id="hot", answer="Yes", note="Very.\nReally."),
            decision("Is it on?", answer="No", undone_at="2026-03-10T09:05:00Z"),
            decision("Answer from a colleague", note="Unplug it", taken_over=True, by=str(engineer.id)),
        ],
    )
    client.force_login(engineer)
    page = read(client.get(url(session)))
    words = page.one("main").text
    for said in (
        "The fuse",
        "It smells",
        "T-17",
        "10.0 min",
        "taken back",
        "Answer from Amira Haddad",
    ):
        assert said in words, said
    assert page.one("a", href=f"/sessions/{session.id}/rating/").text == "Rate this session"
    assert "".join(page.one("textarea", id="ticket-note").strings()) == (
        "Printer on fire\nIt smells\n\n"
        "Resolved after 10.0 min (10 Mar 2026, 09:00 GMT to 10 Mar 2026, 09:10 GMT)\n"
        "Flow: Put out fires, version 3\n\n"
        "What solved it:\nThe fuse\nand the toner\n\n"
        "What was done:\n1. Is it hot? Yes\n   Very.\n   Really.\n2. Answer from a colleague\n   Unplug it"
    )


def test_its_engineer_reopens_it_once(client, engineer, colleague):
    session = SessionFactory(user=engineer, problem_summary="Printer on fire")
    client.force_login(colleague)
    assert client.post(f"{url(session)}reopen/").status_code == 403
    client.force_login(engineer)
    first, second = client.post(f"{url(session)}reopen/"), client.post(f"{url(session)}reopen/")
    assert first["Location"] == second["Location"] != url(session)
    page = read(client.get(url(session)))
    assert [link.href for link in page.one("section", aria_label="Before and after").all("a")] == [
        first["Location"]
    ]


def test_why_it_was_handed_over(lead, engineer):
    session = SessionFactory(user=engineer, status="escalated", escalation_reason="Needs the vendor")
    assert "Why it was handed overNeeds the vendor" in read(lead.get(url(session))).one("main").text
