"""Delivers what is in the outbox: each push effectively once, whatever breaks off in between.

One push is worked off in small steps, each its own transaction, with no transaction open while the network is used:
claimed, looked at, written down as being sent, sent, and what came of it written down. What is not known is looked up
before anything is sent again. docs/decisions/0005-effectively-once.md says what that holds and what not.
"""

import logging
import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from flowpilot.psa import outcomes, sealing
from flowpilot.psa.claiming import LeaseLost, claim, take_up_what_was_left
from flowpilot.psa.connections import ProviderOf, Providers, provider_of
from flowpilot.psa.models import PsaPush
from flowpilot.psa.providers.base import PsaProvider, Ticket, Watermark
from flowpilot.psa.providers.errors import (
    OutcomeUnknown,
    PsaError,
    TicketMerged,
    TimeNotAllowed,
    Unavailable,
)
from flowpilot.psa.states import UNFINISHED, WAITING, State
from flowpilot.psa.strangers import park_strangers
from flowpilot.psa.waiting import Randomness
from resolutionflow.tenancy import account_scope, cross_account

logger = logging.getLogger("flowpilot.psa")

MOST_AT_ONCE = 50


@dataclass(frozen=True)
class Means:
    """What delivery takes from outside; tests give their own."""

    clock: Callable[[], datetime] = timezone.now
    random: Randomness = random.random
    provider_of: ProviderOf = provider_of


@dataclass(frozen=True)
class Worked:
    """taken: how many pushes were sent or looked up. more: whether the run ended because of the limit."""

    taken: int
    more: bool


def deliver(account_id: UUID, means: Means | None = None, *, most: int = MOST_AT_ONCE) -> Worked:
    """Works off what is due in the account. Any number of these may run at the same time."""
    means = means or Means()
    with account_scope(account_id), closing(Providers(means.provider_of)) as providers:
        run = Run(means, providers)
        take_up_what_was_left(means.clock(), means.random)
        park_strangers(means.clock())
        for taken in range(most):
            push = claim(means.clock(), without=run.unwell)
            if push is None:
                return Worked(taken, more=False)
            run.work_off(push)
        return Worked(most, more=True)


def accounts_with_work(now: datetime) -> list[UUID]:
    """Those with a push that is due, over a connection that is not held."""
    free = Q(connection__held_until=None) | Q(connection__held_until__lte=now)
    due = Q(status__in=WAITING, next_attempt_at__lte=now, lease_until=None, connection__active=True) & free
    with cross_account():
        rows = PsaPush.objects.filter(due | Q(status__in=UNFINISHED, lease_until__lte=now))
        return list(rows.order_by("account_id").values_list("account_id", flat=True).distinct())


@dataclass
class Run:
    """One run through an outbox. A connection that does not answer well is `unwell` and left alone for the rest of it:
    the next push would fare no better, and other connections wait."""

    means: Means
    providers: Providers
    unwell: set[UUID] = field(default_factory=set)

    def work_off(self, push: PsaPush) -> None:
        """Looks up or sends a push that this run holds, and writes down what came of it."""
        try:
            provider = self._provider(push)
            if provider is None:
                return
            if push.status == State.UNCERTAIN and not self._is_absent(push, provider):
                return
            if self._begin(push, provider):
                self._send(push, provider)
        except LeaseLost:
            logger.warning("A push was taken over by somebody else", extra=_context(push))

    def _provider(self, push: PsaPush) -> PsaProvider | None:
        try:
            return self.providers.of(push.connection)
        except (sealing.CannotOpen, PsaError) as error:
            outcomes.no_way_in(push, error, now=self.means.clock())
            return None

    def _is_absent(self, push: PsaPush, provider: PsaProvider) -> bool:
        """Whether it certainly did not arrive and is to be sent again now."""
        since = Watermark.from_json(push.watermark) if push.watermark else Watermark()
        try:
            hits = provider.find(push.wire, since)
        except PsaError as error:
            self._note_health(push, error)
            outcomes.not_looked_up(push, error, now=self.means.clock(), random=self.means.random)
            return False
        logger.info("Looked a push up", extra=_context(push) | {"hits": len(hits)})
        if hits:
            outcomes.found(push, hits, now=self.means.clock())
            return False
        return outcomes.absent(push, now=self.means.clock())

    def _begin(self, push: PsaPush, provider: PsaProvider) -> bool:
        """Whether it may be sent: the ticket takes it, and that it is being sent is written down."""
        try:
            judge(provider.get_ticket(push.psa_ticket_id), push)
            mark = Watermark.from_json(push.watermark) if push.watermark else provider.watermark(push.wire)
        except PsaError as error:
            self._note_health(push, error)
            outcomes.not_begun(push, error, now=self.means.clock(), random=self.means.random)
            return False
        return outcomes.begun(push, mark, now=self.means.clock())

    def _send(self, push: PsaPush, provider: PsaProvider) -> None:
        try:
            receipt = provider.send(push.wire)
        except PsaError as error:
            self._note_health(push, error)
            logger.info("A push did not go through", extra=_context(push) | {"code": error.code})
            outcomes.failed(push, error, now=self.means.clock(), random=self.means.random)
            return
        logger.info("Delivered a push", extra=_context(push))
        try:
            outcomes.delivered(push, receipt, now=self.means.clock())
        except LeaseLost:
            outcomes.delivered_late(push, receipt, now=self.means.clock())

    def _note_health(self, push: PsaPush, error: PsaError) -> None:
        if isinstance(error, Unavailable | OutcomeUnknown):
            self.unwell.add(push.connection_id)


def judge(ticket: Ticket, push: PsaPush) -> None:
    """Raises what a person has to see to before this can be sent to the ticket. A note goes to a closed one too: what
    was done is worth knowing there."""
    if ticket.merged_into:
        raise TicketMerged(f"It is part of {ticket.merged_into} now.")
    if push.kind == PsaPush.Kind.TIME_ENTRY and not ticket.time_allowed:
        raise TimeNotAllowed(f"The status is {ticket.status}.")


def _context(push: PsaPush) -> dict[str, object]:
    """What a log may say of a push: no text, and nothing that opens anything."""
    return {
        "account_id": str(push.account_id),
        "push_id": str(push.id),
        "kind": push.kind,
        "state": push.status,
        "tries": push.tries,
    }
