from datetime import UTC, date, datetime

import pytest
from django.core import mail

from analytics.digest.mail import compose

MONDAY = date(2026, 3, 16)
NOW = datetime(2026, 3, 16, 7, 0, tzinfo=UTC)


@pytest.fixture
def digest(account):
    """The mail that a person of the account gets on that Monday."""
    return lambda user: compose(user, account, MONDAY, now=NOW)


@pytest.fixture
def reader(engineer):
    """An engineer who gets the digest: somebody who signed in once."""
    engineer.last_login = NOW
    engineer.save()
    return engineer


@pytest.fixture
def outbox():
    mail.outbox.clear()
    return mail.outbox
