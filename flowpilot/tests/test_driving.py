"""What a session allows, act by act, and what two of them at once come to."""

from datetime import UTC, datetime, timedelta

import pytest

from flowpilot.models import Flow, Session
from flowpilot.sessions import driving, starting
from flowpilot.sessions.position import has_left
from flowpilot.sessions.states import CHANGES, FINAL, Outcome, Refused, Status, Tier
from flowpilot.tests.factories import DomainFactory, FlowFactory, FlowVersionFactory, SessionFactory

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
STRUCTURE = {
    "id": "root",
    "type": "question",
    "title": "Does it start?",
    "options": [{"label": "Yes", "next": "log"}, {"label": "No", "next": "gone"}],
    "children": [
        {"id": "log", "type": "action", "title": "Read the log", "next": "again"},
        {
            "id": "again",
            "type": "question",
            "title": "Better now?",
            "options": [{"label": "Yes", "next": "done"}, {"label": "No", "next": "root"}],
        },
        {"id": "done", "type": "outcome", "outcome": "resolved", "title": "Solved"},
        {"id": "gone", "type": "outcome", "outcome": "escalated", "title": "Hand over"},
    ],
}


@pytest.fixture
def flow(account):
    flow = FlowFactory(domain=DomainFactory())
    flow.current_version = FlowVersionFactory(flow=flow, structure=STRUCTURE)
    flow.save()
    return flow


@pytest.fixture
def session(flow, engineer):
    return starting.start(engineer, problem_summary="Nothing prints", flow=flow, now=NOW)


def after(minutes):
    return NOW + timedelta(minutes=minutes)


def decide(session, id, node_id, answer="", minutes=1, **more):
    return driving.decide(
        session.id, decision_id=id, node_id=node_id, answer=answer, now=after(minutes), **more
    )


def test_a_session_begins_on_the_flows_version_and_counts_as_a_use(session, flow):
    flow.refresh_from_db()
    assert (session.flow_version, session.domain, session.confidence_tier) == (
        flow.current_version,
        flow.domain,
        Tier.GUIDED,
    )
    assert (flow.usage_count, flow.last_matched_at) == (1, NOW)
    assert driving.standing_at(session) == "root"


def test_without_a_flow_it_is_a_discovery(account, engineer):
    session = starting.start(engineer, problem_summary="Odd noise", now=NOW)
    assert (session.flow, session.confidence_tier, driving.standing_at(session)) == (
        None,
        Tier.DISCOVERY,
        None,
    )


def test_a_draft_cannot_be_run(account, engineer):
    with pytest.raises(Refused, match="not published"):
        starting.start(engineer, problem_summary="x", flow=FlowFactory(status=Flow.Status.DRAFT), now=NOW)


def test_an_older_start_does_not_make_a_flow_look_unused_since(session, flow, engineer):
    starting.start(engineer, problem_summary="x", flow=flow, now=after(-60))
    flow.refresh_from_db()
    assert (flow.usage_count, flow.last_matched_at) == (2, NOW)


def test_the_answers_lead_through_the_flow(session):
    decide(session, "a", "root", "Yes", 1, note="Blue light")
    session = decide(session, "b", "log", "", 2)
    assert driving.standing_at(session) == "again"
    assert session.step_count == 2
    assert session.last_activity_at == after(2)
    assert session.decisions[0] == {
        "id": "a",
        "node_id": "root",
        "title": "Does it start?",
        "answer": "Yes",
        "note": "Blue light",
        "at": "2026-03-10T09:01:00Z",
        "undone_at": None,
        "taken_over": False,
    }


def test_the_same_id_again_changes_nothing(session):
    decide(session, "a", "root", "Yes")
    again = decide(session, "a", "root", "No", 5)
    assert [d["answer"] for d in again.decisions] == ["Yes"]
    assert again.last_activity_at == after(1)


def test_a_click_in_a_tab_that_stayed_behind_is_told(session):
    decide(session, "a", "root", "Yes", expected_node_id="root")
    with pytest.raises(driving.WentOn):
        decide(session, "b", "root", "No", expected_node_id="root")
    session.refresh_from_db()
    assert len(session.decisions) == 1


@pytest.mark.parametrize(
    ("node_id", "answer", "words"),
    [
        ("nowhere", "", "not one of the flow"),
        ("root", "Perhaps", "not one of the step's"),
        ("done", "", "an end"),
        (None, "", "Say what was done"),
    ],
)
def test_what_the_flow_does_not_have_is_refused(session, node_id, answer, words):
    with pytest.raises(Refused, match=words):
        decide(session, "a", node_id, answer)
    session.refresh_from_db()
    assert session.decisions == []


def test_going_back_marks_the_decision(session):
    decide(session, "a", "root", "Yes", 1)
    decide(session, "b", "log", "", 2)
    session = driving.take_back(session.id, decision_id="b", now=after(3))
    assert [d["undone_at"] for d in session.decisions] == [None, "2026-03-10T09:03:00Z"]
    assert (session.step_count, driving.standing_at(session)) == (1, "log")


