from datetime import timedelta
from decimal import Decimal

import pytest

from flowpilot.models import Session
from flowpilot.tests.factories import STARTED_AT, SessionFactory

SUMMARY = ("sessions", "completed", "completion_rate", "median_duration", "active_engineers")


def test_only_what_came_to_an_end_is_completed(account, engineer):
    for status in ["resolved", "escalated", "unresolved", "abandoned", "active", "requesting_escalation"]:
        SessionFactory(user=engineer, status=status)
    SessionFactory(user=engineer, status="resolved", outcome="workaround")
    SessionFactory(user=engineer, status="abandoned")
    assert Session.objects.totals(*SUMMARY) == {
        "sessions": 8,
        "completed": 4,
        "completion_rate": Decimal("0.5"),
        "median_duration": 600,
        "active_engineers": 1,
    }
    assert Session.objects.totals("resolved", "workaround", "escalated", "unresolved") == {
        "resolved": 1,
        "workaround": 1,
        "escalated": 1,
        "unresolved": 1,
    }


def test_of_nothing_counts_are_zero_and_rates_are_null(account):
    assert Session.objects.totals(*SUMMARY) == {
        "sessions": 0,
        "completed": 0,
        "completion_rate": None,
        "median_duration": None,
        "active_engineers": 0,
    }


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
def test_the_median_is_continuous_and_leaves_open_sessions_out(account, seconds, median):
    for duration in seconds:
        SessionFactory(completed_at=STARTED_AT + timedelta(seconds=duration))
    SessionFactory(status="active")
    assert Session.objects.totals("median_duration") == {"median_duration": median}


def test_a_duration_is_whole_seconds_nights_included(account):
    SessionFactory(completed_at=STARTED_AT + timedelta(days=3, seconds=1, microseconds=999_999))
    assert Session.objects.get().duration_seconds == 3 * 86_400 + 1
