"""Sending again what was left to a person."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from flowpilot.psa.connections import ProviderOf, offline_provider_of
from flowpilot.psa.models import PsaPush
from flowpilot.psa.outbox import PushChoices, enqueue
from flowpilot.psa.providers.errors import StatusMoved
from flowpilot.psa.states import MOST_TRIES, State, check_change
from flowpilot.sessions.states import Refused

GOES_ON = "This one goes on by itself: there is nothing to send again."
REPLACED = "A newer version stands in the place of this one. Look at that one."


def send_again(push_id: UUID, *, now: datetime, provider_of: ProviderOf = offline_provider_of) -> PsaPush:
    """Lets a push go that waits for a person; what may ever have been sent is looked up first. A status that was left
    alone because somebody had moved the ticket becomes a new revision, which is set whatever the ticket has by then.

    Returns the push that goes. Raises Refused, and PsaPush.DoesNotExist.
    """
    from flowpilot.jobs import deliver_to

    with transaction.atomic():
        push: PsaPush = (
            PsaPush.objects.select_for_update(of=("self",))
            .select_related("session", "connection")
            .get(id=push_id)
        )
        if push.status != State.NEEDS_ATTENTION:
            raise Refused(GOES_ON)
        if PsaPush.objects.superseded().filter(id=push.id).exists():
            raise Refused(REPLACED)
        if push.last_code == StatusMoved.__name__:
            return _set_anyway(push, now, provider_of)
        state = State.UNCERTAIN if push.first_sent_at else State.PENDING
        check_change(State(push.status), state)
        push.status, push.finished_at, push.next_attempt_at, push.sweep_at = state, None, now, None
        push.most_tries, push.lookups, push.parks_when_absent = push.tries + MOST_TRIES, 0, False
        if push.first_sent_at:
            push.uncertain_at = push.uncertain_at or now
        push.save()
        deliver_to.defer(account_id=str(push.account_id))
        return push


def send_all_again(*, now: datetime) -> int:
    """All in scope that wait for a person and can go as they are; how many. To set a status that somebody has moved
    meanwhile is a decision about each."""
    waiting = PsaPush.objects.standing().filter(status=State.NEEDS_ATTENTION)
    ids = waiting.exclude(last_code=StatusMoved.__name__).order_by("created_at", "id")
    sent = 0
    for push_id in list(ids.values_list("id", flat=True)):
        try:
            send_again(push_id, now=now)
        except (Refused, PsaPush.DoesNotExist):
            continue  # somebody was quicker
        sent += 1
    return sent


def _set_anyway(push: PsaPush, now: datetime, provider_of: ProviderOf) -> PsaPush:
    choices = PushChoices(status=push.status_ref)
    return enqueue(push.session, choices, now=now, provider_of=provider_of)[0]
