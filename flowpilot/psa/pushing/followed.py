"""The pushes of one session as its page shows them: those that stand first, what they replaced folded away."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowpilot.psa.connections import current_connection
from flowpilot.psa.models import PsaPush
from flowpilot.psa.pushing.offering import may_push
from flowpilot.psa.states import UNFINISHED, State
from flowpilot.psa.words import Standing, standing
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import FINAL
from resolutionflow.accounts.models import User


@dataclass(frozen=True)
class Followed:
    """A push with where it stands. can_repeat: whether it may be sent again as it is."""

    push: PsaPush
    standing: Standing
    can_repeat: bool


def followed(user: User, session: Session, now: datetime) -> dict[str, Any]:
    """The context of sessions/_pushes.html."""
    rows = list(
        PsaPush.objects.filter(session=session)
        .select_related("connection")
        .order_by("created_at", "kind", "part")
    )
    newest: dict[tuple[Any, str], int] = {}
    for push in rows:
        key = push.connection_id, push.kind
        newest[key] = max(push.revision, newest.get(key, 0))
    shown: list[Followed] = []
    replaced: list[Followed] = []
    for push in rows:
        old = push.revision < newest[push.connection_id, push.kind]
        repeats = not old and push.status == State.NEEDS_ATTENTION and push.connection.active
        entry = Followed(push, standing(push, now, replaced=old), repeats)
        (replaced if old and not push.doubles else shown).append(entry)
    can_push = may_push(user, session) and session.status in FINAL
    return {
        "session": session,
        "shown": shown,
        "replaced": replaced,
        "waits": any(entry.push.status in UNFINISHED for entry in shown),
        "leads": user.leads_team,
        "can_push": can_push,
        "can_send": can_push and current_connection() is not None,
        "elsewhere": sorted({e.push.psa_ticket_id for e in shown} - {session.psa_ticket_id or ""}),
    }
