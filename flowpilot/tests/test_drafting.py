"""Drafts: who saves second is told, undo gives back what was, and what is published stays."""

import copy
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flowpilot.flows import drafting, publishing
from flowpilot.flows.structure import faults_of
from flowpilot.flows.undoing import replaced, restored
from flowpilot.models import DraftChange, Flow, FlowDraft, Step
from flowpilot.tests.factories import FlowFactory
from resolutionflow.models import AuditEntry

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


def leaf(title="Done"):
    return {"id": "root", "type": "outcome", "outcome": "resolved", "title": title}


@pytest.fixture
def flow(team_admin):
    return publishing.create(name="Printer", user=team_admin, now=NOW)


def save(flow, structure, revision, user, words="Changed"):
    return drafting.save(flow.id, structure, revision=revision, user=user, words=words, now=NOW)


def publish(flow, revision, user, note=""):
    return publishing.publish(flow.id, revision=revision, user=user, note=note, now=NOW)


def undo(flow, revision, user):
    with drafting.locked_draft(flow.id, revision) as draft:
        words = drafting.take_back(draft, user=user, now=NOW)
    return draft, words


def test_a_new_flow_is_a_draft_that_could_be_published(flow):
    assert (flow.status, flow.current_version) == (Flow.Status.DRAFT, None)
    assert (flow.draft.revision, faults_of(flow.draft.structure)) == (1, [])


def test_a_name_is_taken_once(flow, team_admin):
    for name in ("PRINTER", ""):
        with pytest.raises(ValidationError):
            publishing.create(name=name, user=team_admin, now=NOW)
    Flow.objects.filter(id=flow.id).update(status="archived")
    publishing.create(name="printer", user=team_admin, now=NOW)


def test_who_saves_second_is_told_and_shown_what_stands(flow, team_admin, engineer):
    save(flow, leaf("Mine"), 1, team_admin)
    with pytest.raises(drafting.Stale) as told:
        save(flow, leaf("Yours"), 1, engineer)
    assert told.value.draft.structure["title"] == "Mine"
    assert told.value.draft.revision == 2


def test_the_same_again_is_no_change(flow, team_admin):
    assert save(flow, flow.draft.structure, 1, team_admin).revision == 1


def test_undo_goes_back_change_by_change(flow, team_admin):
    first = flow.draft.structure
    save(flow, leaf("A"), 1, team_admin, "Renamed to A")
    save(flow, leaf("B"), 2, team_admin, "Renamed to B")
    draft, words = undo(flow, 3, team_admin)
    assert (draft.structure, words, draft.revision) == (leaf("A"), "Renamed to B", 4)
    draft, words = undo(flow, 4, team_admin)
    assert (draft.structure, words) == (first, "Renamed to A")
    with pytest.raises(drafting.NothingToUndo):
        undo(flow, 5, team_admin)


def test_undo_gives_back_whatever_numbers_an_import_brought(flow, team_admin):
    odd = leaf() | {"weight": [1e20, 1.5, -3, 10**30, {"e": 1e-9}]}
    save(flow, odd, 1, team_admin)
    save(flow, odd | {"title": "Changed"}, 2, team_admin)
    save(flow, leaf("Plain"), 3, team_admin)
    for revision in (4, 5):
        draft, _ = undo(flow, revision, team_admin)
    assert draft.structure == odd


def test_of_a_large_flow_only_what_changed_is_kept(flow, team_admin):
    large = leaf() | {"children": [leaf(f"Step {number}") for number in range(500)]}
    save(flow, large, 1, team_admin)
    changed = copy.deepcopy(large)
    changed["children"][250]["title"] = "Another"
    save(flow, changed, 2, team_admin)
    assert len(DraftChange.objects.get(revision=3).before) < 20
    assert undo(flow, 3, team_admin)[0].structure == large


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
STRUCTURES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=40)
@given(STRUCTURES, STRUCTURES)
@example({"a": "xx"}, {"a": "xxxx"})
@example({"a": True}, {"a": 1})
def test_what_a_change_replaced_leads_back_to_what_was(before, after):
    back = restored(DraftChange(**replaced(before, after)), after)
    assert json.dumps(back, sort_keys=True) == json.dumps(before, sort_keys=True)


