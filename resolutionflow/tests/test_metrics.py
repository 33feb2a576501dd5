from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import IntegerField, Q
from django.db.models.functions import Cast

from resolutionflow.metrics import Ranked, every_day, median_ranks, round_half_up, share, wilson
from resolutionflow.models import Role, User
from resolutionflow.periods import Period
from resolutionflow.tests.factories import UserFactory


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


ADMIN = Q(role=Role.TEAM_ADMIN)


def test_a_share_is_exact(account):
    for role in [Role.TEAM_ADMIN] * 3 + [Role.ENGINEER] * 77:
        UserFactory(account=account, role=role)
    assert User.objects.aggregate(rate=share(ADMIN, of=Q()))["rate"] == Decimal("0.0375")


def test_a_share_of_nothing_is_null(account):
    UserFactory(account=account)
    rates = User.objects.aggregate(
        none_of_one=share(ADMIN, of=Q()), none_of_none=share(ADMIN, of=Q(is_active=False))
    )
    assert rates == {"none_of_one": 0, "none_of_none": None}
    assert User.objects.none().aggregate(rate=share(ADMIN, of=Q()))["rate"] is None


def test_a_share_counts_the_part_within_the_whole_only(account):
    for role, is_active in [
        ("engineer", True),
        ("team_admin", True),
        ("team_admin", True),
        ("team_admin", False),
    ]:
        UserFactory(account=account, role=role, is_active=is_active)
    rate = User.objects.aggregate(rate=share(ADMIN, of=Q(is_active=True)))["rate"]
    assert round_half_up(rate, 3) == Decimal("0.667")


def test_every_day_of_the_period_has_a_row():
    first = date(2026, 3, 10)
    period = Period(first, first + timedelta(days=2), UTC, datetime(2026, 3, 12, 9, 0, tzinfo=UTC))
    rows = every_day(
        [{"day": first + timedelta(days=1), "sessions": 4, "resolved": 1}], period, "sessions", "resolved"
    )
    assert rows == [
        {"day": first, "sessions": 0, "resolved": 0},
        {"day": first + timedelta(days=1), "sessions": 4, "resolved": 1},
        {"day": first + timedelta(days=2), "sessions": 0, "resolved": 0},
    ]


@pytest.mark.parametrize(
    ("count", "ranks"),
    # by hand for 6: 2/64 lie on one side; the others as printed in tables of the sign test
    [(0, None), (1, None), (5, None), (6, (1, 6)), (9, (2, 8)), (10, (2, 9)), (25, (8, 18)), (100, (40, 61))],
)
def test_the_median_lies_between_these_ranks(count, ranks):
    assert median_ranks(count) == ranks


def test_of_many_values_the_ranks_are_those_of_the_normal_distribution():
    low, high = median_ranks(100_000)
    assert low + high == 100_001
    assert abs(low - (50_000 - 1.959964 * 100_000**0.5 / 2)) < 1.5


def test_the_value_of_a_rank_is_exact(account):
    for number in range(1, 31):
        UserFactory(account=account, name=f"{number:02}", email=f"{number}@north.example")
    people = User.objects.annotate(number=Cast("name", IntegerField()))
    for rank in (1, 2, 15, 29, 30):
        assert people.aggregate(value=Ranked("number", rank=rank, count=30))["value"] == rank
