from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from resolutionflow.periods import Period, first_instant

LONDON = ZoneInfo("Europe/London")
HAVANA = ZoneInfo("America/Havana")
SANTIAGO = ZoneInfo("America/Santiago")
APIA = ZoneInfo("Pacific/Apia")
KOLKATA = ZoneInfo("Asia/Kolkata")


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def of_days(length, now, tz=LONDON):
    return Period.of_days(length, now=now, tz=tz)


def test_seven_days_are_today_and_the_six_before():
    period = of_days(7, utc(2026, 3, 10, 9, 0))
    assert (period.first, period.last) == (date(2026, 3, 4), date(2026, 3, 10))
    assert (period.start, period.end) == (utc(2026, 3, 4), utc(2026, 3, 11))
    assert len(period.days) == 7
    assert (period.days[0], period.days[-1]) == (period.first, period.last)


def test_today_is_that_of_the_account():
    just_past_midnight_in_india = utc(2025, 12, 31, 18, 30)
    assert of_days(7, just_past_midnight_in_india, KOLKATA).last == date(2026, 1, 1)
    assert of_days(7, just_past_midnight_in_india - timedelta(seconds=1), KOLKATA).last == date(2025, 12, 31)
    assert of_days(7, just_past_midnight_in_india, LONDON).last == date(2025, 12, 31)


@pytest.mark.parametrize(
    ("day", "tz", "start", "hours"),
    [
        (date(2026, 3, 28), LONDON, utc(2026, 3, 28, 0), 24),
        (date(2026, 3, 29), LONDON, utc(2026, 3, 29, 0), 23),
        (date(2026, 10, 25), LONDON, utc(2026, 10, 24, 23), 25),
        (date(2026, 3, 8), HAVANA, utc(2026, 3, 8, 5), 23),  # begins at 01:00
        (date(2026, 11, 1), HAVANA, utc(2026, 11, 1, 4), 25),  # 00:00 comes twice
        (date(2026, 9, 6), SANTIAGO, utc(2026, 9, 6, 4), 23),  # begins at 01:00
        (date(2026, 4, 4), SANTIAGO, utc(2026, 4, 4, 3), 25),  # 23:00 comes twice
        (date(2011, 12, 29), APIA, utc(2011, 12, 29, 10), 24),
        (date(2011, 12, 30), APIA, utc(2011, 12, 30, 10), 0),  # there was none
        (date(2011, 12, 31), APIA, utc(2011, 12, 30, 10), 24),
        (date(2026, 5, 1), KOLKATA, utc(2026, 4, 30, 18, 30), 24),
    ],
)
def test_a_day_is_as_long_as_its_clock_makes_it(day, tz, start, hours):
    period = Period(day, day, tz, now=utc(2026, 12, 1))
    assert period.start == first_instant(day, tz) == start
    assert period.end - period.start == timedelta(hours=hours)


def test_the_period_before_ends_where_the_period_starts():
    period = Period(date(2026, 2, 1), date(2026, 2, 28), LONDON, now=utc(2026, 3, 10, 9, 0))
    assert (period.before.first, period.before.last) == (date(2026, 1, 4), date(2026, 1, 31))
    assert (period.before.start, period.before.end) == (utc(2026, 1, 4), utc(2026, 2, 1))
    assert period.before.words == "to the 28 days before"


def test_while_today_is_in_the_period_the_one_before_ends_at_the_same_time():
    period = of_days(7, utc(2026, 3, 10, 9, 30, 15))
    assert (period.before.start, period.before.end) == (utc(2026, 2, 25), utc(2026, 3, 3, 9, 30, 15))
    assert period.before.words == "to the 7 days before, to this hour"


def test_a_custom_range_up_to_today_is_compared_to_this_hour_too():
    period = Period(date(2026, 3, 10), date(2026, 3, 10), LONDON, now=utc(2026, 3, 10, 9, 30))
    assert period.before.end == utc(2026, 3, 9, 9, 30)
    assert period.before.words == "to the day before, to this hour"


@pytest.mark.parametrize(
    ("why", "tz", "now", "end"),
    [
        ("summer time began between", LONDON, utc(2026, 4, 1, 8, 30), utc(2026, 3, 25, 9, 30)),
        ("summer time ended between", LONDON, utc(2026, 10, 28, 9, 30), utc(2026, 10, 21, 8, 30)),
        ("now is 01:30 for the first time", LONDON, utc(2026, 10, 25, 0, 30), utc(2026, 10, 18, 0, 30)),
        ("now is 01:30 for the second time", LONDON, utc(2026, 10, 25, 1, 30), utc(2026, 10, 18, 0, 30)),
        ("01:30 came twice then", LONDON, utc(2026, 11, 1, 1, 30), utc(2026, 10, 25, 0, 30)),
        ("01:30 was skipped then", LONDON, utc(2026, 4, 5, 0, 30), utc(2026, 3, 29, 1, 30)),
        ("midnight was skipped then", HAVANA, utc(2026, 3, 15, 4, 0), utc(2026, 3, 8, 5, 0)),
        ("the whole day was left out then", APIA, utc(2012, 1, 6, 1, 0), utc(2011, 12, 30, 10, 0)),
    ],
)
def test_the_same_time_a_week_ago_where_clocks_changed(why, tz, now, end):
    assert of_days(7, now, tz).before.end == end


def test_a_skipped_time_is_read_alike_whether_it_is_now_the_first_or_the_second_time():
    # 217 days before the second 01:30 of 25 October lies 29 March, on which 01:30 was skipped.
    ends = [
        Period(date(2026, 3, 30), date(2026, 10, 25), LONDON, now=now).before.end
        for now in (utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30))
    ]
    assert ends == [utc(2026, 3, 29, 1, 30)] * 2


def test_a_period_that_ends_on_a_given_day():
    now = utc(2026, 3, 10, 9, 0)
    ending = Period.ending(date(2026, 1, 31), 90, now=now, tz=LONDON)
    assert (ending.first, ending.last, ending.length) == (date(2025, 11, 3), date(2026, 1, 31), None)
    assert Period.ending(date(2026, 3, 10), 90, now=now, tz=LONDON) == of_days(90, now)


def test_a_period_names_itself_in_links_and_answers():
    now = utc(2026, 3, 10, 9, 0)
    custom = Period(date(2026, 1, 1), date(2026, 1, 31), LONDON, now)
    assert custom.query == {"from": "2026-01-01", "to": "2026-01-31"}
    assert custom.label == "2026-01-01..2026-01-31"
    assert of_days(90, now).query == {"period": "90d"}
    assert of_days(90, now).label == "90d"
