"""What the team has learnt from its sessions: proposals that wait, one that was published and one that was rejected."""

from datetime import datetime, timedelta

from flowpilot.analysis.running import analyse
from flowpilot.proposals.models import FlowProposal
from flowpilot.proposals.reviewing import approve, reject
from operations.demo.msp.cast import LEAD
from resolutionflow.accounts.models import Account
from resolutionflow.tenancy import account_scope

FOUND, APPROVED, REJECTED = timedelta(days=6), timedelta(days=4), timedelta(days=3)
REASON = "Each client has its own way here. A flow would only be right for one of them."


def learn(account: Account, *, now: datetime) -> None:
    """Analyses the sessions; the lead has decided about the surest new flow and about the least sure one."""
    analyse(account, now)
    lead = account.users.get(email=LEAD.email)
    with account_scope(account):
        proposals = FlowProposal.objects.filter(status=FlowProposal.Status.PENDING)
        proposals.update(created_at=now - FOUND)
        new = list(
            proposals.filter(kind=FlowProposal.Kind.NEW_FLOW)
            .order_by("-confidence", "id")
            .values_list("id", flat=True)
        )
        if len(new) > 2:
            approve(new[0], user=lead, now=now - APPROVED)
            reject(new[-1], reason=REASON, user=lead, now=now - REJECTED)
