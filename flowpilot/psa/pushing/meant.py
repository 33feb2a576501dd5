"""What was to go to another ticket, before the session's ticket was changed: it is offered again for the new one."""

import re
from dataclasses import dataclass
from typing import Any

from flowpilot.psa.models import PsaPush
from flowpilot.psa.providers.base import WireRequest
from flowpilot.psa.states import State
from flowpilot.psa.words import in_order
from flowpilot.sessions.models import Session

PART = re.compile(r"^\(\d+/\d+\) ")


@dataclass(frozen=True)
class Meant:
    """ticket: where it was to go. kinds: which. there: those of them that arrived."""

    ticket: str
    kinds: tuple[str, ...]
    there: tuple[str, ...] = ()
    minutes: int | None = None
    note_text: str = ""
    status: str = ""


def meant_before(session: Session) -> Meant | None:
    """None where nothing stands on another ticket than the session's."""
    standing: Any = PsaPush.objects.filter(session=session).exclude(psa_ticket_id=session.psa_ticket_id)
    rows = list(standing.standing().filter(dismissed_at=None).order_by("revision", "part"))
    if not rows:
        return None
    notes = [push.wire for push in rows if push.kind == PsaPush.Kind.NOTE]
    hours = next((push.hours for push in rows if push.hours is not None), None)
    there = {push.kind for push in rows if push.status == State.SUCCESS}
    return Meant(
        rows[-1].psa_ticket_id,
        in_order(push.kind for push in rows),
        in_order(there),
        minutes=round(hours * 60) if hours is not None else None,
        note_text=_without_marks(notes),
        status=next((push.status_ref for push in rows if push.status_ref), ""),
    )


def _without_marks(notes: list[WireRequest]) -> str:
    """The parts as one text again, without what the other ticket's notes are found by."""
    parts = [note.text.removesuffix(f"Ref {note.marker}").rstrip() for note in notes]
    return "\n\n".join(PART.sub("", part) for part in parts)
