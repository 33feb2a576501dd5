from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from analytics.tests.made_up import cast_of
from flowpilot.tests.factories import SessionFactory
from resolutionflow.tenancy import account_scope


@pytest.fixture
def cast(account, other_account):
    """Engineers, clients and flows of both accounts, the same names in each."""
    with account_scope(other_account):
        other = cast_of(other_account)
    return SimpleNamespace(here=cast_of(account), other=other)


@pytest.fixture
def made(engineer):
    """Makes sessions of the engineer that began so many days before now."""

    def make(count=1, *, days_ago=1, minutes=10, **facts):
        started_at = timezone.now() - timedelta(days=days_ago)
        if facts.get("status", "resolved") in ("resolved", "escalated", "unresolved"):
            facts["completed_at"] = started_at + timedelta(minutes=minutes)
        return [SessionFactory(**{"user": engineer, "started_at": started_at} | facts) for _ in range(count)]

    return make
