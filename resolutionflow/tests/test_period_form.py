from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict

from resolutionflow.period_form import PeriodForm

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
UNKNOWN = "Unknown period. Use 7d, 30d or 90d."
BOTH = "A custom range needs both from and to."
NOT_BOTH = "Give either a period or from and to, not both."
DATE = "Give the date as YYYY-MM-DD."
AFTER_TODAY = "The range may not end after today."
NULL = "Null characters are not allowed."


def read(query, now=NOW, zone="UTC"):
    return PeriodForm(QueryDict(query), now=now, tz=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("query", "first", "length"),
    [
        ("", date(2026, 2, 9), 30),
        ("period=", date(2026, 2, 9), 30),
        ("from=&to=", date(2026, 2, 9), 30),
        ("period=7d", date(2026, 3, 4), 7),
        ("period=30d", date(2026, 2, 9), 30),
        ("period=90d", date(2025, 12, 11), 90),
        ("period=bogus&period=7d", date(2026, 3, 4), 7),  # of a repeated one the last counts
        ("period=7d&from=&to=", date(2026, 3, 4), 7),
    ],
)
def test_a_named_period_ends_today(query, first, length):
    form = read(query)
    assert form.is_valid()
    period = form.chosen_period()
    assert (period.first, period.last, period.length) == (first, date(2026, 3, 10), length)


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("from=2026-02-01&to=2026-02-28", date(2026, 2, 1), date(2026, 2, 28)),
        ("from=2026-03-10&to=2026-03-10", date(2026, 3, 10), date(2026, 3, 10)),
        ("period=&from=2026-02-01&to=2026-02-28", date(2026, 2, 1), date(2026, 2, 28)),
        ("from=2025-03-10&to=2026-03-10", date(2025, 3, 10), date(2026, 3, 10)),  # 366 days
        ("from=1970-01-01&to=1970-12-31", date(1970, 1, 1), date(1970, 12, 31)),
        ("from=nonsense&from=2026-02-01&to=2026-02-28", date(2026, 2, 1), date(2026, 2, 28)),
    ],
)
def test_a_custom_range_has_both_its_days(query, first, last):
    form = read(query)
    assert form.is_valid()
    period = form.chosen_period()
    assert (period.first, period.last, period.length) == (first, last, None)


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("period=5d", {"period": [UNKNOWN]}),
        ("period=all", {"period": [UNKNOWN]}),
        ("period=30D", {"period": [UNKNOWN]}),
        ("period=%00", {"period": [NULL]}),
        ("period=7d&period=bogus", {"period": [UNKNOWN]}),
        (f"period={'9' * 100_000}d", {"period": [UNKNOWN]}),
        ("period=%F0%9F%98%80", {"period": [UNKNOWN]}),
        ("from=2026-02-01", {"to": [BOTH]}),
        ("to=2026-02-01", {"from": [BOTH]}),
        ("period=7d&from=2026-02-01", {"to": [BOTH]}),
        ("period=7d&from=2026-02-01&to=2026-02-28", {"period": [NOT_BOTH]}),
        ("period=5d&from=2026-02-01&to=2026-02-28", {"period": [UNKNOWN]}),
        ("from=2026-02-28&to=2026-02-01", {"to": ["The range ends before it starts."]}),
        ("from=2025-03-09&to=2026-03-10", {"to": ["A custom range has at most 366 days."]}),
        ("from=1970-01-01&to=2026-03-10", {"to": ["A custom range has at most 366 days."]}),
        ("from=2026-03-01&to=2026-03-11", {"to": [AFTER_TODAY]}),
        ("from=2026-03-11&to=2026-03-11", {"to": [AFTER_TODAY]}),
        ("from=9999-12-31&to=9999-12-31", {"to": [AFTER_TODAY]}),
        ("from=0001-01-01&to=0001-12-31", {"from": ["A custom range starts in 1970 at the earliest."]}),
        ("from=1969-12-31&to=1970-01-01", {"from": ["A custom range starts in 1970 at the earliest."]}),
        ("from=2026-02-30&to=2026-03-01", {"from": [DATE]}),
        ("from=01/02/2026&to=2026-03-01", {"from": [DATE]}),
        ("from=2026-02-01T00:00:00Z&to=2026-03-01", {"from": [DATE]}),
        ("from=nonsense&to=rubbish", {"from": [DATE], "to": [DATE]}),
        ("from=10000-01-01&to=2026-03-01", {"from": [DATE]}),
        ("from=2026-02-01&to=%00", {"to": [DATE]}),
        (f"from={'1' * 100_000}&to=2026-03-01", {"from": [DATE]}),
    ],
)
def test_a_bad_period_says_what_is_wrong_and_gives_the_last_30_days(query, errors):
    form = read(query)
    assert form.errors == errors
    period = form.chosen_period()
    assert (period.first, period.last, period.length) == (date(2026, 2, 9), date(2026, 3, 10), 30)


def test_today_is_that_of_the_account():
    now = datetime(2026, 3, 10, 23, 0, tzinfo=UTC)
    query = "from=2026-03-01&to=2026-03-11"
    assert read(query, now, "UTC").errors == {"to": [AFTER_TODAY]}
    assert read(query, now, "Asia/Kolkata").is_valid()
