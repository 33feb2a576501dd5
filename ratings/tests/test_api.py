"""Stars and thumbs by JSON: shapes, who may, and how it says no."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from flowpilot.models import Step
from flowpilot.tests.factories import FlowFactory, SessionFactory, StepFactory
from ratings.models import SessionRating, StepRating
from resolutionflow.models import ApiToken
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.openapi import CHECKS, described_api

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
ONLY_ITS_ENGINEER = (403, {"detail": "Only the session's engineer rates it."})


@pytest.fixture(autouse=True)
def _now(clock):
    clock(NOW)


@pytest.fixture
def ask(client):
    """Calls as a user by a new token; the status and the JSON that came back."""

    def ask(method, path, user, body=None, query=""):
        headers = {"Authorization": f"Bearer {ApiToken.issue(user, 'tests')[1]}"} if user else {}
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        response = client.generic(
            method, f"/api/v1{path}{query}", data, content_type="application/json", headers=headers
        )
        return response.status_code, response.json() if response.content else None

    return ask


@pytest.fixture
def rate(ask, session):
    return lambda user, body=None, of=session, **more: ask(
        "POST", f"/sessions/{of.id}/rate", user, {"rating": 4} if body is None else body, **more
    )


@pytest.fixture
def thumb(ask, session, step):
    def thumb(user, helpful=True, *, on=step, of=session, **more):
        body = {"session_id": str(of.id), "was_helpful": helpful}
        return ask("POST", f"/steps/{on.id}/feedback", user, body, **more)

    return thumb


@pytest.fixture
def take_back(ask, session, step):
    return lambda user, on=step, of=session: ask(
        "DELETE", f"/steps/{on.id}/feedback", user, query=f"?session_id={of.id}"
    )


def where(answer):
    status, body = answer
    assert status == 422
    return [fault["loc"][-1] for fault in body["detail"]]


def test_stars_to_the_letter(rate, engineer, session):
    status, answer = rate(engineer, {"rating": 5, "comment": " Quick,\r\nand right 😀 "})
    assert status == 201
    assert answer == {
        "id": str(SessionRating.objects.get().id),
        "session_id": str(session.id),
        "rating": 5,
        "comment": "Quick,\nand right 😀",
        "created_at": "2026-03-31T11:00:00Z",
    }


@pytest.mark.parametrize(
    "body", [{"rating": 1}, {"rating": 1, "comment": None}, {"rating": 1, "comment": "  "}]
)
def test_no_comment_is_null(rate, engineer, body):
    assert rate(engineer, body)[1]["comment"] is None
    assert SessionRating.objects.get().comment is None


def test_a_second_rating_is_a_conflict_whatever_it_says(rate, engineer):
    assert rate(engineer, {"rating": 5})[0] == 201
    for stars in (5, 1):
        assert rate(engineer, {"rating": stars}) == (409, {"detail": "This session is rated already."})
    assert SessionRating.objects.get().rating == 5


@pytest.mark.parametrize("status", ["active", "requesting_escalation", "abandoned"])
def test_only_what_is_completed(rate, engineer, status):
    of = SessionFactory(user=engineer, status=status)
    assert rate(engineer, of=of) == (400, {"detail": "A session is rated after its end."})


def test_a_thumb_to_the_letter(thumb, take_back, engineer, step):
    def counts():
        return Step.objects.values_list("helpful_yes", "helpful_no").get()

    kept = {"step_id": str(step.id)}
    assert thumb(engineer) == (201, {**kept, "was_helpful": True, "status": "created"})
    assert thumb(engineer) == (200, {**kept, "was_helpful": True, "status": "updated"})
    assert counts() == (1, 0)
    assert thumb(engineer, False) == (200, {**kept, "was_helpful": False, "status": "updated"})
    assert counts() == (0, 1)
    assert take_back(engineer) == (204, None)
    assert counts() == (0, 0)
    assert take_back(engineer) == (204, None)
    assert thumb(engineer, False)[0] == 201
    engineer.refresh_from_db()
    assert engineer.step_hint_seen_at == NOW


def test_only_the_sessions_engineer(rate, thumb, take_back, colleague, team_admin):
    for user in (colleague, team_admin):
        for act in (rate, thumb, take_back):
            assert act(user) == ONLY_ITS_ENGINEER
    assert not SessionRating.objects.exists()
    assert not StepRating.objects.exists()


def test_a_super_admin_names_an_account_and_rates_nothing(rate, thumb, super_admin):
    for act in (rate, thumb):
        assert act(super_admin) == (403, {"detail": "Name an account"})
        assert act(super_admin, query="?account=unknown") == (404, {"detail": "No such account"})
        assert act(super_admin, query="?account=northgate") == (
            403,
            {"detail": "A super admin rates no sessions."},
        )


def test_a_stranger_finds_nothing(rate, thumb, take_back, stranger, engineer, other_account):
    assert rate(stranger) == (404, {"detail": "No such session"})
    for act in (thumb, take_back):
        assert act(stranger) == (404, {"detail": "No such step"})
    assert rate(engineer, query="?account=southgate") == (404, {"detail": "No such account"})
    with account_scope(other_account):
        theirs, step = SessionFactory(user=stranger), StepFactory()
    assert rate(engineer, of=theirs) == (404, {"detail": "No such session"})
    assert thumb(engineer, of=theirs) == (404, {"detail": "No such session"})
    for act in (thumb, take_back):
        assert act(engineer, on=step) == (404, {"detail": "No such step"})


def test_nobody_without_signing_in(rate, thumb, take_back):
    for act in (rate, thumb, take_back):
        assert act(None) == (401, {"detail": "Unauthorized"})


def test_a_step_of_another_flow_is_a_bad_value(thumb, take_back, engineer):
    other, without = StepFactory(flow=FlowFactory()), SessionFactory(user=engineer)
    assert where(thumb(engineer, on=other)) == ["session_id"]
    assert where(take_back(engineer, on=other)) == ["session_id"]
    assert where(thumb(engineer, of=without)) == ["session_id"]
    assert not StepRating.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "rating"),
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"rating": 10**30}, "rating"),
        ({"rating": 4.5}, "rating"),
        ({"rating": "4"}, "rating"),
        ({"rating": True}, "rating"),
        ({"rating": None}, "rating"),
        ({"rating": 4, "comment": 7}, "comment"),
        ({"rating": 4, "comment": "x" * 501}, "comment"),
        ({"rating": 4, "comment": "a\0b"}, "comment"),
        ('{"rating": 4, "comment": "\\ud800"}', "comment"),
        ([], "rating"),
        ("null", "rating"),
    ],
)
def test_bad_stars_are_named(rate, engineer, body, field):
    assert where(rate(engineer, body)) == [field]
    assert not SessionRating.objects.exists()


def test_a_long_comment_is_told_in_characters(rate, engineer):
    _, answer = rate(engineer, {"rating": 4, "comment": "x" * 501})
    assert answer["detail"][0]["msg"] == "String should have at most 500 characters"


@pytest.mark.parametrize("body", ["", "{", b"\xff\xfe", "[" * 100_000])
def test_what_is_no_json_is_told(rate, engineer, body):
    status, answer = rate(engineer, body)
    assert (status, answer["detail"][0]["msg"]) == (422, "The body is not JSON.")


@pytest.mark.parametrize("helpful", ["true", 1, None, "maybe"])
def test_bad_thumbs_are_named(thumb, engineer, helpful):
    assert where(thumb(engineer, helpful)) == ["was_helpful"]


def test_bad_ids(ask, engineer, step):
    path = f"/steps/{step.id}/feedback"
    assert where(ask("POST", path, engineer, {"session_id": "me", "was_helpful": True})) == ["session_id"]
    assert where(ask("DELETE", path, engineer, query="?session_id=%00")) == ["session_id"]
    assert where(ask("DELETE", path, engineer)) == ["session_id"]
    for unknown in ("/sessions/me/rate", f"/sessions/{uuid4()}/rate", "/sessions/%00/rate"):
        assert ask("POST", unknown, engineer, {"rating": 4})[0] == 404


def test_the_login_of_a_browser_needs_its_token_against_forgery(client, session, engineer):
    client.handler.enforce_csrf_checks = True
    client.force_login(engineer)
    response = client.post(
        f"/api/v1/sessions/{session.id}/rate", {"rating": 4}, content_type="application/json"
    )
    assert response.status_code == 403
    assert not SessionRating.objects.exists()


def test_the_document_says_what_can_come_back(client, account):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    rate, feedback = paths["/api/v1/sessions/{session_id}/rate"], paths["/api/v1/steps/{step_id}/feedback"]
    assert set(rate) == {"post"}
    assert set(rate["post"]["responses"]) == {"201", "400", "401", "403", "404", "409", "422"}
    assert set(feedback) == {"post", "delete"}
    assert set(feedback["post"]["responses"]) == {"200", "201", "401", "403", "404", "422"}
    assert set(feedback["delete"]["responses"]) == {"204", "401", "403", "404", "422"}


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/sessions/{session_id}/rate"),
        ("POST", "/api/v1/steps/{step_id}/feedback"),
        ("DELETE", "/api/v1/steps/{step_id}/feedback"),
    ],
)
def test_whatever_is_sent_what_comes_back_is_declared(engineer, session, step, method, path, mode):
    """Half of the calls are about rows that there are."""
    token = ApiToken.issue(engineer, "tests")[1]
    rows = {"session_id": str(session.id), "step_id": str(step.id)}
    seen = set()

    @settings(max_examples=30)
    @given(st.data(), st.booleans())
    def call(data, real):
        case = data.draw(document[path][method].as_strategy(generation_mode=mode))
        case.query.pop("account", None)
        if real:
            case.path_parameters = {name: rows[name] for name in case.path_parameters}
            for part in (case.query, case.body):
                if isinstance(part, dict) and "session_id" in part:
                    part["session_id"] = rows["session_id"]
        response = case.call(headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"})
        case.validate_response(response, checks=CHECKS)
        seen.add(response.status_code)

    with described_api() as document:
        call()
    assert seen & ({404, 422} if mode is GenerationMode.NEGATIVE else {200, 201, 204})
