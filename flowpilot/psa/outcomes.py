"""What comes of a step of delivery, each in one transaction with all that it means.

Only `PsaError.sent` of a send says whether a write took place; what goes wrong while reading says nothing of it.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from flowpilot.psa import sealing
from flowpilot.psa.claiming import (
    LeaseLost,
    finish,
    held,
    next_pause,
    note_attempt,
    tries_left,
    wait,
)
from flowpilot.psa.connections import answered_well, hold
from flowpilot.psa.models import PsaActivityLog, PsaConnection, PsaPush, PsaPushAttempt
from flowpilot.psa.providers.base import Receipt, Watermark
from flowpilot.psa.providers.errors import (
    AuthFailed,
    Conflict,
    Misconfigured,
    OutcomeUnknown,
    PsaError,
    RateLimited,
    Sent,
    Unavailable,
)
from flowpilot.psa.providers.texts import clean
from flowpilot.psa.states import MOST_TRIES, Hold, State, check_change
from flowpilot.psa.strangers import park
from flowpilot.psa.waiting import HOLD, LEASE, SETTLE, SHORTEST_HOLD, SWEEP_AFTER, Randomness, pause

logger = logging.getLogger("flowpilot.psa")

REPLACED = "Replaced"
REPLACED_WORDS = "A newer version was queued before this one arrived, so it was not sent again."
UNKNOWN_WORDS = "It is not known whether it arrived."
OK = PsaPushAttempt.Sent.OK.value
ACTIVITY = {
    PsaPush.Kind.NOTE: PsaActivityLog.ActivityType.NOTE_POSTED,
    PsaPush.Kind.TIME_ENTRY: PsaActivityLog.ActivityType.TIME_ENTRY_POSTED,
    PsaPush.Kind.STATUS: PsaActivityLog.ActivityType.STATUS_UPDATED,
}
# What passes by itself; another refusal is for a person to see to.
PASSING = (Unavailable, OutcomeUnknown, Conflict)


def begun(push: PsaPush, mark: Watermark, *, now: datetime) -> bool:
    """Writes down that it is being sent, before the first byte. False where a newer revision has taken its place, or
    the connection was switched off or led elsewhere since it was claimed: none of this happens before this is done."""
    with held(push) as row:
        connection = PsaConnection.objects.select_for_update(no_key=True).get(id=row.connection_id)
        if connection.system != row.system:
            row.connection = connection
            park(row, now=now)
            return False
        if not connection.active:
            _let_wait(row, until=now)
            return False
        if PsaPush.objects.superseded().filter(id=row.id).exists():
            _replaced(row, now)
            return False
        check_change(State(row.status), State.SENDING)
        row.status, row.next_attempt_at = State.SENDING, None
        row.watermark = mark.as_json()
        row.first_sent_at = row.first_sent_at or now
        row.retry_count = row.tries
        row.lease_until = now + LEASE
        row.save()
    push.status, push.lease_until = State.SENDING, row.lease_until
    return True


def _replaced(push: PsaPush, now: datetime) -> None:
    """One that was never tried is gone as if it had not been queued; of any other the attempts stay."""
    if push.tries == 0 and push.first_sent_at is None and not push.attempts.exists():
        push.delete()
        return
    push.last_code, push.last_error = REPLACED, REPLACED_WORDS
    finish(push, State.NEEDS_ATTENTION, now=now)


def delivered(push: PsaPush, receipt: Receipt, *, now: datetime) -> None:
    """Raises LeaseLost."""
    with held(push) as row:
        note_attempt(row, now=now, sent=OK)
        row.tries += 1
        succeed(row, [receipt], now=now)
        answered_well(row.connection_id, now)


def succeed(push: PsaPush, receipts: Sequence[Receipt], *, now: datetime) -> None:
    """Keeps the oldest of what the ticket system holds, with the row of the activity log, on a row that is locked."""
    kept = receipts[0]
    push.external_id, push.external_url = kept.external_id[:100], kept.url[:500] or push.external_url
    push.dismissed_at, push.dismissed_by, push.dismissed_note = None, None, ""
    push.last_code, push.last_error = "", _storable(kept.remark)
    push.doubles = doubles_of(receipts)
    finish(push, State.SUCCESS, now=now)
    PsaActivityLog.objects.create(
        session=push.session,
        activity_type=ACTIVITY[PsaPush.Kind(push.kind)],
        hours_logged=push.hours,
        psa_ticket_id=push.psa_ticket_id,
        created_at=now,
        push=push,
    )


def doubles_of(receipts: Sequence[Receipt]) -> list[dict[str, Any]]:
    return [{"external_id": double.external_id, "url": double.url} for double in receipts[1:]]


def delivered_late(push: PsaPush, receipt: Receipt, *, now: datetime) -> None:
    """The answer came when the lease was over. Nothing of it is lost: it is this push's delivery if there is none yet,
    and else perhaps a double, which the sweep looks for."""
    with transaction.atomic():
        rows = PsaPush.objects.select_for_update(of=("self",)).select_related("session")
        row = rows.filter(id=push.id).first()
        if row is None:
            return
        note_attempt(row, now=now, sent=OK, code=LeaseLost.__name__)
        if row.lease_until is None and row.status in (State.UNCERTAIN, State.NEEDS_ATTENTION):
            succeed(row, [receipt], now=now)
        else:
            row.sweep_at = now + SWEEP_AFTER
            row.save(update_fields=["sweep_at"])


def failed(push: PsaPush, error: PsaError, *, now: datetime, random: Randomness) -> None:
    """A send that raised."""
    with held(push) as row:
        note_attempt(
            row,
            now=now,
            sent=error.sent.value,
            code=error.code,
            message=_storable(error.message or error.what),
            http_status=error.http_status,
        )
        _remember(row, error)
        if _holds(row, error, now, random):
            return
        row.tries += 1
        spent = tries_left(row) <= 0
        if error.sent == Sent.UNKNOWN or isinstance(error, Conflict):
            row.uncertain_at = row.uncertain_at or now
        passes = isinstance(error, PASSING) or error.sent != Sent.REJECTED
        if row.uncertain_at is None:
            if spent or not passes:
                finish(row, State.NEEDS_ATTENTION, now=now)
            else:
                wait(row, State.RETRY_WAIT, until=now + next_pause(row, random))
            return
        # What may have arrived is looked up before it is left to a person, as before it is sent again.
        row.parks_when_absent = spent or not passes
        unclear = error.sent == Sent.UNKNOWN or not passes
        least = SETTLE if unclear else timedelta(0)
        pause_ = next_pause(row, random) if passes else timedelta(0)
        wait(row, State.UNCERTAIN, until=now + max(least, pause_))


def not_begun(push: PsaPush, error: PsaError, *, now: datetime, random: Randomness) -> None:
    """Reading the ticket raised, so nothing was sent this time."""
    with held(push) as row:
        note_attempt(
            row,
            now=now,
            sent=Sent.NOT_SENT.value,
            code=error.code,
            message=_storable(error.message or error.what),
            http_status=error.http_status,
        )
        _remember(row, error)
        if _holds(row, error, now, random):
            return
        row.tries += 1
        if isinstance(error, PASSING) and tries_left(row) > 0:
            wait(row, State.RETRY_WAIT, until=now + next_pause(row, random))
        else:
            finish(row, State.NEEDS_ATTENTION, now=now)


def no_way_in(push: PsaPush, error: sealing.CannotOpen | PsaError, *, now: datetime) -> None:
    """There is no ticket system to be had of the connection as it is stored."""
    with held(push) as row:
        reason, said = (Hold.WRONG_ADDRESS, error.said) if isinstance(error, PsaError) else (Hold.NO_KEYS, "")
        hold(row.connection_id, reason, until=now + HOLD, now=now, message=_storable(said))
        _let_wait(row, until=now)


def found(push: PsaPush, receipts: Sequence[Receipt], *, now: datetime) -> None:
    with held(push) as row:
        row.adopted = True
        succeed(row, receipts, now=now)
        answered_well(row.connection_id, now)


def absent(push: PsaPush, *, now: datetime) -> bool:
    """A look-up that certainly found nothing. Whether it is to be sent again, while it is still held."""
    with held(push) as row:
        row.lookups = 0
        if row.parks_when_absent:
            finish(row, State.NEEDS_ATTENTION, now=now)
            return False
        check_change(State(row.status), State.RETRY_WAIT)
        row.status = State.RETRY_WAIT
        row.save()
    push.status = State.RETRY_WAIT
    return True


def not_looked_up(push: PsaPush, error: PsaError, *, now: datetime, random: Randomness) -> None:
    """The look-up failed: it stays uncertain, and nothing is sent again."""
    with held(push) as row:
        row.last_code, row.last_error = type(error).__name__, _storable(f"{UNKNOWN_WORDS} {error.words}")
        if _holds(row, error, now, random):
            return
        row.lookups += 1
        if isinstance(error, PASSING) and row.lookups < MOST_TRIES:
            wait(row, State.UNCERTAIN, until=now + pause(row.lookups, random))
        else:
            finish(row, State.NEEDS_ATTENTION, now=now)


def _holds(push: PsaPush, error: PsaError, now: datetime, random: Randomness) -> bool:
    """Whether the connection is to blame, and all that goes over it has to wait; no push has spent a try then."""
    if isinstance(error, RateLimited):
        asked = timedelta(seconds=error.retry_after or 0)
        until = now + max(asked, SHORTEST_HOLD, pause(1, random))
        reason = Hold.TOO_MANY_REQUESTS
    elif isinstance(error, AuthFailed | Misconfigured):
        until = now + HOLD
        reason = Hold.KEYS_REFUSED if isinstance(error, AuthFailed) else Hold.WRONG_ADDRESS
    else:
        return False
    hold(push.connection_id, reason, until=until, now=now, message=_storable(error.said))
    _let_wait(push, until=now)
    return True


def _let_wait(push: PsaPush, *, until: datetime) -> None:
    """Nothing but the connection keeps it from going."""
    state = State.PENDING if push.status == State.PENDING else State.RETRY_WAIT
    wait(push, state, until=until)


def _remember(push: PsaPush, error: PsaError) -> None:
    push.last_code, push.last_error = type(error).__name__, _storable(error.words)


def _storable(text: str) -> str:
    return clean(text)
