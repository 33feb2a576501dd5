"""GET /api/v1/sessions: who reads what, to the letter, and how it says no."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.models import Session
from flowpilot.sessions import driving
from flowpilot.sessions.states import Source
from flowpilot.tests.factories import (
    ClientFactory,
    SessionFactory,
)
from flowpilot.tests.session_api.answers import COLLEAGUES, NOBODY, NOW, UNKNOWN, URL, faults
from resolutionflow.models import ApiToken


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
