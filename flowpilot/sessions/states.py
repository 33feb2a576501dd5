"""The words of a session: its status, how it ended, how sure the matching was, where it came from."""

from django.db.models import TextChoices


class Status(TextChoices):
    ACTIVE = "active", "Active"
    REQUESTING_ESCALATION = "requesting_escalation", "Help wanted"
    RESOLVED = "resolved", "Resolved"
    ESCALATED = "escalated", "Escalated"
    UNRESOLVED = "unresolved", "Unresolved"
    ABANDONED = "abandoned", "Abandoned"


class Outcome(TextChoices):
    RESOLVED = "resolved", "Resolved"
    WORKAROUND = "workaround", "Workaround"
    ESCALATED = "escalated", "Escalated"
    UNRESOLVED = "unresolved", "Unresolved"


class Tier(TextChoices):
    GUIDED = "guided", "Guided"
    EXPLORING = "exploring", "Exploring"
    DISCOVERY = "discovery", "Discovery"


class Source(TextChoices):
    APP = "app", "App"
    IMPORT = "import", "Import"
    API = "api", "API"


FINAL = (Status.RESOLVED, Status.ESCALATED, Status.UNRESOLVED)
OPEN = (Status.ACTIVE, Status.REQUESTING_ESCALATION)

CHANGES: dict[Status, tuple[Status, ...]] = {
    Status.ACTIVE: (Status.REQUESTING_ESCALATION, *FINAL, Status.ABANDONED),
    Status.REQUESTING_ESCALATION: (Status.ACTIVE, *FINAL),
    Status.ABANDONED: (Status.ACTIVE,),
    **dict.fromkeys(FINAL, ()),
}

# Which outcomes a status may have. The open ones and abandoned have none and no completed_at.
OUTCOMES_OF_STATUS: dict[Status, list[Outcome]] = {
    Status.ACTIVE: [],
    Status.REQUESTING_ESCALATION: [],
    Status.ABANDONED: [],
    Status.RESOLVED: [Outcome.RESOLVED, Outcome.WORKAROUND],
    Status.ESCALATED: [Outcome.ESCALATED],
    Status.UNRESOLVED: [Outcome.UNRESOLVED],
}
STATUS_OF_OUTCOME: dict[str, Status] = {
    outcome.value: status for status, outcomes in OUTCOMES_OF_STATUS.items() for outcome in outcomes
}


class Refused(Exception):
    """What was asked of a session cannot be done as it stands: a conflict. The sentence is for people."""


class BadValue(Refused):
    """It cannot be done in any state, for the value of `field` is none that this session can take."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
