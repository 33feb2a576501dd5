"""Old sessions moved to the present by whole weeks, so that weekday and time of day stay true."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from flowpilot.sessions.states import Status
from operations.importing.records import ImportedSession, in_reach

WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Shift:
    """So many weeks later (or earlier, if negative), as seen at `moment`."""

    weeks: int
    moment: datetime

    @classmethod
    def to(cls, moment: datetime, newest: datetime) -> Self:
        """The smallest number of weeks that brings the newest opening to the moment or later."""
        return cls(-((newest - moment) // WEEK), moment)

    def stored(self) -> dict[str, Any]:
        return {"weeks": self.weeks, "at": self.moment.isoformat()}

    @classmethod
    def from_stored(cls, stored: dict[str, Any]) -> Self:
        return cls(stored["weeks"], datetime.fromisoformat(stored["at"]))

    def apply(self, session: ImportedSession) -> ImportedSession | None:
        """The session itself, changed to how it stood at the moment; None, and it is of no more use, if it opened later
        or leaves the years that can be shown."""
        by = self.weeks * WEEK
        try:
            session.started_at += by
            session.completed_at = session.completed_at and session.completed_at + by
            for decision in session.decisions:
                decision.at += by
                decision.undone_at = decision.undone_at and decision.undone_at + by
            for entry in session.activity:
                entry.at += by
        except OverflowError:
            return None
        if session.started_at > self.moment or not in_reach(session.started_at):
            return None
        self._forget_what_came_later(session)
        return session

    def _forget_what_came_later(self, session: ImportedSession) -> None:
        if session.completed_at and session.completed_at > self.moment:
            session.status, session.outcome, session.completed_at = Status.ACTIVE.value, None, None
            session.rating = session.comment = None
        later = sum(1 for decision in session.decisions if decision.counts and decision.at > self.moment)
        if session.stated_steps is not None:
            session.stated_steps = max(0, session.stated_steps - later)
        session.decisions = [decision for decision in session.decisions if decision.at <= self.moment]
        for decision in session.decisions:
            if decision.undone_at and decision.undone_at > self.moment:
                decision.undone_at = None
        session.activity = [entry for entry in session.activity if entry.at <= self.moment]


def newest_opening(sessions: Iterable[ImportedSession]) -> datetime | None:
    return max((session.started_at for session in sessions), default=None)
