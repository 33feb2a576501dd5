"""What becomes of a proposal as the draft that was made from it goes its way in the editor.

Publishing and discarding call this in their own transaction, whoever does it and wherever.
"""

from contextlib import suppress
from datetime import datetime

from django.db.models import ProtectedError

from flowpilot.flows.models import Flow
from flowpilot.proposals.back_test import freeze
from flowpilot.proposals.models import FlowProposal
from resolutionflow.accounts.models import AuditEntry, User


def proposal_in(flow: Flow) -> FlowProposal | None:
    """The proposal that the flow's draft was made from."""
    found: FlowProposal | None = FlowProposal.objects.filter(draft_flow=flow).first()
    return found


def draft_published(flow: Flow, *, user: User, now: datetime) -> None:
    """The draft of a locked flow became a version: its proposal is decided, as `modified`."""
    rows = FlowProposal.objects.select_for_update(of=("self",), no_key=True).select_related("domain")
    proposal = rows.filter(draft_flow=flow, status=FlowProposal.Status.PENDING).first()
    if proposal:
        proposal.draft_flow = None
        decide(proposal, FlowProposal.Status.MODIFIED, flow=flow, user=user, note="", now=now)


def draft_discarded(flow: Flow) -> None:
    """The draft of a locked flow is gone: its proposal waits for review as before. A flow that was there only for that
    draft goes too."""
    proposal = proposal_in(flow)
    if proposal:
        proposal.draft_flow = None
        proposal.save(update_fields=["draft_flow"])
        remove_unused(flow)


def remove_unused(flow: Flow) -> None:
    """Away with a locked flow that was never published, unless anything refers to it, such as imported sessions."""
    if flow.current_version_id is None:
        with suppress(ProtectedError):
            flow.delete()


def decide(
    proposal: FlowProposal,
    status: FlowProposal.Status,
    *,
    user: User,
    now: datetime,
    note: str,
    flow: Flow | None = None,
) -> None:
    """Writes the decision on a locked proposal, its audit entry, and with a flow where it went.

    A new flow keeps what it would have covered until then, to be measured against; a changed one is `ai_enhanced`.
    """
    proposal.status, proposal.reviewed_by, proposal.reviewed_at = status, user, now
    proposal.review_note, proposal.published_flow = note, flow
    if flow and proposal.kind == FlowProposal.Kind.NEW_FLOW:
        freeze(proposal, now=now)
    elif flow:
        flow.origin = Flow.Origin.AI_ENHANCED
        flow.save(update_fields=["origin", "updated_at"])
    proposal.save()
    AuditEntry.record(
        f"proposal.{status.value}",
        actor=user,
        account=proposal.account,
        object=proposal.title,
        **({"flow": flow.name} if flow else {}),
        **({"note": note} if note else {}),
    )
