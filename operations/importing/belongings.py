"""What hangs on an imported session: its rating, its thumbs, its time entries and notes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F
from uuid6 import uuid7

from flowpilot.models import PsaActivityLog, Step
from operations.importing.copying import copy_rows
from operations.importing.names import StepKey
from operations.importing.records import ImportedSession
from ratings.models import SessionRating, StepRating

ACTIVITY_TYPES = {
    "time_entry": PsaActivityLog.ActivityType.TIME_ENTRY_POSTED.value,
    "note": PsaActivityLog.ActivityType.NOTE_POSTED.value,
}

Rating = tuple[UUID, UUID | None, int, str | None, datetime]  # user, flow, stars, comment, created_at
Thumb = tuple[UUID, UUID, bool, datetime]  # step, user, was_helpful, created_at
Activity = tuple[str, str, Any, str, datetime]  # external_key, type, hours, ticket, created_at


@dataclass(slots=True)
class Belongings:
    rating: Rating | None = None
    thumbs: set[Thumb] = field(default_factory=set)
    activity: set[Activity] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.rating or self.thumbs or self.activity)


def wanted(
    session: ImportedSession, user_id: UUID, flow_id: UUID | None, steps: Mapping[StepKey, UUID]
) -> Belongings:
    """What the file says. Of two thumbs on one step the later one in the file counts."""
    belongings = Belongings()
    if session.rating is not None and session.completed_at is not None:
        belongings.rating = (user_id, flow_id, session.rating, session.comment, session.completed_at)
    if flow_id is not None:
        thumbs = {
            steps[flow_id, decision.node_id]: (decision.helpful, decision.at)
            for decision in session.decisions
            if decision.node_id is not None and decision.helpful is not None
        }
        belongings.thumbs = {(step_id, user_id, helpful, at) for step_id, (helpful, at) in thumbs.items()}
    belongings.activity = {
        (
            f"{session.external_id}/{entry.kind}/{entry.index}",
            ACTIVITY_TYPES[entry.kind],
            entry.hours,
            session.psa_ticket_id or "",
            entry.at,
        )
        for entry in session.activity
    }
    return belongings


def stored(session_ids: Iterable[UUID]) -> dict[UUID, Belongings]:
    """What the account holds. Activity that no import wrote is not looked at and not touched."""
    ids = list(session_ids)
    found: dict[UUID, Belongings] = defaultdict(Belongings)
    if not ids:
        return found
    ratings = SessionRating.objects.filter(session_id__in=ids)
    for id, *rating in ratings.values_list(
        "session_id", "user_id", "flow_id", "rating", "comment", "created_at"
    ):
        found[id].rating = tuple(rating)  # type: ignore[assignment]
    thumbs = StepRating.objects.filter(session_id__in=ids)
    for id, *thumb in thumbs.values_list("session_id", "step_id", "user_id", "was_helpful", "created_at"):
        found[id].thumbs.add(tuple(thumb))  # type: ignore[arg-type]
    activity = PsaActivityLog.objects.filter(session_id__in=ids, external_key__isnull=False)
    for id, *entry in activity.values_list(
        "session_id", "external_key", "activity_type", "hours_logged", "psa_ticket_id", "created_at"
    ):
        found[id].activity.add(tuple(entry))  # type: ignore[arg-type]
    return found


def replace(account_id: UUID, before: Mapping[UUID, Belongings], after: Mapping[UUID, Belongings]) -> None:
    """Takes away what these sessions had, writes what they are to have, and moves the steps' thumb counts along."""
    if gone := [id for id, belongings in before.items() if belongings]:
        SessionRating.objects.filter(session_id__in=gone).delete()
        StepRating.objects.filter(session_id__in=gone).delete()
        PsaActivityLog.objects.filter(session_id__in=gone, external_key__isnull=False).delete()
    if ratings := [(uuid7(), account_id, id, *b.rating) for id, b in after.items() if b.rating]:
        columns = ["id", "account_id", "session_id", "user_id", "flow_id", "rating", "comment", "created_at"]
        copy_rows(SessionRating, columns, ratings)
    if thumbs := [
        (uuid7(), account_id, id, *thumb, thumb[-1], "[]") for id, b in after.items() for thumb in b.thumbs
    ]:
        columns = ["id", "account_id", "session_id", "step_id", "user_id", "was_helpful", "created_at"]
        copy_rows(StepRating, [*columns, "updated_at", "reasons"], thumbs)
    if activity := [(uuid7(), account_id, id, *entry) for id, b in after.items() for entry in b.activity]:
        columns = ["id", "account_id", "session_id", "external_key", "activity_type", "hours_logged"]
        copy_rows(PsaActivityLog, [*columns, "psa_ticket_id", "created_at"], activity)
    _count_thumbs(before.values(), after.values())


def _count_thumbs(before: Iterable[Belongings], after: Iterable[Belongings]) -> None:
    change: dict[bool, Counter[UUID]] = {True: Counter(), False: Counter()}
    for sign, side in ((-1, before), (1, after)):
        for belongings in side:
            for step_id, _, helpful, _ in belongings.thumbs:
                change[helpful][step_id] += sign
    by_change: dict[tuple[int, int], list[UUID]] = defaultdict(list)
    for step_id in change[True].keys() | change[False].keys():
        by_change[change[True][step_id], change[False][step_id]].append(step_id)
    for (yes, no), step_ids in sorted(by_change.items()):  # few: most steps move by the same small numbers
        if yes or no:
            Step.objects.filter(id__in=step_ids).update(
                helpful_yes=F("helpful_yes") + yes, helpful_no=F("helpful_no") + no
            )
