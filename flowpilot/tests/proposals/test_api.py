"""Proposals from outside."""

import pytest

from flowpilot.flows import drafting
from flowpilot.models import Flow
from flowpilot.tests.calling import calls
from flowpilot.tests.factories import FlowProposalFactory, proposed_structure
from flowpilot.tests.proposals.conftest import NOW, STRUCTURE

URL = "/api/v1/proposals"


@pytest.fixture
def call(client):
    return calls(client, URL)


def test_the_shape(call, proposal, team_admin):
    assert call(team_admin, f"/{proposal.id}") == (
        200,
        {
            "id": str(proposal.id),
            "kind": "new_flow",
            "title": "Printer is offline",
            "summary": "The spooler hangs.",
            "domain": "Printing",
            "target_flow_id": None,
            "confidence": 0.8,
            "status": "pending",
            "structure": proposed_structure(),
            "evidence": proposal.evidence,
            "created_at": "2026-03-10T09:00:00Z",
            "reviewed_at": None,
            "review_note": "",
            "published_flow_id": None,
        },
    )


def test_the_list_pages_through_the_queue(call, team_admin, now):
    for sure in (0.9, 0.7, 0.8):
        FlowProposalFactory(title=f"{sure}", confidence=sure)
    FlowProposalFactory(title="old", status="dismissed", reviewed_at=NOW)
    status, answer = call(team_admin, limit=2)
    assert (status, answer["count"], [item["title"] for item in answer["items"]]) == (200, 3, ["0.9", "0.8"])
    _, rest = call(team_admin, answer["next"])
    assert ([item["title"] for item in rest["items"]], rest["next"]) == (["0.7"], None)
    assert [item["title"] for item in call(team_admin, status="all", sort="sessions")[1]["items"]][
        -1
    ] == "0.9"
    status, answer = call(team_admin, status="lost", after="made-up")
    assert (status, [fault["loc"] for fault in answer["detail"]]) == (
        422,
        [["query", "status"], ["query", "after"]],
    )


def test_the_acts(call, proposal, enhancement, target, team_admin):
    status, answer = call(team_admin, f"/{proposal.id}/approve", {})
    assert (status, answer["status"], answer["published_flow_id"]) == (
        200,
        "approved",
        str(Flow.objects.get(origin="ai_generated").id),
    )
    status, answer = call(team_admin, f"/{proposal.id}/dismiss", {})
    assert status == 409
    assert answer["detail"].startswith("Dana Whitfield approved this proposal on 31 Mar 2026, 12:00.")
    status, answer = call(team_admin, f"/{enhancement.id}/approve", {})
    assert (status, answer["detail"][0]["loc"]) == (422, ["body", "structure"])
    status, answer = call(
        team_admin, f"/{enhancement.id}/publish", {"structure": enhancement.structure, "note": "Amber"}
    )
    assert (status, answer["status"], answer["review_note"]) == (200, "modified", "Amber")
    assert answer["published_flow_id"] == str(target.id)


def test_reject_and_dismiss(call, proposal, enhancement, team_admin):
    for body in ({}, {"reason": " "}, {"reason": "\0"}, {"reason": 3}, [], b"{"):
        assert call(team_admin, f"/{proposal.id}/reject", body)[0] == 422
    assert call(team_admin, f"/{proposal.id}/reject", {"reason": "No"})[1]["review_note"] == "No"
    assert call(team_admin, f"/{enhancement.id}/dismiss", {})[1]["status"] == "dismissed"


def test_publish_validates_and_keeps_drafts(call, proposal, enhancement, target, team_admin):
    status, answer = call(team_admin, f"/{proposal.id}/publish", {"structure": {"id": "x"}})
    assert (status, answer["detail"][0]["loc"][:2]) == (422, ["body", "structure"])
    status, answer = call(
        team_admin, f"/{proposal.id}/publish", {"structure": proposed_structure(), "name": "Router is down"}
    )
    assert (status, answer["detail"][0]["msg"]) == (422, "A flow with this name exists already.")
    drafting.save(
        target.id, STRUCTURE | {"title": "Mine"}, revision=0, user=team_admin, words="Title", now=NOW
    )
    status, answer = call(team_admin, f"/{enhancement.id}/publish", {"structure": STRUCTURE})
    assert (status, "unpublished changes by Dana Whitfield" in answer["detail"]) == (409, True)


def test_who_may(call, proposal, engineer, stranger, super_admin):
    for path, body in [("", None), (f"/{proposal.id}", None), (f"/{proposal.id}/approve", {})]:
        assert call(engineer, path, body) == (403, {"detail": "Proposals are reviewed by team admins."})
        assert call(super_admin, path, body) == (403, {"detail": "Name an account"})
    assert call(stranger, f"/{proposal.id}")[0] == 404
    assert call(stranger, f"/{proposal.id}/approve", {})[0] == 404
    assert call(super_admin, f"/{proposal.id}", account="northgate")[0] == 200
