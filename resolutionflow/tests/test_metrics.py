from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Q

from flowpilot.metrics import COMPLETED
from flowpilot.models import Session
from flowpilot.tests.factories import STARTED_AT, SessionFactory
from resolutionflow.metrics import Median, every_day, round_half_up, share, wilson
from resolutionflow.periods import Period


@pytest.mark.parametrize(
    ("value", "places", "rounded"),
    [
        (Decimal(3) / 80, 3, "0.038"),
        (0.0375, 3, "0.038"),
        (Decimal("0.0374999"), 3, "0.037"),
        (Decimal("0.05"), 1, "0.1"),
        (Decimal("0.15"), 1, "0.2"),
        (Decimal("0.25"), 1, "0.3"),  # half to even would be 0.2
        (2.675, 2, "2.68"),  # as a binary fraction it lies below
        (Decimal("-0.05"), 1, "-0.1"),
        (Decimal("84.65"), 1, "84.7"),
        (1.5, 0, "2"),
        (2.5, 0, "3"),
        (7, 0, "7"),
        (7, 1, "7.0"),
        (1e-9, 3, "0.000"),
    ],
)
def test_rounding_is_half_up_on_the_exact_value(value, places, rounded):
    assert str(round_half_up(value, places)) == rounded


# R. G. Newcombe, Statistics in Medicine 17 (1998), table I, the score method without continuity correction.
@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(part, whole, low, high):
    assert [round(bound, 4) for bound in wilson(part, whole)] == [low, high]


def test_wilson_of_all_mirrors_wilson_of_none():
    assert wilson(20, 20) == pytest.approx((1 - 0.1611, 1), abs=0.00005)
    assert wilson(0, 1)[0] == 0
    assert wilson(1, 1)[1] == 1


def test_a_share_is_exact(account):
    for _ in range(3):
        SessionFactory()
    for _ in range(77):
        SessionFactory(status="abandoned")
    assert Session.objects.aggregate(rate=share(COMPLETED, of=Q()))["rate"] == Decimal("0.0375")


def test_a_share_of_nothing_is_null(account):
    SessionFactory(status="abandoned")
    rates = Session.objects.aggregate(
        none_of_one=share(COMPLETED, of=Q()), none_of_none=share(COMPLETED, of=Q(status="resolved"))
    )
    assert rates == {"none_of_one": 0, "none_of_none": None}
    assert Session.objects.none().aggregate(rate=share(COMPLETED, of=Q()))["rate"] is None


def test_a_share_counts_the_part_within_the_whole_only(account):
    for status in ["resolved", "escalated", "escalated", "unresolved"]:
        SessionFactory(status=status)
    rate = share(Q(outcome__in=["resolved", "escalated"]), of=Q(outcome__in=["escalated", "unresolved"]))
    assert round_half_up(Session.objects.aggregate(rate=rate)["rate"], 3) == Decimal("0.667")


@pytest.mark.parametrize(
    ("seconds", "median"),
    [
        ([], None),
        ([90], 90),
        ([60, 61], 60.5),
        ([10, 20, 1000], 20),
        ([0, 0, 1, 1], 0.5),
        ([5, 5, 5, 90_000], 5),
    ],
)
def test_the_median_is_continuous(account, seconds, median):
    for duration in seconds:
        SessionFactory(completed_at=STARTED_AT + timedelta(seconds=duration))
    SessionFactory(status="active")
    assert Session.objects.aggregate(median=Median("duration_seconds", filter=COMPLETED))["median"] == median


def test_every_day_of_the_period_has_a_row():
    first = STARTED_AT.date()
    period = Period(first, first + timedelta(days=2), STARTED_AT.tzinfo, STARTED_AT)
    rows = every_day(
        [{"day": first + timedelta(days=1), "sessions": 4, "resolved": 1}], period, "sessions", "resolved"
    )
    assert rows == [
        {"day": first, "sessions": 0, "resolved": 0},
        {"day": first + timedelta(days=1), "sessions": 4, "resolved": 1},
        {"day": first + timedelta(days=2), "sessions": 0, "resolved": 0},
    ]
