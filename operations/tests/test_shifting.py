"""Old sessions moved to the present. 10 March 2026 is a Tuesday."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.importing.records import ImportedActivity, ImportedDecision, ImportedSession
from operations.importing.shifting import WEEK, Shift

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
moments = st.integers(10**9, 3 * 10**9).map(
    lambda second: datetime.fromtimestamp(second, UTC)
)  # 2001 to 2065


def session(started_at, completed_at=None, **facts):
    done = {"status": "resolved", "outcome": "resolved"} if completed_at else {"status": "active"}
    return ImportedSession(
        line=1,
        raw="",
        external_id="1",
        email="a@b.example",
        engineer="a",
        started_at=started_at,
        completed_at=completed_at,
        **done | facts,
    )


@pytest.mark.parametrize(
    ("newest", "weeks"),
    [
        (NOW, 0),
        (NOW - timedelta(seconds=1), 1),
        (NOW - WEEK, 1),
        (NOW - WEEK - timedelta(seconds=1), 2),
        (NOW + timedelta(days=6, hours=23), 0),
        (NOW + WEEK, -1),
        (datetime(2016, 5, 31, 12, 0, tzinfo=UTC), 510),  # Tuesday, 3,570 days before
        (datetime(2016, 5, 31, 11, 59, tzinfo=UTC), 511),
    ],
)
def test_the_smallest_number_of_weeks_to_this_moment_or_later(newest, weeks):
    assert Shift.to(NOW, newest).weeks == weeks


@given(moments, moments)
def test_the_newest_opening_comes_to_the_moment_or_less_than_a_week_later(now, newest):
    moved = newest + Shift.to(now, newest).weeks * WEEK

    assert now <= moved < now + WEEK
    assert (moved.weekday(), moved.time()) == (newest.weekday(), newest.time())


@given(moments, st.integers(-500, 500))
def test_what_is_kept_with_the_account_reads_back(moment, weeks):
    shift = Shift(weeks, moment)

    assert Shift.from_stored(shift.stored()) == shift


def test_all_times_move():
    at = NOW - WEEK - timedelta(hours=3)
    old = session(
        at,
        at + timedelta(hours=1),
        decisions=[ImportedDecision(at + timedelta(minutes=5), undone_at=at + timedelta(minutes=6))],
        activity=[ImportedActivity("note", 0, at + timedelta(hours=2))],
        rating=3,
    )

    new = Shift(1, NOW).apply(old)

    assert (new.started_at, new.completed_at) == (NOW - timedelta(hours=3), NOW - timedelta(hours=2))
    assert new.decisions[0].at == NOW - timedelta(hours=2, minutes=55)
    assert new.decisions[0].undone_at == NOW - timedelta(hours=2, minutes=54)
    assert new.activity[0].at == NOW - timedelta(hours=1)
    assert (new.status, new.rating) == ("resolved", 3)


def test_what_would_open_after_the_moment_is_left_out():
    assert Shift(0, NOW).apply(session(NOW + timedelta(seconds=1))) is None
    assert Shift(0, NOW).apply(session(NOW)).started_at == NOW


def test_what_would_end_after_the_moment_is_open_as_it_stood():
    hour = timedelta(hours=1)
    old = session(
        NOW - hour,
        NOW + hour,
        decisions=[
            ImportedDecision(NOW - hour / 2, answer="first"),
            ImportedDecision(NOW - hour / 4, answer="taken back later", undone_at=NOW + hour / 4),
            ImportedDecision(NOW + hour / 2, answer="later"),
        ],
        activity=[ImportedActivity("note", 0, NOW), ImportedActivity("note", 1, NOW + hour)],
        rating=5,
        comment="Good",
    )

    new = Shift(0, NOW).apply(old)

    assert (new.status, new.outcome, new.completed_at, new.rating, new.comment) == (
        "active",
        None,
        None,
        None,
        None,
    )
    assert [decision.answer for decision in new.decisions] == ["first", "taken back later"]
    assert new.decisions[1].undone_at is None
    assert (new.step_count, new.last_activity_at) == (2, NOW - hour / 4)
    assert [entry.index for entry in new.activity] == [0]
    new.check()


def test_a_stated_step_count_loses_the_later_decisions():
    later = [ImportedDecision(NOW + timedelta(minutes=minute)) for minute in (1, 2)]

    def steps(stated):
        end = NOW + timedelta(hours=1)
        return Shift(0, NOW).apply(session(NOW, end, decisions=later, stated_steps=stated)).step_count

    assert (steps(5), steps(1)) == (3, 0)


def test_a_session_that_ends_at_the_moment_is_complete():
    assert Shift(0, NOW).apply(session(NOW - WEEK, NOW)).status == "resolved"


def test_what_would_leave_the_years_that_can_be_shown_is_left_out():
    assert Shift(100, NOW).apply(session(datetime(2099, 12, 1, tzinfo=UTC))) is None
    assert Shift(-3000, NOW).apply(session(datetime(1999, 12, 1, tzinfo=UTC))) is None
    assert Shift(10**6, NOW).apply(session(NOW)) is None
