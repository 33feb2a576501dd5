"""Many at once, on connections of their own: the counts stay those of the ratings, and one rating wins."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from flowpilot.flows import publishing
from flowpilot.models import Step
from flowpilot.tests.factories import FlowDraftFactory, FlowFactory, SessionFactory, StepFactory
from ratings import thumbs
from ratings.models import SessionRating, StepRating
from ratings.requesting import ask_once
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory, UserFactory

CLIENTS = 20


@pytest.fixture
def account(transactional_db):
    account = AccountFactory(name="Northgate IT", slug="northgate")
    with account_scope(account):
        yield account


@pytest.fixture
def at_once(account):
    """Runs the acts together, each in a thread with a connection of its own; what each returned, in their order."""

    def at_once(acts):
        start = Barrier(len(acts))

        def run(act):
            try:
                with account_scope(account):
                    start.wait(timeout=60)
                    return act()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(acts)) as pool:
            return list(pool.map(run, acts))

    return at_once


def counts(step):
    step = Step.objects.get(id=step.id)
    rows = list(StepRating.objects.filter(step=step).values_list("was_helpful", flat=True))
    assert (step.helpful_yes, step.helpful_no) == (rows.count(True), rows.count(False))
    return step.helpful_yes, step.helpful_no


def posting(user, path, data, **more):
    browser = Client()
    browser.force_login(user)
    return lambda: browser.post(path, data, **more).status_code


def test_twenty_clients_on_one_step(at_once, account):
    step = StepFactory()
    acts = []
    for number in range(CLIENTS):
        session = SessionFactory(flow=step.flow)
        path = f"/sessions/{session.id}/steps/{step.id}/thumb/"
        acts.append(posting(session.user, path, {"was_helpful": "false" if number % 4 == 0 else "true"}))
    assert at_once(acts) == [302] * CLIENTS
    assert counts(step) == (15, 5)


def test_twenty_clicks_on_one_thumb_are_one(at_once):
    step = StepFactory()
    session = SessionFactory(flow=step.flow)
    path = f"/api/v1/steps/{step.id}/feedback"
    body = json.dumps({"session_id": str(session.id), "was_helpful": True})
    acts = [posting(session.user, path, body, content_type="application/json") for _ in range(CLIENTS)]
    assert sorted(at_once(acts)) == [200] * (CLIENTS - 1) + [201]
    assert counts(step) == (1, 0)


@pytest.mark.parametrize("steps", [1, 2])
def test_all_acts_against_each_other(at_once, steps):
    """Given, changed, explained and taken back, all over one another, in two sessions: nobody waits for ever."""
    flow = FlowFactory()
    rated = [StepFactory(flow=flow) for _ in range(steps)]
    sessions = [SessionFactory(flow=flow) for _ in range(2)]
    now = timezone.now()

    def course(number):
        def run():
            for turn in range(10):
                step, session = rated[(number + turn) % steps], sessions[(number // 2) % 2]
                match (number + turn) % 4:
                    case 0:
                        thumbs.give(step, session, was_helpful=True, now=now)
                    case 1:
                        thumbs.give(step, session, was_helpful=False, now=now)
                    case 2:
                        thumbs.explain(step, session, reasons=["wrong"], comment="x", now=now)
                    case _:
                        thumbs.take_back(step, session)

        return run

    at_once([course(number) for number in range(8)])
    for step in rated:
        assert sum(counts(step)) <= len(sessions)


def test_a_flow_is_published_while_its_steps_are_rated(at_once, account):
    """Publishing writes every step's title, a thumb its step's counts: neither undoes the other."""
    structure = {
        "id": "a",
        "type": "action",
        "title": "New words",
        "next": "b",
        "children": [{"id": "b", "type": "outcome", "outcome": "resolved", "title": "New end"}],
    }
    draft = FlowDraftFactory(structure=structure)
    steps = [StepFactory(flow=draft.flow, node_id=id, title="Old words") for id in ("a", "b")]
    author, now = UserFactory(account=account), timezone.now()

    def publish():
        publishing.publish(draft.flow_id, revision=draft.revision, user=author, note="", now=now)

    def rate(step, session):
        return lambda: thumbs.give(step, session, was_helpful=True, now=now)

    sessions = [SessionFactory(flow=draft.flow) for _ in range(8)]
    at_once([publish, *(rate(step, session) for session in sessions for step in steps)])
    assert [counts(step) for step in steps] == [(8, 0), (8, 0)]
    assert set(Step.objects.values_list("title", flat=True)) == {"New words", "New end"}


def test_of_twenty_ratings_one_wins(at_once):
    session = SessionFactory()
    path = f"/api/v1/sessions/{session.id}/rate"
    acts = [
        posting(session.user, path, {"rating": 1 + number % 5}, content_type="application/json")
        for number in range(CLIENTS)
    ]
    assert sorted(at_once(acts)) == [201] + [409] * (CLIENTS - 1)
    assert SessionRating.objects.count() == 1


def test_of_two_tabs_one_rates_and_the_other_is_told(at_once):
    session = SessionFactory()
    acts = [posting(session.user, f"/sessions/{session.id}/rating/", {"rating": stars}) for stars in (1, 5)]
    assert sorted(at_once(acts)) == [302, 409]


def test_of_twenty_one_is_asked(at_once):
    session = SessionFactory()
    asked = at_once([lambda: ask_once(session, now=timezone.now())] * CLIENTS)
    assert asked.count(True) == 1
