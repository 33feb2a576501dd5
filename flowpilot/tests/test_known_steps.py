"""Which steps a session without a guide is offered, in which order, and whose words never show."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.models import Session
from flowpilot.sessions import driving, starting
from flowpilot.sessions.known_steps import MOST_OF_DOMAIN, SHOWN, known_steps
from flowpilot.tests.factories import (
    STARTED_AT,
    DomainFactory,
    FlowDraftFactory,
    FlowFactory,
    FlowVersionFactory,
    SessionFactory,
)
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import UserFactory


@pytest.fixture
def printing(account):
    return DomainFactory(name="Printing")


@pytest.fixture
def third(account):
    return UserFactory(account=account, name="Third")


@pytest.fixture
def session(engineer, printing):
    return starting.start(
        engineer,
        problem_summary="Copier at the annexe prints everything in pink",
        domain=printing,
        now=STARTED_AT,
    )


def own(title, answer="", **more):
    return {"id": title, "node_id": None, "title": title, "answer": answer, "note": "Ask Mrs Fenwick"} | more


def resolved(user, problem, *steps, **more):
    fields = {"confidence_tier": "discovery", "problem_summary": problem} | more
    decisions = [own(*step) if isinstance(step, tuple) else step for step in steps]
    return SessionFactory(user=user, decisions=decisions, **fields)


def titles(session, done=(), typed=""):
    return [step.title for step in known_steps(session, typed, language="english").offered(done, typed)]


@pytest.mark.parametrize("problem", ["is down", "still the same", "??", "😀"])
def test_a_problem_without_a_telling_word_is_no_fault(engineer, problem):
    FlowVersionFactory()
    session = starting.start(engineer, problem_summary=problem, now=STARTED_AT)
    assert isinstance(titles(session), list)


def test_what_helped_with_the_like_problem_comes_first(session, printing, colleague, third):
    for user in (colleague, third):
        for _ in range(3):
            resolved(user, "Tray two jams", ("Cleaned the rollers", "works"), domain=printing)
        resolved(user, "Prints come out pink", ("Replaced the cyan toner", "works"), domain=printing)
    assert titles(session) == ["Replaced the cyan toner", "Cleaned the rollers"]


def test_steps_about_another_problem_are_told_apart(session, printing, colleague, third):
    others = ("Cleaned rollers", "Turned the stack", "Swapped paper", "Called the maker", "Emptied the bin")
    for user in (colleague, third):
        resolved(user, "Tray two jams", *((title,) for title in others), domain=printing)
        resolved(user, "Prints come out pink", ("Replaced the cyan toner",), domain=printing)
    offered = known_steps(session, language="english").offered([])
    assert (offered[0].title, offered[0].about) == ("Replaced the cyan toner", True)
    assert [step.about for step in offered[1:]] == [False] * MOST_OF_DOMAIN


def test_of_other_flows_nothing_is_offered_and_of_fitting_ones_no_later_question(session, printing):
    later = {
        "id": "later",
        "type": "question",
        "title": "Better now?",
        "options": [{"label": "Yes", "next": "done"}, {"label": "No", "next": "done"}],
    }
    first, *others = QUESTION["children"]
    published(
        "Prints are pink",
        QUESTION | {"children": [first | {"next": "later"}, later, *others]},
        domain=printing,
    )
    published("Tray two jams", QUESTION | {"title": "Which tray jams?"}, domain=printing)
    assert titles(session) == ["Is the test page pink too?", "Replace the toner"]
    assert titles(session, typed="better") == titles(session, typed="jams") == []


def test_words_are_compared_in_the_language_of_the_account(session, printing, colleague, third):
    for user in (colleague, third):
        resolved(user, "Pink", ("Drucker neu gestartet",), domain=printing)
    offered = {
        language: len(known_steps(session, language=language).offered(["Druckern neu gestartet"]))
        for language in ("german", "english")
    }
    assert offered == {"german": 0, "english": 1}


def test_what_is_typed_narrows_by_the_beginnings_of_words(session, printing, colleague, third):
    for user in (colleague, third):
        resolved(user, "Pink", ("Replaced the cyan toner",), ("Ran the colour calibration",), domain=printing)
    assert titles(session, typed="cali") == ["Ran the colour calibration"]
    assert titles(session, typed="the TON") == ["Replaced the cyan toner"]
    assert titles(session, typed="alibration") == []
    assert titles(session, typed="%_\\'\"") == []


def test_what_was_done_is_not_offered_again_in_whatever_words(session, printing, colleague, third):
    for user in (colleague, third):
        resolved(user, "Pink", ("Replaced the cyan toner",), ("Ran the calibration",), domain=printing)
    assert titles(session, done=["replacing Cyan toners"]) == ["Ran the calibration"]


def test_words_of_one_colleague_alone_are_not_shown(session, printing, colleague, third, engineer):
    resolved(colleague, "Pink", ("Rang Fenwick about the invoice", "paid"), domain=printing)
    resolved(colleague, "Pink again", ("Rang Fenwick about the invoice", "paid"), domain=printing)
    assert titles(session) == []
    resolved(engineer, "Pink", ("Asked my brother",), domain=printing)
    assert titles(session) == ["Asked my brother"]
    resolved(third, "Pink", ("Rang Fenwick about the invoice", "not paid"), domain=printing)
    (step, _) = known_steps(session, language="english").offered(["Asked"])
    assert (step.title, step.results) == ("Rang Fenwick about the invoice", ())


def test_the_part_that_two_say_is_shown_without_what_one_adds(session, printing, colleague, third):
    resolved(colleague, "Pink", ("Restarted the spooler", "works"), domain=printing)
    resolved(third, "Pink", ("Restarted the spooler at Fenwick's desk", "works"), domain=printing)
    assert titles(session) == ["Restarted the spooler"]


def test_results_are_those_that_two_gave_or_the_engineer(session, printing, colleague, third, engineer):
    for user, answer in ((colleague, "works"), (third, "works"), (third, "Said Fenwick knows")):
        resolved(user, "Pink", ("Replaced the toner", answer), domain=printing)
    resolved(engineer, "Pink", ("Replaced the toner", "No change"), domain=printing)
    known = known_steps(session, language="english")
    assert [step.results for step in known.offered([])] == [("works", "No change")]
    assert known.results_of("Replaced toner") == ("works", "No change")
    assert known.results_of("Something else") == ()


def test_only_what_stood_in_resolved_unguided_sessions_of_the_domain_counts(
    session, printing, colleague, third, other_account
):
    def everywhere(step, **more):
        for user in (colleague, third):
            resolved(user, "Pink copier", step, **({"domain": printing} | more))

    everywhere(("Elsewhere",), domain=DomainFactory())
    everywhere(("Without a domain",), domain=None)
    everywhere(("Given up",), status="unresolved")
    everywhere(("Guided",), confidence_tier="guided")
    everywhere(own("Taken back", undone_at="2026-03-10T09:00:00Z"))
    everywhere(own("Of a colleague", taken_over=True))
    everywhere(own("Of the flow") | {"node_id": "root"})
    everywhere(own("Does it print?", "Went on without the flow", left_flow="guided"))
    with account_scope(other_account):
        stranger = UserFactory(account=other_account)
        resolved(stranger, "Pink copier", ("Of strangers",))
    assert titles(session) == []


QUESTION = {
    "id": "root",
    "type": "question",
    "title": "Is the test page pink too?",
    "options": [{"label": "Yes", "next": "toner"}, {"label": "No", "next": "done"}],
    "children": [
        {"id": "toner", "type": "action", "title": "Replace the toner", "next": "done"},
        {"id": "done", "type": "outcome", "outcome": "resolved", "title": "Solved"},
    ],
}


def published(name, structure=QUESTION, **more):
    flow = FlowFactory(name=name, **more)
    flow.current_version = FlowVersionFactory(flow=flow, structure=structure)
    flow.save()
    return flow


def test_steps_of_published_flows_with_their_answers(session, printing, colleague):
    published("Prints are pink", domain=printing)
    published("Of another domain", QUESTION | {"title": "Elsewhere?"}, domain=DomainFactory())
    archived = published("Gone", QUESTION | {"title": "Archived?"}, domain=printing)
    archived.status = "archived"
    archived.save()
    draft = FlowFactory(domain=printing, status="draft")
    FlowDraftFactory(flow=draft, structure=QUESTION | {"title": "Secret draft?"})

    offered = known_steps(session, language="english").offered([])
    assert [(step.title, step.results) for step in offered] == [
        ("Is the test page pink too?", ("Yes", "No")),
        ("Replace the toner", ()),
    ]
    resolved(colleague, "Pink", ("Replaced the toner", "works"), domain=printing)
    assert titles(session, typed="replace") == ["Replace the toner"]


def test_without_a_domain_like_problems_are_looked_at(engineer, printing, colleague, third):
    session = starting.start(engineer, problem_summary="Pink prints", now=STARTED_AT)
    published("Jammed tray", QUESTION | {"title": "Does the pink light blink?"}, domain=printing)
    published("Pink on old photographs", domain=printing)
    for user in (colleague, third):
        resolved(user, "Everything pink", ("Replaced the magenta toner",), domain=printing)
        resolved(user, "VPN drops", ("Renewed the certificate",), domain=DomainFactory())
    assert titles(session) == ["Replaced the magenta toner", "Is the test page pink too?"]


def test_the_steps_of_the_flow_that_was_left_are_among_them(engineer, printing):
    for n in range(30):
        published(f"Pink copier {n}", QUESTION | {"title": f"Question {n}?"}, domain=printing)
    flow = published("Odd one", QUESTION | {"title": "Last of all?"}, domain=printing)
    session = starting.start(engineer, problem_summary="Pink copier", flow=flow, now=STARTED_AT)
    driving.leave_flow(session.id, decision_id="left", now=STARTED_AT)
    known = known_steps(Session.objects.get(id=session.id), language="english")
    assert "Last of all?" in {title for step in known.steps.values() for title in step.titles}


def test_at_most_nine_in_two_queries_however_odd_the_decisions(session, printing, colleague, third):
    for n in range(20):
        step = own(f"Step number {n}")
        odd = [own(""), own("…"), {"title": None}, {}, own("x" * 5000), own("Kept", 7)]
        for user in (colleague, third):
            resolved(user, "Pink", step, *odd, domain=printing, started_at=STARTED_AT + timedelta(hours=n))
        published(f"Flow {n}", domain=printing)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(titles(session)) == SHOWN
    assert len(queries) == 2
