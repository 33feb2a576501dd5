"""An account whose ticket system is in memory, with a clock and without chance: every pause is its longest."""

from datetime import timedelta

import pytest

from flowpilot.models import PsaPush
from flowpilot.psa.delivery import Means, deliver
from flowpilot.psa.outbox import PushChoices, enqueue
from flowpilot.psa.states import UNFINISHED
from flowpilot.psa.sweep import sweep
from flowpilot.tests.factories import PsaConnectionFactory, PsaMemberFactory, SessionFactory
from flowpilot.tests.psa_delivery.memory import Clock, Memory

DUE = ("next_attempt_at", "lease_until", "connection__held_until")
ALL = PushChoices(note=True, note_text="Replaced the roller.", time=True, minutes=30, status="5")
CHOICES = {
    "note": PushChoices(note=True, note_text="Replaced the roller."),
    "time_entry": PushChoices(time=True, minutes=30),
    "status": PushChoices(status="5", status_seen="1"),
}


class Desk:
    """What tests do with an outbox: put in, let time pass, deliver."""

    def __init__(self, account, clock, system, connection, engineer):
        self.account, self.now, self.system = account, clock, system
        self.connection, self.engineer = connection, engineer
        self.means = Means(clock=clock, random=lambda: 1.0, provider_of=lambda connection: system)

    def session(self, ticket="100", **facts):
        if ticket not in self.system.tickets:
            self.system.ticket(ticket)
        return SessionFactory(user=self.engineer, psa_ticket_id=ticket, **facts)

    def put(self, choices, session=None):
        session = session or self.session()
        return enqueue(session, choices, now=self.now(), provider_of=self.means.provider_of)

    def deliver(self):
        return deliver(self.account.id, self.means).taken

    def sweep(self):
        return sweep(self.account.id, self.means)

    def until_quiet(self, *, most=500):
        """Delivers, and lets time pass until something is due, again and again until nothing is left to do."""
        for _ in range(most):
            self.deliver()
            left = PsaPush.objects.filter(status__in=UNFINISHED)
            due = [max(filter(None, times)) for times in left.values_list(*DUE)]
            if not due:
                return
            self.now.at = max(min(due), self.now.at + timedelta(seconds=5))
        raise AssertionError("It never came to an end.")


@pytest.fixture
def desk(account, engineer):
    clock = Clock()
    connection = PsaConnectionFactory()
    PsaMemberFactory(connection=connection, user=engineer, external_id="12")
    return Desk(account, clock, Memory(clock), connection, engineer)
