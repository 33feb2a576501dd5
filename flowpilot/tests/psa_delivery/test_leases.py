"""A worker that ends in the middle, or is slower than its lease."""

from datetime import timedelta

import pytest

from flowpilot.models import PsaActivityLog
from flowpilot.psa import claiming
from flowpilot.psa.claiming import claim
from flowpilot.psa.states import NoSuchChange
from flowpilot.psa.waiting import LEASE
from flowpilot.tests.psa_delivery.conftest import CHOICES


class Died(BaseException):
    """Ends a run as a kill does, without anything being written down."""


def die():
    raise Died


@pytest.mark.parametrize("committed", [True, False])
def test_a_worker_that_died_while_sending_leaves_it_uncertain(desk, monkeypatch, committed):
    [push] = desk.put(CHOICES["note"])
    original = desk.system.send

    def send(wire):
        if committed:
            original(wire)
        die()

    monkeypatch.setattr(desk.system, "send", send)
    with pytest.raises(Died):
        desk.deliver()
    monkeypatch.undo()
    push.refresh_from_db()
    assert (push.status, push.lease_until, push.watermark) == (
        "sending",
        desk.now() + LEASE,
        {"newest": "0"},
    )
    assert desk.deliver() == 0  # it is somebody's
    desk.now.move(minutes=10)
    assert desk.deliver() == 0
    push.refresh_from_db()
    assert (push.status, push.last_code, push.attempts.get().sent) == ("uncertain", "WorkerEnded", "unknown")
    desk.until_quiet()
    push.refresh_from_db()
    assert (push.status, push.adopted, len(desk.system.commits)) == ("success", committed, 1)


@pytest.mark.parametrize("place", ["read_faults", "find_faults"])
def test_a_worker_that_died_before_it_sent_anything(desk, place):
    [push] = desk.put(CHOICES["note"])
    if place == "find_faults":
        desk.system.faults.append("lost_answer")
        desk.deliver()
        desk.now.move(minutes=5)
    getattr(desk.system, place).append(Died())
    with pytest.raises(Died):
        desk.deliver()
    desk.until_quiet()
    push.refresh_from_db()
    assert (push.status, len(desk.system.commits)) == ("success", 1)


def test_a_push_that_ends_every_worker_is_left_to_a_person(desk):
    [push] = desk.put(CHOICES["note"])
    desk.system.read_faults.extend(Died() for _ in range(12))
    for _ in range(12):
        with pytest.raises(Died):
            desk.deliver()
        desk.now.move(hours=7)
        assert desk.deliver() == 0  # finds it left behind, and lets it wait
        desk.now.move(hours=7)
    push.refresh_from_db()
    assert (push.status, push.tries, push.last_code) == ("needs_attention", 12, "WorkerEnded")


def test_an_answer_that_comes_after_the_lease_is_not_lost(desk, monkeypatch):
    [push] = desk.put(CHOICES["note"])

    def slow():
        desk.now.move(minutes=11)
        desk.deliver()  # somebody else finds it left behind

    desk.system.faults.append(slow)
    desk.deliver()
    push.refresh_from_db()
    assert (push.status, push.external_id, push.adopted) == ("success", "1", False)
    assert PsaActivityLog.objects.get().push == push
    assert push.sweep_at == push.finished_at + timedelta(minutes=30)


def test_an_answer_that_comes_when_another_worker_has_delivered_is_swept_for(desk):
    [push] = desk.put(CHOICES["note"])

    def slow():
        desk.now.move(minutes=11)
        desk.until_quiet()

    desk.system.faults.append(slow)
    desk.deliver()
    push.refresh_from_db()
    assert (push.status, len(desk.system.of(push.marker))) == ("success", 2)
    desk.now.move(minutes=31)
    desk.sweep()
    push.refresh_from_db()
    assert [double["external_id"] for double in push.doubles] == ["2"]


def test_one_that_cannot_be_taken_up_keeps_no_other_from_going_on(desk, monkeypatch, caplog):
    caplog.set_level("ERROR")
    [odd] = desk.put(CHOICES["note"])
    [other] = desk.put(CHOICES["note"], desk.session("200"))
    for _ in range(2):
        claim(desk.now())
    original = claiming.wait

    def wait(push, state, **until):
        if push.id == odd.id:
            raise NoSuchChange("A change that nobody foresaw.")
        original(push, state, **until)

    monkeypatch.setattr(claiming, "wait", wait)
    desk.now.move(minutes=30)
    assert claiming.take_up_what_was_left(desk.now(), lambda: 0.0) == 1
    desk.deliver()
    other.refresh_from_db()
    odd.refresh_from_db()
    assert (other.status, odd.status, odd.tries) == ("success", "pending", 0)
    assert str(odd.id) in {record.push_id for record in caplog.records if record.levelname == "ERROR"}


def test_a_push_is_claimed_once(desk):
    desk.put(CHOICES["note"])
    assert claim(desk.now()) is not None
    assert claim(desk.now()) is None
