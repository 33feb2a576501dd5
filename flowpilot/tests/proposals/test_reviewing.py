"""Each act of review, what it leaves behind and what it refuses."""

import pytest

from flowpilot.flows import archiving, drafting, publishing
from flowpilot.models import Flow, FlowDraft, FlowProposal, Step
from flowpilot.proposals import reviewing
from flowpilot.tests.factories import FlowFactory, FlowProposalFactory, proposed_structure
from flowpilot.tests.proposals.conftest import NOW, STRUCTURE
from resolutionflow.models import AuditEntry


def acts():
    return list(AuditEntry.objects.order_by("at", "id").values_list("action", flat=True))


def retitled(structure, title):
    return structure | {"title": title}


def test_approval_publishes_what_was_proposed(proposal, team_admin):
    flow = reviewing.approve(proposal.id, user=team_admin, now=NOW).published_flow
    flow.refresh_from_db()
    assert (flow.name, flow.status, flow.origin, flow.description) == (
        "Printer is offline",
        "published",
        "ai_generated",
        "For “Printer is offline”. Put together from what engineers did in sessions without a flow.",
    )
    assert (flow.current_version.number, flow.current_version.structure) == (1, proposed_structure())
    assert flow.current_version.note == "From 3 sessions, proposal of 10 Mar 2026."
    assert set(Step.objects.values_list("node_id", flat=True)) == {
        *("spooler", "restart", "cable", "solved", "around")
    }
    assert not FlowDraft.objects.exists()
    proposal.refresh_from_db()
    assert (proposal.status, proposal.reviewed_by, proposal.reviewed_at) == ("approved", team_admin, NOW)
    # three discovery sessions of ten minutes: too few for bounds, and no guided ones beside them
    assert proposal.evidence["back_test"] == {
        "days": 90,
        "covered": 3,
        "median": 600.0,
        "bounds": None,
        "guided_median": None,
    }
    assert acts() == ["flow.published", "proposal.approved"]


def test_approval_validates_again(proposal, team_admin):
    proposal.structure["options"][0]["next"] = "nowhere"
    proposal.save()
    with pytest.raises(reviewing.Invalid, match="leads to a step that does not exist: nowhere"):
        reviewing.approve(proposal.id, user=team_admin, now=NOW)
    proposal.refresh_from_db()
    assert (proposal.status, Flow.objects.count(), acts()) == ("pending", 0, [])


def test_an_approved_flow_gets_a_free_name(proposal, team_admin):
    FlowFactory(name="PRINTER is offline")
    FlowFactory(name="printer is offline (2)")
    FlowFactory(name="Printer is offline (3)", status="archived")
    assert reviewing.approve(proposal.id, user=team_admin, now=NOW).published_flow.name == (
        "Printer is offline (3)"
    )


def test_a_change_is_never_approved_as_it_is(enhancement, team_admin):
    with pytest.raises(reviewing.Invalid, match="edited before it is published"):
        reviewing.approve(enhancement.id, user=team_admin, now=NOW)


def test_what_is_decided_stays_decided(proposal, team_admin, super_admin):
    reviewing.reject(proposal.id, reason="We replaced that printer.", user=team_admin, now=NOW)
    words = "Dana Whitfield rejected this proposal on 31 Mar 2026, 12:00. Nothing else has changed."
    for act in (reviewing.approve, reviewing.open_draft, reviewing.dismiss):
        with pytest.raises(reviewing.AlreadyReviewed) as refused:
            act(proposal.id, user=super_admin, now=NOW)
        assert str(refused.value) == words
    with pytest.raises(reviewing.AlreadyReviewed):
        reviewing.publish(proposal.id, proposed_structure(), user=super_admin, now=NOW)
    proposal.refresh_from_db()
    assert (proposal.status, proposal.review_note) == ("rejected", "We replaced that printer.")
    assert Flow.objects.count() == 0


def test_a_rejection_needs_a_reason_and_a_dismissal_none(proposal, team_admin):
    with pytest.raises(reviewing.Invalid, match="Say why"):
        reviewing.reject(proposal.id, reason=" \n", user=team_admin, now=NOW)
    reviewing.dismiss(proposal.id, user=team_admin, now=NOW)
    proposal.refresh_from_db()
    assert (proposal.status, proposal.review_note, acts()) == ("dismissed", "", ["proposal.dismissed"])


