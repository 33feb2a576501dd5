"""The limit on calls: exact over a minute, the same for all processes."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection

from resolutionflow.limits import seconds_to_wait
from resolutionflow.models import RecentCalls
from resolutionflow.tests.factories import UserFactory

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


def ask(user, seconds=0, name="gaps", calls=3):
    return seconds_to_wait(user, name, calls=calls, now=NOW + timedelta(seconds=seconds))


def test_so_many_a_minute_and_then_the_oldest_has_to_pass(engineer):
    assert [ask(engineer, at) for at in (0, 10, 20)] == [0, 0, 0]
    assert ask(engineer, 30) == 30
    assert ask(engineer, 59.5) == 1
    assert ask(engineer, 60) == 0
    assert ask(engineer, 61) == 9


def test_who_is_refused_is_not_counted(engineer):
    for at in (0, 1, 2):
        ask(engineer, at)
    for at in range(3, 50):
        assert ask(engineer, at) > 0
    assert ask(engineer, 60.5) == 0
    assert len(RecentCalls.objects.get().at) == 3


def test_each_user_and_each_thing_has_a_count_of_its_own(engineer, colleague):
    for _ in range(3):
        ask(engineer)
    assert ask(engineer) > 0
    assert ask(colleague) == 0
    assert ask(engineer, name="overview") == 0


@pytest.mark.parametrize(("path", "calls"), [("", 15), ("/knowledge-gaps", 10)])
def test_the_call_beyond_the_limit_is_told_when_to_come_back(client, team_admin, clock, path, calls):
    clock(NOW)
    client.force_login(team_admin)
    answers = [client.get(f"/api/v1/analytics/flowpilot{path}") for _ in range(calls + 1)]
    assert [answer.status_code for answer in answers] == [200] * calls + [429]
    assert answers[-1]["Retry-After"] == "60"
    assert answers[-1].json() == {"detail": f"At most {calls} calls a minute. Try again in 60 s."}


PROCESS = """
import json, sys
import django
from resolutionflow import settings_test
settings_test.DATABASES["default"] |= json.loads(sys.argv[2])
django.setup()
from django.utils import timezone
from resolutionflow.limits import seconds_to_wait
from resolutionflow.models import User
user = User.objects.get(id=sys.argv[1])
print(json.dumps([seconds_to_wait(user, "gaps", calls=10, now=timezone.now()) for _ in range(20)]))
"""


@pytest.mark.django_db(transaction=True)
def test_two_processes_at_once_share_one_limit():
    user = UserFactory()
    names = ("NAME", "HOST", "PORT", "USER", "PASSWORD")
    database = json.dumps({name: connection.settings_dict[name] for name in names})
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "resolutionflow.settings_test"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(user.id), database],
            env=environment,
            cwd=settings.BASE_DIR,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    waits = [wait for process in processes for wait in json.loads(process.communicate()[0])]
    assert waits.count(0) == 10
    assert len(waits) == 40
