"""Who may do what with a session of their own account."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404

from flowpilot.sessions.models import Session
from flowpilot.sessions.states import Status
from resolutionflow.accounts.models import User


def may_read(user: User, session: Session) -> bool:
    """Its engineer and who leads the team; a colleague only while it asks for help."""
    return session.user_id == user.id or user.leads_team or session.status == Status.REQUESTING_ESCALATION


def may_drive(user: User, session: Session) -> bool:
    """Its engineer alone; a super admin runs no session."""
    return session.user_id == user.id and user.works_sessions


def may_help(user: User, session: Session) -> bool:
    """Whoever works sessions themselves, in a colleague's."""
    return session.user_id != user.id and user.works_sessions


def driven(user: User, session_id: UUID) -> Session:
    """The session, for an act of its engineer: 404 for none of the account, 403 for a colleague's."""
    session: Session = get_object_or_404(Session, id=session_id)
    if not may_drive(user, session):
        raise PermissionDenied("Only its engineer works in a session.")
    return session


def helped(user: User, session_id: UUID) -> Session:
    """The session, for an act of a colleague who helps."""
    session: Session = get_object_or_404(Session, id=session_id)
    if not may_help(user, session):
        raise PermissionDenied(
            "This is your own session." if session.user_id == user.id else "You work no sessions yourself."
        )
    return session
