"""Giving stars to a session, once."""

from datetime import datetime

from django.db import IntegrityError, transaction

from flowpilot.models import Session
from flowpilot.sessions.states import FINAL
from ratings.models import SessionRating


class NotCompleted(Exception):
    """The session has not ended with an outcome, so there is nothing to rate yet."""


class RatedAlready(Exception):
    """The session has its rating, which never changes."""

    def __init__(self, rating: SessionRating) -> None:
        super().__init__("This session is rated already.")
        self.rating = rating


def rate(session: Session, *, stars: int, comment: str | None, now: datetime) -> SessionRating:
    """The engineer's rating of the session. Raises NotCompleted, or RatedAlready, for the slower of two at once too."""
    if session.status not in FINAL:
        raise NotCompleted("A session is rated after its end.")
    try:
        with transaction.atomic():
            return SessionRating.objects.create(
                session=session,
                user_id=session.user_id,
                flow_id=session.flow_id,
                rating=stars,
                comment=comment or None,
                created_at=now,
            )
    except IntegrityError:
        given = SessionRating.objects.filter(session=session).first()
        if given is None:
            raise
        raise RatedAlready(given) from None
