"""One change of a draft, made on the very state that its author had in sight, or told to them as a conflict.

A mark names one state of one draft. The revision alone would not do: it is 0 whenever there is none.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from flowpilot.flows import drafting, publishing
from flowpilot.flows.editor.changes import Changed
from flowpilot.flows.models import Flow, FlowDraft, FlowVersion
from flowpilot.flows.structure import Node
from flowpilot.flows.undoing import restored
from resolutionflow.accounts.models import User

Act = Callable[[object], Changed]


@dataclass(frozen=True)
class Saved:
    """A draft after a change, and its structure before."""

    draft: FlowDraft
    before: object
    changed: Changed


def mark_of(draft: FlowDraft) -> str:
    flow = draft.flow
    return f"{draft.id if draft.revision else flow.current_version_id or flow.id}.{draft.revision}"


def opened(flow: Flow) -> FlowDraft:
    """The flow's draft, stored or not, with `flow` at hand."""
    draft = drafting.draft_of(flow)
    draft.flow = flow
    return draft


def change(flow_id: UUID, act: Act, *, mark: str, user: User, now: datetime) -> Saved:
    """Does the act and saves what it gives; an act that changes nothing saves nothing.

    Raises drafting.Stale and drafting.Unstorable, and what the act raises.
    """
    with _at(flow_id, mark) as draft:
        before = draft.structure
        changed = act(before)
        if changed.structure == before:
            return Saved(draft, before, changed)
        saved = drafting.change(draft, changed.structure, user=user, words=changed.words, now=now)
        return Saved(saved, before, changed)


def undo(flow_id: UUID, *, mark: str, user: User, now: datetime) -> Saved:
    """Raises drafting.Stale and drafting.NothingToUndo."""
    with _at(flow_id, mark) as draft:
        before = draft.structure
        words = drafting.take_back(draft, user=user, now=now)
        return Saved(draft, before, Changed(draft.structure, "", words))


def publish(flow_id: UUID, *, mark: str, user: User, note: str, now: datetime) -> FlowVersion:
    """Raises drafting.Stale and publishing.Invalid."""
    with _at(flow_id, mark) as draft:
        return publishing.publish(flow_id, revision=draft.revision, user=user, note=note, now=now)


def discard(flow_id: UUID, *, mark: str) -> None:
    """Raises drafting.Stale."""
    with _at(flow_id, mark) as draft:
        drafting.discard(flow_id, revision=draft.revision)


def structure_at(draft: FlowDraft, mark: str) -> Node | None:
    """The structure that a mark of this flow stood for; None where nobody can tell any more."""
    life, _, number = mark.rpartition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return None
    flow, revision = draft.flow, int(number)
    if revision == 0:
        if life == str(flow.id):
            return drafting.first_structure()
        version = flow.versions.filter(id=life).first() if _is_uuid(life) else None
        return version.structure if version else None
    if not draft.revision or life != str(draft.id) or revision > draft.revision:
        return None
    later = list(draft.changes.filter(revision__gt=revision).order_by("-revision"))
    if len(later) != draft.revision - revision:  # something was undone since
        return None
    structure: Node = draft.structure
    for change in later:
        structure = restored(change, structure)
    return structure


@contextmanager
def _at(flow_id: UUID, mark: str) -> Iterator[FlowDraft]:
    """The draft at this mark, nobody else's to change until the block ends."""
    with transaction.atomic():
        rows = Flow.objects.select_for_update(of=("self",)).select_related("current_version")
        draft = opened(rows.get(id=flow_id))
        if mark_of(draft) != mark:
            raise drafting.Stale(draft)
        yield draft


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