def test_a_draft_for_editing_is_made_once(proposal, team_admin):
    flow = reviewing.open_draft(proposal.id, user=team_admin, now=NOW)
    assert reviewing.open_draft(proposal.id, user=team_admin, now=NOW) == flow
    assert (Flow.objects.count(), flow.status, flow.origin) == (1, "draft", "ai_generated")
    assert flow.draft.structure == proposed_structure()
    proposal.refresh_from_db()
    assert (proposal.status, proposal.draft_flow) == ("pending", flow)


def test_publishing_the_draft_decides_the_proposal(proposal, team_admin, colleague):
    flow = reviewing.open_draft(proposal.id, user=team_admin, now=NOW)
    changed = retitled(proposed_structure(), "Does the spooler run?")
    drafting.save(flow.id, changed, revision=1, user=colleague, words="Title", now=NOW)
    publishing.publish(flow.id, revision=2, user=colleague, note="", now=NOW)
    proposal.refresh_from_db()
    assert (proposal.status, proposal.published_flow, proposal.draft_flow) == ("modified", flow, None)
    assert (proposal.reviewed_by, proposal.evidence["back_test"]["covered"]) == (colleague, 3)
    flow.refresh_from_db()
    assert (flow.origin, flow.current_version.structure["title"]) == ("ai_generated", "Does the spooler run?")


def test_a_discarded_draft_leaves_no_litter_and_the_proposal_waits(proposal, team_admin):
    flow = reviewing.open_draft(proposal.id, user=team_admin, now=NOW)
    drafting.discard(flow.id, revision=1)
    proposal.refresh_from_db()
    assert (proposal.status, proposal.draft_flow, Flow.objects.count()) == ("pending", None, 0)
    again = reviewing.open_draft(proposal.id, user=team_admin, now=NOW)
    assert again.name == "Printer is offline"


def test_approving_an_untouched_draft_publishes_that_very_flow(proposal, team_admin):
    flow = reviewing.open_draft(proposal.id, user=team_admin, now=NOW)
    assert reviewing.approve(proposal.id, user=team_admin, now=NOW).published_flow == flow
    assert Flow.objects.count() == 1


def test_a_changed_draft_is_never_passed_over(proposal, team_admin, colleague):
    flow = reviewing.open_draft(proposal.id, user=team_admin, now=NOW)
    changed = retitled(proposed_structure(), "Mine")
    drafting.save(flow.id, changed, revision=1, user=colleague, words="Title", now=NOW)
    for act in (
        lambda: reviewing.approve(proposal.id, user=team_admin, now=NOW),
        lambda: reviewing.publish(proposal.id, proposed_structure(), user=team_admin, now=NOW),
    ):
        with pytest.raises(reviewing.BeingEdited, match="Jonas Weber edits this proposal"):
            act()
    done = reviewing.reject(proposal.id, reason="No", user=team_admin, now=NOW)
    assert (done.kept, FlowDraft.objects.get().structure) == (flow, changed)


def test_turned_down_an_untouched_draft_goes(proposal, team_admin):
    reviewing.open_draft(proposal.id, user=team_admin, now=NOW)
    assert reviewing.dismiss(proposal.id, user=team_admin, now=NOW).kept is None
    assert Flow.objects.count() == 0


def test_a_draft_flow_that_was_archived_is_left_alone(proposal, team_admin):
    first = reviewing.open_draft(proposal.id, user=team_admin, now=NOW)
    archiving.archive(first.id, user=team_admin)
    second = reviewing.open_draft(proposal.id, user=team_admin, now=NOW)
    assert second != first
    assert second.name == "Printer is offline"