def test_going_back_twice_by_a_double_click_goes_back_once(session):
    decide(session, "a", "root", "Yes", 1)
    decide(session, "b", "log", "", 2)
    driving.take_back(session.id, decision_id="b", now=after(3))
    session = driving.take_back(session.id, decision_id="b", now=after(3))
    assert session.step_count == 1
    with pytest.raises(driving.WentOn):
        driving.take_back(session.id, decision_id="nobody's", now=after(4))


def test_a_loop_leads_back_and_the_newest_decision_counts(session):
    for id, node, answer in [("a", "root", "Yes"), ("b", "log", ""), ("c", "again", "No")]:
        session = decide(session, id, node, answer)
    assert driving.standing_at(session) == "root"


def test_a_note_is_put_later_too(session):
    decide(session, "a", "root", "Yes")
    session = driving.annotate(session.id, decision_id="a", note="It was the fuse", now=after(2))
    assert session.decisions[0]["note"] == "It was the fuse"
    with pytest.raises(Refused):
        driving.annotate(session.id, decision_id="z", note="x", now=after(2))


def test_what_came_of_an_own_step_is_said_later_but_no_flow_is_answered_so(session):
    decide(session, "a", "root", "Yes")
    decide(session, "b", None, "", title="Changed the cable", note="The blue one")
    session = driving.annotate(session.id, decision_id="b", answer="Works", now=after(2))
    said = [(d["answer"], d["note"]) for d in session.decisions]
    assert said == [("Yes", ""), ("Works", "The blue one")]
    driving.leave_flow(session.id, decision_id="left", now=after(3))
    for id_ in ("a", "left"):
        with pytest.raises(Refused):
            driving.annotate(session.id, decision_id=id_, answer="No", now=after(4))


def test_a_step_beside_the_flow_leaves_the_position(session):
    decide(session, "a", "root", "Yes")
    session = decide(session, "b", None, "Works", title="Changed the cable")
    assert (driving.standing_at(session), session.step_count) == ("log", 2)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.RESOLVED, Status.RESOLVED),
        (Outcome.WORKAROUND, Status.RESOLVED),
        (Outcome.ESCALATED, Status.ESCALATED),
        (Outcome.UNRESOLVED, Status.UNRESOLVED),
    ],
)
def test_the_end(session, outcome, status):
    session = driving.complete(session.id, outcome=outcome, now=after(10), resolution_summary="The fuse")
    session.refresh_from_db()
    assert (session.status, session.outcome, session.duration_seconds) == (status, outcome, 600)
    assert session.resolution_summary == "The fuse"


def test_without_a_guide_the_end_says_what_solved_it(account, engineer):
    session = starting.start(engineer, problem_summary="Odd noise", now=NOW)
    with pytest.raises(Refused, match="what solved it"):
        driving.complete(session.id, outcome=Outcome.WORKAROUND, now=after(5), resolution_summary="  ")
    assert driving.complete(session.id, outcome=Outcome.UNRESOLVED, now=after(5)).completed_at == after(5)


def test_leaving_the_flow_stands_on_the_path_and_can_be_taken_back(session):
    decide(session, "a", "root", "Yes")
    left = driving.leave_flow(session.id, decision_id="b", now=after(2))
    assert driving.leave_flow(session.id, decision_id="b", now=after(2)).decisions == left.decisions
    assert driving.leave_flow(session.id, decision_id="c", now=after(2)).step_count == 2
    assert (left.decisions[-1]["title"], left.decisions[-1]["answer"]) == ("Read the log", driving.LEFT_FLOW)
    assert (left.confidence_tier, has_left(left.decisions)) == (Tier.EXPLORING, True)
    beside = decide(session, "d", None, title="Changed the fuse", minutes=3)
    assert has_left(beside.decisions)
    back = driving.return_to_flow(session.id, now=after(4))
    assert (back.confidence_tier, has_left(back.decisions), back.step_count) == (Tier.GUIDED, False, 2)
    assert driving.standing_at(back) == "log"
    assert driving.return_to_flow(session.id, now=after(5)).decisions == back.decisions
    driving.leave_flow(session.id, decision_id="e", now=after(6))
    again = driving.take_back(session.id, decision_id="e", now=after(7))
    assert (again.confidence_tier, has_left(again.decisions)) == (Tier.GUIDED, False)


def test_an_answer_in_the_flow_after_leaving_it_is_a_return(session):
    driving.leave_flow(session.id, decision_id="a", now=after(1))
    assert not has_left(decide(session, "b", "root", "Yes", 2).decisions)


def test_the_call_for_help_stays_the_last_activity_while_it_waits(session):
    driving.ask_for_help(session.id, reason="No idea", now=after(2))
    assert decide(session, "a", "root", "Yes", 9).last_activity_at == after(2)
    assert driving.ask_for_help(session.id, reason="Really none", now=after(10)).last_activity_at == after(2)
    assert driving.take_up(session.id, now=after(12)).last_activity_at == after(12)


