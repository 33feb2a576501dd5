"""The acts of review: one place for the page, Django admin and the API.

Each locks the flow that it concerns and then the proposal, in the order in which publishing does. Of two reviewers one
wins; the other is told who decided what, and nothing happens. Who may review at all is asked before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Lower
from django.utils.formats import date_format

from flowpilot.flows import drafting, publishing
from flowpilot.flows.models import Flow, FlowDraft
from flowpilot.flows.publishing import Invalid
from flowpilot.flows.structure import Fault, Node, faults_of
from flowpilot.proposals.evidence import Evidence, sessions_behind
from flowpilot.proposals.following import decide, remove_unused
from flowpilot.proposals.models import FlowProposal
from resolutionflow.accounts.models import AuditEntry, User
from resolutionflow.accounts.names import shown_name
from resolutionflow.figures import counted

__all__ = ["AlreadyReviewed", "Invalid", "Refused", "approve", "dismiss", "open_draft", "publish", "reject"]

NAME_LENGTH = 300
NOTE_LENGTH = 2000
EDITED_FIRST = "A change of a flow is edited before it is published: choose “Edit & publish”."
DID = {
    FlowProposal.Status.APPROVED: "approved",
    FlowProposal.Status.MODIFIED: "edited and published",
    FlowProposal.Status.REJECTED: "rejected",
    FlowProposal.Status.DISMISSED: "dismissed",
}


class Refused(Exception):
    """The act cannot be done as things stand, and nothing happened. The sentence is for people."""


class AlreadyReviewed(Refused):
    """Somebody decided before."""

    def __init__(self, proposal: FlowProposal) -> None:
        super().__init__(f"{decision_in_words(proposal)} Nothing else has changed.")
        self.proposal = proposal


class DraftInTheWay(Refused):
    """The flow has a draft with other work in it, which would be lost."""

    def __init__(self, proposal: FlowProposal, draft: FlowDraft) -> None:
        flow = draft.flow
        by = f" by {shown_name(flow.account, draft.edited_by)}" if draft.edited_by else ""
        self.whose = f"“{flow.name}” has a draft with unpublished changes{by}."
        super().__init__(
            f"{self.whose} Nothing has changed: publish or discard that draft first, or put this proposal in its place "
            "on its page."
        )
        self.proposal, self.draft = proposal, draft


class BeingEdited(Refused):
    """Somebody opened the proposal in the editor and changed it there."""

    def __init__(self, draft: FlowDraft) -> None:
        by = shown_name(draft.flow.account, draft.edited_by) if draft.edited_by else "Somebody"
        super().__init__(
            f"{by} edits this proposal as the draft of “{draft.flow.name}”. Publish or discard that draft first."
        )
        self.draft = draft


def decision_in_words(proposal: FlowProposal) -> str:
    """Who decided what, and when, in a sentence."""
    account = proposal.account
    who = shown_name(account, proposal.reviewed_by) if proposal.reviewed_by else "Somebody"
    at = proposal.reviewed_at.astimezone(account.tz) if proposal.reviewed_at else None
    when = f" on {date_format(at, 'j M Y, H:i')}" if at else ""
    return f"{who} {DID[FlowProposal.Status(proposal.status)]} this proposal{when}."


def kept_in_words(flow: Flow) -> str:
    """Of a draft that stays although its proposal was turned down."""
    return f"The draft that was changed in the editor is kept: it is that of “{flow.name}” in the library."


def approve(proposal_id: UUID, *, user: User, now: datetime) -> FlowProposal:
    """Publishes a new flow as it is proposed. Raises Refused, and Invalid for what cannot be published."""
    with _pending(proposal_id) as proposal:
        if proposal.kind != FlowProposal.Kind.NEW_FLOW:
            raise Invalid([Fault("", EDITED_FIRST)])
        return _publish_new(proposal, proposal.structure, FlowProposal.Status.APPROVED, user, now, "", "")


def publish(
    proposal_id: UUID, structure: Node, *, user: User, now: datetime, name: str = "", note: str = ""
) -> FlowProposal:
    """Publishes the structure, which was edited elsewhere, in the place of the proposed one; a new flow by another
    name, if one is given. Raises Refused, and Invalid for what cannot be published."""
    with _pending(proposal_id) as proposal:
        status = FlowProposal.Status.MODIFIED
        if proposal.kind == FlowProposal.Kind.NEW_FLOW:
            return _publish_new(proposal, structure, status, user, now, name, note)
        if faults := faults_of(structure):
            raise Invalid(faults)
        draft = _target_draft(proposal)
        if draft.revision and not (proposal.draft_flow_id and draft.structure == proposal.structure):
            raise BeingEdited(draft) if proposal.draft_flow_id else DraftInTheWay(proposal, draft)
        _unlink(proposal)
        draft = drafting.change(draft, structure, user=user, words=_words(proposal), now=now)
        note_of_version = note[:500] or _version_note(proposal)
        version = publishing.publish(
            draft.flow_id, revision=draft.revision, user=user, note=note_of_version, now=now
        )
        decide(proposal, status, flow=version.flow, user=user, note=note, now=now)
        return proposal


def open_draft(proposal_id: UUID, *, user: User, now: datetime, over: int | None = None) -> Flow:
    """The flow whose draft is this proposal, to be edited and published; asked again it is the same one.

    over: the revision of the target's own draft that the proposal may replace, as a change that can be undone. Raises
    Refused, DraftInTheWay among it.
    """
    with _pending(proposal_id) as proposal:
        flow = proposal.draft_flow
        if flow and flow.status != Flow.Status.ARCHIVED:
            return flow
        if proposal.kind == FlowProposal.Kind.NEW_FLOW:
            flow = _new_flow(proposal, proposal.structure, user, now, "")
        else:
            draft = _target_draft(proposal)
            flow = draft.flow
            if draft.revision and draft.revision != over:
                raise DraftInTheWay(proposal, draft)
            drafting.change(draft, proposal.structure, user=user, words=_words(proposal), now=now)
            FlowProposal.objects.filter(draft_flow=flow).update(draft_flow=None)
        proposal.draft_flow = flow
        proposal.save(update_fields=["draft_flow"])
        AuditEntry.record(
            "proposal.edited", actor=user, account=proposal.account, object=proposal.title, flow=flow.name
        )
        return flow


@dataclass(frozen=True)
class Declined:
    """`kept` is the flow that has a draft of the proposal which somebody had worked on."""

    proposal: FlowProposal
    kept: Flow | None


def reject(proposal_id: UUID, *, reason: str, user: User, now: datetime) -> Declined:
    """Raises Refused, and Invalid without a reason."""
    if not reason.strip():
        raise Invalid(
            [Fault("", "Say why: the reason stays with the proposal, and the next reviewer reads it.")]
        )
    return _decline(proposal_id, FlowProposal.Status.REJECTED, reason.strip(), user, now)


def dismiss(proposal_id: UUID, *, user: User, now: datetime, note: str = "") -> Declined:
    """Raises Refused."""
    return _decline(proposal_id, FlowProposal.Status.DISMISSED, note.strip(), user, now)


def free_name(title: str) -> str:
    """The title as a flow can be called: with a number behind it where the library has a flow of that name."""
    begins = title[: NAME_LENGTH - 8]
    names = Flow.objects.exclude(status=Flow.Status.ARCHIVED).filter(name__istartswith=begins)
    taken = set(names.annotate(lower=Lower("name")).values_list("lower", flat=True))
    name, number = title, 1
    while name.lower() in taken:
        number += 1
        name = f"{begins} ({number})"
    return name


def _publish_new(
    proposal: FlowProposal,
    structure: Node,
    status: FlowProposal.Status,
    user: User,
    now: datetime,
    name: str,
    note: str,
) -> FlowProposal:
    if faults := faults_of(structure):
        raise Invalid(faults)
    opened = proposal.draft_flow if proposal.draft_flow_id else None
    if opened and opened.status != Flow.Status.ARCHIVED:
        draft = drafting.draft_of(opened)
        if draft.structure != proposal.structure:
            raise BeingEdited(draft)
        if name:
            opened.name = name
            _keep(opened)
        draft = drafting.change(draft, structure, user=user, words=_words(proposal), now=now)
    else:
        draft = _new_flow(proposal, structure, user, now, name).draft
    _unlink(proposal)
    note_of_version = note[:500] or _version_note(proposal)
    version = publishing.publish(
        draft.flow_id, revision=draft.revision, user=user, note=note_of_version, now=now
    )
    decide(proposal, status, flow=version.flow, user=user, note=note, now=now)
    return proposal


def _decline(
    proposal_id: UUID, status: FlowProposal.Status, note: str, user: User, now: datetime
) -> Declined:
    with _pending(proposal_id) as proposal:
        flow, kept = proposal.draft_flow, None
        _unlink(proposal)
        draft = FlowDraft.objects.filter(flow=flow).first() if flow else None
        if draft and draft.structure == proposal.structure:
            drafting.put_away(draft)
            remove_unused(draft.flow)
        elif draft:
            kept = flow
        decide(proposal, status, user=user, note=note, now=now)
        return Declined(proposal, kept)


@contextmanager
def _pending(proposal_id: UUID) -> Iterator[FlowProposal]:
    """The proposal, nobody else's to decide until the block ends."""
    with transaction.atomic():
        proposal = _locked(proposal_id)
        if proposal.status != FlowProposal.Status.PENDING:
            raise AlreadyReviewed(proposal)
        yield proposal


