from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from resolutionflow.jobs import KINDS, daily, every_minutes, hourly, put_stalled_jobs_back, remove_old_jobs
from resolutionflow.jobs.models import JobFailure
from resolutionflow.jobs.tests.rehearsal import fail, note
from resolutionflow.models import AuditEntry
from resolutionflow.tests.pages import read


@pytest.fixture
def page(client, super_admin):
    client.force_login(super_admin)
    return lambda: read(client.get("/jobs/"))


def execute(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def end(job_id, status, *, seconds=2):
    """The job ran, a minute ago and for so long."""
    execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", job_id)
    execute(f"UPDATE procrastinate_jobs SET status = '{status}', attempts = 1 WHERE id = %s", job_id)
    for event, ago in (("started", 60), (status, 60 - seconds)):
        execute(
            "UPDATE procrastinate_events SET at = now() - %s * interval '1 second' WHERE job_id = %s AND type = %s",
            ago,
            job_id,
            event,
        )
    return job_id


def row_of(page, label):
    tables = page.all("table")
    return next(row for row in tables[0].rows() if row[0].startswith(label))


@pytest.mark.parametrize(
    ("schedule", "words", "next_at"),
    [
        (every_minutes(1), "every minute", "12:35"),
        (every_minutes(15), "every 15 minutes", "12:45"),
        (hourly(23), "every hour at minute 23", "13:23"),
        (daily(3, 5), "every day at 03:05 UTC", "03:05"),
    ],
)
def test_a_schedule_in_words(schedule, words, next_at):
    now = datetime(2026, 3, 10, 12, 34, 56, tzinfo=UTC)
    assert (schedule.words, f"{schedule.next_after(now):%H:%M}") == (words, next_at)


def test_every_periodic_job_stands_there_with_its_schedule(page):
    rows = {row[0]: row for row in page().all("table")[0].rows()}
    assert len(rows) == len([kind for kind in KINDS.values() if kind.schedule])
    row = row_of(page(), "Remove old jobs")
    assert row[1:4] == ["every hour at minute 23", "not yet", "–"]


def test_the_last_run_and_how_it_ended(page):
    end(remove_old_jobs.defer(), "succeeded", seconds=2)
    assert row_of(page(), "Remove old jobs")[3] == "Done 2.0 s"
    end(remove_old_jobs.defer(), "failed", seconds=5)
    assert row_of(page(), "Remove old jobs")[3] == "Failed after 5.0 s"
    execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", put_stalled_jobs_back.defer())
    assert row_of(page(), "Put stalled jobs back")[3] == "Running"


def test_whether_anybody_works(page):
    assert "No worker is at work." in page().one("div", role="alert").text
    execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '5 minutes')")
    assert "the last sign of one was on" in page().one("div", role="alert").text
    execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert page().all("div", role="alert") == []
    assert "1 worker at work" in page().one("div", class_="good").text


def test_the_counts(page):
    note.defer()
    note.defer()
    execute(
        "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour' WHERE id = %s", note.defer()
    )
    execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", note.defer())  # of no worker
    cards = {
        card.one("div", class_="stat-label").text: card.one("div", class_="stat-value").text
        for card in page().all("div", class_="stat")
    }
    assert cards == {"Waiting": "2", "Later": "1", "Running": "0", "Stalled": "1"}


def test_failures_with_what_became_of_them(page):
    assert "Nothing failed" in page().text
    now = timezone.now()
    failed, done = end(fail.defer(), "failed"), end(note.defer(), "succeeded")
    silent = end(note.defer(), "failed")
    JobFailure.record(
        job_id=failed, kind="rehearsal.fail", attempt=4, error="ValueError: then", at=now - timedelta(hours=2)
    )
    JobFailure.record(
        job_id=failed,
        kind="rehearsal.fail",
        attempt=5,
        error="ValueError: <script>alert(1)</script>",
        at=now - timedelta(hours=1),
    )
    JobFailure.record(
        job_id=done, kind="rehearsal.note", attempt=1, error="OSError: away", at=now - timedelta(days=6)
    )
    JobFailure.record(
        job_id=9**9, kind="gone.kind", attempt=1, error="OSError: old", at=now - timedelta(days=8)
    )
    rows = [[row[0], row[2], row[3], row[4]] for row in page().all("table")[1].rows()]
    assert rows == [
        [f"Rehearsal no. {silent}, tried 1 time", "The log of the worker tells why.", "Failed", "Try again"],
        [
            f"Rehearsal of a failure no. {failed}, tried 5 times",
            "ValueError: <script>alert(1)</script>",
            "Failed",
            "Try again",
        ],
        [f"Rehearsal no. {done}, tried 1 time", "OSError: away", "Done since", ""],
    ]


def test_run_now_queues_it_once_and_is_audited(client, super_admin):
    client.force_login(super_admin)
    response = client.post("/jobs/jobs.remove_old/run/", follow=True)
    assert "“Remove old jobs” is queued." in response.content.decode()
    response = client.post("/jobs/jobs.remove_old/run/", follow=True)
    assert "waits already" in response.content.decode()
    job = ProcrastinateJob.objects.get()
    audited = AuditEntry.objects.get()
    assert (audited.action, audited.object, audited.detail) == ("job.run", "jobs.remove_old", {"job": job.id})
    assert audited.actor == super_admin


def test_try_again_queues_a_failed_job_and_is_audited(client, super_admin):
    client.force_login(super_admin)
    failed = end(fail.defer(), "failed")
    assert "is queued once more" in client.post(f"/jobs/failed/{failed}/again/", follow=True).content.decode()
    assert ProcrastinateJob.objects.get(id=failed).status == "todo"
    assert AuditEntry.objects.get().action == "job.retried"
    assert "no longer among" in client.post(f"/jobs/failed/{failed}/again/", follow=True).content.decode()


def test_try_again_where_one_of_the_kind_waits_changes_nothing(client, super_admin):
    client.force_login(super_admin)
    failed = end(remove_old_jobs.defer(), "failed")
    remove_old_jobs.defer()
    assert "waits already" in client.post(f"/jobs/failed/{failed}/again/", follow=True).content.decode()
    assert ProcrastinateJob.objects.get(id=failed).status == "failed"
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "/jobs/rehearsal.note/run/",
        "/jobs/nothing/run/",
        "/jobs/a%00b/run/",
        "/jobs/failed/1/again/",
        f"/jobs/failed/{2**80}/again/",
    ],
)
def test_what_is_not_there(path, client, super_admin):
    client.force_login(super_admin)
    assert client.post(path).status_code == 404


def test_others_are_kept_out(client, engineer, team_admin, stranger):
    for person in (engineer, team_admin, stranger):
        client.force_login(person)
        assert client.get("/jobs/").status_code == 403
        assert client.post("/jobs/jobs.remove_old/run/").status_code == 403
        assert client.post("/jobs/failed/1/again/").status_code == 403
    assert not ProcrastinateJob.objects.exists()


def test_as_many_queries_for_one_job_as_for_many(page, django_assert_num_queries):
    def fill(count):
        for _ in range(count):
            job_id = end(fail.defer(), "failed")
            JobFailure.record(job_id=job_id, kind="rehearsal.fail", attempt=1, error="x", at=timezone.now())
            end(put_stalled_jobs_back.defer(), "succeeded")

    fill(1)
    page()
    with django_assert_num_queries(11):
        page()
    fill(30)
    with django_assert_num_queries(11):
        page()
