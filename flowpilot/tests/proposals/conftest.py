from datetime import UTC, datetime, timedelta

import pytest

from flowpilot.tests.factories import (
    DomainFactory,
    FlowFactory,
    FlowProposalFactory,
    FlowVersionFactory,
    SessionFactory,
)

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
STRUCTURE = {
    "id": "light",
    "type": "question",
    "title": "Which light is on?",
    "options": [{"label": "Green", "next": "done"}, {"label": "Red", "next": "help"}],
    "children": [
        {"id": "done", "type": "outcome", "outcome": "resolved", "title": "Solved"},
        {"id": "help", "type": "outcome", "outcome": "escalated", "title": "Hand over"},
    ],
}


@pytest.fixture
def now(clock):
    return clock(NOW)


@pytest.fixture
def domain(account):
    return DomainFactory(name="Printing")


@pytest.fixture
def solved(engineer, colleague, domain):
    """Three sessions of two engineers about an offline printer, on three days."""
    return [
        SessionFactory(
            user=user,
            domain=domain,
            problem_summary=f"Printer {place} is offline",
            started_at=NOW - timedelta(days=days),
            confidence_tier="discovery",
        )
        for user, place, days in [(engineer, "one", 9), (colleague, "two", 6), (engineer, "three", 2)]
    ]


@pytest.fixture
def proposal(now, solved, domain):
    return FlowProposalFactory(
        title="Printer is offline", summary="The spooler hangs.", domain=domain, behind=solved
    )


@pytest.fixture
def target(now, domain):
    """A published flow that asks which light is on."""
    flow = FlowFactory(name="Router is down", domain=domain)
    flow.current_version = FlowVersionFactory(flow=flow, structure=STRUCTURE)
    flow.save()
    return flow


@pytest.fixture
def enhancement(target, solved):
    """An answer that engineers add by hand to the target's question."""
    structure = STRUCTURE | {"options": [*STRUCTURE["options"], {"label": "Amber", "next": "done"}]}
    change = {"kind": "missing_option", "node_id": "light", "title": "Which light is on?", "label": "Amber"}
    return FlowProposalFactory(
        title="Router is down: the light is amber",
        kind="enhancement",
        target_flow=target,
        domain=target.domain,
        structure=structure,
        evidence={
            "sessions": [str(session.id) for session in solved],
            "change": change | {"n": 6, "of": 20, "lower": 0.14, "upper": 0.52},
        },
    )
