import pytest

from flowpilot.tests.factories import FlowFactory, SessionFactory, StepFactory


@pytest.fixture
def flow(account):
    return FlowFactory(name="Printer does not print")


@pytest.fixture
def step(flow):
    return StepFactory(flow=flow, node_id="root", title="Is it on?")


@pytest.fixture
def session(flow, engineer):
    """The engineer's, resolved."""
    return SessionFactory(user=engineer, flow=flow, problem_summary="Nothing comes out")
