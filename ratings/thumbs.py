"""Thumbs on a step within one session: given, changed, explained, taken back.

Each act says what is to be, not what to change: a repeated request, or one of a tab that stayed behind, does no harm.
The step's counts move by F() with the row, in its transaction. Rows are locked in one order, the user, the thumb, its
step, and one of each, so that no two acts wait for each other.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet

from flowpilot.models import Session, Step
from ratings.models import StepRating
from resolutionflow.accounts.models import User

COUNTS = {True: "helpful_yes", False: "helpful_no"}


def thumb_on(step: Step, session: Session) -> StepRating | None:
    return _thumbs(step, session).first()


@transaction.atomic
def give(step: Step, session: Session, *, was_helpful: bool, now: datetime) -> bool:
    """Puts the engineer's thumb, and whether there was none before. Another one than before loses its reasons and
    comment, which were about that one."""
    User.objects.filter(id=session.user_id, step_hint_seen_at=None).update(step_hint_seen_at=now)
    if _inserted(step, session, was_helpful=was_helpful, now=now):
        _move(step, {was_helpful: 1})
        return True
    other = _thumbs(step, session).filter(was_helpful=not was_helpful)
    if other.update(was_helpful=was_helpful, reasons=[], comment=None, updated_at=now):
        _move(step, {was_helpful: 1, not was_helpful: -1})
    return False


@transaction.atomic
def explain(
    step: Step, session: Session, *, reasons: Sequence[str], comment: str | None, now: datetime
) -> None:
    """Puts a thumb down with what was wrong with the step, in place of what was said before."""
    give(step, session, was_helpful=False, now=now)
    _thumbs(step, session).filter(was_helpful=False).update(
        reasons=list(dict.fromkeys(reasons)), comment=comment or None, updated_at=now
    )


@transaction.atomic
def take_back(step: Step, session: Session) -> None:
    """Without a thumb, nothing."""
    thumb = _thumbs(step, session).select_for_update(no_key=True).first()
    if thumb is not None:
        thumb.delete()
        _move(step, {thumb.was_helpful: -1})


def _thumbs(step: Step, session: Session) -> QuerySet[StepRating]:
    return StepRating.objects.filter(step=step, session=session, user_id=session.user_id)


def _inserted(step: Step, session: Session, *, was_helpful: bool, now: datetime) -> bool:
    thumb = StepRating(
        step=step,
        session=session,
        user_id=session.user_id,
        was_helpful=was_helpful,
        created_at=now,
        updated_at=now,
    )
    StepRating.objects.bulk_create([thumb], ignore_conflicts=True)  # which does not tell whether it did
    return StepRating.objects.filter(id=thumb.id).exists()


def _move(step: Step, change: dict[bool, int]) -> None:
    counts = {COUNTS[helpful]: F(COUNTS[helpful]) + by for helpful, by in change.items()}
    Step.objects.filter(id=step.id).update(**counts)
