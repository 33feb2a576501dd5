"""/api/v1/sessions from outside: who may ask and drive, what comes back, how it says no."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from flowpilot.models import Flow, Session
from flowpilot.sessions import driving
from flowpilot.sessions.states import Source, Status
from flowpilot.tests.factories import (
    ClientFactory,
    DomainFactory,
    FlowFactory,
    FlowVersionFactory,
    SessionFactory,
)
from flowpilot.tests.test_driving import STRUCTURE
from resolutionflow.models import ApiToken
from resolutionflow.tenancy import account_scope

URL = "/api/v1/sessions"
NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
NOBODY = UUID(int=7)
COLLEAGUES = (403, {"detail": "This is a colleague's session."})
UNKNOWN = (404, {"detail": "No such session"})


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


def decided(id="a", node_id="root", answer="Yes", **more):
    return {"id": id, "node_id": node_id, "answer": answer, **more}


def faults(answer):
    """Where the faults of a 422 are; each has its words."""
    assert all(set(fault) == {"loc", "msg", "type"} and fault["msg"] for fault in answer["detail"])
    return [fault["loc"] for fault in answer["detail"]]


def test_an_item_to_the_letter(call, engineer, flow):
    client = ClientFactory(name="Harrow & Pike")
    session = SessionFactory(
        user=engineer,
        external_id="INC-7",
        client=client,
        flow=flow,
        flow_version=flow.current_version,
        domain=flow.domain,
        problem_summary="Outlook asks again",
        confidence_tier="exploring",
        confidence=0.6,
        started_at=NOW - timedelta(minutes=12, seconds=5),
        completed_at=NOW - timedelta(minutes=2),
        outcome="workaround",
        step_count=4,
        psa_ticket_id="4711",
    )
    assert call(engineer) == (
        200,
        {
            "items": [
                {
                    "id": str(session.id),
                    "external_id": "INC-7",
                    "engineer": {"id": str(engineer.id), "name": "Amira Haddad"},
                    "client": {"id": str(client.id), "name": "Harrow & Pike"},
                    "flow": {"id": str(flow.id), "name": "Reset a password"},
                    "flow_version": 3,
                    "domain": {"id": str(flow.domain.id), "name": "Accounts"},
                    "problem_summary": "Outlook asks again",
                    "status": "resolved",
                    "outcome": "workaround",
                    "confidence_tier": "exploring",
                    "confidence": 0.6,
                    "started_at": "2026-03-31T10:47:55Z",
                    "completed_at": "2026-03-31T10:58:00Z",
                    "duration_seconds": 605,
                    "step_count": 4,
                    "psa_ticket_id": "4711",
                }
            ],
            "next": None,
            "count": 1,
        },
    )


def test_one_session_to_the_letter(call, engineer, team_admin, started):
    id_ = started["id"]
    assert started | {"flow": None, "domain": None} == {
        "id": id_,
        "external_id": None,
        "engineer": {"id": str(engineer.id), "name": "Amira Haddad"},
        "client": None,
        "flow": None,
        "flow_version": 3,
        "domain": None,
        "problem_summary": "Nothing prints",
        "status": "active",
        "outcome": None,
        "confidence_tier": "guided",
        "confidence": None,
        "started_at": "2026-03-31T11:00:00Z",
        "completed_at": None,
        "duration_seconds": None,
        "step_count": 0,
        "psa_ticket_id": None,
        "decisions": [],
        "resolution_summary": "",
        "escalation_reason": "",
        "rating": None,
    }
    assert (started["flow"]["name"], started["domain"]["name"]) == ("Reset a password", "Accounts")
    assert Session.objects.get(id=id_).source == Source.API
    assert call(engineer, f"/{id_}") == (200, started)
    # who leads the team reads it all but the rating, which is the engineer's own
    assert call(team_admin, f"/{id_}") == (200, {k: v for k, v in started.items() if k != "rating"})


def test_who_reads_a_session(call, engineer, colleague, team_admin, super_admin, stranger):
    session = SessionFactory(user=engineer, status="active", started_at=NOW)
    path = f"/{session.id}"
    assert call(colleague, path) == COLLEAGUES
    assert call(stranger, path) == UNKNOWN
    assert call(super_admin, path) == (403, {"detail": "Name an account"})
    assert call(super_admin, path, account="northgate")[0] == 200
    assert call(engineer, f"/{NOBODY}") == UNKNOWN
    assert call(engineer, "/seven") == (404, {"detail": "Not found"})
    driving.ask_for_help(session.id, reason="No idea", now=NOW)
    status, answer = call(colleague, path)
    assert (status, answer["escalation_reason"], "rating" in answer) == (200, "No idea", False)
    assert call(stranger, path) == UNKNOWN


def test_the_list_is_ones_own_and_the_teams_for_who_leads_it(call, engineer, colleague, team_admin):
    mine, theirs = (SessionFactory(user=user, started_at=NOW) for user in (engineer, colleague))

    def ids(user, **parameters):
        return {item["id"] for item in call(user, **parameters)[1]["items"]}

    assert ids(engineer) == {str(mine.id)}
    assert ids(team_admin) == {str(mine.id), str(theirs.id)}
    assert ids(engineer, engineer_id=colleague.id) == set()
    assert ids(team_admin, engineer_id=colleague.id) == {str(theirs.id)}


def test_help_wanted_shows_everybody_who_waits(call, engineer, colleague):
    waiting = SessionFactory(user=colleague, status="requesting_escalation", started_at=NOW)
    assert call(engineer)[1]["count"] == 0
    answer = call(engineer, help="wanted")[1]
    assert [item["id"] for item in answer["items"]] == [str(waiting.id)]
    assert answer["items"][0]["engineer"]["name"] == "Jonas Weber"


def test_the_filters_of_the_page_filter(call, engineer, flow):
    bent = SessionFactory(user=engineer, flow=flow, status="abandoned", started_at=NOW)
    SessionFactory(user=engineer, started_at=NOW, problem_summary="Blue screen")
    old = SessionFactory(
        user=engineer, started_at=NOW - timedelta(days=99), outcome="escalated", status="escalated"
    )

    def ids(**parameters):
        return [item["id"] for item in call(engineer, **parameters)[1]["items"]]

    assert ids(flow_id=flow.id) == ids(status="abandoned") == [str(bent.id)]
    assert ids(period="all", outcome="escalated") == [str(old.id)]
    assert ids(from_="2025-12-01", to="2025-12-31") == [str(old.id)]
    assert len(ids(q="blue")) == 1
    assert len(ids(period="all", status=["abandoned", "escalated"])) == 2
    assert ids(domain_id="none", flow_id=[NOBODY]) == []


def test_the_pages_together_are_the_list(call, engineer):
    for number in range(5):  # two at the same time each: the id decides
        SessionFactory(user=engineer, started_at=NOW - timedelta(hours=number // 2))
    found, sizes, path = [], [], "?" + "limit=2&status=resolved&status=active"
    while path:
        status, answer = call(engineer, path)
        assert (status, answer["count"]) == (200, 5)
        found += [item["id"] for item in answer["items"]]
        sizes.append(len(answer["items"]))
        path = answer["next"]
        assert path is None or "status=resolved&status=active" in path
    expected = Session.objects.order_by("-started_at", "-id").values_list("id", flat=True)
    assert found == [str(id_) for id_ in expected]
    assert sizes == [2, 2, 1]


def test_a_page_has_fifty_unless_it_says_otherwise_and_never_more_than_two_hundred(call, engineer):
    Session.objects.bulk_create(
        SessionFactory.build(account=engineer.account, user=engineer, started_at=NOW) for _ in range(201)
    )
    assert len(call(engineer)[1]["items"]) == 50
    assert len(call(engineer, limit=200)[1]["items"]) == 200
    assert faults(call(engineer, limit=201)[1]) == [["query", "limit"]]


def test_above_ten_thousand_it_is_not_counted(call, engineer, monkeypatch):
    monkeypatch.setattr("resolutionflow.api_lists.COUNTED", 3)
    SessionFactory.create_batch(3, user=engineer, started_at=NOW)
    assert call(engineer)[1]["count"] == 3
    SessionFactory(user=engineer, started_at=NOW)
    assert call(engineer, limit=1)[1]["count"] is None


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"period": "5d"}, ["period"]),
        ({"from_": "2026-03-01"}, ["to"]),
        ({"status": "done"}, ["status"]),
        ({"status": ["active", "done"]}, ["status"]),
        ({"outcome": "abandoned"}, ["outcome"]),
        ({"client_id": "x"}, ["client_id"]),
        ({"flow_id": "none"}, ["flow_id"]),
        ({"tier": "sure"}, ["tier"]),
        ({"rating": "6"}, ["rating"]),
        ({"thumb": "up"}, ["thumb"]),
        ({"q": "\0"}, ["q"]),
        ({"q": "x" * 201}, ["q"]),
        ({"day": "0000-00-00"}, ["day"]),
        ({"limit": "0"}, ["limit"]),
        ({"limit": "many"}, ["limit"]),
        ({"limit": "9" * 400}, ["limit"]),
        ({"after": "yesterday"}, ["after"]),
        ({"after": "2026-01-01_" + str(NOBODY)}, ["after"]),
        ({"after": "\0"}, ["after"]),
        ({"status": "done", "limit": "0", "after": "x"}, ["status", "limit", "after"]),
    ],
)
def test_a_bad_filter_is_named(call, engineer, parameters, where):
    status, answer = call(engineer, **parameters)
    assert status == 422
    assert faults(answer) == [["query", name] for name in where]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_the_ends_of_time_are_no_place_of_the_list(call, engineer, moment):
    assert call(engineer, after=f"{moment}_{NOBODY}")[0] in (200, 422)


def test_with_names_hidden_it_names_nobody(call, account, engineer, team_admin):
    account.names_hidden = True
    account.save()
    session = SessionFactory(user=engineer, started_at=NOW)
    for answer in (call(team_admin)[1]["items"][0], call(team_admin, f"/{session.id}")[1]):
        assert answer["engineer"] == {"id": str(engineer.id), "name": "Engineer 1"}


def test_many_rows_cost_no_more_queries_than_one(client, engineer, flow):
    headers = {"Authorization": f"Bearer {ApiToken.issue(engineer, 'tests')[1]}"}

    def cost(path):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(URL + path, headers=headers).status_code == 200
        return len(queries)

    def session(decisions):
        rows = {"flow": flow, "flow_version": flow.current_version, "domain": flow.domain}
        taken = [{"id": "1", "title": "x", "at": "2026-03-10T09:00:00+01:00"}] * decisions
        return SessionFactory(user=engineer, client=ClientFactory(), decisions=taken, started_at=NOW, **rows)

    detail, one = cost(f"/{session(1).id}"), cost("?limit=200")
    for _ in range(199):
        session(0)
    assert (
        cost("?limit=200") == one == 4
    )  # who asks, the sessions, their engineers' names, how many there are
    assert cost(f"/{session(200).id}") == detail == 4  # who asks, the session, the name, the rating


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
