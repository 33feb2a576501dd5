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
