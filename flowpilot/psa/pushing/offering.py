"""Whether anything of a session can go to a ticket, and the form that asks what."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404

from flowpilot.psa.connections import current_connection
from flowpilot.psa.models import PsaPush
from flowpilot.psa.outbox import enqueue
from flowpilot.psa.pushing.form import PushForm
from flowpilot.psa.pushing.meant import Meant
from flowpilot.psa.pushing.ticket_now import TicketNow
from flowpilot.psa.states import State
from flowpilot.psa.words import in_order
from flowpilot.sessions.access import may_drive
from flowpilot.sessions.models import Session
from resolutionflow.accounts.models import User
from resolutionflow.accounts.scoping import AccountRequest


def push_form(
    request: AccountRequest,
    session: Session,
    data: Mapping[str, Any] | None = None,
    *,
    ticket_now: TicketNow | None = None,
    already: Sequence[str] = (),
    meant: Meant | None = None,
) -> PushForm | None:
    """None without a ticket or a connection: then nothing of all this shows."""
    connection = current_connection() if session.psa_ticket_id else None
    if connection is None:
        return None
    return PushForm(
        data,
        session=session,
        connection=connection,
        now=request.now,
        tz=request.account.tz,
        ticket_now=ticket_now,
        already=already,
        meant=meant,
    )


def was_filled_in(data: Mapping[str, Any]) -> bool:
    """Whether what came in has this form in it: a page that was loaded before there was a ticket does not."""
    return "push-ticket" in data


def push(
    form: PushForm,
    session: Session,
    ending: Mapping[str, str],
    *,
    now: datetime,
    revision: int | None = None,
) -> list[PsaPush]:
    """In the open transaction, which ended the session or comes after its end. revision: what the page took this one to
    be (`outbox.PushChoices`). Raises as `outbox.enqueue` does."""
    session.refresh_from_db(fields=["duration_seconds"])  # the database reckons it
    return enqueue(session, replace(form.choices(session, ending), revision=revision), now=now)


def pushed_by(user: User, session_id: UUID) -> Session:
    """The session, for what is sent after its end: its engineer's, and the team admins' who see to what went wrong."""
    rows = Session.objects.select_related("client", "flow", "flow_version").defer("flow_version__structure")
    session: Session = get_object_or_404(rows, id=session_id)
    if not may_push(user, session):
        raise PermissionDenied("This is a colleague's session.")
    return session


def may_push(user: User, session: Session) -> bool:
    return may_drive(user, session) or user.leads_team


def already_on(session: Session) -> tuple[str, ...]:
    """The kinds that the session's ticket has, or will have by itself."""
    rows: Any = PsaPush.objects.filter(session=session, psa_ticket_id=session.psa_ticket_id)
    return in_order(rows.exclude(status=State.NEEDS_ATTENTION).values_list("kind", flat=True))
