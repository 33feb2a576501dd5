"""When work comes in: which days, which hours, how much; and who is there to take it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from operations.demo.msp import cast

TZ = ZoneInfo(cast.TIME_ZONE)
A_DAY = (84, 113)  # sessions on a usual working day: at the beginning and at the end of the story
WEEKDAYS = (1.2, 1.06, 1.0, 0.98, 0.86, 0.09, 0.05)
BANK_HOLIDAY, OUTAGE = 63, 101  # a Monday; the Thursday on which a carrier's line was down
HOURS = {
    7: 2,
    8: 10,
    9: 19,
    10: 16,
    11: 12,
    12: 7,
    13: 10,
    14: 15,
    15: 12,
    16: 10,
    17: 6,
    18: 2,
    19: 1,
    20: 0.5,
    21: 0.3,
}


def first_day(now: datetime) -> date:
    """The Monday on which the story begins, told at `now`: seventeen weeks before that of the present week."""
    today = now.astimezone(TZ).date()
    return today - timedelta(days=today.weekday() + cast.DAYS - 7)


def arrivals(day: int, first: date, random: Random) -> Iterator[datetime]:
    """The moments of one day of the story, in UTC and in no order, at which a session starts."""
    on = first + timedelta(days=day)
    early, late = A_DAY
    amount = (early + (late - early) * day / cast.DAYS) * WEEKDAYS[on.weekday()] * random.uniform(0.92, 1.08)
    if day == BANK_HOLIDAY:
        amount *= 0.12
    if day == OUTAGE:
        amount *= 1.35
    for hour in random.choices(list(HOURS), list(HOURS.values()), k=round(amount)):
        clock = time(hour, random.randrange(60), random.randrange(60))
        yield datetime.combine(on, clock, TZ).astimezone(UTC)


def at_work(day: int) -> tuple[list[int], list[float]]:
    """Who works on a day of the story, as places in `cast.ENGINEERS`, and how much each takes on."""
    there = [
        place
        for place, engineer in enumerate(cast.ENGINEERS)
        if engineer.first_day <= day < engineer.last_day and str(day % 7) in engineer.weekdays
    ]
    return there, [cast.ENGINEERS[place].share for place in there]
