"""/api/v1/sessions from outside: who may start and drive one, what comes back, how it says no."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from flowpilot.models import Flow, Session
from flowpilot.sessions.states import Status
from flowpilot.tests.factories import (
    ClientFactory,
    FlowFactory,
    SessionFactory,
)
from flowpilot.tests.session_api.answers import COLLEAGUES, NOBODY, NOW, UNKNOWN, URL, decided, faults
from resolutionflow.models import ApiToken
from resolutionflow.tenancy import account_scope


def test_a_start_with_all_that_can_be_said(call, engineer, flow):
    client = ClientFactory()
    body = {
        "problem_summary": "  Пароль 🔑 =HYPERLINK(1) <script> ",
        "problem_description": "Since\nthis morning",
        "flow_id": str(flow.id),
        "psa_ticket_id": " 4711 ",
        "client_id": str(client.id),
    }
    status, answer = call(engineer, body=body)
    assert (status, answer["problem_summary"]) == (201, "Пароль 🔑 =HYPERLINK(1) <script>")
    assert (answer["psa_ticket_id"], answer["client"]["id"]) == ("4711", str(client.id))
    session = Session.objects.get()
    assert (session.problem_description, session.flow_version) == (
        "Since\nthis morning",
        flow.current_version,
    )
    flow.refresh_from_db()
    assert (flow.usage_count, flow.last_matched_at) == (1, NOW)


def test_without_a_flow_it_is_a_discovery(call, engineer):
    body = {"problem_summary": "Odd noise", "flow_id": None, "client_id": None, "psa_ticket_id": None}
    status, answer = call(engineer, body=body)
    assert (status, answer["flow"], answer["confidence_tier"]) == (201, None, "discovery")


def test_the_match_of_a_named_flow_is_told_but_none_is_chosen(call, engineer, flow):
    fits = {"problem_summary": "Reset the password of a new colleague"}
    _, answer = call(engineer, body=fits | {"flow_id": str(flow.id)})
    assert (answer["confidence_tier"], 0 < answer["confidence"] <= 1) == ("guided", True)
    _, answer = call(engineer, body={"problem_summary": "Zebra", "flow_id": str(flow.id)})
    assert (answer["confidence_tier"], answer["confidence"]) == ("guided", None)
    _, answer = call(engineer, body=fits)
    assert (answer["flow"], answer["confidence_tier"], answer["confidence"]) == (None, "discovery", None)
    assert answer["domain"]["name"] == "Accounts"


def test_what_a_start_refuses(call, engineer, super_admin, stranger, other_account):
    with account_scope(other_account):
        theirs = {"flow_id": str(FlowFactory().id), "client_id": str(ClientFactory().id)}
    draft = FlowFactory(status=Flow.Status.DRAFT)
    said = {"problem_summary": "x"}
    for name, id_ in [*theirs.items(), ("flow_id", str(NOBODY)), ("client_id", str(NOBODY))]:
        sentence = {"flow_id": "No such flow", "client_id": "No such client"}[name]
        assert call(engineer, body=said | {name: id_}) == (404, {"detail": sentence})
    status, answer = call(engineer, body=said | {"flow_id": str(draft.id)})
    assert (status, answer) == (409, {"detail": "This flow is not published, so no session can run it."})
    assert call(super_admin, body=said) == (403, {"detail": "Name an account"})
    assert call(super_admin, body=said, account="northgate") == (
        403,
        {"detail": "A super admin runs no sessions."},
    )
    assert call(engineer, body=said, account="southgate") == (404, {"detail": "No such account"})
    assert Session.objects.count() == 0


NOT_A_START = [
    ({}, ["problem_summary"]),
    ({"problem_summary": None}, ["problem_summary"]),
    ({"problem_summary": "  \n"}, ["problem_summary"]),
    ({"problem_summary": "x" * 501}, ["problem_summary"]),
    ({"problem_summary": "a\0b"}, ["problem_summary"]),
    ({"problem_summary": 7}, ["problem_summary"]),
    ({"problem_summary": "x", "problem_description": "\0"}, ["problem_description"]),
    ({"problem_summary": "x", "problem_description": "x" * 10_001}, ["problem_description"]),
    ({"problem_summary": "x", "flow_id": "x"}, ["flow_id"]),
    ({"problem_summary": "x", "client_id": 7}, ["client_id"]),
    ({"problem_summary": "x", "psa_ticket_id": "x" * 101}, ["psa_ticket_id"]),
    ({"flow_id": [], "client_id": {}}, ["problem_summary", "flow_id", "client_id"]),
]


@pytest.mark.parametrize(("body", "where"), NOT_A_START)
def test_a_start_names_what_is_wrong(call, engineer, body, where):
    status, answer = call(engineer, body=body)
    assert status == 422
    assert faults(answer) == [["body", name] for name in where]
    assert Session.objects.count() == 0


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"\xff\xfe", b"x" * 10, b"[" * 200_000, b'{"problem_summary": NaN}', b"9" * 5_000),
        *(b"[]", b"null", b'"x"', b"7", b"x" * 3_000_000),
    ],
    ids=repr,
)
def test_what_is_no_object_of_json_is_told(call, engineer, body):
    status, answer = call(engineer, body=body)
    assert status == 422
    assert all(fault["loc"][0] == "body" for fault in answer["detail"])


def test_half_a_character_is_told(call, engineer):
    status, answer = call(engineer, body=rb'{"problem_summary": "a\ud800", "psa_ticket_id": "\udfff"}')
    assert (status, faults(answer)) == (422, [["body", "problem_summary"], ["body", "psa_ticket_id"]])


def test_a_session_is_driven_to_its_end(call, engineer, started, clock):
    path = f"/{started['id']}"
    clock(NOW + timedelta(minutes=2))
    status, answer = call(engineer, f"{path}/decisions", decided(note="Blue light"))
    assert (status, answer["step_count"]) == (200, 1)
    assert answer["decisions"] == [
        {
            "id": "a",
            "node_id": "root",
            "title": "Does it start?",
            "answer": "Yes",
            "note": "Blue light",
            "at": "2026-03-31T11:02:00Z",
            "undone_at": None,
            "taken_over": False,
        }
    ]
    call(engineer, f"{path}/decisions", decided("b", "log", ""))
    beside = decided("c", None, "Works", title="Changed the cable", note=None)
    assert call(engineer, f"{path}/decisions", beside)[1]["decisions"][2]["title"] == "Changed the cable"
    clock(NOW + timedelta(minutes=10))
    status, answer = call(
        engineer, f"{path}/complete", {"outcome": "resolved", "resolution_summary": " The fuse "}
    )
    assert (status, answer["status"], answer["outcome"]) == (200, "resolved", "resolved")
    assert (answer["completed_at"], answer["duration_seconds"]) == ("2026-03-31T11:10:00Z", 600)
    assert (answer["resolution_summary"], answer["step_count"]) == ("The fuse", 3)
    assert call(engineer, path) == (200, answer)


def test_the_same_decision_again_changes_nothing(call, engineer, started):
    path = f"/{started['id']}"
    _, first = call(engineer, f"{path}/decisions", decided())
    assert call(engineer, f"{path}/decisions", decided(answer="No", note="other")) == (200, first)
    assert call(engineer, f"{path}/decisions", decided(node_id="nowhere")) == (200, first)
    _, ended = call(engineer, f"{path}/complete", {"outcome": "unresolved"})
    assert call(engineer, f"{path}/decisions", decided()) == (200, ended)  # also a repeat that comes too late


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, ["id", "node_id", "answer"]),
        (decided(id=""), ["id"]),
        (decided(id="x" * 65), ["id"]),
        (decided(id=7), ["id"]),
        (decided(id="\0"), ["id"]),
        (decided(node_id="nowhere"), ["node_id"]),
        (decided(node_id="done"), ["node_id"]),
        (decided(node_id="x" * 101), ["node_id"]),
        (decided(answer="Perhaps"), ["answer"]),
        (decided(answer=None), ["answer"]),
        (decided(answer="x" * 501), ["answer"]),
        (decided(node_id=None), ["title"]),
        (decided(node_id=None, title="  "), ["title"]),
        (decided(node_id=None, title="x" * 301), ["title"]),
        (decided(note="\0"), ["note"]),
        (decided(note="x" * 4001), ["note"]),
    ],
)
def test_a_decision_names_what_is_wrong(call, engineer, started, body, where):
    status, answer = call(engineer, f"/{started['id']}/decisions", body)
    assert status == 422
    assert faults(answer) == [["body", name] for name in where]
    assert Session.objects.get().decisions == []


def test_without_a_guide_the_end_says_what_solved_it(call, engineer):
    session = SessionFactory(user=engineer, status="active", confidence_tier="discovery", started_at=NOW)
    path = f"/{session.id}/complete"
    for summary in ({}, {"resolution_summary": None}, {"resolution_summary": " "}):
        status, answer = call(engineer, path, {"outcome": "workaround"} | summary)
        assert (status, faults(answer)) == (422, [["body", "resolution_summary"]])
    assert call(engineer, path, {"outcome": "escalated"})[1]["status"] == "escalated"


@pytest.mark.parametrize(
    ("act", "body", "where"),
    [
        ("complete", {}, "outcome"),
        ("complete", {"outcome": "abandoned"}, "outcome"),
        ("complete", {"outcome": None}, "outcome"),
        ("complete", {"outcome": "resolved", "resolution_summary": "x" * 10_001}, "resolution_summary"),
        ("complete", {"outcome": "resolved", "resolution_summary": "\0"}, "resolution_summary"),
        ("escalate", {}, "reason"),
        ("escalate", {"reason": " "}, "reason"),
        ("escalate", {"reason": None}, "reason"),
        ("escalate", {"reason": "x" * 10_001}, "reason"),
    ],
)
def test_an_end_names_what_is_wrong(call, engineer, started, act, body, where):
    status, answer = call(engineer, f"/{started['id']}/{act}", body)
    assert (status, faults(answer)) == (422, [["body", where]])
    assert Session.objects.get().status == Status.ACTIVE


def test_help_is_asked_for(call, engineer, started):
    path = f"/{started['id']}/escalate"
    status, answer = call(engineer, path, {"reason": " No idea "})
    assert (status, answer["status"], answer["outcome"]) == (200, "requesting_escalation", None)
    assert answer["escalation_reason"] == "No idea"
    assert call(engineer, path, {"reason": "Still none"})[1]["escalation_reason"] == "Still none"


ACTS = [
    ("decisions", decided("z")),
    ("complete", {"outcome": "resolved", "resolution_summary": "x"}),
    ("escalate", {"reason": "x"}),
]


@pytest.mark.parametrize(("act", "body"), ACTS)
@pytest.mark.parametrize("status", ["resolved", "escalated", "unresolved"])
def test_what_has_ended_is_a_conflict(call, engineer, act, body, status):
    session = SessionFactory(user=engineer, status=status)
    answer = call(engineer, f"/{session.id}/{act}", body)
    assert answer == (409, {"detail": "This session has ended. Reopen it to go on with the problem."})
    before = Session.objects.filter(id=session.id).values().get()
    assert before["decisions"] == []


@pytest.mark.parametrize(("act", "body"), [(act, body) for act, body in ACTS if act != "decisions"])
def test_an_abandoned_one_goes_on(call, engineer, act, body):
    session = SessionFactory(user=engineer, status="abandoned")
    assert call(engineer, f"/{session.id}/{act}", body)[0] == 200


@pytest.mark.parametrize(("act", "body"), [*ACTS, *((act, {}) for act, _ in ACTS)])
def test_only_its_engineer_drives_it(call, engineer, colleague, team_admin, super_admin, stranger, act, body):
    session = SessionFactory(user=engineer, status="requesting_escalation")
    before = Session.objects.values().get()
    path = f"/{session.id}/{act}"
    assert call(colleague, path, body) == COLLEAGUES
    assert call(team_admin, path, body) == COLLEAGUES
    assert call(stranger, path, body) == UNKNOWN
    assert call(super_admin, path, body, account="northgate")[0] == 403
    assert call(super_admin, path, body) == (403, {"detail": "Name an account"})
    assert call(engineer, f"/{NOBODY}/{act}", body) == UNKNOWN
    assert Session.objects.values().get() == before


def test_a_browser_needs_its_token_against_forgery_and_a_stranger_is_told_to_sign_in(engineer):
    browser = Client(enforce_csrf_checks=True)
    body = json.dumps({"problem_summary": "x"})
    refused = browser.post(URL, body, "application/json")
    assert (refused.status_code, refused.json()) == (401, {"detail": "Unauthorized"})
    browser.force_login(engineer)
    forged = browser.post(URL, body, "application/json")
    assert (forged.status_code, forged.json()) == (403, {"detail": "CSRF check Failed"})
    secret = ApiToken.issue(engineer, "tests")[1]
    told = browser.post(URL, body, "application/json", headers={"Authorization": f"Bearer {secret}"})
    assert told.status_code == 201
