"""Whatever is asked of the API, what comes back is what its own document declares."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from flowpilot.tests.factories import (
    FlowFactory,
    FlowProposalFactory,
    FlowVersionFactory,
    SessionFactory,
    StepFactory,
)
from resolutionflow.api import ACCOUNT, api
from resolutionflow.models import ApiToken
from resolutionflow.tests.openapi import CHECKS, described_api

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
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
    return {
        "session_id": session.id,
        "flow_id": flow.id,
        "step_id": StepFactory(flow=flow).id,
        "proposal_id": FlowProposalFactory().id,
    }


@pytest.fixture
def document(rows):
    with described_api() as document:
        yield document


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


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda part: part)
def test_every_operation_takes_the_account_that_super_admins_name(path, method):
    (declared,) = [
        parameter
        for parameter in api.get_openapi_schema()["paths"][path][method.lower()]["parameters"]
        if parameter["name"] == "account"
    ]
    assert declared["schema"]["description"] == ACCOUNT
