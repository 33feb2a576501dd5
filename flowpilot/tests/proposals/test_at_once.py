"""Reviewers at the same moment, on connections of their own: one wins, the others are told."""

from collections import Counter

import pytest

from flowpilot.flows import drafting
from flowpilot.models import Flow, FlowProposal, FlowVersion
from flowpilot.proposals import reviewing
from flowpilot.tests.factories import FlowFactory, FlowProposalFactory, FlowVersionFactory, proposed_structure
from flowpilot.tests.proposals.conftest import NOW, STRUCTURE
from flowpilot.tests.test_sessions_at_once import CLIENTS, post_at_once, statuses
from resolutionflow.models import AuditEntry
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory, TeamAdminFactory


@pytest.fixture
def account(transactional_db):
    account = AccountFactory(name="Northgate IT", slug="northgate")
    with account_scope(account):
        yield account


@pytest.fixture
def leads(account):
    return [TeamAdminFactory(account=account, name=f"Lead {n}") for n in range(CLIENTS)]


@pytest.fixture
def proposal(account):
    return FlowProposalFactory(title="Printer is offline", structure=proposed_structure())


def test_of_many_who_approve_one_publishes(proposal, leads):
    answers = post_at_once([(lead, f"/proposals/{proposal.id}/approve/", {}) for lead in leads])
    assert statuses(answers) == {302: 1, 409: CLIENTS - 1}
    assert (Flow.objects.count(), FlowVersion.objects.count()) == (1, 1)
    proposal.refresh_from_db()
    told = f"{proposal.reviewed_by.name} approved this proposal on"
    assert all(told in answer.content.decode() for answer in answers if answer.status_code == 409)


def test_whoever_is_first_decides(proposal, leads):
    acts = [("approve", {}), ("reject", {"reason": "No"}), ("dismiss", {}), ("edit", {})] * 2
    answers = post_at_once(
        [
            (lead, f"/proposals/{proposal.id}/{act}/", fields)
            for lead, (act, fields) in zip(leads, acts, strict=True)
        ]
    )
    assert set(statuses(answers)) <= {302, 409}
    decided = Counter(
        AuditEntry.objects.filter(action__startswith="proposal.").values_list("action", flat=True)
    )
    decided.pop("proposal.edited", None)
    proposal.refresh_from_db()
    assert decided == {f"proposal.{proposal.status}": 1}
    assert proposal.draft_flow is None
    assert Flow.objects.count() == (1 if proposal.status == "approved" else 0)


def test_a_double_click_on_edit_makes_one_draft(proposal, leads):
    answers = post_at_once([(leads[0], f"/proposals/{proposal.id}/edit/", {})] * CLIENTS)
    assert {answer["Location"] for answer in answers} == {f"/flows/{Flow.objects.get().id}/edit/"}


def test_publishing_in_the_editor_and_rejecting_exclude_each_other(proposal, leads):
    flow = reviewing.open_draft(proposal.id, user=leads[0], now=NOW)
    changed = proposed_structure() | {"title": "Changed"}
    draft = drafting.save(flow.id, changed, revision=1, user=leads[0], words="Title", now=NOW)
    publish = (f"/flows/{flow.id}/edit/publish/", {"mark": f"{draft.id}.2", "note": ""})
    reject = (f"/proposals/{proposal.id}/reject/", {"reason": "No"})
    post_at_once([(lead, *(publish if n % 2 else reject)) for n, lead in enumerate(leads)])
    flow.refresh_from_db()
    proposal.refresh_from_db()
    # rejected first, the draft is kept as a flow of its own, which may well be published then
    assert (proposal.status, proposal.published_flow) in [("modified", flow), ("rejected", None)]
    assert FlowVersion.objects.count() == 1
    assert flow.status == "published"


def test_of_two_changes_of_one_flow_one_is_in_the_draft(account, leads):
    flow = FlowFactory(name="Router is down")
    flow.current_version = FlowVersionFactory(flow=flow, structure=STRUCTURE)
    flow.save()
    changes = [
        FlowProposalFactory(kind="enhancement", target_flow=flow, structure=STRUCTURE | {"title": f"T{n}"})
        for n in range(CLIENTS)
    ]
    answers = post_at_once(
        [(lead, f"/proposals/{change.id}/edit/", {}) for lead, change in zip(leads, changes, strict=True)]
    )
    assert statuses(answers) == {302: 1, 409: CLIENTS - 1}
    drafted = FlowProposal.objects.get(draft_flow=flow)
    assert flow.draft.structure == drafted.structure
