from flowpilot.clients.models import Client
from flowpilot.flows.models import Domain, Flow, FlowDraft, FlowVersion, Step
from flowpilot.psa.models import PsaActivityLog
from flowpilot.sessions.models import Session

__all__ = ["Client", "Domain", "Flow", "FlowDraft", "FlowVersion", "PsaActivityLog", "Session", "Step"]
