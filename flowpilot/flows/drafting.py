"""The draft of a flow: what authors change until it is published.

A save names the revision that it started from. Each act locks the flow, so of two authors the second one is told.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import transaction

from flowpilot.flows.models import DraftChange, Flow, FlowDraft
from flowpilot.flows.structure import Node
from flowpilot.flows.undoing import replaced, restored
from flowpilot.proposals import following
from resolutionflow.accounts.models import User
from resolutionflow.storable import UNSTORABLE, texts_of

MOST_CHANGES = 100  # that can be undone


class Stale(Exception):
    """Somebody else saved meanwhile. `draft` is what stands now; one of revision 0 is no draft any more."""

    def __init__(self, draft: FlowDraft) -> None:
        super().__init__("Somebody else changed this flow meanwhile.")
        self.draft = draft


class Unstorable(Exception):
    """A text has characters that the database keeps in no text."""


class NothingToUndo(Exception):
    pass


def first_structure() -> Node:
    """What a new flow begins with: small, and publishable as it is."""
    return {
        "id": "start",
        "type": "question",
        "title": "Is the problem solved?",
        "options": [{"label": "Yes", "next": "solved"}, {"label": "No", "next": "hand-over"}],
        "children": [
            {"id": "solved", "type": "outcome", "outcome": "resolved", "title": "Solved"},
            {
                "id": "hand-over",
                "type": "outcome",
                "outcome": "escalated",
                "title": "Hand over to a colleague",
            },
        ],
    }


def draft_of(flow: Flow) -> FlowDraft:
    """The flow's draft; where none is stored one of revision 0, not saved, that begins with the current version."""
    stored: FlowDraft | None = FlowDraft.objects.filter(flow=flow).first()
    if stored:
        return stored
    structure = flow.current_version.structure if flow.current_version else first_structure()
    return FlowDraft(account_id=flow.account_id, flow=flow, structure=structure, revision=0)


@contextmanager
def locked_draft(flow_id: UUID, revision: int) -> Iterator[FlowDraft]:
    """The draft, stored or not, nobody else's to change until the block ends. Raises Stale, and Flow.DoesNotExist."""
    with transaction.atomic():
        flow = Flow.objects.select_for_update(of=("self",)).select_related("current_version").get(id=flow_id)
        draft = draft_of(flow)
        if draft.revision != revision:
            raise Stale(draft)
        yield draft


def save(
    flow_id: UUID, structure: Node, *, revision: int, user: User, words: str, now: datetime
) -> FlowDraft:
    """Puts the structure, faults and all, as the next revision; `words` say what was done. The same structure again
    changes nothing. Raises Stale and Unstorable."""
    with locked_draft(flow_id, revision) as draft:
        return change(draft, structure, user=user, words=words, now=now)


def change(draft: FlowDraft, structure: Node, *, user: User, words: str, now: datetime) -> FlowDraft:
    """As `save`, for a draft that is locked already."""
    if not _is_storable(structure):
        raise Unstorable("A text has characters that cannot be stored.")
    if structure == draft.structure and draft.revision:
        return draft
    before, draft.structure = draft.structure, structure
    _put(draft, user, now)
    # the words may quote what was typed and did not come into the structure
    words = UNSTORABLE.sub("\ufffd", words)[:500]
    DraftChange.objects.create(
        draft=draft,
        revision=draft.revision,
        words=words,
        made_by=user,
        made_at=now,
        **replaced(before, structure),
    )
    draft.changes.filter(revision__lte=draft.revision - MOST_CHANGES).delete()
    return draft


def take_back(draft: FlowDraft, *, user: User, now: datetime) -> str:
    """Puts the structure of a locked draft back as it was before its newest change; returns what was undone, in words.
    Raises NothingToUndo."""
    newest = draft.changes.order_by("-revision").first() if draft.revision else None
    if newest is None:
        raise NothingToUndo("There is nothing to undo.")
    draft.structure = restored(newest, draft.structure)
    newest.delete()
    _put(draft, user, now)
    return newest.words


def discard(flow_id: UUID, *, revision: int) -> None:
    """Away with the draft; the published version stays. What a proposal made goes back to it. Raises Stale."""
    with locked_draft(flow_id, revision) as draft:
        put_away(draft)
        following.draft_discarded(draft.flow)


def put_away(draft: FlowDraft) -> None:
    """Deletes a locked draft, if it is stored, and remembers its revision."""
    if draft.revision:
        draft.flow.last_revision = draft.revision
        draft.flow.save(update_fields=["last_revision"])
        draft.delete()


def _put(draft: FlowDraft, user: User, now: datetime) -> None:
    draft.revision = (draft.revision or draft.flow.last_revision) + 1
    draft.edited_by, draft.edited_at = user, now
    draft.save()


def _is_storable(structure: Node) -> bool:
    # Half the time of a walk. A NUL is written as an escape there.
    written = json.dumps(structure, ensure_ascii=False)
    if "\\u0000" not in written:
        return not UNSTORABLE.search(written)
    return not UNSTORABLE.search("".join(texts_of(structure)))
