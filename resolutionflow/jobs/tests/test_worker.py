"""Real worker processes on the tests' database: what a death, a stop and an absent database leave behind."""

import asyncio
import os
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager

from resolutionflow.jobs import put_stalled_jobs_back
from resolutionflow.jobs.models import JobFailure
from resolutionflow.jobs.tests.rehearsal import fail, note, wait_for, worker_program
from resolutionflow.management.commands.worker import work
from resolutionflow.supervisor import Service, Supervisor

A_MINUTE_LATER = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '61 seconds'"


@pytest.fixture
def start(wire, tmp_path):
    """Starts a worker; all that still live are ended after the test."""
    processes = []

    def start():
        program, environment = worker_program()
        with (tmp_path / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                program, env=environment | {"DATABASE_URL": wire.url}, stdout=log, stderr=log
            )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def paper(tmp_path):
    """The file that a rehearsal writes to; while `wait` exists it does not end."""
    path = tmp_path / "paper"
    path.touch()
    (tmp_path / "paper.wait").touch()
    return path


def go_on(paper):
    (paper.parent / "paper.wait").unlink()


def status_of(job_id):
    return ProcrastinateJob.objects.get(id=job_id).status


def test_a_killed_workers_job_is_put_back_and_done_by_another(start, paper):
    job_id = note.defer(path=str(paper), seconds=60)
    worker = start()
    wait_for(lambda: paper.read_text() == "begun\n")
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert status_of(job_id) == "doing"
    with connection.cursor() as cursor:
        cursor.execute(A_MINUTE_LATER)
    go_on(paper)
    put_stalled_jobs_back.defer()
    start()
    wait_for(lambda: status_of(job_id) == "succeeded")
    assert paper.read_text() == "begun\nbegun\nended\n"


def test_a_job_may_end_before_a_worker_that_is_told_to_stop_does(start, paper):
    job_id = note.defer(path=str(paper), seconds=60)
    worker = start()
    wait_for(lambda: paper.read_text() == "begun\n")
    worker.send_signal(signal.SIGTERM)
    go_on(paper)
    assert worker.wait(timeout=20) == 0
    assert (status_of(job_id), paper.read_text()) == ("succeeded", "begun\nended\n")
    assert not ProcrastinateWorker.objects.exists()


def test_a_failure_is_noted_without_secrets_and_tried_again_later(start):
    job_id = fail.defer()
    start()
    wait_for(lambda: ProcrastinateJob.objects.get(id=job_id).attempts == 1)
    job = ProcrastinateJob.objects.get(id=job_id)
    failure = JobFailure.objects.get()
    assert (failure.job_id, failure.kind, failure.attempt) == (job_id, "rehearsal.fail", 1)
    assert failure.error == "ValueError: no luck with postgres://…@db/main"
    assert job.status == "todo"
    assert 50 <= (job.scheduled_at - failure.at).total_seconds() <= 61


def test_what_is_rolled_back_has_queued_nothing(transactional_db, paper):
    with transaction.atomic():
        note.defer(path=str(paper), seconds=0)
        transaction.set_rollback(True)
    assert not ProcrastinateJob.objects.exists()


def test_a_worker_that_cannot_write_down_a_jobs_end_ends_itself(transactional_db, monkeypatch, paper):
    async def away(*args, **kwargs):
        raise ConnectorException

    monkeypatch.setattr(JobManager, "finish_job", away)
    job_id = note.defer(path=str(paper), seconds=0)
    # In a thread of its own: where browser tests came before, this one runs their event loop already.
    with ThreadPoolExecutor(1) as pool, pytest.raises(asyncio.CancelledError):
        pool.submit(asyncio.run, work()).result()
    assert status_of(job_id) == "doing"
    assert not ProcrastinateWorker.objects.exists()  # so the job counts as left behind


def test_a_worker_begins_again_when_the_database_was_away(wire, tmp_path, paper):
    program, environment = worker_program()
    said = []
    service = Service(
        "worker", program, os.environ | environment | {"DATABASE_URL": wire.url}, tmp_path / "w.log"
    )
    supervisor = Supervisor([service], say=said.append)
    running = threading.Thread(target=supervisor.run)
    job_id = note.defer(path=str(paper), seconds=60)
    running.start()
    try:
        wait_for(lambda: paper.read_text() == "begun\n")
        first = service.process.pid
        wire.cut()
        go_on(paper)  # its end cannot be written down
        wait_for(lambda: any("worker | ended" in line for line in said), seconds=60)
        wire.mend()
        later = note.defer(path=str(tmp_path / "later"), seconds=0)
        wait_for(lambda: status_of(later) == "succeeded", seconds=60)
        assert service.process.pid != first
        with connection.cursor() as cursor:
            cursor.execute(A_MINUTE_LATER + " WHERE id <> (SELECT max(id) FROM procrastinate_workers)")
        put_stalled_jobs_back.defer()
        wait_for(lambda: status_of(job_id) == "succeeded", seconds=60)
    finally:
        supervisor.ask_to_stop()
        running.join()
    assert paper.read_text() == "begun\nended\nbegun\nended\n"
