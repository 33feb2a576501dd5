from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from resolutionflow.jobs import put_stalled_jobs_back, remove_old_jobs
from resolutionflow.jobs.kinds import KINDS, MOST_TRIES, PAUSES, GrowingPause, app, queue
from resolutionflow.jobs.models import JobFailure, error_line
from resolutionflow.jobs.tests.rehearsal import fail, note
from resolutionflow.jobs.upkeep import DIED, stalled_jobs


def execute(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def job(job_id):
    return ProcrastinateJob.objects.get(id=job_id)


@pytest.fixture
def left_behind(db):
    """Makes a job one that a worker had begun and left; the worker was last seen so many seconds ago."""

    def leave(job_id, *, seconds=61, attempts=0):
        execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s * interval '1 second')",
            seconds,
        )
        execute(
            "UPDATE procrastinate_jobs SET status = 'doing', attempts = %s, "
            "worker_id = (SELECT max(id) FROM procrastinate_workers) WHERE id = %s",
            attempts,
            job_id,
        )
        return job_id

    return leave


def test_what_a_dead_worker_left_is_put_back_and_what_a_living_one_does_is_not(left_behind):
    left, worked_on = left_behind(note.defer(), seconds=61), left_behind(note.defer(), seconds=59)
    assert [stalled.id for stalled in stalled_jobs()] == [left]
    put_stalled_jobs_back(now=timezone.now())
    assert (job(left).status, job(worked_on).status) == ("todo", "doing")
    put_stalled_jobs_back(now=timezone.now())
    assert job(left).attempts == 1


def test_a_job_that_kills_its_workers_ends_as_failed(left_behind):
    left = left_behind(note.defer(), attempts=MOST_TRIES - 1)
    put_stalled_jobs_back(now=timezone.now())
    assert job(left).status == "failed"
    assert [(noted.job_id, noted.error) for noted in JobFailure.objects.all()] == [(left, DIED)]


def test_where_another_of_the_kind_waits_the_one_left_behind_is_given_up(left_behind):
    left = left_behind(remove_old_jobs.defer())
    waiting = remove_old_jobs.defer()
    put_stalled_jobs_back(now=timezone.now())
    assert (job(left).status, job(waiting).status) == ("aborted", "todo")


def test_one_of_a_kind_that_is_alone_waits(db):
    assert remove_old_jobs.defer() is not None
    assert remove_old_jobs.defer() is None
    assert note.defer() != note.defer()


def test_the_pause_grows_and_then_it_is_given_up(db):
    moments = []
    waiting = queue().list_jobs(id=fail.defer())[0]
    for attempts in range(MOST_TRIES):
        decision = GrowingPause().get_retry_decision(
            exception=ValueError(), job=waiting.evolve(attempts=attempts)
        )
        moments.append(decision and round((decision.retry_at - timezone.now()).total_seconds()))
    assert moments == [*PAUSES, None]


def test_one_with_a_schedule_or_alone_for_something_is_left_to_its_next_time(db):
    tried_again = {name for name in KINDS if app.tasks[name].retry_strategy}
    assert tried_again == {
        name for name, kind in KINDS.items() if kind.schedule is None and not kind.alone_for
    }
    assert fail.name in tried_again


@pytest.mark.parametrize(
    ("status", "days", "kept"),
    [
        ("succeeded", 7, True),
        ("succeeded", 9, False),
        ("failed", 29, True),
        ("failed", 31, False),
        ("todo", 99, True),
    ],
)
def test_old_jobs_are_removed(status, days, kept, db):
    job_id = note.defer()
    execute(
        "UPDATE procrastinate_jobs SET status = %s::procrastinate_job_status WHERE id = %s", status, job_id
    )
    execute("UPDATE procrastinate_events SET at = now() - %s * interval '1 day'", days)
    now = timezone.now()
    JobFailure.record(job_id=job_id, kind="x", attempt=1, error="x", at=now - timedelta(days=days))
    remove_old_jobs(now=now)
    assert ProcrastinateJob.objects.filter(id=job_id).exists() == kept
    assert JobFailure.objects.exists() == (days < 30)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("plain words"), "ValueError: plain words"),
        (ValueError(""), "ValueError"),
        (ValueError("first\nDETAIL: Key (name)=(Contoso)"), "ValueError: first"),
        (OSError("login failed, password=hunter2"), "OSError: login failed, password=…"),
        (OSError("Authorization: Bearer-abc no"), "OSError: Authorization: … no"),
        (OSError("sent to https://me:hunter2@mail.example/x"), "OSError: sent to https://…@mail.example/x"),
        (OSError("the key rf_0aB9cD8eF7gH6iJ5kL4mN3oP2qR1sT0 is void"), "OSError: the key … is void"),
        (ValueError("a\0b"), "ValueError: ab"),
        (OSError("{'amira@northgate.example': (550, b'no')}"), "OSError: {'…': (550, b'no')}"),
    ],
)
def test_an_error_is_told_in_a_line_without_secrets(error, line):
    assert error_line(error) == line


def test_a_long_error_is_cut():
    assert len(error_line(ValueError("é" * 1000))) == 300
