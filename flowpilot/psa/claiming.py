"""Which push is next, and that it is one worker's alone.

A worker holds a push by a lease that is committed before anything is done. Of one ticket at most one push is held,
which a unique key keeps. What a worker that ended had begun is taken up again when its lease is over.
"""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When

from flowpilot.psa.models import PsaPush, PsaPushAttempt
from flowpilot.psa.providers.errors import Sent
from flowpilot.psa.states import MOST_TRIES, UNFINISHED, WAITING, NoSuchChange, State, check_change
from flowpilot.psa.waiting import LEASE, SETTLE, SWEEP_AFTER, Randomness, pause

logger = logging.getLogger("flowpilot.psa")

WORKER_ENDED = "WorkerEnded"
ENDED_WORDS = (
    "What delivered it ended in the middle. Whether it arrived is looked up before it is sent again."
)
GAVE_UP_WORDS = (
    "What delivered it ended in the middle, each time it was tried. Tell the operator of this installation."
)
ORDER = {PsaPush.Kind.NOTE: 1, PsaPush.Kind.TIME_ENTRY: 2, PsaPush.Kind.STATUS: 3}
MOST_RACES = 20


class LeaseLost(Exception):
    """Somebody else holds the push by now, or nobody: the lease was over before the work was."""


def claim(now: datetime, *, without: Collection[UUID] = ()) -> PsaPush | None:
    """The next push that is due, held from now on; None if there is none. without: connections to leave out."""
    for _ in range(MOST_RACES):
        try:
            with transaction.atomic():
                rows = _due(now).exclude(connection_id__in=without)
                push: PsaPush | None = rows.select_for_update(skip_locked=True, of=("self",)).first()
                if push is None:
                    return None
                push.lease_until = now + LEASE
                push.save(update_fields=["lease_until"])
                return push
        except IntegrityError:
            continue  # another worker was quicker with another push of the same ticket
    return None


def _due(now: datetime) -> QuerySet[PsaPush]:
    """What may be sent or looked up now, in the order in which it became due. A status waits until what belongs to it
    was delivered or dismissed, for it may forbid time entries, unless a person said that it goes anyway; everything
    else waits for what comes before it, however that ends. Nothing goes to another system than it was made for."""
    place = Case(
        *[When(kind=kind, then=Value(number)) for kind, number in ORDER.items()], output_field=IntegerField()
    )
    on_ticket = PsaPush.objects.filter(
        account=OuterRef("account"),
        connection=OuterRef("connection"),
        psa_ticket_id=OuterRef("psa_ticket_id"),
    )
    siblings = on_ticket.filter(session=OuterRef("session")).annotate(place=place)
    before = siblings.filter(
        Q(place__lt=OuterRef("place")) | Q(place=OuterRef("place"), part__lt=OuterRef("part")),
        revision=OuterRef("revision"),
        status__in=UNFINISHED,
    )
    undelivered = siblings.exclude(kind=PsaPush.Kind.STATUS).undelivered()
    waits = Exists(before) | Q(kind=PsaPush.Kind.STATUS, goes_anyway=False) & Exists(undelivered)
    rows: QuerySet[PsaPush] = (
        PsaPush.objects.filter(
            Q(connection__held_until=None) | Q(connection__held_until__lte=now),
            connection__active=True,
            system=F("connection__system"),
            status__in=WAITING,
            lease_until=None,
            next_attempt_at__lte=now,
        )
        .annotate(place=place)
        .filter(Q(status=State.UNCERTAIN) | ~waits)
        .exclude(Exists(on_ticket.filter(lease_until__isnull=False)))
        .select_related("connection", "session")
        .order_by("next_attempt_at", "id")
    )
    return rows


@contextmanager
def held(push: PsaPush) -> Iterator[PsaPush]:
    """The row as it is now, locked, in a transaction of its own; the caller saves it. Raises LeaseLost unless it is
    still held by this lease."""
    with transaction.atomic():
        rows = PsaPush.objects.select_for_update(of=("self",)).select_related("connection", "session")
        row = rows.filter(id=push.id, lease_until=push.lease_until).first()
        if row is None:
            raise LeaseLost
        yield row


def wait(push: PsaPush, state: State, *, until: datetime) -> None:
    """Lets go of it until then. What may have arrived once waits as uncertain, so that it is looked up before it is
    sent again."""
    if push.uncertain_at is not None:
        state = State.UNCERTAIN
    check_change(State(push.status), state)
    push.status, push.next_attempt_at, push.lease_until = state, until, None
    push.save()


def finish(push: PsaPush, state: State, *, now: datetime) -> None:
    """Delivered, or left to a person. Where it was ever not known whether it arrived, the sweep looks again later."""
    check_change(State(push.status), state)
    push.status, push.finished_at = state, now
    if push.uncertain_at is not None:
        push.sweep_at = now + SWEEP_AFTER
    push.next_attempt_at = push.lease_until = None
    push.save()


def tries_left(push: PsaPush) -> int:
    return push.most_tries - push.tries


def next_pause(push: PsaPush, random: Randomness) -> timedelta:
    """By the tries since a person last said that it should go."""
    return pause(MOST_TRIES - tries_left(push), random)


def take_up_what_was_left(now: datetime, random: Randomness) -> int:
    """What workers that ended had begun: nobody knows whether it arrived. How many there were."""
    taken = 0
    with transaction.atomic():
        for push in PsaPush.objects.select_for_update(skip_locked=True).filter(lease_until__lte=now):
            try:
                with transaction.atomic():
                    _take_up(push, now, random)
            except (
                NoSuchChange,
                IntegrityError,
            ):  # one row that no rule foresees keeps no other from going on
                context = {"push_id": str(push.id), "account_id": str(push.account_id)}
                logger.exception("A push whose worker ended could not be taken up", extra=context)
            else:
                taken += 1
    return taken


def _take_up(push: PsaPush, now: datetime, random: Randomness) -> None:
    push.last_code, push.last_error = WORKER_ENDED, ENDED_WORDS
    if push.status == State.UNCERTAIN:
        push.lookups += 1
        given_up = push.lookups >= MOST_TRIES
        until = now + pause(push.lookups, random)
    else:
        push.tries += 1
        given_up = tries_left(push) <= 0
        until = now + next_pause(push, random)
    if push.status == State.SENDING:
        note_attempt(push, now=now, sent=Sent.UNKNOWN.value, code=WORKER_ENDED)
        push.uncertain_at = push.uncertain_at or now
        until = max(until, now + SETTLE)
    if given_up and (push.status == State.UNCERTAIN or push.uncertain_at is None):
        push.last_error = GAVE_UP_WORDS
        finish(push, State.NEEDS_ATTENTION, now=now)
        return
    push.parks_when_absent = given_up
    wait(push, State.UNCERTAIN if push.uncertain_at else State.RETRY_WAIT, until=until)


def note_attempt(
    push: PsaPush,
    *,
    now: datetime,
    sent: str,
    code: str = "",
    message: str = "",
    http_status: int | None = None,
) -> None:
    PsaPushAttempt.objects.create(
        push=push, at=now, sent=sent, code=code[:100], message=message, http_status=http_status
    )
