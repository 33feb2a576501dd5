from flowpilot.clients.models import Client
from flowpilot.flows.models import Domain, DraftChange, Flow, FlowDraft, FlowVersion, Step
from flowpilot.proposals.models import FlowProposal
from flowpilot.psa.models import PsaActivityLog, PsaConnection, PsaMember, PsaPush, PsaPushAttempt
from flowpilot.sessions.models import Session

__all__ = [
    "Client",
    "Domain",
    "DraftChange",
    "Flow",
    "FlowDraft",
    "FlowProposal",
    "FlowVersion",
    "PsaActivityLog",
    "PsaConnection",
    "PsaMember",
    "PsaPush",
    "PsaPushAttempt",
    "Session",
    "Step",
]
