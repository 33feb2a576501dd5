"""What a person says to a push that waits for one: send it again, let a status go anyway, or it is not needed."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from flowpilot.psa.claiming import finish
from flowpilot.psa.connections import ProviderOf, offline_provider_of
from flowpilot.psa.models import PsaPush
from flowpilot.psa.outbox import set_anyway
from flowpilot.psa.providers.errors import StatusMoved, TicketMerged, TicketNotFound
from flowpilot.psa.providers.texts import clean
from flowpilot.psa.states import MOST_TRIES, State, check_change
from flowpilot.psa.strangers import another_system
from flowpilot.sessions.states import Refused
from resolutionflow.accounts.models import AuditEntry, User

# What is wrong with a ticket to which no further try gets through.
NO_GOOD_TICKET = (TicketNotFound.__name__, TicketMerged.__name__)
GOES_ON = "This one goes on by itself: there is nothing to send again."
REPLACED = "A newer version stands in the place of this one. Look at that one."
WAITS_FOR_NOTHING = "This status waits for nothing that a person would have to see to."
UNDER_WAY = "This one may have reached the ticket, or is on its way to it. Wait until that is known."
DISMISSED_ALREADY = "This one is dismissed already."
NOTE_LENGTH = 500


def send_again(push_id: UUID, *, now: datetime, provider_of: ProviderOf = offline_provider_of) -> PsaPush:
    """Lets a push go that waits for a person, a dismissed one too; what may ever have been sent is looked up first. A
    status that was left alone because somebody had moved the ticket becomes a new revision, which is set whatever the
    ticket has by then.

    Returns the push that goes. Raises Refused, and PsaPush.DoesNotExist.
    """
    with transaction.atomic():
        push = _locked(push_id)
        if push.status != State.NEEDS_ATTENTION:
            raise Refused(GOES_ON)
        _refuse_if_replaced(push)
        if push.system != push.connection.system:
            raise Refused(another_system(push.system, push.connection.system))
        if push.last_code == StatusMoved.__name__:
            return set_anyway(push, now=now, provider_of=provider_of)
        state = State.UNCERTAIN if push.first_sent_at else State.PENDING
        check_change(State(push.status), state)
        push.status, push.finished_at, push.next_attempt_at, push.sweep_at = state, None, now, None
        push.most_tries, push.lookups, push.parks_when_absent = push.tries + MOST_TRIES, 0, False
        push.dismissed_at, push.dismissed_by, push.dismissed_note = None, None, ""
        if push.first_sent_at:
            push.uncertain_at = push.uncertain_at or now
        push.save()
        _queue(push)
        return push


def repeatable() -> QuerySet[PsaPush]:
    """Those in scope that wait for a person and can go as they are. To set a status that somebody has moved meanwhile
    is a decision about each, no further try puts right a ticket that is gone, and what was made for another ticket
    system is left out."""
    rows = PsaPush.objects.standing().of_its_system()
    found: QuerySet[PsaPush] = rows.filter(
        status=State.NEEDS_ATTENTION, dismissed_at=None, connection__active=True
    ).exclude(last_code__in=[StatusMoved.__name__, *NO_GOOD_TICKET])
    return found


def send_all_again(*, now: datetime) -> int:
    """All that are `repeatable`; how many."""
    ids = repeatable().order_by("created_at", "id")
    sent = 0
    for push_id in list(ids.values_list("id", flat=True)):
        try:
            send_again(push_id, now=now)
        except (Refused, PsaPush.DoesNotExist):
            continue  # somebody was quicker
        sent += 1
    return sent


def set_status_now(push_id: UUID, *, by: User, now: datetime) -> PsaPush:
    """Lets a status go although what belongs to it needs attention (`PsaPush.objects.stuck()`); that stays where it is.

    Raises Refused, and PsaPush.DoesNotExist.
    """
    with transaction.atomic():
        push = _locked(push_id)
        if not PsaPush.objects.stuck().filter(id=push.id).exists():
            raise Refused(WAITS_FOR_NOTHING)
        push.goes_anyway = True
        push.save(update_fields=["goes_anyway"])
        AuditEntry.record("psa.status_set_anyway", actor=by, account=push.account, object=str(push))
        _queue(push)
        return push


def dismiss(push_id: UUID, *, by: User, now: datetime, note: str = "") -> PsaPush:
    """It is not needed any more: nothing is sent, and it needs attention no longer. Of a push that needs attention, or
    that certainly never reached the ticket system. `send_again` takes it back.

    Raises Refused, and PsaPush.DoesNotExist.
    """
    with transaction.atomic():
        push = _locked(push_id)
        if push.dismissed_at is not None:
            raise Refused(DISMISSED_ALREADY)
        _refuse_if_replaced(push)
        if push.status != State.NEEDS_ATTENTION:
            if push.status not in (State.PENDING, State.RETRY_WAIT) or push.lease_until is not None:
                raise Refused(UNDER_WAY)
            finish(push, State.NEEDS_ATTENTION, now=now)
        push.dismissed_at, push.dismissed_by, push.dismissed_note = now, by, clean(note)[:NOTE_LENGTH]
        push.save(update_fields=["dismissed_at", "dismissed_by", "dismissed_note"])
        detail = {"note": push.dismissed_note, "push": str(push.id)}
        AuditEntry.record("psa.dismissed", actor=by, account=push.account, object=str(push), **detail)
        _queue(push)  # a status may have waited for it
        return push


def _locked(push_id: UUID) -> PsaPush:
    rows = PsaPush.objects.select_for_update(of=("self",)).select_related("session", "connection", "account")
    push: PsaPush = rows.get(id=push_id)
    return push


def _refuse_if_replaced(push: PsaPush) -> None:
    if PsaPush.objects.superseded().filter(id=push.id).exists():
        raise Refused(REPLACED)


def _queue(push: PsaPush) -> None:
    from flowpilot.jobs import deliver_to

    deliver_to.defer(account_id=str(push.account_id))
