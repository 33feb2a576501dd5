"""Many callers of the API at the same moment, each with a connection of its own."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.test import Client

from flowpilot.models import Flow, FlowDraft, Session
from flowpilot.tests.factories import FlowFactory, FlowVersionFactory, SessionFactory
from flowpilot.tests.test_driving import STRUCTURE
from resolutionflow.models import ApiToken
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory, TeamAdminFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account():
    account = AccountFactory(name="Northgate IT", slug="northgate")
    with account_scope(account):
        yield account


@pytest.fixture
def engineer(account):
    return UserFactory(account=account)


@pytest.fixture
def session(engineer):
    flow = FlowFactory()
    version = FlowVersionFactory(flow=flow, structure=STRUCTURE)
    return SessionFactory(
        user=engineer, flow=flow, flow_version=version, status="active", confidence_tier="guided"
    )


def at_once(user, calls):
    """(status, answer) of each (method, path, body), all sent together."""
    headers = {"Authorization": f"Bearer {ApiToken.issue(user, 'tests')[1]}"}
    start = Barrier(len(calls), timeout=30)

    def call(method, path, body):
        try:
            start.wait()
            response = Client().generic(
                method, f"/api/v1{path}", json.dumps(body), "application/json", headers=headers
            )
            return response.status_code, response.json()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda said: call(*said), calls))


def test_no_decision_is_lost_or_doubled(engineer, session):
    ids = [f"tab-{number % 10}" for number in range(20)]  # ten, each of them sent twice
    body = {"node_id": None, "title": "Looked", "answer": ""}
    path = f"/sessions/{session.id}/decisions"
    answers = at_once(engineer, [("POST", path, body | {"id": id_}) for id_ in ids])
    assert [status for status, _ in answers] == [200] * 20
    session.refresh_from_db()
    assert sorted(decision["id"] for decision in session.decisions) == sorted(set(ids))
    assert session.step_count == 10


def test_one_of_many_ends_it(engineer, session):
    outcomes = ["resolved", "workaround", "escalated", "unresolved"]
    path = f"/sessions/{session.id}/complete"
    answers = at_once(engineer, [("POST", path, {"outcome": outcome}) for outcome in outcomes])
    won = [(status, answer) for status, answer in answers if status != 409]
    assert [status for status, _ in won] == [200]
    session.refresh_from_db()
    assert session.outcome == won[0][1]["outcome"]


def test_what_is_told_while_it_ends_is_kept_or_refused(engineer, session):
    path = f"/sessions/{session.id}"
    decisions = [
        ("POST", f"{path}/decisions", {"id": str(n), "node_id": None, "title": "x", "answer": ""})
        for n in range(6)
    ]
    answers = at_once(engineer, [*decisions, ("POST", f"{path}/complete", {"outcome": "unresolved"})])
    assert answers[-1][0] == 200
    kept = sorted(str(n) for n, (status, _) in enumerate(answers[:-1]) if status == 200)
    session.refresh_from_db()
    assert sorted(decision["id"] for decision in session.decisions) == kept
    assert (session.status, session.step_count) == ("unresolved", len(kept))


def test_every_start_counts_as_a_use(engineer, session):
    flow = session.flow
    flow.current_version = session.flow_version
    flow.save()
    body = {"problem_summary": "Nothing prints", "flow_id": str(flow.id)}
    assert [status for status, _ in at_once(engineer, [("POST", "/sessions", body)] * 8)] == [201] * 8
    assert Flow.objects.get().usage_count == 8
    assert Session.objects.count() == 9


def test_one_author_of_many_saves(account):
    author = TeamAdminFactory(account=account)
    body = {"name": "Printer", "description": "", "domain": None, "kind": "troubleshooting"}
    made = at_once(author, [("POST", "/flows", body)] * 4)
    assert sorted(status for status, _ in made) == [201, 422, 422, 422]
    flow = next(answer for status, answer in made if status == 201)
    leaf = {"id": "a", "type": "outcome", "outcome": "resolved"}
    bodies = [body | {"revision": 1, "structure": leaf | {"title": f"By {n}"}} for n in range(6)]
    saved = at_once(author, [("PUT", f"/flows/{flow['id']}", body) for body in bodies])
    assert sorted(status for status, _ in saved) == [200, 409, 409, 409, 409, 409]
    draft = FlowDraft.objects.get()
    assert [draft.structure] == [answer["structure"] for status, answer in saved if status == 200]
    assert draft.revision == 2
