from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from flowpilot import jobs
from flowpilot.models import Session
from flowpilot.sessions.idle import close_idle_sessions
from flowpilot.tests.factories import SessionFactory
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import UserFactory

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.fixture
def made(account, engineer):
    def make(hours, status="active", **more):
        return SessionFactory(
            user=engineer,
            status=status,
            started_at=NOW - timedelta(days=9),
            last_activity_at=NOW - timedelta(hours=hours),
            **more,
        )

    return make


def statuses():
    return {session.problem_summary: session.status for session in Session.objects.all()}


def test_what_lay_idle_for_longer_than_the_limit_is_closed(made):
    made(25, problem_summary="idle")
    made(24, problem_summary="just not")
    made(99, "requesting_escalation", problem_summary="wants help")
    made(99, source="import", problem_summary="imported")
    made(99, "resolved", problem_summary="done")
    assert close_idle_sessions(NOW) == 1
    expected = {
        "idle": "abandoned",
        "just not": "active",
        "wants help": "requesting_escalation",
        "imported": "active",
        "done": "resolved",
    }
    assert statuses() == expected
    assert close_idle_sessions(NOW) == 0
    assert Session.objects.get(problem_summary="idle").last_activity_at == NOW - timedelta(hours=25)


def test_each_account_has_a_limit_of_its_own(made, other_account):
    other_account.idle_limit = timedelta(hours=1)
    other_account.save()
    made(2)
    with account_scope(other_account):
        theirs = SessionFactory(
            user=UserFactory(account=other_account),
            status="active",
            started_at=NOW - timedelta(hours=2),
        )
    assert close_idle_sessions(NOW) == 1
    with account_scope(other_account):
        theirs.refresh_from_db()
        assert theirs.status == "abandoned"


def test_by_the_job_and_by_hand(made, clock):
    clock(NOW)
    made(25, problem_summary="first")
    jobs.close_idle_sessions(now=NOW)
    made(25, problem_summary="second")
    said = StringIO()
    call_command("close_idle_sessions", stdout=said)
    assert said.getvalue() == "Closed 1 idle session.\n"
    assert statuses() == {"first": "abandoned", "second": "abandoned"}
    assert jobs.close_idle_sessions.schedule.words == "every hour at minute 10"
