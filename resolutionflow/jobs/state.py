"""How the jobs stand: what the job page shows. `now` comes in; the database's clock decides who is alive."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db.models import Count, Max, Q
from django.db.models.functions import Now
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob, ProcrastinateWorker

from resolutionflow.jobs.kinds import KINDS, Kind
from resolutionflow.jobs.models import JobFailure
from resolutionflow.jobs.upkeep import stalled_jobs

ALIVE_SECONDS = 30  # a worker gives a sign of life every ten
FAILURES_SINCE = timedelta(days=7)
MOST_FAILURES = 50

End = Literal["running", "succeeded", "failed", "again", "aborted"]
ENDS: dict[str, End] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "deferred_for_retry": "again",
    "aborted": "aborted",
}


@dataclass(frozen=True)
class Run:
    """The last run of a kind. `seconds` is None while it runs."""

    started_at: datetime
    end: End
    seconds: float | None


@dataclass(frozen=True)
class Periodic:
    kind: Kind
    last: Run | None
    next_at: datetime


@dataclass(frozen=True)
class Failed:
    """A job that failed in the last days: its newest error, and what became of it since."""

    job_id: int
    label: str
    at: datetime
    error: str
    attempts: int
    status: str  # of the job now; "" if it is no longer kept
    next_at: datetime | None


@dataclass(frozen=True)
class Counts:
    waiting: int
    later: int
    doing: int
    stalled: int


@dataclass(frozen=True)
class Workers:
    """`last_seen` is None where none ever was, or all ended as they should."""

    alive: int
    last_seen: datetime | None


def workers() -> Workers:
    alive = Q(last_heartbeat__gte=Now() - timedelta(seconds=ALIVE_SECONDS))
    found = ProcrastinateWorker.objects.aggregate(alive=Count("id", filter=alive), seen=Max("last_heartbeat"))
    return Workers(found["alive"], found["seen"])


def counts(now: datetime) -> Counts:
    later = Q(status="todo", scheduled_at__gt=now)
    found = ProcrastinateJob.objects.aggregate(
        waiting=Count("id", filter=Q(status="todo") & ~later),
        later=Count("id", filter=later),
        doing=Count("id", filter=Q(status="doing")),
    )
    stalled = stalled_jobs().count()
    return Counts(found["waiting"], found["later"], found["doing"] - stalled, stalled)


def periodic(now: datetime) -> list[Periodic]:
    """Each kind with a schedule, by label."""
    kinds = sorted((kind for kind in KINDS.values() if kind.schedule), key=lambda kind: kind.label)
    runs = _last_runs([kind.name for kind in kinds])
    return [
        Periodic(kind, runs.get(kind.name), kind.schedule.next_after(now)) for kind in kinds if kind.schedule
    ]


def _last_runs(names: list[str]) -> dict[str, Run]:
    starts = (
        ProcrastinateEvent.objects.filter(type="started", job__task_name__in=names)
        .order_by("job__task_name", "-at", "-id")
        .distinct("job__task_name")
        .values("id", "job_id", "at", "job__task_name")
    )
    started = {row["job_id"]: row for row in starts}
    ended = ProcrastinateEvent.objects.filter(job_id__in=started, type__in=ENDS).order_by("id")
    ends: dict[int, Any] = {event.job_id: event for event in ended if event.id > started[event.job_id]["id"]}
    return {row["job__task_name"]: _run(row, ends.get(job_id)) for job_id, row in started.items()}


def _run(started: Mapping[str, Any], ended: Any) -> Run:
    if ended is None:
        return Run(started["at"], "running", None)
    return Run(started["at"], ENDS[ended.type], (ended.at - started["at"]).total_seconds())


def failures(now: datetime) -> list[Failed]:
    """The jobs with an error in the last 7 days, newest first, at most MOST_FAILURES of them."""
    since = now - FAILURES_SINCE
    newest: dict[int, JobFailure] = {}
    for noted in JobFailure.objects.filter(at__gte=since).order_by("-at")[: MOST_FAILURES * 5]:
        newest.setdefault(noted.job_id, noted)
    # Those that failed without a chance to note why: of a kind that nobody knows any more, or while the database left.
    silent = ProcrastinateEvent.objects.filter(type="failed", at__gte=since).exclude(job_id__in=list(newest))
    ended = {job_id: at for job_id, at in silent.order_by("at").values_list("job_id", "at") if at}
    jobs = {job.id: job for job in ProcrastinateJob.objects.filter(id__in=[*newest, *ended])}
    rows = [_failed(noted, jobs.get(job_id)) for job_id, noted in newest.items()]
    for job_id, at in ended.items():
        if job := jobs.get(job_id):
            rows.append(Failed(job_id, _label(job.task_name), at, "", job.attempts, job.status, None))
    return sorted(rows, key=lambda row: (row.at, row.job_id), reverse=True)[:MOST_FAILURES]


def _failed(noted: JobFailure, job: ProcrastinateJob | None) -> Failed:
    status = job.status if job else ""
    next_at = job.scheduled_at if job and status == "todo" else None
    return Failed(noted.job_id, _label(noted.kind), noted.at, noted.error, noted.attempt, status, next_at)


def _label(name: str) -> str:
    return KINDS[name].label if name in KINDS else name
