"""Kinds of jobs: a function, the name by which the queue knows it, and for some a schedule."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import procrastinate
from croniter import croniter
from django.db import DatabaseError, transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import DEFAULT_QUEUE
from procrastinate.manager import JobManager

from resolutionflow.jobs.models import JobFailure, error_line

PAUSES = (60, 300, 1500, 7200)  # seconds before the second try, the third …
MOST_TRIES = len(PAUSES) + 1

Argument = str | int | bool | None
KINDS: dict[str, "Kind"] = {}
running: ContextVar[procrastinate.jobs.Job | None] = ContextVar("running_job", default=None)


@dataclass(frozen=True)
class Schedule:
    """When a periodic job is due, in UTC: as cron says it, and as people do."""

    cron: str
    words: str

    def next_after(self, moment: datetime) -> datetime:
        found: datetime = croniter(self.cron, moment.astimezone(UTC)).get_next(datetime)
        return found


def every_minutes(minutes: int) -> Schedule:
    return Schedule(f"*/{minutes} * * * *", f"every {minutes} minutes" if minutes > 1 else "every minute")


def hourly(minute: int) -> Schedule:
    return Schedule(f"{minute} * * * *", f"every hour at minute {minute}")


def daily(hour: int, minute: int) -> Schedule:
    return Schedule(f"{minute} {hour} * * *", f"every day at {hour:02}:{minute:02} UTC")


@dataclass(frozen=True)
class Kind:
    """Called, it does its work here and now; `defer` leaves it to a worker.

    alone: no two of the kind run at the same time, and no second one waits. alone_for: an argument by whose value they
    are told apart in that, so that one account does not wait for another.
    """

    name: str
    label: str
    about: str
    function: Callable[..., None]
    schedule: Schedule | None
    alone: bool
    alone_for: str = ""
    do_not_call_in_templates: ClassVar = True

    def __call__(self, **arguments: object) -> None:
        self.function(**arguments)

    def defer(self, **arguments: Argument) -> int | None:
        """Queues it as part of the open transaction: what is rolled back has queued nothing. None if one waits."""
        lock = self._lock(arguments)
        waiting = procrastinate.jobs.Job(
            queue=DEFAULT_QUEUE,
            task_name=self.name,
            task_kwargs=dict(arguments),
            lock=lock,
            queueing_lock=lock,
        )
        try:
            with transaction.atomic():
                return queue().defer_job(waiting).id
        except AlreadyEnqueued:
            return None

    def _lock(self, arguments: Mapping[str, Argument]) -> str | None:
        if not self.alone:
            return None
        return f"{self.name} {arguments[self.alone_for]}" if self.alone_for else self.name

    def run(self, context: procrastinate.JobContext, /, **arguments: object) -> None:
        """What a worker calls. A failure is noted before it is raised for the worker, which logs it and tries again."""
        if self.schedule is not None:
            arguments = {"now": timezone.now()}  # in place of the time that it was queued for
        token = running.set(context.job)
        try:
            self.function(**arguments)
        except Exception as error:
            with suppress(DatabaseError):  # away, maybe for the very reason; the log has it all
                note_failure(context.job, error_line(error))
            raise
        finally:
            running.reset(token)


class GrowingPause(procrastinate.BaseRetryStrategy):
    """Tries again after each of PAUSES, then gives up."""

    def get_retry_decision(
        self, *, exception: BaseException, job: procrastinate.jobs.Job
    ) -> procrastinate.RetryDecision | None:
        if job.attempts >= len(PAUSES):
            return None
        return procrastinate.RetryDecision(retry_in={"seconds": PAUSES[job.attempts]})


def job(
    name: str,
    label: str,
    *,
    about: str = "",
    schedule: Schedule | None = None,
    alone: bool | None = None,
    alone_for: str = "",
) -> Callable[[Callable[..., None]], Kind]:
    """Makes a kind of a function. One with a schedule is given `now` and nothing else.

    A failed job is tried again after growing pauses; one with a schedule at its next time, and one that is alone for
    something when it is queued again: as it may be one of two by then, it could not wait beside the other.
    """

    def register(function: Callable[..., None]) -> Kind:
        periodic = schedule is not None
        apart = periodic or bool(alone_for)
        kind = Kind(name, label, about, function, schedule, apart if alone is None else alone, alone_for)
        lock = name if kind.alone and not alone_for else None
        task: Any = app.task(
            name=name,
            pass_context=True,
            lock=lock,
            queueing_lock=lock,
            retry=False if apart else GrowingPause(),
        )(kind.run)
        if schedule is not None:
            app.periodic(cron=schedule.cron)(task)
        KINDS[name] = kind
        return kind

    return register


def queue() -> JobManager:
    """The queue over Django's own connection, in its transaction. In a worker the app has another one."""
    return JobManager(DjangoConnector())


def note_failure(failed: procrastinate.jobs.Job, error: str) -> None:
    JobFailure.record(
        job_id=failed.id or 0,
        kind=failed.task_name,
        attempt=failed.attempts + 1,
        error=error,
        at=timezone.now(),
    )
