"""The whole way through the database."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.matching import index
from flowpilot.matching.matching import assess, match_flows, similar_sessions, tier_of
from flowpilot.models import Flow
from flowpilot.tests.factories import (
    STARTED_AT,
    DomainFactory,
    FlowFactory,
    FlowVersionFactory,
    SessionFactory,
)
from flowpilot.tests.structures import leaf
from resolutionflow.tenancy import account_scope


def published(name, *, title="Done", **facts):
    flow = FlowFactory(name=name, **facts)
    flow.current_version = FlowVersionFactory(flow=flow, structure=leaf(title=title))
    flow.save()
    return flow


def names(matches):
    return [match.flow.name for match in matches]


def test_other_forms_of_words_are_found(account):
    published("Printer prints blank pages")
    published("Scanner is offline")
    assert names(match_flows(account, "printing a blank page"))[0] == "Printer prints blank pages"
    assert names(match_flows(account, "copier"))[0] == "Printer prints blank pages"


def test_a_code_in_a_step_is_found_whole(account):
    published("Mail bounces", title="Look for 5.7.606 in the trace")
    published("Other mail trouble", title="Look for 5.7.1 in the trace")
    assert names(match_flows(account, "550 5.7.606"))[0] == "Mail bounces"


def test_drafts_archived_flows_and_old_versions_are_not_offered(account):
    old = published("Old", title="zebra")
    old.current_version = FlowVersionFactory(flow=old, number=2)
    old.save()
    published("Zebra archived", status=Flow.Status.ARCHIVED)
    FlowFactory(name="Zebra draft", status=Flow.Status.DRAFT)
    assert match_flows(account, "zebra") == []


def test_one_domain_only_where_one_is_named(account):
    mail, web = DomainFactory(name="Mail"), DomainFactory(name="Web")
    published("Certificate expired", domain=mail)
    published("Certificate unknown", domain=web)
    assert names(match_flows(account, "certificate", domain=web)) == ["Certificate unknown"]


def test_it_learns_which_flow_resolved_a_like_problem(account, engineer):
    published("Network share cannot be opened")
    right = published("Rights after a move")
    problem = "P: has a red cross in accounting"
    before = {match.flow.id: match.score for match in match_flows(account, problem)}.get(right.id, 0)
    for _ in range(3):
        SessionFactory(user=engineer, flow=right, problem_summary=problem)
    after = match_flows(account, "red cross at P: in accounting")[0]
    assert (after.flow, before < 0.2 < after.score) == (right, True)
    for _ in range(3):
        SessionFactory(user=engineer, flow=right, problem_summary=problem, status="unresolved")
    assert match_flows(account, "red cross at P: in accounting")[0].score < after.score


def test_a_domain_is_suggested_by_what_was_solved_where_no_flow_is(account, engineer):
    domain = DomainFactory(name="Telephony")
    for _ in range(3):
        SessionFactory(user=engineer, domain=domain, problem_summary="Door bell does not ring through")
    assert assess(account, "door bell rings not").domain == domain


def test_two_accounts_with_the_same_texts_stay_apart(account, other_account, stranger):
    with account_scope(other_account):
        theirs = published("VPN is slow")
        SessionFactory(user=stranger, flow=theirs, problem_summary="VPN slow")
    mine = published("VPN is slow")
    found = assess(account, "vpn slow")
    assert [match.flow.id for match in found.matches] == [mine.id]
    assert found.similar == similar_sessions(account, "vpn slow") == []


def test_letters_that_are_not_latin_are_found(account):
    account.language = "russian"
    published("Принтер не печатает")
    assert names(match_flows(account, "принтеры")) == ["Принтер не печатает"]


@pytest.mark.parametrize(
    ("score", "tier"),
    [
        (0.65, "guided"),
        (0.6499, "exploring"),
        (0.3, "exploring"),
        (0.2999, "discovery"),
        (None, "discovery"),
    ],
)
def test_thresholds_belong_to_the_better_tier(account, score, tier):
    assert tier_of(account, score) == tier


def test_the_queries_do_not_grow(account):
    counts = []
    for more in (1, 8):
        for n in range(more):
            published(f"VPN drops {more} {n}", domain=DomainFactory())
        with CaptureQueriesContext(connection) as queries:
            assess(account, "vpn drops when it rains on the roof of the office")
        counts.append(len(queries))
    assert counts == [4, 4]


def test_both_problems_of_a_mail_have_their_flow(account):
    published("VPN is slow or drops")
    published("Printer is offline")
    for n in range(6):
        published(f"VPN tunnel variant {n}")
    problem = "Hello team,\nthe VPN tunnel is slow and drops.\nThe Kyocera printer on floor two is offline.\nRegards"
    assert names(match_flows(account, problem))[:2] == ["VPN is slow or drops", "Printer is offline"]


def test_sessions_about_the_second_problem_are_similar_too(account, engineer):
    for problem in ("VPN slow from home", "Printer offline on floor two"):
        SessionFactory(user=engineer, problem_summary=problem)
    found = similar_sessions(account, "VPN slow from home\n\nPrinter offline on floor two")
    assert [(one.problem, one.score > 0.9) for one in found] == [
        ("Printer offline on floor two", True),
        ("VPN slow from home", True),
    ]


def test_flows_that_share_a_word_are_not_near(account):
    for n in range(20):
        published(f"Flow {n}", title=f"Run the script number {n}")
    assert assess(account, "1 <script>alert(1)</script>").matches == []


def test_a_word_that_the_newest_sessions_have_is_looked_for_among_them_alone(account, engineer, monkeypatch):
    monkeypatch.setattr(index, "NEWEST", 3)
    monkeypatch.setattr(index, "COMMON", 4)
    for n in range(12):
        word = "gremlin" if n == 0 else "printer"
        SessionFactory(
            user=engineer, problem_summary=f"{word} {n}", started_at=STARTED_AT + timedelta(hours=n)
        )
    rare = index.sessions_with(account, {0: "gremlin"})
    assert [(row.problem, row.found) for row in rare] == [("gremlin 0", {0: 1})]
    common = index.sessions_with(account, {0: "printer"})
    assert {row.problem for row in common} == {"printer 9", "printer 10", "printer 11"}
    assert common[0].found == {0: 4}