def test_why_it_was_handed_over_is_kept(session):
    driving.ask_for_help(session.id, reason="No idea", now=after(2))
    ended = driving.complete(
        session.id, outcome=Outcome.ESCALATED, now=after(3), escalation_reason="Needs the vendor"
    )
    assert (ended.escalation_reason, ended.status) == ("Needs the vendor", "escalated")


def test_what_has_ended_stays_as_it_is(session):
    driving.complete(session.id, outcome=Outcome.RESOLVED, now=after(10))
    acts = [
        lambda: decide(session, "z", "root", "Yes"),
        lambda: driving.take_back(session.id, decision_id="z", now=after(11)),
        lambda: driving.annotate(session.id, decision_id="z", note="", now=after(11)),
        lambda: driving.complete(session.id, outcome=Outcome.RESOLVED, now=after(11)),
        lambda: driving.ask_for_help(session.id, reason="x", now=after(11)),
        lambda: driving.take_up(session.id, now=after(11)),
        lambda: driving.leave_flow(session.id, decision_id="z", now=after(11)),
        lambda: driving.keep_script_values(session.id, {"user": "x"}, now=after(11)),
    ]
    for act in acts:
        with pytest.raises(Refused, match="has ended"):
            act()


def test_reopening_makes_a_further_session(session, engineer, flow):
    with pytest.raises(Refused, match="not ended"):
        starting.reopen(session, engineer, now=after(1))
    ended = driving.complete(session.id, outcome=Outcome.RESOLVED, now=after(10))
    again = starting.reopen(ended, engineer, now=after(20))
    flow.refresh_from_db()
    assert (again.previous_session, again.flow_version, again.status) == (ended, ended.flow_version, "active")
    assert (again.decisions, flow.usage_count) == ([], 2)


def test_an_abandoned_one_is_taken_up_by_the_next_click(session):
    Session.objects.filter(id=session.id).update(status=Status.ABANDONED)
    assert decide(session, "a", "root", "Yes").status == Status.ACTIVE


def test_help_is_asked_for_answered_and_withdrawn(session, colleague):
    decide(session, "a", "root", "Yes")
    waiting = driving.ask_for_help(session.id, reason="No idea", now=after(2))
    assert (waiting.status, waiting.escalation_reason) == (Status.REQUESTING_ESCALATION, "No idea")
    answered = driving.answer_call(session.id, colleague, answer="Try the other fuse", now=after(3))
    assert (answered.status, answered.step_count) == (Status.ACTIVE, 1)
    assert (answered.decisions[-1]["note"], answered.decisions[-1]["by"]) == (
        "Try the other fuse",
        str(colleague.id),
    )
    assert driving.standing_at(answered) == "log"
    with pytest.raises(Refused, match="is over"):
        driving.answer_call(session.id, colleague, answer="Too late", now=after(4))
    driving.ask_for_help(session.id, reason="Still no idea", now=after(5))
    assert driving.take_up(session.id, now=after(6)).status == Status.ACTIVE


def test_one_takes_over_and_goes_on_from_there(session, colleague, team_admin):
    decide(session, "a", "root", "Yes")
    driving.ask_for_help(session.id, reason="No idea", now=after(2))
    mine = driving.take_over(session.id, colleague, now=after(8))
    session.refresh_from_db()
    assert (session.status, session.outcome, session.completed_at) == ("escalated", "escalated", after(8))
    assert (mine.user, mine.previous_session, mine.step_count) == (colleague, session, 0)
    assert [d["taken_over"] for d in mine.decisions] == [True]
    assert driving.standing_at(mine) == "log"
    with pytest.raises(Refused, match="quicker"):
        driving.take_over(session.id, team_admin, now=after(8))


def test_every_change_of_status_that_is_not_allowed_is_refused(account):
    for before in Status:
        for status in Status:
            session = SessionFactory.build(account=account, user=None, status=before)
            if status == before or status in CHANGES[before]:
                driving.change_status(session, status)
                assert session.status == status
            else:
                with pytest.raises(Refused):
                    driving.change_status(session, status)
    assert all(CHANGES[status] == () for status in FINAL)


def test_an_id_that_a_colleague_used_before_is_free(session, colleague):
    decide(session, "1", "root", "Yes")
    driving.ask_for_help(session.id, reason="No idea", now=after(2))
    mine = driving.take_over(session.id, colleague, now=after(8))
    mine = decide(mine, "1", "log", minutes=9)
    assert [(d["node_id"], d["taken_over"]) for d in mine.decisions] == [("root", True), ("log", False)]
    assert decide(mine, "1", "log", minutes=10).step_count == 1


def test_the_flow_is_left_by_an_id_that_a_colleague_used_before(session, colleague):
    decide(session, "1", "root", "Yes")
    driving.ask_for_help(session.id, reason="No idea", now=after(2))
    mine = driving.take_over(session.id, colleague, now=after(8))
    left = driving.leave_flow(mine.id, decision_id="1", now=after(9))
    assert has_left(left.decisions)
    assert driving.leave_flow(mine.id, decision_id="1", now=after(10)).decisions == left.decisions
