"""Every figure of FlowPilot's tabs against plain_flowpilot.py, over sessions that Hypothesis makes up."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import pytest
from django.db import transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics.tests import plain_flowpilot as plain
from analytics.tests.made_up import USUAL, period_of, situations
from flowpilot.models import PsaActivityLog, Session
from flowpilot.tests.factories import DomainFactory, FlowFactory
from ratings.models import SessionRating
from resolutionflow.models import ApiToken

ENDED = {"resolved": "resolved", "escalated": "escalated", "unresolved": "unresolved"}
STATUSES = [*ENDED, "active", "requesting_escalation", "abandoned"]


@st.composite
def sessions(draw):
    status = draw(st.sampled_from([*STATUSES, "resolved", "resolved"]))
    return SimpleNamespace(
        beside=draw(st.sampled_from(["now", "moment"])),
        back=timedelta(
            days=draw(st.integers(-1, 8) | st.sampled_from([29, 30, 59, 89, 90])),
            minutes=draw(st.sampled_from([-61, -60, -1, 0, 1, 59, 60, 720])),
        ),
        status=status,
        seconds=draw(st.sampled_from([0, 1, 2, 3, 9, 600, 14_400, 90_000])) if status in ENDED else None,
        tier=draw(st.sampled_from(["guided", "guided", "exploring", "discovery", None])),
        domain=draw(st.none() | st.integers(0, 3)),
        steps=draw(st.integers(0, 7)),
        ticket=draw(st.booleans()),
        stars=draw(st.none() | st.integers(1, 5)) if status in ENDED else None,
        notes=draw(st.integers(0, 2)),
        hours=draw(st.lists(st.sampled_from(["0.25", "0.5", "1.33", "0.01"]), max_size=2)),
    )


def one(**facts):
    usual = {
        "beside": "now",
        "back": timedelta(days=1),
        "status": "resolved",
        "seconds": 600,
        "tier": "guided",
    }
    usual |= {"domain": 0, "steps": 3, "ticket": True, "stars": None, "notes": 0, "hours": []}
    return SimpleNamespace(**usual | facts)


TEN = [one(seconds=600 + n) for n in range(10)]
TEN_OTHERS = [
    one(seconds=900 + 7 * n, tier=tier) for n, tier in zip(range(10), ["exploring", None] * 5, strict=True)
]


@pytest.fixture
def domains(account):
    """Four domains whose names every collation but code points sorts otherwise, with 0 to 3 published flows."""
    made = [DomainFactory(name=name) for name in ("Zebra", "alpha", "Ärger", "日本語")]
    for count, domain in enumerate(made):
        for number in range(count):
            FlowFactory(domain=domain, name=f"{domain.name} {number}")
        FlowFactory(domain=domain, name=f"{domain.name} draft", status="draft")
    return made


@pytest.fixture
def api(client, team_admin):
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {ApiToken.issue(team_admin, 'tests')[1]}"
    return client


@settings(max_examples=30)
@example(USUAL, [])
@example(USUAL, TEN + TEN_OTHERS)
@example(USUAL, TEN + TEN_OTHERS[:9])
@example(USUAL, [*TEN, *TEN_OTHERS, *(one(domain=1, seconds=5) for _ in range(12))])
@example(USUAL, [one(back=timedelta(minutes=5), seconds=90_000)])  # resolved, as it says, after the period
@example(USUAL, [one(status="active", seconds=None, domain=None)])
@given(situation=situations(), made=st.lists(sessions(), max_size=40))
def test_every_figure_is_that_of_plain_python(api, engineer, domains, clock, situation, made):
    clock(situation.now)
    with transaction.atomic():
        account = engineer.account
        account.time_zone = situation.zone
        account.save()
        records = write(engineer, domains, situation, made)
        parameters, first, last = period_of(situation)
        answers = {
            name: api.get(f"/api/v1/analytics/flowpilot{name}", parameters).json()
            for name in ("", "/coverage", "/psa")
        }
        transaction.set_rollback(True)

    inside = plain.inside(records, first, last, situation.zone)
    overview = answers[""]
    assert overview == overview | plain.overview(inside, first, last, situation.zone)
    flows = {domain.name: count for count, domain in enumerate(domains)}
    assert answers["/coverage"] == plain.coverage(inside, flows)
    assert overview["knowledge_coverage"] == {
        "total_flows": 10,
        "ai_generated_flows": 0,
        "total_proposals_pending": 0,
        "proposals_approved_this_period": 0,
        "proposals_rejected_this_period": 0,
        "coverage_by_domain": [
            {
                "domain": row["domain"],
                "flow_count": row["flow_count"],
                "session_count": row["session_count"],
                "guided_rate": plain.said(
                    plain.rate(sum(r.tier == "guided" for r in mine), len(mine)), 1, scale=100
                ),
            }
            for row in answers["/coverage"]["domains"]
            for mine in [[r for r in inside if r.domain == row["domain"]]]
        ],
    }
    psa = plain.psa(records, first, last, situation.zone)
    assert answers["/psa"] == psa
    linked = sum(record.ticket for record in inside)
    assert overview["psa_metrics"] == (
        {
            "ticket_link_rate": plain.said(plain.rate(linked, len(inside)), 1, scale=100),
            "auto_push_success_rate": None,
            "auto_push_retry_success_rate": None,
            "total_time_entries_logged": psa["total_time_entries"],
            "total_hours_logged": psa["total_hours_logged"],
        }
        if linked
        else None
    )


def write(engineer, domains, situation, made):
    """The sessions as rows, and as plain records."""
    rows = [_row(engineer, domains, situation, session) for session in made]
    Session.objects.bulk_create(rows)
    SessionRating.objects.bulk_create(
        SessionRating(session=row, user=engineer, rating=session.stars)
        for row, session in zip(rows, made, strict=True)
        if session.stars
    )
    logged = [
        (row, kind, hours, row.started_at + timedelta(hours=20 * place))
        for row, session in zip(rows, made, strict=True)
        for place, (kind, hours) in enumerate(
            [("note_posted", None)] * session.notes
            + [("time_entry_posted", Decimal(hours)) for hours in session.hours]
        )
    ]
    PsaActivityLog.objects.bulk_create(
        PsaActivityLog(session=row, activity_type=kind, hours_logged=hours, created_at=at)
        for row, kind, hours, at in logged
    )
    return [
        plain.Record(
            started_at=row.started_at,
            status=session.status,
            seconds=session.seconds,
            tier=session.tier,
            domain=domains[session.domain].name if session.domain is not None else None,
            steps=session.steps,
            ticket=session.ticket,
            stars=session.stars,
            notes=tuple(at for of, kind, _, at in logged if of is row and kind == "note_posted"),
            times=tuple(
                (Fraction(hours), at) for of, kind, hours, at in logged if of is row and hours is not None
            ),
        )
        for row, session in zip(rows, made, strict=True)
    ]


def _row(engineer, domains, situation, session):
    started_at = (situation.now if session.beside == "now" else situation.moment) - session.back
    ended = session.seconds is not None
    return Session(
        user=engineer,
        domain=domains[session.domain] if session.domain is not None else None,
        started_at=started_at,
        last_activity_at=started_at,
        completed_at=started_at + timedelta(seconds=session.seconds) if ended else None,
        status=session.status,
        outcome=ENDED.get(session.status),
        confidence_tier=session.tier,
        step_count=session.steps,
        psa_ticket_id="1" if session.ticket else None,
    )
