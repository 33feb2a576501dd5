"""The sessions behind FlowPilot's figures, as filters of the session list."""

from flowpilot.sessions.states import OPEN, Status, Tier

RESOLVED = {"status": Status.RESOLVED.value}
ESCALATED = {"status": [Status.ESCALATED.value, Status.REQUESTING_ESCALATION.value]}
COMPLETED = {"status": [Status.RESOLVED.value, Status.ESCALATED.value, Status.UNRESOLVED.value]}
DECIDED = {"status": [*COMPLETED["status"], Status.REQUESTING_ESCALATION.value]}
ENDED = {"status": [status.value for status in Status if status not in OPEN]}
UNGUIDED = {"tier": [Tier.EXPLORING.value, Tier.DISCOVERY.value, "none"]}
