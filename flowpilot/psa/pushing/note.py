"""What the note on a ticket says: the session in plain words, by the account's template or by ours."""

import copy
import re
from datetime import datetime, tzinfo
from math import ceil

from flowpilot.sessions.models import Session
from flowpilot.sessions.states import STATUS_OF_OUTCOME, Outcome
from flowpilot.sessions.words import ticket_note, told

BLANK = re.compile(r"\{([a-z_]+)\}")
BLANKS = {
    "problem": "the problem in a line",
    "details": "more about it",
    "client": "the client",
    "outcome": "how it ended",
    "duration": "how long it took",
    "started": "when it began",
    "ended": "when it ended",
    "flow": "the flow and its version",
    "solution": "what solved it, or what is known",
    "escalation": "why it was handed over",
    "steps": "what was done, step by step",
}


def note_text(session: Session, template: str, tz: tzinfo) -> str:
    """A line of the template whose blanks are all empty is left out, so that no heading stands without its text."""
    if not template.strip():
        return ticket_note(session, tz)
    parts = told(session, tz)
    lines = []
    for line in template.splitlines():
        names = [name for name in BLANK.findall(line) if name in parts]
        if not names or any(parts[name] for name in names):
            lines.append(BLANK.sub(lambda found: parts.get(found[1], found[0]), line))
    return "\n".join(lines).strip()


def unknown_blanks(template: str) -> list[str]:
    return sorted({name for name in BLANK.findall(template) if name not in BLANKS})


def as_ended(session: Session, outcome: str, summary: str, reason: str, at: datetime) -> Session:
    """A copy, never to be saved, of the session as it will be once it ends this way."""
    ended = copy.copy(session)
    if outcome in Outcome.values:
        ended.outcome, ended.status = outcome, STATUS_OF_OUTCOME[Outcome(outcome)]
    ended.resolution_summary = summary
    ended.escalation_reason = reason or session.escalation_reason
    ended.completed_at = max(at, session.started_at)
    ended.duration_seconds = int((ended.completed_at - session.started_at).total_seconds())
    return ended


def minutes_of(session: Session, now: datetime, rounding: int) -> int:
    """How long the session took so far, in minutes rounded up, within what a time entry may have."""
    seconds = ((session.completed_at or now) - session.started_at).total_seconds()
    minutes = ceil(ceil(max(seconds, 60) / 60) / rounding) * rounding
    return min(minutes, 24 * 60)
