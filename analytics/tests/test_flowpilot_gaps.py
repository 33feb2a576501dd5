"""Flow quality and knowledge gaps against plain_gaps.py, and each bound from both of its sides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics.flowpilot import coverage, gaps, quality
from analytics.query import DashboardForm, DashboardQuery
from analytics.tests import plain_gaps as plain
from flowpilot.models import FlowProposal, Session
from flowpilot.tests.factories import (
    DomainFactory,
    FlowFactory,
    FlowProposalFactory,
    FlowVersionFactory,
    SessionFactory,
    StepFactory,
)
from ratings.models import StepRating

NOW = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
STATUSES = ["resolved", "resolved", "escalated", "unresolved", "abandoned", "active", "requesting_escalation"]
NODES, ANSWERS = ["a", "b", "c"], ["Yes", "No", ""]
OUTCOMES = {"resolved": "resolved", "escalated": "escalated", "unresolved": "unresolved"}


@st.composite
def sessions(draw):
    return SimpleNamespace(
        days=draw(st.sampled_from([0, 1, 3, 10, 29, 31, 45, 95])),
        status=draw(st.sampled_from(STATUSES)),
        idle=draw(st.booleans()),
        tier=draw(st.sampled_from(["guided", "discovery", None])),
        confidence=draw(st.sampled_from([None, 0.25, 0.5, 1.0])),
        flow=draw(st.sampled_from([None, 0, 0, 1])),
        domain=draw(st.sampled_from([None, 0, 1])),
        steps=draw(
            st.lists(
                st.tuples(
                    st.sampled_from(NODES),
                    st.sampled_from(ANSWERS),
                    st.sampled_from([False, False, False, True]),
                    st.sampled_from([False, False, False, True]),
                ),
                max_size=4,
            )
        ),
        thumbs=draw(st.dictionaries(st.sampled_from(NODES), st.booleans(), max_size=2)),
    )


def one(**facts):
    usual = {"days": 1, "status": "resolved", "idle": False, "tier": "guided", "confidence": None}
    usual |= {"flow": 0, "domain": 0, "steps": [("a", "Yes", False, False)], "thumbs": {}}
    return SimpleNamespace(**usual | facts)


@pytest.fixture
def cast(account):
    domains = [DomainFactory(name="VPN"), DomainFactory(name="Printing")]
    flows = [FlowFactory(name="Tunnel", domain=domains[0]), FlowFactory(name="Old", domain=domains[0])]
    published_at = NOW - timedelta(days=40)
    for flow in flows:
        FlowVersionFactory(flow=flow, published_at=published_at)
    steps = {
        (place, node): StepFactory(flow=flow, node_id=node)
        for place, flow in enumerate(flows)
        for node in NODES
    }
    return SimpleNamespace(domains=domains, flows=flows, steps=steps, published_at=published_at)


def query_of(viewer, **parameters):
    form = DashboardForm(parameters, account=viewer.account, now=NOW)
    return DashboardQuery.read(
        form, url_name="analytics:flowpilot", viewer=viewer, account=viewer.account, now=NOW, tab="coverage"
    )


@settings(max_examples=30)
@example([one(status="escalated")] * 4 + [one()] * 1)
@example([one(status="abandoned")] * 5)
@example([one(status="active", idle=True)] * 6 + [one()] * 3)
@example([one(domain=1, flow=None)] * 5)
@example([one(flow=0, thumbs={"a": False})] * 6)
@example([one(steps=[("a", "No", True, False), ("b", "No", False, True)], status="escalated")] * 6)
@given(made=st.lists(sessions(), max_size=30))
def test_quality_and_gaps_are_those_of_plain_python(team_admin, cast, made):
    with transaction.atomic():
        records = write(team_admin, cast, made)
        query = query_of(team_admin)
        rows = quality.flows(query)
        found = gaps.gaps(query)
        transaction.set_rollback(True)

    inside = [record for record in records if record.started_at >= query.period.start]
    flows = [plain.Flow(flow.name, "VPN", True, cast.published_at) for flow in cast.flows]
    for flow, row in zip(sorted(flows, key=lambda flow: flow.name), rows, strict=True):
        expected = plain.quality(flow, records, inside, NOW)
        assert {
            name: row[name] for name in ("name", "usage_count", "ended", "last_matched_at", "reasons")
        } == {name: expected[name] for name in ("name", "usage_count", "ended", "last_matched_at", "reasons")}
        for name in ("success_rate", "avg_confidence", "quality_score"):
            assert close(row[name], expected[name]), name
    assert {told(gap, cast) for gap in found} == plain.gaps(inside, records, flows, ["VPN", "Printing"], NOW)
    severities = {"high": 0, "medium": 1, "low": 2}
    order = [(severities[gap.severity], -gap.n) for gap in found]
    assert order == sorted(order)


def close(value, expected):
    if expected is None:
        return value is None
    return value is not None and abs(Fraction(Decimal(str(value))) - expected) < Fraction(1, 10**9)


def told(gap, cast):
    names = {flow.id: flow.name for flow in cast.flows}
    about = {
        "uncovered_domain": gap.domain,
        "high_escalation": names.get(gap.flow_id, gap.domain),
        "weak_option": (names.get(gap.flow_id), gap.node_id, gap.option),
        "drop_off": (names.get(gap.flow_id), gap.node_id),
        "unhelpful_step": (names.get(gap.flow_id), gap.node_id),
        "stale_flow": names.get(gap.flow_id),
    }[gap.kind]
    return (gap.kind, about, gap.n, gap.part)


def write(engineer, cast, made):
    rows = [_row(engineer, cast, session) for session in made]
    Session.objects.bulk_create(rows)
    StepRating.objects.bulk_create(
        StepRating(step=cast.steps[session.flow, node], user=engineer, session=row, was_helpful=up)
        for row, session in zip(rows, made, strict=True)
        if session.flow is not None
        for node, up in session.thumbs.items()
    )
    return [
        plain.Record(
            started_at=row.started_at,
            status=session.status,
            idle=session.idle,
            guided=session.tier == "guided",
            confidence=None if session.confidence is None else Fraction(session.confidence),
            flow=cast.flows[session.flow].name if session.flow is not None else None,
            domain=cast.domains[session.domain].name if session.domain is not None else None,
            steps=tuple(plain.Step(*step) for step in session.steps),
            thumbs=tuple(session.thumbs.items()) if session.flow is not None else (),
        )
        for row, session in zip(rows, made, strict=True)
    ]


def _row(engineer, cast, session):
    started_at = NOW - timedelta(days=session.days, minutes=5)
    ended = session.status in OUTCOMES
    return Session(
        user=engineer,
        flow=cast.flows[session.flow] if session.flow is not None else None,
        domain=cast.domains[session.domain] if session.domain is not None else None,
        status=session.status,
        outcome=OUTCOMES.get(session.status),
        confidence_tier=session.tier,
        confidence=session.confidence,
        started_at=started_at,
        completed_at=started_at + timedelta(minutes=1) if ended else None,
        last_activity_at=NOW - timedelta(hours=25 if session.idle else 1),
        decisions=[
            {
                "id": str(place),
                "node_id": node,
                "title": node,
                "answer": answer,
                "note": "",
                "at": (started_at + timedelta(seconds=place)).isoformat(),
                "undone_at": started_at.isoformat() if undone else None,
                "taken_over": over,
            }
            for place, (node, answer, undone, over) in enumerate(session.steps)
        ],
    )


def test_a_proposal_with_three_sessions_of_the_period_is_a_gap(team_admin):
    def proposal(sessions, **facts):
        return FlowProposalFactory(evidence={"sessions": [str(s.id) for s in sessions]}, **facts)

    three = [SessionFactory(user=team_admin, started_at=NOW - timedelta(days=n)) for n in (1, 2, 3)]
    before = [SessionFactory(user=team_admin, started_at=NOW - timedelta(days=40)) for _ in range(3)]
    wanted = proposal(three + before, title="Teams status stuck")
    proposal(three[:2] + before, title="Too few")
    proposal(three, title="Decided", status="rejected", reviewed_at=NOW)
    proposal(three, title="Change", kind="enhancement", target_flow=FlowFactory())
    FlowProposal.objects.create(title="Bare", structure={}, evidence={})
    (gap,) = [gap for gap in gaps.gaps(query_of(team_admin)) if gap.kind == "repeated_discovery"]
    assert (gap.proposal_id, gap.n, gap.severity) == (wanted.id, 3, "low")
    assert "Teams status stuck" in gap.title


@pytest.mark.parametrize(
    ("name", "part", "whole", "level"),
    [
        *(
            ("resolution_rate", part, 1000, level)
            for part, level in [(751, "green"), (750, "amber"), (500, "amber"), (499, "red")]
        ),
        *(
            ("escalation_rate", part, 1000, level)
            for part, level in [(99, "green"), (100, "amber"), (250, "amber"), (251, "red")]
        ),
        *(
            ("guided_rate", part, 1000, level)
            for part, level in [(601, "green"), (600, "amber"), (300, "amber"), (299, "red")]
        ),
        *(("resolution_rate", 4, whole, level) for whole, level in [(5, "green"), (4, "few")]),
        ("guided_rate", 0, 0, "none"),
    ],
)
def test_a_rate_is_judged_on_its_exact_value(name, part, whole, level):
    assert coverage.level(name, part, whole) == level


@pytest.mark.parametrize(("count", "level"), [(0, "red"), (1, "amber"), (4, "amber"), (5, "green")])
def test_flows_are_judged_by_their_number(count, level):
    assert coverage.level_of_flows(count) == level


@pytest.mark.parametrize(
    ("part", "whole", "words"), [(3, 4, "75.0 %"), (7501, 10_000, "75.01 %"), (1, 3, "33.3 %"), (0, 0, "–")]
)
def test_a_rate_beside_a_bound_shows_a_second_decimal(part, whole, words):
    assert coverage.shown_percent("resolution_rate", part, whole) == words


@pytest.mark.parametrize(("sessions", "severity"), [(7, "low"), (8, "medium"), (19, "medium"), (20, "high")])
def test_severity_follows_the_number_of_sessions(team_admin, sessions, severity):
    domain = DomainFactory()
    SessionFactory.create_batch(sessions, user=team_admin, domain=domain, started_at=NOW - timedelta(days=1))
    (gap,) = gaps.gaps(query_of(team_admin))
    assert (gap.kind, gap.severity) == ("uncovered_domain", severity)


def judged(kind, part, n):
    row = gaps._Row(
        kind, UUID(int=1), "VPN", None, "Tunnel", "n1", "Restart", "Yes", n, part, None, None, True
    )
    if kind != "high_escalation":
        row = replace(row, flow_id=UUID(int=2), of_domain=False)
    return gaps._judged(row, SimpleNamespace(href=lambda **filters: "/sessions/"))


@pytest.mark.parametrize(
    ("kind", "n", "gap", "none"),
    [
        ("high_escalation", 40, 16, 15),  # lower ends 26.3 and 24.2 %
        ("weak_option", 40, 27, 26),  # 52.0 and 49.5 %
        ("drop_off", 40, 13, 12),  # 20.1 and 18.1 %
        ("unhelpful_step", 40, 13, 14),  # upper ends 48.0 and 50.5 %
    ],
)
def test_a_rate_is_a_gap_only_if_its_whole_interval_is_beyond_the_bound(kind, n, gap, none):
    assert judged(kind, gap, n).part == gap
    assert judged(kind, none, n) is None


@pytest.mark.parametrize(
    ("success", "used", "published", "reasons"),
    [
        ("0.5", 29, 31, []),
        ("0.499", 29, None, ["low_success"]),
        ("0.9", 30, None, ["unused"]),
        ("0.9", 30, 29.99, []),
        (None, None, 30, ["unused"]),
        (None, None, None, []),
    ],
)
def test_a_flow_needs_attention_below_half_or_after_30_days(success, used, published, reasons):
    def at(days):
        return days and NOW - timedelta(days=days)

    row = {"success_rate": success and Decimal(success), "last_matched_at": at(used)}
    assert quality.reasons(row, at(published), NOW) == reasons


def flow_row(name, ended=5, score="0.5"):
    return {"id": name, "name": name, "ended": ended, "quality_score": Decimal(score), "reasons": []}


@pytest.mark.parametrize(
    ("flows", "top", "bottom"), [(12, 5, 5), (10, 5, 5), (9, 5, 4), (3, 2, 1), (1, 1, 0), (0, 0, 0)]
)
def test_a_flow_is_among_the_best_or_the_weakest_and_never_both(flows, top, bottom):
    rows = [flow_row(f"{n:02}", score=f"0.{n:02}") for n in range(flows)]
    best, weakest = quality.ends([*rows, flow_row("few", ended=4, score="0.99")])
    assert (len(best), len(weakest)) == (top, bottom)
    assert not {row["id"] for row in best} & {row["id"] for row in weakest}
    assert "few" not in {row["id"] for row in best}
    assert [row["quality_score"] for row in best] == sorted((r["quality_score"] for r in best), reverse=True)


def test_what_has_no_figure_comes_last_either_way_and_ties_are_by_name():
    rows = [flow_row("b"), flow_row("a"), flow_row("c") | {"quality_score": None}, flow_row("d", score="0.9")]
    assert [row["name"] for row in quality.in_order(rows, "quality")] == ["d", "a", "b", "c"]
    assert [row["name"] for row in quality.in_order(rows, "quality", rising=True)] == ["a", "b", "d", "c"]
    assert [row["name"] for row in quality.in_order(rows, "name", rising=True)] == ["a", "b", "c", "d"]


def test_gaps_take_one_query_whatever_their_number(team_admin, cast, django_assert_num_queries):
    query = query_of(team_admin)
    for count in (1, 60):
        write(team_admin, cast, [one(status="escalated")] * count)
        with django_assert_num_queries(1):
            assert gaps.gaps(query)
