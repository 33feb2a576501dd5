"""Periods: whole local days of an account, as half-open instants, and the period before."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cached_property

LENGTHS = (7, 30, 90)
DEFAULT_LENGTH = 30
LONGEST = 366


@dataclass(frozen=True)
class Period:
    """The local days `first` to `last`, both included, seen at `now`.

    `length` is 7, 30 or 90 for a period that was named so and None for a custom range.
    """

    first: date
    last: date
    tz: tzinfo
    now: datetime
    length: int | None = None

    @classmethod
    def of_days(cls, length: int, *, now: datetime, tz: tzinfo) -> "Period":
        """Today and the length − 1 days before it."""
        today = now.astimezone(tz).date()
        return cls(today - timedelta(days=length - 1), today, tz, now, length)

    @classmethod
    def ending(cls, last: date, length: int, *, now: datetime, tz: tzinfo) -> "Period":
        """A custom range of `length` days whose last one is `last`; the named period where that is today."""
        if last == now.astimezone(tz).date():
            return cls.of_days(length, now=now, tz=tz)
        return cls(last - timedelta(days=length - 1), last, tz, now)

    @cached_property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    @property
    def start(self) -> datetime:
        return first_instant(self.first, self.tz)

    @property
    def end(self) -> datetime:
        """The first instant that no longer belongs to the period."""
        return first_instant(self.last + timedelta(days=1), self.tz)

    @property
    def to_this_hour(self) -> bool:
        """Whether today is in the period, so that the period before is cut at the same local time."""
        return self.first <= self.now.astimezone(self.tz).date() <= self.last

    @property
    def before(self) -> "PeriodBefore":
        """As many days, ending where this one starts."""
        days = len(self.days)
        return PeriodBefore(self.first - timedelta(days=days), self.first - timedelta(days=1), self.tz, self)

    @property
    def query(self) -> dict[str, str]:
        """The query parameters that name this period in a URL."""
        if self.length is not None:
            return {"period": f"{self.length}d"}
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}

    @property
    def label(self) -> str:
        """As JSON answers name it: "30d" or "2026-01-01..2026-01-31"."""
        return f"{self.length}d" if self.length is not None else f"{self.first}..{self.last}"


@dataclass(frozen=True)
class PeriodBefore:
    """What a period is compared with. While today is in that period, its last day ends at the same local time."""

    first: date
    last: date
    tz: tzinfo
    after: Period

    @property
    def start(self) -> datetime:
        return first_instant(self.first, self.tz)

    @property
    def end(self) -> datetime:
        if not self.after.to_this_hour:
            return self.after.start
        # The time may come twice on one of the two days (the first counts), or be skipped on this one, even with the
        # whole day: then it is read with the offset from before, but nothing of the period itself is counted again.
        clock = self.after.now.astimezone(self.tz).time().replace(fold=0)
        return min(datetime.combine(self.last, clock, self.tz).astimezone(UTC), self.after.start)

    @property
    def words(self) -> str:
        days = len(self.after.days)
        words = f"to the {days} days before" if days > 1 else "to the day before"
        return f"{words}, to this hour" if self.after.to_this_hour else words


def first_instant(day: date, tz: tzinfo) -> datetime:
    """The first instant of a local day, in UTC; where clocks skip midnight, the instant of the skip."""
    return datetime.combine(day, time.min, tz).astimezone(UTC)
