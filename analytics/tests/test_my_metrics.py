"""Every figure of my analytics against analytics/tests/plain.py, over sessions that Hypothesis makes up."""

from datetime import timedelta
from fractions import Fraction

import pytest
from django.db import transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics import rows
from analytics.query import DashboardForm, DashboardQuery
from analytics.tests import plain
from analytics.tests.made_up import (
    ABANDONED,
    EMPTY_DAY,
    USUAL,
    one,
    period_of,
    rounded,
    sessions,
    situations,
    write,
)
from resolutionflow.models import ApiToken, Role


def by(engineer, completed, of=None, **facts):
    """`of` sessions of an engineer, so many of them completed."""
    done = [one(engineer=engineer, **facts) for _ in range(completed)]
    return done + [one(engineer=engineer, outcome=None, seconds=None)] * ((of or completed) - completed)


FIVE = by(0, 1) + by(1, 1, 2) + by(2, 1, 3) + by(3, 3) + by(4, 0, 4)


@settings(max_examples=30)
@example(USUAL, [], 0, None)
@example(USUAL, [one(engineer=1)], 0, None)  # only a colleague worked
@example(USUAL, [one(), one(foreign=True)], 0, None)
@example(USUAL, [ABANDONED] * 3, 0, None)
@example(USUAL, FIVE, 0, None)  # the median of durations has four values only
@example(USUAL, FIVE + by(5, 1, seconds=3), 4, None)  # six people: between the middle two
@example(USUAL, by(0, 1, 5) + by(1, 1, 8) + by(2, 0) + by(3, 1) + by(4, 0, 1) + by(5, 1), 0, None)
@example(USUAL, [*FIVE, one(engineer=9, client=0)], 0, 0)  # of one client's sessions too few people
@example(
    USUAL, by(0, 1, 5) + by(1, 1, 8) + by(2, 2) + by(3, 0, 2) + by(4, 2) + by(5, 0, 3), 0, None
)  # 16.25 %
@example(USUAL, [one(engineer=n, back=timedelta(days=45)) for n in range(6)] + [one()], 0, None)
@example(
    EMPTY_DAY, [one(beside="moment", back=timedelta(hours=-hours)) for hours in (-25, -1, 0, 15)], 0, None
)
@given(
    situation=situations(),
    made=st.lists(sessions(engineers=st.integers(0, 6)), max_size=40),
    me=st.integers(0, 6),
    client=st.sampled_from([None, None, 0]),
)
@pytest.mark.parametrize("role", Role.values)
def test_every_figure_is_that_of_plain_python(client_of_api, cast, clock, role, situation, made, me, client):
    clock(situation.now)
    with transaction.atomic():
        account, viewer = cast.here.account, cast.here.engineers[me]
        account.time_zone, viewer.role = situation.zone, role
        account.save()
        viewer.save()
        records = write(cast, situation, made)
        parameters, first, last = period_of(situation)
        if client is not None:
            parameters["client_id"] = str(cast.here.clients[client].id)
            records = [r for r in records if r.client == parameters["client_id"]]
        here = [record for record in records if record.account == "here"]
        answer = client_of_api(viewer).get("/api/v1/analytics/me", parameters)
        form = DashboardForm(parameters, account=account, now=situation.now)
        query = DashboardQuery.read(
            form, url_name="analytics:me", viewer=viewer, account=account, now=situation.now, own=True
        )
        now, before = (rounded(totals) for totals in rows.totals_and_before(query))
        medians = rows.team_medians(query)
        transaction.set_rollback(True)

    inside = plain.between(here, first, last, situation.zone)
    named = plain.Named(str(viewer.id), viewer.name)
    assert answer.json() == plain.mine(inside, named, first, last, situation.zone)
    own = [record for record in here if record.engineer == named]
    assert now == plain.summary(plain.between(own, first, last, situation.zone))
    assert before == plain.summary(plain.before(own, first, last, situation.zone, situation.now))
    expected = plain.team_medians(inside)
    for name, value in medians.items():
        if expected[name] is None:
            assert value is None, name
        else:
            for places in (1, 3, 6):  # the page's and more
                assert plain.half_up(Fraction(value), places) == plain.half_up(expected[name], places), name


@pytest.fixture
def client_of_api(client):
    def as_user(user):
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {ApiToken.issue(user, 'tests')[1]}"
        return client

    return as_user
