"""A hold has a cause, and ends by what answers that cause."""

from datetime import timedelta

import pytest

from flowpilot.models import PsaConnection
from flowpilot.psa.connections import hold, release
from flowpilot.psa.states import Hold
from flowpilot.tests.psa_delivery.conftest import CHOICES


def held():
    connection = PsaConnection.objects.get()
    return connection.held_reason, connection.held_until, connection.held_message


def put_on_hold(desk, reason, message="", **until):
    now = desk.now()
    hold(desk.connection.id, reason, until=now + timedelta(**until), now=now, message=message)


def test_a_success_ends_no_hold_that_began_meanwhile(desk):
    """Another worker is asked to wait while this one's request is on its way."""
    desk.put(CHOICES["note"])
    desk.system.faults.append(lambda: put_on_hold(desk, Hold.TOO_MANY_REQUESTS, seconds=90))
    assert desk.deliver() == 1
    assert len(desk.system.commits) == 1
    assert held() == ("too_many_requests", desk.now() + timedelta(seconds=90), "")
    desk.put(CHOICES["note"], desk.session("200"))
    desk.now.move(seconds=89)
    assert desk.deliver() == 0
    desk.now.move(seconds=1)
    assert desk.deliver() == 1
    assert held() == ("", None, "")


@pytest.mark.parametrize("keys_first", [True, False])
def test_refused_keys_are_not_hidden_by_a_longer_wait(desk, keys_first):
    def keys():
        put_on_hold(desk, Hold.KEYS_REFUSED, "UserNotAuthenticated", minutes=15)

    def wait():
        put_on_hold(desk, Hold.TOO_MANY_REQUESTS, "Try again in an hour", hours=1)

    for act in [keys, wait] if keys_first else [wait, keys]:
        act()
    assert held() == ("keys_refused", desk.now() + timedelta(hours=1), "UserNotAuthenticated")


def test_a_hold_that_is_over_hides_nothing(desk):
    put_on_hold(desk, Hold.KEYS_REFUSED, minutes=15)
    desk.now.move(minutes=15)
    put_on_hold(desk, Hold.TOO_MANY_REQUESTS, seconds=30)
    assert held() == ("too_many_requests", desk.now() + timedelta(seconds=30), "")


@pytest.mark.parametrize("reason", [Hold.KEYS_REFUSED, Hold.WRONG_ADDRESS, Hold.NO_KEYS])
def test_a_test_that_went_well_answers_what_the_keys_were_held_for(desk, reason):
    put_on_hold(desk, reason, minutes=15)
    release(desk.connection.id)
    assert held() == ("", None, "")


def test_a_test_that_went_well_does_not_shorten_a_wait(desk):
    put_on_hold(desk, Hold.TOO_MANY_REQUESTS, seconds=90)
    release(desk.connection.id)
    assert held()[0] == "too_many_requests"
