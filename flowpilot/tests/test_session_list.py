from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from flowpilot.tests.factories import SessionFactory

URL = "/sessions/"


@pytest.fixture
def now():
    return timezone.now()


def test_an_engineer_sees_the_own_sessions_only(client, engineer, colleague, now):
    SessionFactory(user=engineer, problem_summary="My own problem", started_at=now - timedelta(days=1))
    SessionFactory(user=colleague, problem_summary="A colleague's problem", started_at=now - timedelta(days=1))
    client.force_login(engineer)
    page = client.get(URL).content.decode()
    assert "My own problem" in page
    assert "A colleague&#x27;s problem" not in page
    assert "1 session" in page
