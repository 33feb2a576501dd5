from flowpilot.clients.models import Client
from flowpilot.flows.models import Domain, DraftChange, Flow, FlowDraft, FlowVersion, Step
from flowpilot.psa.models import PsaActivityLog
from flowpilot.sessions.models import Session

__all__ = [
    "Client",
    "Domain",
    "DraftChange",
    "Flow",
    "FlowDraft",
    "FlowVersion",
    "PsaActivityLog",
    "Session",
    "Step",
]