def _locked(proposal_id: UUID) -> FlowProposal:
    rows = FlowProposal.objects.select_related("account", "domain", "draft_flow", "reviewed_by")
    while True:
        seen = FlowProposal.objects.only("draft_flow_id", "target_flow_id").get(id=proposal_id)
        try:
            with transaction.atomic():  # gives both locks back where the draft is another one meanwhile
                flow_id = seen.target_flow_id or seen.draft_flow_id
                if flow_id:
                    Flow.objects.select_for_update().filter(id=flow_id).first()
                proposal: FlowProposal = rows.select_for_update(of=("self",), no_key=True).get(id=proposal_id)
                if proposal.draft_flow_id == seen.draft_flow_id:
                    return proposal
                raise _Moved
        except _Moved:
            continue


class _Moved(Exception):
    pass


def _target_draft(proposal: FlowProposal) -> FlowDraft:
    """The draft of the flow that an enhancement changes, stored or not. The flow is locked already."""
    flow: Flow = Flow.objects.select_related("current_version").get(proposals=proposal)
    if flow.status == Flow.Status.ARCHIVED:
        raise Refused(f"“{flow.name}” is archived. Restore it first, or dismiss the proposal.")
    draft = drafting.draft_of(flow)
    draft.flow = flow
    return draft


