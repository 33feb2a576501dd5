"""The pure part: rows in, chances out."""

from datetime import UTC, datetime
from math import exp
from uuid import UUID

import pytest

from flowpilot.matching.index import FlowRow, SessionRow
from flowpilot.matching.ranking import FEATURES, chances, evidence_of, read_problem
from flowpilot.matching.similar import learned, ranked

FIRST, SECOND, DOMAIN = (UUID(int=n) for n in (1, 2, 3))


def flow(id=FIRST, name="VPN is slow", **facts):
    facts = {"description": "", "domain_id": None, "within": frozenset(), "length": 0, "counts": {}} | facts
    return FlowRow(id=id, name=name, flows=2, named={0: 1}, inside={}, **facts)


def session(flow_id=FIRST, problem="VPN slow", status="resolved", id=1):
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    return SessionRow(
        UUID(int=id), SECOND, problem, "", "", status, None, moment, flow_id, None, None, {0: 1, 1: 1}
    )


def features(problem, *rows, learned=None):
    evidence = evidence_of(read_problem(problem), rows, {DOMAIN: "VPN"}, [learned or {}])
    return [dict(zip(FEATURES, item.features, strict=True)) for item in evidence]


def test_chances_of_all_and_none_make_one():
    # none weighs e^0, the flows e^1 and e^2
    assert chances([(1.0,), (2.0,)], weights=[1.0], none=0.0) == pytest.approx(
        [exp(1) / (1 + exp(1) + exp(2)), exp(2) / (1 + exp(1) + exp(2))]
    )
    assert chances([], none=0.0) == []


def test_a_huge_sum_is_a_sure_chance():
    assert chances([(10_000.0,)], weights=[1.0], none=0.0) == [1.0]


def test_a_name_that_is_said_whole_speaks_for_its_flow():
    first, second = features("vpn slow", flow(), flow(SECOND, "VPN does not connect"))
    assert (first["name said"], second["name said"]) == (1.0, 0.5)
    assert first["name"] == pytest.approx(1.0)


def test_steps_domain_and_what_was_learned_count_by_themselves():
    bare = flow(name="Other", counts={"vpn": 3, "printer": 9}, length=10, domain_id=DOMAIN)
    (found,) = features("vpn", bare, learned={FIRST: 0.5})
    assert (found["name"], found["domain"], found["learned"]) == (0, 1, 0.5)
    assert found["steps"] == pytest.approx(3 / (3 + 1.2))  # of usual length


def test_a_slip_in_the_problem_is_forgiven_but_counts_less():
    (right,), (slip,) = (
        features("kerberos", flow(name="Kerberos")),
        features("kerbros", flow(name="Kerberos")),
    )
    assert (right["name"], slip["name"]) == (1.0, pytest.approx(0.7))


def test_words_of_the_problem_are_told_as_they_were_written():
    (evidence,) = evidence_of(
        read_problem("my Wi-Fi is slwo: WIRELESS slow"), [flow(name="Wi-Fi is slow")], {}, [{}]
    )
    assert evidence.words == ("slow", "Wi-Fi")


def test_words_that_say_nothing_by_themselves_are_not_told():
    (evidence,) = evidence_of(
        read_problem("1 user in the office: VPN"), [flow(name="VPN of 1 user in the office")], {}, [{}]
    )
    assert evidence.words == ("VPN",)


def test_problems_in_the_same_words_are_alike_and_the_newest_comes_first():
    asked = read_problem("VPN is slow")
    rows = [session(), session(id=9), session(problem="Printer jams on floor two", id=3)]
    assert [(one.id.int, one.score) for one in ranked(asked, rows)[0]] == [(9, 1.0), (1, 1.0)]


def test_flows_that_resolved_the_like_are_learned_and_others_unlearned():
    like = ranked(
        read_problem("VPN is slow"),
        [session(), session(id=4), session(SECOND, status="unresolved", id=5), session(None, id=6)],
    )
    # three alike sessions with a flow, and one of doubt
    assert learned(like[0]) == {FIRST: pytest.approx(2 / 4), SECOND: pytest.approx(-0.5 / 4)}


def test_one_session_alone_is_no_proof():
    assert learned(ranked(read_problem("VPN is slow"), [session()])[0]) == {FIRST: pytest.approx(0.5)}


@pytest.mark.parametrize("problem", ["", "...", "\0", "the and of"])
def test_nothing_said_is_nothing_asked(problem):
    assert read_problem(problem).asked == []
