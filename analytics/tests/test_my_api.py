"""/api/v1/analytics/me from outside: who may ask, what comes back, how it says no."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from flowpilot.tests.factories import ClientFactory, FlowFactory, SessionFactory
from ratings.tests.factories import SessionRatingFactory
from resolutionflow.models import ApiToken
from resolutionflow.tenancy import account_scope

URL = "/api/v1/analytics/me"
NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def ask(client):
    """Asks as a user by a new token; None for no token."""

    def ask(user, **parameters):
        headers = {"Authorization": f"Bearer {ApiToken.issue(user, 'tests')[1]}"} if user else {}
        names = {name.rstrip("_"): value for name, value in parameters.items()}  # "from" is a keyword
        return client.get(URL, names, headers=headers)

    return ask


def said(response):
    return response.status_code, response.json()


def test_the_answer_to_the_letter(ask, engineer, colleague):
    flow = FlowFactory(name="Reset a password")
    started_at = NOW - timedelta(days=1)
    for minutes, stars in [(1, 5), (2, 4)]:
        ended = {"completed_at": started_at + timedelta(minutes=minutes, seconds=3), "outcome": "workaround"}
        session = SessionFactory(user=engineer, flow=flow, started_at=started_at, **ended)
        SessionRatingFactory(session=session, rating=stars)
    SessionFactory(user=engineer, started_at=NOW, status="abandoned")
    SessionFactory.create_batch(9, user=colleague, flow=FlowFactory(), started_at=started_at)
    status, answer = said(ask(engineer, period="7d"))
    assert status == 200
    quiet = {"sessions": 0, "resolved": 0, "escalated": 0, "workaround": 0, "unresolved": 0}
    assert answer == {
        "summary": {
            "total_sessions": 3,
            "completed_sessions": 2,
            "completion_rate": 0.667,
            "median_duration_minutes": 1.6,  # 1.55
            "active_engineers": 1,
            "outcome_breakdown": {"resolved": 0, "escalated": 0, "workaround": 2, "unresolved": 0},
        },
        "time_series": [
            *({"date": f"2026-03-{day}", **quiet} for day in range(25, 30)),
            {"date": "2026-03-30", **quiet, "sessions": 2, "workaround": 2},
            {"date": "2026-03-31", **quiet, "sessions": 1},
        ],
        "top_flows": [
            {
                "tree_id": str(flow.id),
                "name": "Reset a password",
                "sessions": 2,
                "completion_rate": 1.0,
                "median_duration_minutes": 1.6,
                "avg_csat": 4.5,
            }
        ],
    }


def test_of_nothing_rate_and_median_are_zero_and_i_am_still_one(ask, engineer, colleague):
    SessionFactory(user=colleague, started_at=NOW)
    status, answer = said(ask(engineer))
    assert status == 200
    assert answer["summary"] == {
        "total_sessions": 0,
        "completed_sessions": 0,
        "completion_rate": 0.0,
        "median_duration_minutes": 0.0,
        "active_engineers": 1,
        "outcome_breakdown": {"resolved": 0, "escalated": 0, "workaround": 0, "unresolved": 0},
    }
    assert type(answer["summary"]["completion_rate"]) is float
    assert len(answer["time_series"]) == 30
    assert answer["top_flows"] == []


def test_a_team_admin_gets_the_own_figures_only(ask, team_admin, engineer):
    SessionFactory(user=team_admin, started_at=NOW)
    SessionFactory.create_batch(3, user=engineer, started_at=NOW)
    for parameters in ({}, {"engineer_id": engineer.id}, {"account": "northgate"}):
        assert said(ask(team_admin, **parameters))[1]["summary"]["total_sessions"] == 1


def test_a_client_narrows_it(ask, engineer):
    client = ClientFactory()
    SessionFactory(user=engineer, client=client, started_at=NOW)
    SessionFactory(user=engineer, started_at=NOW)
    assert said(ask(engineer, client_id=client.id))[1]["summary"]["total_sessions"] == 1


def test_without_a_token_or_login_it_is_401(ask, client, engineer):
    assert said(ask(None)) == (401, {"detail": "Unauthorized"})
    client.force_login(engineer)
    assert said(ask(None))[0] == 200


def test_a_super_admin_has_none(ask, super_admin, account):
    assert said(ask(super_admin)) == (403, {"detail": "Name an account"})
    assert said(ask(super_admin, account="unknown")) == (404, {"detail": "No such account"})
    no = (403, {"detail": "A super admin has no sessions of their own"})
    assert said(ask(super_admin, account="northgate")) == no


def test_of_another_account_nothing_exists(ask, engineer, other_account, stranger):
    with account_scope(other_account):
        theirs = ClientFactory()
        SessionFactory.create_batch(3, user=stranger, client=theirs, started_at=NOW)
    assert said(ask(engineer))[1]["summary"]["total_sessions"] == 0
    for id_ in (theirs.id, UUID(int=7)):
        assert said(ask(engineer, client_id=id_)) == (404, {"detail": "No such client"})
    assert said(ask(engineer, account="southgate")) == (404, {"detail": "No such account"})


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"period": "5d"}, "period"),
        ({"period": "7d\0"}, "period"),
        ({"from_": "2026-03-01"}, "to"),
        ({"period": "7d", "from_": "2026-03-01", "to": "2026-03-02"}, "period"),
        ({"from_": "2026-03-01", "to": "2026-04-01"}, "to"),
        ({"client_id": "x" * 10_000}, "client_id"),
    ],
)
def test_bad_values_are_named_one_by_one(ask, engineer, parameters, where):
    status, answer = said(ask(engineer, **parameters))
    assert status == 422
    assert [fault["loc"] for fault in answer["detail"]] == [["query", where]]


def test_the_document_says_what_can_come_back(client, account):
    operation = client.get("/api/v1/openapi.json").json()["paths"][URL]["get"]
    assert set(operation["responses"]) == {"200", "401", "403", "404", "422"}
    assert {parameter["name"] for parameter in operation["parameters"]} == {
        *("period", "from", "to", "client_id", "account")
    }