def _new_flow(proposal: FlowProposal, structure: Node, user: User, now: datetime, name: str) -> Flow:
    """A flow with the structure as its draft. Raises Invalid for a name that cannot be."""
    try:
        return publishing.create(
            name=name or free_name(proposal.title),
            description=_description(proposal),
            domain=proposal.domain,
            origin=Flow.Origin.AI_GENERATED,
            structure=structure,
            user=user,
            now=now,
        )
    except ValidationError as fault:
        raise _about_name(fault) from None


def _description(proposal: FlowProposal) -> str:
    """For engineers: which problem the flow is for, also in other words, and where it comes from. How often that was
    seen stays with the proposal."""
    others = " or ".join(f"“{name}”" for name in Evidence.read(proposal.evidence).also_told)
    problem = f"For “{proposal.title}”{f', also told as {others}' if others else ''}."
    return f"{problem} Put together from what engineers did in sessions without a flow."


def _keep(flow: Flow) -> None:
    try:
        publishing.keep(flow)
    except ValidationError as fault:
        raise _about_name(fault) from None


def _about_name(fault: ValidationError) -> Invalid:
    return Invalid([Fault("", message) for messages in fault.message_dict.values() for message in messages])


def _unlink(proposal: FlowProposal) -> None:
    if proposal.draft_flow_id:
        proposal.draft_flow = None
        proposal.save(update_fields=["draft_flow"])


def _words(proposal: FlowProposal) -> str:
    return f"Proposal “{proposal.title}”"


def _version_note(proposal: FlowProposal) -> str:
    behind = counted(len(sessions_behind(proposal.evidence)), "session")
    day = date_format(proposal.created_at.astimezone(proposal.account.tz), "j M Y")
    return f"From {behind}, proposal of {day}."
