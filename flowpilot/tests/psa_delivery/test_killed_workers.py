"""Workers that are killed at any point, and workers that work side by side: nothing is lost, nothing is doubled."""

import os
import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from threading import Barrier, Event
from time import sleep

import pytest
from django.db import connection as database
from django.db import connections, transaction

from flowpilot.models import PsaActivityLog, PsaConnection, PsaPush
from flowpilot.psa import sealing
from flowpilot.psa.delivery import Means, deliver
from flowpilot.psa.outbox import PushChoices, enqueue
from flowpilot.psa.stand_in.connectwise import ConnectWiseStandIn
from flowpilot.psa.stand_in.seed import COMPANY_ID, IN_PROGRESS, PRIVATE_KEY, PUBLIC_KEY
from flowpilot.psa.stand_in.server import serving
from flowpilot.psa.states import UNFINISHED
from flowpilot.psa.sweep import sweep
from flowpilot.tests.factories import PsaConnectionFactory, PsaMemberFactory, SessionFactory
from flowpilot.tests.psa_delivery.memory import Clock
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory

PUSHES, KILLS, ONE_IN = 200, 30, 25


class Killer(ConnectWiseStandIn):
    """Kills whoever asks, now and then: before it does what was asked, before it answers, or a moment after that."""

    def __init__(self):
        super().__init__()
        self.dice, self.victim, self.kills = random.Random(7), None, 0

    def __call__(self, environ, start_response):
        when = self.dice.choice(["before", "after", "soon"]) if self.dice.randrange(ONE_IN) == 0 else ""
        if when == "before":
            self.kill()
        answer = super().__call__(environ, start_response)
        if when == "after":
            self.kill()
        if when == "soon":
            threading.Timer(self.dice.uniform(0, 0.03), self.kill).start()
        return answer

    def kill(self):
        victim, self.victim = self.victim, None
        if victim and self.kills < KILLS:
            self.kills += 1
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)


@pytest.fixture
def account(transactional_db):
    account = AccountFactory(name="Northgate IT", slug="northgate")
    with account_scope(account):
        yield account


@pytest.fixture
def stand_in(account, engineer):
    made = Killer()
    for number in range(PUSHES):
        made.tables.add_ticket(f"Ticket {number}", company="Quarry & Sons", id=6000 + number)
    keys = {"company_id": COMPANY_ID, "public_key": PUBLIC_KEY, "private_key": PRIVATE_KEY}
    with serving(made) as url:
        connection = PsaConnectionFactory(
            base_url=url,
            credentials=sealing.seal(keys),
            defaults={"work_role": "21", "location": "1"},
        )
        PsaMemberFactory(connection=connection, user=engineer, external_id="11/ahaddad")
        yield made


def put(engineer, number, now, kinds):
    session = SessionFactory(user=engineer, psa_ticket_id=str(6000 + number))
    choices = PushChoices(
        note="note" in kinds,
        note_text=f"What was done, {number}.",
        time="time" in kinds,
        minutes=30,
        status=str(IN_PROGRESS) if "status" in kinds else None,
    )
    return enqueue(session, choices, now=now)


def faults_of(stand_in):
    """The pushes that are not in the stand-in exactly once."""
    statuses = [row["ticket"] for row in stand_in.ledger.commits if row["kind"] == "status"]
    return [
        push
        for push in PsaPush.objects.all()
        if (
            statuses.count(int(push.psa_ticket_id))
            if push.kind == "status"
            else stand_in.ledger.markers[push.marker]
        )
        != 1
    ]


def test_killed_at_any_point_nothing_is_lost_and_nothing_doubled(account, stand_in, engineer, tmp_path):
    clock = Clock()
    number = 0
    while PsaPush.objects.count() < PUSHES:
        put(engineer, number, clock(), [("note",), ("note", "time", "status")][number % 2])
        number += 1
    offset = tmp_path / "clock"
    offset.write_text("0")
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "resolutionflow.settings_test"}
    command = [sys.executable, "-m", "flowpilot.tests.psa_delivery.runner"]
    command += [database.settings_dict["NAME"], str(account.id), str(offset), "7"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as runner:
        try:
            for child in count(1):
                stand_in.victim = int(runner.stdout.readline())
                if not PsaPush.objects.filter(status__in=UNFINISHED).exists():
                    break
                offset.write_text(str(700 * child))  # leases and settle times pass
        finally:
            runner.kill()

    assert stand_in.kills == KILLS
    assert PsaPush.objects.filter(status="success").count() == PsaPush.objects.count() >= PUSHES
    assert faults_of(stand_in) == []
    assert PsaActivityLog.objects.count() == PsaPush.objects.count()
    assert PsaPush.objects.filter(uncertain_at__isnull=False).exists()  # some were hit in the middle


def test_workers_side_by_side_send_each_push_once(account, stand_in, engineer):
    clock = Clock()
    for number in range(12):
        put(engineer, number, clock(), ("note", "time", "status"))
    start = Barrier(3)

    def work(number):
        try:
            start.wait(timeout=60)
            return deliver(account.id, Means(clock, random.Random(number).random)).taken
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        taken = list(pool.map(work, range(3)))
    while deliver(account.id, Means(clock)).taken:
        pass

    assert sum(taken) <= 36
    assert PsaPush.objects.filter(status="success").count() == 36
    assert faults_of(stand_in) == []
    order = {}
    for row in stand_in.ledger.commits:
        order.setdefault(row["ticket"], []).append(row["kind"])
    assert {tuple(kinds) for kinds in order.values()} == {("note", "time_entry", "status")}


def test_what_is_queued_while_the_connection_is_led_elsewhere_is_made_for_the_new_system(
    account, stand_in, engineer
):
    clock, changed = Clock(), Event()

    def change():
        with account_scope(account), transaction.atomic():
            held = PsaConnection.objects.select_for_update().get()
            changed.set()
            while not waits_for_a_lock():
                sleep(0.01)
            held.system = "connectwise psa.example borealis"
            held.save()
        connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(change)
        assert changed.wait(timeout=60)
        [push] = put(engineer, 0, clock(), ("note",))
        done.result()
    assert push.system == "connectwise psa.example borealis"


def waits_for_a_lock():
    with database.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        [(waits,)] = cursor.fetchall()
    return waits


def test_two_sweeps_side_by_side_say_the_same(account, stand_in, engineer):
    clock = Clock()
    [push] = put(engineer, 0, clock(), ("note",))
    deliver(account.id, Means(clock))
    PsaPush.objects.filter(id=push.id).update(sweep_at=clock())
    assert sweep(account.id, Means(clock)) == 1
    assert sweep(account.id, Means(clock)) == 0
    push.refresh_from_db()
    assert (push.sweep_at, push.doubles) == (None, [])
