"""Calls by token, a flow to run, and a session of it."""

import pytest

from flowpilot.tests.calling import calls
from flowpilot.tests.factories import (
    DomainFactory,
    FlowFactory,
    FlowVersionFactory,
)
from flowpilot.tests.session_api.answers import NOW, URL
from flowpilot.tests.test_driving import STRUCTURE


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def call(client):
    return calls(client, URL)


@pytest.fixture
def flow(account):
    flow = FlowFactory(name="Reset a password", domain=DomainFactory(name="Accounts"))
    flow.current_version = FlowVersionFactory(flow=flow, number=3, structure=STRUCTURE)
    flow.save()
    return flow


@pytest.fixture
def started(call, engineer, flow):
    """An open session of the engineer, as it was answered."""
    status, answer = call(engineer, body={"problem_summary": "Nothing prints", "flow_id": str(flow.id)})
    assert status == 201
    return answer