def test_a_change_becomes_the_targets_draft_and_then_its_version(enhancement, target, team_admin):
    assert reviewing.open_draft(enhancement.id, user=team_admin, now=NOW) == target
    assert target.draft.structure == enhancement.structure
    assert reviewing.open_draft(enhancement.id, user=team_admin, now=NOW) == target
    publishing.publish(target.id, revision=1, user=team_admin, note="", now=NOW)
    target.refresh_from_db()
    enhancement.refresh_from_db()
    assert (target.origin, target.current_version.number) == ("ai_enhanced", 2)
    assert (enhancement.status, enhancement.published_flow) == ("modified", target)
    assert "back_test" not in enhancement.evidence


def test_a_draft_of_the_target_is_not_lost(enhancement, target, team_admin, colleague):
    own = retitled(STRUCTURE, "Which lamp is lit?")
    drafting.save(target.id, own, revision=0, user=colleague, words="Title", now=NOW)
    with pytest.raises(reviewing.DraftInTheWay, match="unpublished changes by Jonas Weber"):
        reviewing.open_draft(enhancement.id, user=team_admin, now=NOW)
    with pytest.raises(reviewing.DraftInTheWay):
        reviewing.open_draft(enhancement.id, user=team_admin, now=NOW, over=7)
    with pytest.raises(reviewing.DraftInTheWay):
        reviewing.publish(enhancement.id, enhancement.structure, user=team_admin, now=NOW)
    assert FlowDraft.objects.get().structure == own
    reviewing.open_draft(enhancement.id, user=team_admin, now=NOW, over=1)
    draft = FlowDraft.objects.get()
    assert draft.structure == enhancement.structure
    drafting.take_back(draft, user=team_admin, now=NOW)
    assert FlowDraft.objects.get().structure == own


def test_of_two_changes_of_a_flow_one_is_in_the_draft(enhancement, target, team_admin):
    other = FlowProposalFactory(
        title="Other", kind="enhancement", target_flow=target, structure=retitled(STRUCTURE, "Light?")
    )
    reviewing.open_draft(enhancement.id, user=team_admin, now=NOW)
    with pytest.raises(reviewing.DraftInTheWay):
        reviewing.open_draft(other.id, user=team_admin, now=NOW)
    reviewing.open_draft(other.id, user=team_admin, now=NOW, over=1)
    publishing.publish(target.id, revision=2, user=team_admin, note="", now=NOW)
    assert list(FlowProposal.objects.order_by("title").values_list("title", "status")) == [
        ("Other", "modified"),
        ("Router is down: the light is amber", "pending"),
    ]


def test_a_later_draft_of_the_target_decides_nothing(enhancement, target, team_admin):
    reviewing.open_draft(enhancement.id, user=team_admin, now=NOW)
    drafting.discard(target.id, revision=1)
    drafting.save(target.id, retitled(STRUCTURE, "L?"), revision=0, user=team_admin, words="x", now=NOW)
    publishing.publish(target.id, revision=2, user=team_admin, note="", now=NOW)
    enhancement.refresh_from_db()
    target.refresh_from_db()
    assert (enhancement.status, target.origin) == ("pending", "manual")


def test_a_change_of_an_archived_flow_cannot_be_edited(enhancement, target, team_admin):
    archiving.archive(target.id, user=team_admin)
    with pytest.raises(reviewing.Refused, match="is archived"):
        reviewing.open_draft(enhancement.id, user=team_admin, now=NOW)


def test_an_edited_structure_is_published_at_once(proposal, enhancement, target, team_admin):
    changed = retitled(proposed_structure(), "Does it run?")
    done = reviewing.publish(proposal.id, changed, user=team_admin, now=NOW, name="Printers", note="Shorter")
    assert (done.status, done.published_flow.name, done.review_note) == ("modified", "Printers", "Shorter")
    assert done.published_flow.current_version.note == "Shorter"
    reviewing.publish(enhancement.id, enhancement.structure, user=team_admin, now=NOW)
    target.refresh_from_db()
    assert (target.current_version.structure, target.origin) == (enhancement.structure, "ai_enhanced")
    assert not FlowDraft.objects.exists()


def test_a_name_that_is_taken_is_refused_where_it_was_chosen(proposal, target, team_admin):
    with pytest.raises(reviewing.Invalid, match="exists already"):
        reviewing.publish(proposal.id, proposed_structure(), user=team_admin, now=NOW, name="router IS down")
