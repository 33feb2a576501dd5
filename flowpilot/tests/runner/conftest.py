"""A session of the engineer, at its first step."""

from datetime import timedelta

import pytest

from flowpilot.sessions import starting
from flowpilot.tests.factories import (
    ClientFactory,
    FlowFactory,
    FlowVersionFactory,
)
from flowpilot.tests.runner.posting import NOW, STRUCTURE


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW + timedelta(minutes=5))


@pytest.fixture
def flow(account):
    flow = FlowFactory(name="Machine does not start")
    flow.current_version = FlowVersionFactory(flow=flow, number=7, structure=STRUCTURE)
    flow.save()
    return flow


@pytest.fixture
def session(flow, engineer):
    return starting.start(
        engineer,
        problem_summary="Nothing starts",
        flow=flow,
        client=ClientFactory(name="Acme"),
        psa_ticket_id="48213",
        now=NOW,
    )


@pytest.fixture
def browser(client, engineer):
    client.force_login(engineer)
    return client
