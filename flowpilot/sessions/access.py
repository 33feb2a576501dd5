"""Who may do what with a session of their own account."""

from flowpilot.sessions.models import Session
from flowpilot.sessions.states import Status
from resolutionflow.accounts.models import User


def may_read(user: User, session: Session) -> bool:
    """Its engineer and who leads the team; a colleague only while it asks for help."""
    return session.user_id == user.id or user.leads_team or session.status == Status.REQUESTING_ESCALATION
