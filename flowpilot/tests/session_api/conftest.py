"""Calls by token, a flow to run, and a session of it."""

import json

import pytest

from flowpilot.tests.factories import (
    DomainFactory,
    FlowFactory,
    FlowVersionFactory,
)
from flowpilot.tests.session_api.answers import NOW, URL
from flowpilot.tests.test_driving import STRUCTURE
from resolutionflow.models import ApiToken


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def call(client):
    """Calls as a user by a new token: (status, answer)."""

    def call(user, path="", body=None, **parameters):
        token = ApiToken.issue(user, "tests")[1]
        names = {name.rstrip("_"): value for name, value in parameters.items()}  # "from" is a keyword
        response = client.generic(
            "GET" if body is None else "POST",
            path if path.startswith("http") else URL + path,
            body if isinstance(body, bytes) else json.dumps(body),
            "application/json",
            headers={"Authorization": f"Bearer {token}"},
            query_params=names or None,
        )
        assert response["Content-Type"] == "application/json; charset=utf-8"
        return response.status_code, response.json()

    return call


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