def test_the_newest_hundred_changes_can_be_undone(flow, team_admin):
    for number in range(1, 106):
        save(flow, leaf(str(number)), number, team_admin)
    assert DraftChange.objects.count() == drafting.MOST_CHANGES


def test_what_cannot_be_stored_is_refused(flow, team_admin):
    for text in ("a\0b", "\ud800"):
        with pytest.raises(drafting.Unstorable):
            save(flow, leaf(text), 1, team_admin)


def test_a_published_flow_has_a_draft_from_its_first_change_on(team_admin):
    flow = FlowFactory(name="Scanner", status="draft")
    publish(flow, 0, team_admin)
    flow.refresh_from_db()
    assert drafting.draft_of(flow).revision == 0
    assert save(flow, leaf("Changed"), 0, team_admin).revision == 1
    flow.refresh_from_db()
    assert flow.current_version.structure == drafting.first_structure()


def test_publishing_makes_a_version_steps_and_an_entry(flow, team_admin):
    save(flow, leaf("One"), 1, team_admin)
    version = publish(flow, 2, team_admin, "First")
    flow.refresh_from_db()
    assert (version.number, version.note, flow.current_version) == (1, "First", version)
    assert flow.status == Flow.Status.PUBLISHED
    assert not FlowDraft.objects.exists()
    save(flow, leaf("Two"), 0, team_admin)
    assert publish(flow, 3, team_admin).number == 2
    assert list(Step.objects.values_list("node_id", "title")) == [("root", "Two")]
    assert AuditEntry.objects.filter(action="flow.published", object="Printer").count() == 2


def test_a_structure_with_faults_is_kept_but_not_published(flow, team_admin):
    save(flow, leaf(""), 1, team_admin)
    with pytest.raises(publishing.Invalid) as told:
        publish(flow, 2, team_admin)
    assert [fault.node_id for fault in told.value.faults] == ["root"]
    flow.refresh_from_db()
    assert (flow.current_version, flow.draft.structure["title"]) == (None, "")


def test_a_stale_publish_or_discard_is_told(flow, team_admin):
    save(flow, leaf(), 1, team_admin)
    with pytest.raises(drafting.Stale):
        publish(flow, 1, team_admin)
    with pytest.raises(drafting.Stale):
        drafting.discard(flow.id, revision=1)
    drafting.discard(flow.id, revision=2)
    assert not FlowDraft.objects.exists()


def test_a_ratings_count_survives_a_new_version(flow, team_admin):
    save(flow, leaf("One"), 1, team_admin)
    publish(flow, 2, team_admin)
    Step.objects.update(helpful_yes=3)
    save(flow, leaf("Two"), 0, team_admin)
    publish(flow, 3, team_admin)
    assert Step.objects.get().helpful_yes == 3


def test_a_draft_knows_who_changed_it_last(flow, team_admin):
    save(flow, leaf("One"), 1, team_admin)
    later = drafting.save(
        flow.id, leaf("Two"), revision=2, user=team_admin, words="x", now=NOW + timedelta(minutes=1)
    )
    assert (later.edited_at, later.edited_by) == (NOW + timedelta(minutes=1), team_admin)


def test_an_archived_flow_is_not_published(flow, team_admin):
    Flow.objects.filter(id=flow.id).update(status="archived")
    publishing.create(name="Printer", user=team_admin, now=NOW)  # its name is another one's by now
    with pytest.raises(publishing.Invalid, match="archived"):
        publish(flow, 1, team_admin)
    flow.refresh_from_db()
    assert (flow.status, flow.current_version) == ("archived", None)
