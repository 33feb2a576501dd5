from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analytics.digest.weeks import due_week, last_monday, period_of


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "due"),
    [
        ("UTC", "2026-03-16T07:00"),
        ("Europe/London", "2026-03-16T07:00"),
        ("Europe/London", "2026-03-30T06:00"),  # the day after the clocks went forward
        ("Europe/London", "2026-10-26T07:00"),  # the day after they went back
        ("America/New_York", "2026-03-09T11:00"),
        ("Asia/Kathmandu", "2026-03-16T01:15"),
        ("Pacific/Chatham", "2026-03-15T17:15"),
        ("Pacific/Kiritimati", "2026-03-15T17:00"),
        ("Pacific/Pago_Pago", "2026-03-16T18:00"),
    ],
)
def test_it_is_due_from_seven_on_monday_in_the_accounts_zone_for_a_day(zone, due):
    tz, moment = ZoneInfo(zone), utc(due)
    monday = moment.astimezone(tz).date()
    assert (monday.weekday(), moment.astimezone(tz).hour) == (0, 7)
    tick = timedelta(seconds=1)
    assert due_week(moment - tick, tz) is None
    assert due_week(moment, tz) == monday
    assert due_week(moment + timedelta(hours=24) - tick, tz) == monday
    assert due_week(moment + timedelta(hours=24), tz) is None


def test_each_week_is_found_due_by_a_job_that_looks_every_quarter_of_an_hour():
    tz, moment, found = ZoneInfo("Asia/Kathmandu"), utc("2026-01-01T00:00"), set()
    while moment < utc("2027-01-01T00:00"):
        found.add(due_week(moment, tz))
        moment += timedelta(minutes=15)
    assert len(found - {None}) == 52


def test_the_week_is_the_seven_days_to_the_sunday_before():
    tz, now = ZoneInfo("Europe/London"), utc("2026-03-30T06:00")
    period = period_of(date(2026, 3, 30), now=now, tz=tz)
    assert (period.first, period.last) == (date(2026, 3, 23), date(2026, 3, 29))
    assert period.end - period.start == timedelta(days=7) - timedelta(hours=1)
    assert (period.before.first, period.before.end) == (date(2026, 3, 16), period.start)


@pytest.mark.parametrize(("day", "monday"), [(16, 16), (17, 16), (22, 16), (23, 23)])
def test_the_last_monday(day, monday):
    assert last_monday(utc(f"2026-03-{day}T12:00"), ZoneInfo("UTC")) == date(2026, 3, monday)
