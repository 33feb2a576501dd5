"""Many requests at the same moment, on connections of their own: nothing is doubled, nothing is lost, one wins."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from uuid6 import uuid7

from flowpilot.models import Flow, Session
from flowpilot.sessions import driving, starting
from flowpilot.sessions.states import Outcome
from flowpilot.tests.factories import FlowFactory, FlowVersionFactory
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory, UserFactory

CLIENTS = 8
STRUCTURE = {
    "id": "root",
    "type": "question",
    "title": "Does it start?",
    "options": [{"label": "Yes", "next": "again"}, {"label": "No", "next": "again"}],
    "children": [
        {"id": "again", "type": "action", "title": "Look again", "next": "done"},
        {"id": "done", "type": "outcome", "outcome": "resolved", "title": "Solved"},
    ],
}


@pytest.fixture
def account(transactional_db):
    account = AccountFactory(name="Northgate IT", slug="northgate")
    with account_scope(account):
        yield account


@pytest.fixture
def flow(account):
    flow = FlowFactory()
    flow.current_version = FlowVersionFactory(flow=flow, structure=STRUCTURE)
    flow.save()
    return flow


@pytest.fixture
def session(flow, engineer):
    return starting.start(engineer, problem_summary="Nothing starts", flow=flow, now=timezone.now())


def post_at_once(requests):
    """Sends (user, address, fields) all together; the answers in their order."""
    start = Barrier(len(requests))
    browsers = []
    for user, _, _ in requests:
        browser = Client()
        browser.force_login(user)
        browsers.append(browser)

    def send(browser, address, fields):
        try:
            start.wait(timeout=60)
            return browser.post(address, fields, headers={"HX-Request": "true"})
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(requests)) as pool:
        jobs = [
            pool.submit(send, browser, address, fields)
            for browser, (_, address, fields) in zip(browsers, requests, strict=True)
        ]
        return [job.result() for job in jobs]


def statuses(answers):
    return Counter(answer.status_code for answer in answers)


def test_a_double_click_decides_once(session, engineer):
    fields = {"decision_id": "same", "node_id": "root", "answer": "Yes"}
    answers = post_at_once([(engineer, f"/sessions/{session.id}/decide/", fields)] * CLIENTS)
    assert statuses(answers) == {200: CLIENTS}
    session.refresh_from_db()
    assert [d["id"] for d in session.decisions] == ["same"]


def test_of_different_tabs_one_goes_on_and_the_others_are_told(session, engineer):
    answers = post_at_once(
        [
            (
                engineer,
                f"/sessions/{session.id}/decide/",
                {"decision_id": f"tab{n}", "node_id": "root", "answer": "No"},
            )
            for n in range(CLIENTS)
        ]
    )
    assert statuses(answers) == {200: 1, 409: CLIENTS - 1}
    assert all("went on elsewhere" in a.content.decode() for a in answers if a.status_code == 409)
    session.refresh_from_db()
    assert session.step_count == 1


def test_steps_and_notes_at_once_are_all_kept(session, engineer):
    driving.decide(session.id, decision_id="first", node_id="root", answer="Yes", now=timezone.now())
    beside = [
        (engineer, f"/sessions/{session.id}/beside/", {"decision_id": f"b{n}", "title": f"Try {n}"})
        for n in range(CLIENTS - 1)
    ]
    note = (engineer, f"/sessions/{session.id}/note/", {"decision_id": "first", "note": "Blue light"})
    assert statuses(post_at_once([*beside, note])) == {200: CLIENTS}
    session.refresh_from_db()
    assert session.step_count == CLIENTS
    assert session.decisions[0]["note"] == "Blue light"


def test_one_takes_over(session, engineer):
    driving.ask_for_help(session.id, reason="No idea", now=timezone.now())
    helpers = [UserFactory(account=session.account) for _ in range(CLIENTS)]
    post_at_once([(helper, f"/sessions/{session.id}/take-over/", {}) for helper in helpers])
    session.refresh_from_db()
    assert session.status == "escalated"
    assert session.next_sessions.count() == 1
    assert Flow.objects.get().usage_count == 2


def test_an_answer_and_a_take_over_exclude_each_other(session, engineer):
    driving.ask_for_help(session.id, reason="No idea", now=timezone.now())
    helpers = [UserFactory(account=session.account) for _ in range(CLIENTS)]
    post_at_once(
        [
            (helper, f"/sessions/{session.id}/{'take-over' if n % 2 else 'answer'}/", {"answer": "Try this"})
            for n, helper in enumerate(helpers)
        ]
    )
    session.refresh_from_db()
    answered = sum(1 for d in session.decisions if d.get("by"))
    assert (session.status, answered, session.next_sessions.count()) in [
        ("active", 1, 0),
        ("escalated", 0, 1),
    ]


def test_one_end_counts(session, engineer):
    outcomes = [Outcome.RESOLVED, Outcome.UNRESOLVED] * (CLIENTS // 2)
    answers = post_at_once(
        [
            (
                engineer,
                f"/sessions/{session.id}/finish/",
                {"outcome": outcome, "resolution_summary": f"By {n}"},
            )
            for n, outcome in enumerate(outcomes)
        ]
    )
    assert {answer["HX-Redirect"] for answer in answers} == {f"/sessions/{session.id}/"}
    session.refresh_from_db()
    winner = int(session.resolution_summary.removeprefix("By "))
    assert session.outcome == outcomes[winner]
    finished = [answer for answer in answers if "just_finished" in answer.client.session]
    assert [answers.index(answer) for answer in finished] == [winner]


def test_the_start_form_sent_twice_starts_one_session(flow, engineer):
    fields = {"session_id": str(uuid7()), "problem_summary": "Odd noise", "flow": str(flow.id)}
    answers = post_at_once([(engineer, "/sessions/new/", fields)] * CLIENTS)
    assert {answer["Location"] for answer in answers} == {f"/sessions/{fields['session_id']}/"}
    assert Session.objects.count() == 1
    assert Flow.objects.get().usage_count == 1


def test_reopening_twice_makes_one(session, engineer):
    driving.complete(session.id, outcome=Outcome.UNRESOLVED, now=timezone.now())
    answers = post_at_once([(engineer, f"/sessions/{session.id}/reopen/", {})] * CLIENTS)
    assert len({answer["Location"] for answer in answers}) == 1
    assert session.next_sessions.count() == 1
