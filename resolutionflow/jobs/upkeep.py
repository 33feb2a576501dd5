"""The jobs that look after the jobs."""

import logging
from datetime import datetime, timedelta

import procrastinate
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from procrastinate import sql
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status

from resolutionflow.jobs.kinds import MOST_TRIES, every_minutes, hourly, job, note_failure, queue, running
from resolutionflow.jobs.models import JobFailure

logger = logging.getLogger(__name__)

STALLED_AFTER = 60  # seconds without a sign of life of a job's worker; a worker gives one every ten
KEEP_FINISHED = timedelta(days=8)  # a weekly job still shows its last run
KEEP_FAILED = timedelta(days=30)
DIED = "The worker ended in the middle of it, each time it was tried."


@job(
    "jobs.put_back",
    "Put stalled jobs back",
    about="Lets the jobs of a worker that died run again.",
    schedule=every_minutes(1),
    alone=False,  # a lock that a dead worker left would keep it from ever running
)
def put_stalled_jobs_back(now: datetime) -> None:
    connector = DjangoConnector()
    me = running.get()
    if me is not None and me.worker_id is not None:
        # Whoever runs this lives, even where the whole machine slept until now.
        connector.execute_query(sql.queries["update_heartbeat"], worker_id=me.worker_id)
    for found in stalled_jobs().exclude(id=me.id if me and me.id else 0):
        stalled = found.procrastinate_job
        try:
            with transaction.atomic():
                _put_back(stalled, now)
        except UniqueViolation:
            _finish(stalled, Status.ABORTED)  # one of its kind waits already
        except ConnectorException:
            continue  # it ended or was put back meanwhile
        logger.warning("Job %s was left behind by a worker that ended", stalled.call_string)


def stalled_jobs() -> QuerySet[ProcrastinateJob]:
    """The jobs that nobody works on, though they were begun. The database's clock decides."""
    silent = Q(worker__last_heartbeat__lt=Now() - timedelta(seconds=STALLED_AFTER))
    return ProcrastinateJob.objects.filter(Q(worker=None) | silent, status="doing").order_by("id")


def _put_back(stalled: procrastinate.jobs.Job, now: datetime) -> None:
    if stalled.attempts + 1 >= MOST_TRIES:  # it may be what kills the workers
        note_failure(stalled, DIED)
        _finish(stalled, Status.FAILED)
    else:
        queue().retry_job_by_id(stalled.id or 0, retry_at=now)


def _finish(left: procrastinate.jobs.Job, status: Status) -> None:
    DjangoConnector().execute_query(
        sql.queries["finish_job"], job_id=left.id, status=status.value, delete_job=False
    )


@job(
    "jobs.remove_old",
    "Remove old jobs",
    about="Removes jobs that ended 8 days ago, failed ones after 30 days.",
    schedule=hourly(23),
)
def remove_old_jobs(now: datetime) -> None:
    for age, statuses in (
        (KEEP_FINISHED, [Status.SUCCEEDED]),
        (KEEP_FAILED, [Status.FAILED, Status.CANCELLED, Status.ABORTED]),
    ):
        DjangoConnector().execute_query(
            sql.queries["delete_old_jobs"],
            nb_hours=int(age.total_seconds() // 3600),
            queue=None,
            statuses=[status.value for status in statuses],
        )
    JobFailure.objects.filter(at__lt=now - KEEP_FAILED).delete()
