"""The pushes of one session as its page shows them: those that stand first, what they replaced folded away."""

from datetime import datetime
from typing import Any

from flowpilot.psa.connections import current_connection
from flowpilot.psa.models import PsaPush
from flowpilot.psa.pushing.offering import may_push
from flowpilot.psa.showing import placed, shown
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import FINAL
from resolutionflow.accounts.models import User


def followed(user: User, session: Session, now: datetime) -> dict[str, Any]:
    """The context of sessions/_pushes.html."""
    rows = placed(PsaPush.objects.filter(session=session)).select_related("session")
    entries = shown(rows.order_by("revision", "place", "part"), now)
    current = [entry for entry in entries if not entry.replaced or entry.push.doubles]
    can_push = may_push(user, session) and session.status in FINAL
    return {
        "session": session,
        "shown": current,
        "replaced": [entry for entry in entries if entry not in current],
        "waits": any(entry.goes_on for entry in current),
        "leads": user.leads_team,
        "can_push": can_push,
        "can_send": can_push and current_connection() is not None,
        "elsewhere": sorted({e.push.psa_ticket_id for e in current} - {session.psa_ticket_id or ""}),
    }
