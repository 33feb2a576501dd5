"""/api/v1/analytics/team from outside: who may ask, what comes back, how it says no."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from flowpilot.tests.factories import ClientFactory, FlowFactory, SessionFactory
from ratings.tests.factories import SessionRatingFactory
from resolutionflow.models import ApiToken
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import TeamAdminFactory
from resolutionflow.tests.openapi import CHECKS, described_api

URL = "/api/v1/analytics/team"
NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
EMPTY_SUMMARY = {
    "total_sessions": 0,
    "completed_sessions": 0,
    "completion_rate": 0.0,
    "median_duration_minutes": 0.0,
    "active_engineers": 0,
    "outcome_breakdown": {"resolved": 0, "escalated": 0, "workaround": 0, "unresolved": 0},
}


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def ask(client):
    """Asks as a user by a new token; `token` in its place, None for no token."""

    def ask(user=None, *, token=None, **parameters):
        token = ApiToken.issue(user, "tests")[1] if user else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        names = {name.rstrip("_"): value for name, value in parameters.items()}  # "from" is a keyword
        return client.get(URL, names, headers=headers)

    return ask


def said(response):
    assert response["Content-Type"] == "application/json; charset=utf-8"
    return response.status_code, response.json()


def test_the_answer_to_the_letter(ask, team_admin, engineer):
    flow = FlowFactory(name="Reset a password")
    for minutes, status, outcome in [
        (1, "resolved", "resolved"),
        (2, "resolved", "workaround"),
        (90, "escalated", "escalated"),
    ]:
        session = SessionFactory(
            user=engineer,
            flow=flow,
            started_at=NOW - timedelta(days=1),
            completed_at=NOW - timedelta(days=1) + timedelta(minutes=minutes, seconds=3),
            status=status,
            outcome=outcome,
        )
        SessionRatingFactory(session=session, rating=5 if minutes < 90 else 1)
    for _ in range(77):
        SessionFactory(user=engineer, started_at=NOW, status="abandoned")
    SessionFactory(
        user=team_admin, flow=FlowFactory(name="Unused"), started_at=NOW - timedelta(days=9), status="active"
    )
    status, answer = said(ask(team_admin, period="7d"))
    assert status == 200
    quiet = {"sessions": 0, "resolved": 0, "escalated": 0, "workaround": 0, "unresolved": 0}
    assert answer == {
        "summary": {
            "total_sessions": 80,
            "completed_sessions": 3,
            "completion_rate": 0.038,  # 3/80
            "median_duration_minutes": 2.1,  # 2.05
            "active_engineers": 1,
            "outcome_breakdown": {"resolved": 1, "escalated": 1, "workaround": 1, "unresolved": 0},
        },
        "time_series": [
            *({"date": f"2026-03-{day}", **quiet} for day in range(25, 30)),
            {
                "date": "2026-03-30",
                "sessions": 3,
                "resolved": 1,
                "escalated": 1,
                "workaround": 1,
                "unresolved": 0,
            },
            {"date": "2026-03-31", **quiet, "sessions": 77},
        ],
        "top_flows": [
            {
                "tree_id": str(flow.id),
                "name": "Reset a password",
                "sessions": 3,
                "completion_rate": 1.0,
                "median_duration_minutes": 2.1,
                "avg_csat": 3.7,
            }
        ],
        "top_engineers": [
            {
                "user_id": str(engineer.id),
                "name": "Amira Haddad",
                "sessions": 80,
                "completion_rate": 0.038,
                "median_duration_minutes": 2.1,
            }
        ],
    }


def test_numbers_are_of_the_declared_kind(ask, team_admin):
    SessionFactory(started_at=NOW, flow=FlowFactory())
    SessionFactory(started_at=NOW, flow=FlowFactory(), status="active")
    _, answer = said(ask(team_admin))
    done, still_open = sorted(answer["top_flows"], key=lambda row: -row["completion_rate"])
    assert [type(value) for value in done.values()] == [str, str, int, float, float, type(None)]
    assert (still_open["completion_rate"], still_open["median_duration_minutes"]) == (0.0, 0.0)
    assert type(answer["summary"]["completion_rate"]) is float
    assert type(answer["summary"]["median_duration_minutes"]) is float
    assert type(answer["summary"]["total_sessions"]) is int


def test_of_nothing_every_figure_is_zero(ask, team_admin):
    status, answer = said(ask(team_admin))
    assert status == 200
    assert answer["summary"] == EMPTY_SUMMARY
    assert len(answer["time_series"]) == 30
    assert (answer["top_flows"], answer["top_engineers"]) == ([], [])


@pytest.mark.parametrize(
    ("parameters", "first", "days"),
    [
        ({}, "2026-03-02", 30),
        ({"period": "7d"}, "2026-03-25", 7),
        ({"period": "90d"}, "2026-01-01", 90),
        ({"from_": "2026-02-01", "to": "2026-02-28"}, "2026-02-01", 28),
        ({"from_": "2025-03-31", "to": "2026-03-31"}, "2025-03-31", 366),
    ],
)
def test_one_point_for_every_day_of_the_period(ask, team_admin, parameters, first, days):
    _, answer = said(ask(team_admin, **parameters))
    assert answer["time_series"][0]["date"] == first
    assert len(answer["time_series"]) == days


def test_a_token_stands_for_its_user(ask, team_admin, client):
    assert said(ask(team_admin))[0] == 200
    client.force_login(team_admin)
    assert said(ask())[0] == 200  # so does the login of the browser


def test_without_a_valid_token_or_login_it_is_401(ask, team_admin, client):
    revoked, secret = ApiToken.issue(team_admin, "revoked")
    revoked.revoke(NOW)
    left = TeamAdminFactory(account=team_admin.account, is_active=False)
    refused = [
        ask(),
        ask(token=secret),
        ask(left),
        ask(token="garbage"),
        ask(token="rf_" + "x" * 10_000),
        ask(token="rf_ü"),
        client.get(URL, headers={"Authorization": "Bearer"}),
        client.get(URL, headers={"Authorization": f"Basic {ApiToken.issue(team_admin, 'basic')[1]}"}),
        client.get(URL, headers={"Authorization": ApiToken.issue(team_admin, "bare")[1]}),
        client.get(URL, {"token": ApiToken.issue(team_admin, "query")[1]}),
    ]
    client.force_login(left)
    refused.append(ask())
    client.force_login(team_admin)
    refused.append(ask(token="garbage"))  # a login does not stand in for a wrong token
    assert [said(response) for response in refused] == [(401, {"detail": "Unauthorized"})] * len(refused)


def test_an_engineer_may_not(ask, engineer, client):
    no = (403, {"detail": "You don't have access to team analytics"})
    assert said(ask(engineer)) == no
    client.force_login(engineer)
    assert said(ask()) == no


def test_a_super_admin_names_an_account(ask, super_admin, account, team_admin):
    SessionFactory(user=team_admin, started_at=NOW)
    assert said(ask(super_admin)) == (403, {"detail": "Name an account"})
    assert said(ask(super_admin, account="")) == (403, {"detail": "Name an account"})
    for slug in ("unknown", "NORTHGATE", "north\0gate", "x" * 5_000):
        assert said(ask(super_admin, account=slug)) == (404, {"detail": "No such account"})
    status, answer = said(ask(super_admin, account="northgate"))
    assert (status, answer["summary"]["total_sessions"]) == (200, 1)
    assert said(ask(super_admin, account="southgate"))[0] == 404
    # the account picked on the pages does not count here
    assert said(ask(super_admin)) == (403, {"detail": "Name an account"})


def test_from_others_a_foreign_account_does_not_exist(ask, team_admin, engineer, other_account):
    assert said(ask(team_admin, account="northgate"))[0] == 200
    answers = [
        ask(user, account=slug) for user in (team_admin, engineer) for slug in ("southgate", "unknown")
    ]
    assert [said(answer) for answer in answers] == [(404, {"detail": "No such account"})] * 4


def test_only_of_the_own_account(ask, team_admin, other_account, stranger):
    SessionFactory(user=team_admin, started_at=NOW)
    with account_scope(other_account):
        theirs = ClientFactory()
        SessionFactory.create_batch(3, user=stranger, client=theirs, flow=FlowFactory(), started_at=NOW)
    assert said(ask(team_admin))[1]["summary"]["total_sessions"] == 1
    assert said(ask(stranger))[1]["summary"]["total_sessions"] == 3
    for name, foreign in (("engineer_id", stranger.id), ("client_id", theirs.id)):
        sentence = {"engineer_id": "No such engineer", "client_id": "No such client"}[name]
        for id_ in (foreign, UUID(int=7)):
            assert said(ask(team_admin, **{name: id_})) == (404, {"detail": sentence})


def test_engineer_and_client_narrow_the_sessions(ask, team_admin, engineer, colleague):
    client = ClientFactory()
    SessionFactory(user=engineer, client=client, started_at=NOW)
    SessionFactory(user=colleague, client=client, started_at=NOW)
    SessionFactory(user=colleague, started_at=NOW)

    def count(**parameters):
        return said(ask(team_admin, **parameters))[1]["summary"]["total_sessions"]

    assert count(engineer_id=colleague.id) == 2
    assert count(client_id=client.id) == 2
    assert count(client_id=client.id, engineer_id=colleague.id) == 1


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"period": "5d"}, "period"),
        ({"period": "all"}, "period"),
        ({"period": ""}, "period"),
        ({"period": "7d\0"}, "period"),
        ({"period": ["7d", "bogus"]}, "period"),
        ({"from_": "2026-03-01"}, "to"),
        ({"to": "2026-03-01"}, "from"),
        ({"period": "7d", "from_": "2026-03-01", "to": "2026-03-02"}, "period"),
        ({"from_": "2026-03-02", "to": "2026-03-01"}, "to"),
        ({"from_": "2025-03-30", "to": "2026-03-31"}, "to"),
        ({"from_": "2026-03-01", "to": "2026-04-01"}, "to"),
        ({"from_": "0001-01-01", "to": "0001-01-02"}, "from"),
        ({"from_": "9999-12-31", "to": "9999-12-31"}, "to"),
        ({"from_": "yesterday", "to": "2026-03-01"}, "from"),
        ({"from_": "2026-02-30", "to": "2026-03-01"}, "from"),
        ({"from_": "1772323200", "to": "2026-03-02"}, "from"),
        ({"from_": "2026-03-01T00:00:00", "to": "2026-03-02"}, "from"),
        ({"engineer_id": "me"}, "engineer_id"),
        ({"engineer_id": ""}, "engineer_id"),
        ({"client_id": "7"}, "client_id"),
        ({"client_id": "\0"}, "client_id"),
        ({"client_id": "x" * 10_000}, "client_id"),
    ],
)
def test_bad_values_are_named_one_by_one(ask, team_admin, parameters, where):
    status, answer = said(ask(team_admin, **parameters))
    assert status == 422
    assert [fault["loc"] for fault in answer["detail"]] == [["query", where]]
    for fault in answer["detail"]:
        assert isinstance(fault["msg"], str)
        assert isinstance(fault["type"], str)
        assert fault["msg"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_there_is_only_get(client, team_admin, method):
    client.force_login(team_admin)
    response = getattr(client, method)(URL)
    assert (response.status_code, response["Allow"]) == (405, "GET")
    assert response.json() == {"detail": "Method not allowed"}


def test_a_path_that_is_none_answers_as_the_api_does(client):
    response = client.get("/api/v1/no/such/thing")
    assert said(response) == (404, {"detail": "Not found"})


def test_the_document_says_what_can_come_back(client, account):
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    document = response.json()
    operation = document["paths"][URL]["get"]
    assert set(operation["responses"]) == {"200", "401", "403", "404", "422"}
    assert {parameter["name"] for parameter in operation["parameters"]} == {
        *("period", "from", "to", "engineer_id", "client_id", "account")
    }
    schemas = document["components"]["schemas"]
    for schema in ("AnalyticsSummary", "TopFlow", "TopEngineer"):
        units = schemas[schema]["properties"]
        assert units["completion_rate"]["description"].startswith("Fraction 0..1, rounded to 3 decimals.")
        assert units["median_duration_minutes"]["description"].startswith("Minutes, rounded to 1 decimal.")
    assert "rounded to 1 decimal" in schemas["TopFlow"]["properties"]["avg_csat"]["description"]


@pytest.fixture
def document(team_admin, engineer):
    """The API as its own document describes it, over some sessions."""
    for day in range(4):
        SessionFactory(
            user=engineer, flow=FlowFactory(), client=ClientFactory(), started_at=NOW - timedelta(days=day)
        )
    with described_api() as document:
        yield document


def test_the_document_is_valid_openapi(document):
    document.validate()


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("role", ["team_admin", "super_admin", "engineer"])
@pytest.mark.parametrize(("path", "refused"), [(URL, "engineer"), ("/api/v1/analytics/me", "super_admin")])
def test_whatever_is_asked_what_comes_back_is_declared(document, request, path, refused, role, mode):
    token = ApiToken.issue(request.getfixturevalue(role), "tests")[1]
    operation = document[path]["GET"]
    seen = set()

    @settings(max_examples=20)
    @given(
        case=operation.as_strategy(generation_mode=mode), account=st.sampled_from([None, "northgate", ...])
    )
    def ask(case, account):
        if account is None:
            case.query.pop("account", None)
        elif account is not ...:
            case.query["account"] = account
        response = case.call(headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"})
        case.validate_response(response, checks=CHECKS)
        seen.add(response.status_code)

    ask()
    assert seen <= {200, 401, 403, 404, 422}
    if mode is GenerationMode.POSITIVE:
        assert (403 if role == refused else 200) in seen
    else:
        assert 422 in seen
