"""Which week a digest is about, and when it is due. Pure: no clock, no rows."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from resolutionflow.periods import Period

DUE_AT = time(7)
LATEST = timedelta(hours=24)  # a worker that was away sends what is due until then


def last_monday(now: datetime, tz: tzinfo) -> date:
    """Today where it is a Monday there, else the one before."""
    today = now.astimezone(tz).date()
    return today - timedelta(days=today.weekday())


def due_week(now: datetime, tz: tzinfo) -> date | None:
    """The Monday whose digests are due now: from 7:00 there on, for a day."""
    monday = last_monday(now, tz)
    due = datetime.combine(monday, DUE_AT, tz).astimezone(UTC)
    return monday if due <= now < due + LATEST else None


def period_of(week: date, *, now: datetime, tz: tzinfo) -> Period:
    """The 7 local days that end with the Sunday before."""
    return Period(week - timedelta(days=7), week - timedelta(days=1), tz, now)
