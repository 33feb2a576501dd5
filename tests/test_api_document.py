"""Whatever is asked of the API, what comes back is what its own document declares."""

from datetime import UTC, datetime, timedelta

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS as ALL_CHECKS
from schemathesis.checks import load_all_checks

from flowpilot.tests.factories import FlowFactory, FlowVersionFactory, SessionFactory, StepFactory
from resolutionflow.api import api
from resolutionflow.models import ApiToken
from resolutionflow.wsgi import application

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
load_all_checks()
CHECKS = [
    ALL_CHECKS.get_one(name)
    for name in (
        *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
        *("response_headers_conformance", "response_schema_conformance"),
    )
]
OPERATIONS = [
    (path, method.upper())
    for path, methods in api.get_openapi_schema()["paths"].items()
    if not path.startswith("/api/v1/analytics/")  # analytics/tests/test_api.py asks those
    for method in methods
]


@pytest.fixture
def rows(clock, team_admin):
    """Ids that an address may have."""
    clock(NOW)
    flow = FlowFactory()
    flow.current_version = FlowVersionFactory(flow=flow)
    flow.save()
    session = SessionFactory(
        user=team_admin,
        flow=flow,
        flow_version=flow.current_version,
        status="active",
        started_at=NOW - timedelta(days=1),
        decisions=[{"id": "1", "node_id": "root", "title": "x", "answer": "", "at": "2026-03-30T09:00:00Z"}],
    )
    return {"session_id": session.id, "flow_id": flow.id, "step_id": StepFactory(flow=flow).id}


@pytest.fixture
def document(rows):
    # Around a request Django closes a connection with an open transaction, which here is the test's own.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda part: part)
def test_whatever_is_asked_what_comes_back_is_declared(document, rows, team_admin, path, method, mode):
    token = ApiToken.issue(team_admin, "tests")[1]
    operation = document[path][method]
    seen = set()

    @settings(max_examples=8)
    @given(case=operation.as_strategy(generation_mode=mode), known=st.sampled_from([True, True, False]))
    def ask(case, known):
        if known:
            case.path_parameters |= {name: str(rows[name]) for name in case.path_parameters}
            case.query.pop("account", None)
        response = case.call(headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"})
        case.validate_response(response, checks=CHECKS)
        seen.add(response.status_code)

    ask()
    assert seen
    assert 401 not in seen
    assert not any(status >= 500 for status in seen)
