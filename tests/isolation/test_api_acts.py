"""What the API lets people change: nothing of another account, nothing of a colleague, and of no row named there."""

import pytest

from flowpilot.models import Flow, FlowDraft, FlowProposal, FlowVersion, Session, Step
from ratings.models import SessionRating, StepRating
from resolutionflow.tenancy import cross_account

API = "/api/v1"
ACTS = {
    "sessions/{session}/decisions": {"id": "x", "node_id": None, "title": "Done", "answer": ""},
    "sessions/{session}/complete": {"outcome": "resolved", "resolution_summary": "Done"},
    "sessions/{session}/escalate": {"reason": "No idea"},
    "sessions/{session}/rate": {"rating": 5},
}
TABLES = (Flow, FlowDraft, FlowProposal, FlowVersion, Session, SessionRating, Step, StepRating)


def everything():
    with cross_account():
        return [sorted(map(repr, model.objects.values())) for model in TABLES]


@pytest.fixture
def post(as_viewer, north):
    def post(viewer, path, body, method="post"):
        query = f"?account={north.account.slug}" if viewer == "super_admin" else ""
        return getattr(as_viewer(viewer), method)(f"{API}/{path}{query}", body, "application/json")

    return post


@pytest.mark.parametrize("viewer", ["engineer", "team_admin", "super_admin"])
@pytest.mark.parametrize("path", ACTS)
def test_a_session_of_another_account_does_not_exist(viewer, path, north, south, post):
    before = everything()
    for session in (south.rows["session"], south.colleague_session, south.wanted_session):
        response = post(viewer, path.format(session=session.id), ACTS[path])
        assert response.status_code == (403 if viewer == "super_admin" else 404)
        assert "SOUTHMARK" not in response.content.decode()
    assert everything() == before


@pytest.mark.parametrize("viewer", ["engineer", "team_admin", "super_admin"])
@pytest.mark.parametrize("path", ACTS)
def test_a_colleagues_session_is_only_the_colleagues_to_drive(viewer, path, north, post):
    before = everything()
    for session in (north.colleague_session, north.wanted_session):
        assert post(viewer, path.format(session=session.id), ACTS[path]).status_code == 403
    assert everything() == before


@pytest.mark.parametrize("name", ["client", "flow"])
def test_a_session_starts_on_no_row_of_another_account(name, north, south, post):
    before = everything()
    unknown = "00000000-0000-7000-8000-000000000000"
    answers = [
        post("engineer", "sessions", {"problem_summary": "x", f"{name}_id": str(id_)})
        for id_ in (south.rows[name].id, unknown)
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    assert everything() == before


def test_what_a_body_says_beside_the_contract_counts_for_nothing(north, south, post):
    body = {
        "problem_summary": "Mine",
        "account": south.account.slug,
        "account_id": str(south.account.id),
        "user": str(north.colleague.id),
        "user_id": str(south.engineer.id),
        "engineer": {"id": str(north.colleague.id)},
        "status": "resolved",
        "id": str(south.rows["session"].id),
        "previous_session": str(south.rows["session"].id),
    }
    response = post("engineer", "sessions", body)
    assert response.status_code == 201
    with cross_account():
        session = Session.objects.get(problem_summary="Mine")
    assert (session.account_id, session.user_id) == (north.account.id, north.engineer.id)
    assert (session.status, session.previous_session_id) == ("active", None)
    assert session.id != south.rows["session"].id


@pytest.mark.parametrize("viewer", ["engineer", "team_admin", "super_admin"])
def test_no_thumb_reaches_a_row_of_another_account_or_a_colleague(viewer, north, south, post):
    before = everything()
    mine, theirs = north.rows["step"], south.rows["step"]
    others = 403 if viewer == "super_admin" else 404
    for step, session, status in [
        (mine, north.colleague_session, 403),
        (mine, south.rows["session"], others),
        (theirs, north.rows["session"], others),
        (theirs, south.rows["session"], others),
    ]:
        body = {"session_id": str(session.id), "was_helpful": False}
        response = post(viewer, f"steps/{step.id}/feedback", body)
        assert response.status_code == status
        assert "SOUTHMARK" not in response.content.decode()
    assert everything() == before


FLOW = {
    "name": "Taken over",
    "description": "",
    "domain": None,
    "kind": "procedural",
    "structure": {"id": "root", "type": "outcome", "outcome": "resolved", "title": "Done"},
    "revision": 1,
}


@pytest.mark.parametrize("viewer", ["team_admin", "super_admin"])
def test_a_flow_of_another_account_does_not_exist(viewer, north, south, post):
    before = everything()
    unknown = "00000000-0000-7000-8000-000000000000"
    answers = [post(viewer, f"flows/{id_}", FLOW, "put") for id_ in (south.rows["flow"].id, unknown)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    assert everything() == before


def test_who_writes_no_flows_changes_none(north, south, post):
    before = everything()
    for path, method in (("flows", "post"), (f"flows/{north.rows['flow'].id}", "put")):
        assert post("engineer", path, FLOW, method).status_code == 403
    assert everything() == before


def test_the_domain_of_another_account_has_no_name(north, south, post):
    before = everything()
    for path, method in (("flows", "post"), (f"flows/{north.rows['flow'].id}", "put")):
        response = post("team_admin", path, FLOW | {"domain": "SOUTHMARK domain"}, method)
        assert (response.status_code, response.json()["detail"][0]["loc"]) == (422, ["body", "domain"])
    assert everything() == before


REVIEWS = {
    "approve": {},
    "reject": {"reason": "No"},
    "dismiss": {},
    "publish": {"structure": FLOW["structure"]},
}


@pytest.mark.parametrize("act", REVIEWS)
@pytest.mark.parametrize("viewer", ["engineer", "team_admin", "super_admin"])
def test_a_proposal_of_another_account_does_not_exist(viewer, act, north, south, post):
    before = everything()
    unknown = "00000000-0000-7000-8000-000000000000"
    answers = [
        post(viewer, f"proposals/{id_}/{act}", REVIEWS[act])
        for id_ in (south.rows["flowproposal"].id, unknown)
    ]
    assert [answer.status_code for answer in answers] == [403 if viewer == "engineer" else 404] * 2
    assert answers[0].json() == answers[1].json()
    assert everything() == before


def test_engineers_review_nothing(north, post):
    before = everything()
    for act, body in REVIEWS.items():
        assert post("engineer", f"proposals/{north.rows['flowproposal'].id}/{act}", body).status_code == 403
    assert everything() == before
