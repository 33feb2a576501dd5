"""Asking for stars, once a session."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from flowpilot.models import Session
from flowpilot.sessions.states import FINAL
from ratings.models import SessionRating


def ask_once(session: Session, *, now: datetime) -> bool:
    """Whether to ask now: the first time for a completed session that nobody rated. Of two at once one asks."""
    # No join: with one, Django picks the rows in a subquery, which the second of two has asked before it waits.
    rated = Exists(SessionRating.objects.filter(session=OuterRef("pk")))
    unasked = Session.objects.filter(~rated, id=session.id, status__in=FINAL, csat_asked_at=None)
    asked: int = unasked.update(csat_asked_at=now)
    return asked == 1
