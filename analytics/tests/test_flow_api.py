"""/api/v1/analytics/flows/{flow_id} from outside: who may ask, what comes back, how it says no."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from flowpilot.tests.factories import ClientFactory, FlowFactory, SessionFactory, StepFactory
from ratings.tests.factories import SessionRatingFactory, StepRatingFactory
from resolutionflow.models import ApiToken

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def ask(client):
    def ask(user, flow_id, **parameters):
        names = {name.rstrip("_"): value for name, value in parameters.items()}  # "from" is a keyword
        headers = {"Authorization": f"Bearer {ApiToken.issue(user, 'tests')[1]}"} if user else {}
        return client.get(f"/api/v1/analytics/flows/{flow_id}", names, headers=headers)

    return ask


def decided(node_id, at, **facts):
    usual = {"id": "1", "title": f"Title of {node_id}", "answer": "Yes", "note": "", "taken_over": False}
    return usual | {"node_id": node_id, "at": at.isoformat(), "undone_at": None} | facts


def test_the_answer_to_the_letter(ask, engineer, colleague, team_admin):
    flow, at = FlowFactory(), NOW - timedelta(days=2)
    session = SessionFactory(
        user=colleague,
        flow=flow,
        started_at=at,
        completed_at=at + timedelta(minutes=12, seconds=3),
        decisions=[decided("root", at), decided("cable", at, undone_at=NOW.isoformat()), decided("root", at)],
    )
    lost = SessionFactory(
        user=engineer, flow=flow, started_at=at, status="abandoned", decisions=[decided("root", at)]
    )
    step = StepFactory(flow=flow, node_id="cable", title="Cable")
    StepRatingFactory(step=step, session=session, was_helpful=False)
    StepRatingFactory(step=StepFactory(flow=flow, node_id="root", title="Root"), session=lost)
    for user, stars, comment, hours in (
        (colleague, 5, "First", 30),
        (colleague, 4, "Second", 20),
        (engineer, 4, "Third, <b>bold</b>", 11.5),  # half past midnight in London
        (engineer, 1, None, 1),
    ):
        rated = SessionFactory(user=user, flow=flow, started_at=NOW - timedelta(days=60))
        SessionRatingFactory(
            session=rated, rating=stars, comment=comment, created_at=NOW - timedelta(hours=hours)
        )
    answer = ask(engineer, flow.id, period="7d")
    assert answer.status_code == 200
    # what a colleague said is the same for everyone
    assert ask(team_admin, flow.id, period="7d").json() == answer.json()
    said = answer.json()
    series = said.pop("time_series")
    assert [point["date"] for point in series] == [f"2026-03-{day}" for day in range(25, 32)]
    assert series[4] == {
        "date": "2026-03-29",
        "sessions": 2,
        "resolved": 1,
        "escalated": 0,
        "workaround": 0,
        "unresolved": 0,
    }
    assert said == {
        "summary": {
            "total_sessions": 2,
            "completed_sessions": 1,
            "completion_rate": 0.5,
            "median_duration_minutes": 12.1,
            "active_engineers": 2,
            "outcome_breakdown": {"resolved": 1, "escalated": 0, "workaround": 0, "unresolved": 0},
        },
        "avg_csat": 3.5,
        "total_ratings": 4,
        "step_feedback": [
            {
                "node_id": "root",
                "node_title": "Root",
                "helpful_yes": 1,
                "helpful_no": 0,
                "helpful_rate": 1.0,
                "visit_count": 3,
                "dropoff_count": 1,
                "dropoff_rate": 0.333,
            },
            {
                "node_id": "cable",
                "node_title": "Cable",
                "helpful_yes": 0,
                "helpful_no": 1,
                "helpful_rate": 0.0,
                "visit_count": 0,
                "dropoff_count": 0,
                "dropoff_rate": None,
            },
        ],
        "recent_comments": [
            {"rating": 4, "comment": "Third, <b>bold</b>", "created_at": "2026-03-30T23:00:00Z"},
            {"rating": 4, "comment": "Second", "created_at": "2026-03-29T23:00:00Z"},
            {"rating": 5, "comment": "First", "created_at": "2026-03-29T23:00:00Z"},
        ],
    }


def test_a_flow_without_sessions(ask, engineer):
    said = ask(engineer, FlowFactory().id).json()
    assert (said["summary"]["completion_rate"], said["summary"]["median_duration_minutes"]) == (0.0, 0.0)
    assert (said["avg_csat"], said["total_ratings"]) == (None, 0)
    assert len(said["time_series"]) == 30
    assert said["step_feedback"] == said["recent_comments"] == []


def test_only_the_newest_ten_comments(ask, engineer, colleague):
    flow = FlowFactory()
    for number in range(12):
        rated = SessionFactory(
            user=(engineer, colleague)[number % 2], flow=flow, started_at=NOW - timedelta(days=1)
        )
        SessionRatingFactory(session=rated, comment=f"No. {number}", created_at=NOW - timedelta(hours=number))
    comments = [item["comment"] for item in ask(engineer, flow.id).json()["recent_comments"]]
    assert comments == [f"No. {number}" for number in range(10)]


def test_a_client_narrows_sessions_ratings_and_thumbs(ask, engineer):
    flow, acme = FlowFactory(), ClientFactory()
    step = StepFactory(flow=flow, node_id="root")
    for client in (acme, None, None):
        at = NOW - timedelta(days=1)
        session = SessionFactory(
            user=engineer, flow=flow, client=client, started_at=at, decisions=[decided("root", at)]
        )
        SessionRatingFactory(session=session, created_at=NOW)
        StepRatingFactory(step=step, session=session)
    said = ask(engineer, flow.id, client_id=str(acme.id)).json()
    assert said["summary"]["total_sessions"] == said["total_ratings"] == 1
    assert [(row["visit_count"], row["helpful_yes"]) for row in said["step_feedback"]] == [(1, 1)]


def test_who_may_ask_and_what_is_refused(ask, engineer, stranger, super_admin):
    flow = FlowFactory()
    assert ask(None, flow.id).status_code == 401
    foreign, unknown = ask(stranger, flow.id), ask(engineer, uuid4())
    assert (foreign.status_code, foreign.json()) == (404, unknown.json()) == (404, {"detail": "No such flow"})
    assert ask(super_admin, flow.id).status_code == 403
    assert ask(super_admin, flow.id, account="northgate").status_code == 200
    assert ask(engineer, flow.id, client_id=str(uuid4())).status_code == 404
    for bad in (
        {"period": "1d"},
        {"from_": "2026-03-01"},
        {"client_id": "x"},
        {"period": "7d", "from_": "x"},
    ):
        assert ask(engineer, flow.id, **bad).status_code == 422, bad
    assert ask(engineer, "no-id").status_code == 404
