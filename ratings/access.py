"""Whose opinion counts: only a session's engineer rates it and the steps of its flow."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404

from flowpilot.models import Session, Step
from resolutionflow.accounts.models import User


def session_to_rate(user: User, session_id: UUID) -> Session:
    """The user's own session. Raises Http404 for one that the account does not have, PermissionDenied for a colleague's
    and for a super admin, who rates none."""
    sessions = Session.objects.select_related("flow").defer("decisions")
    session: Session | None = sessions.filter(id=session_id).first()
    if session is None:
        raise Http404("No such session")
    if session.user_id != user.id or not user.works_sessions:
        raise PermissionDenied("Only the session's engineer rates it.")
    return session


def step_of_account(step_id: UUID) -> Step:
    """Raises Http404 for a step that the account does not have."""
    step = Step.objects.filter(id=step_id).first()
    if step is None:
        raise Http404("No such step")
    return step
