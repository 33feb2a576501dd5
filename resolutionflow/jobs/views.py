"""The jobs of the installation, for super admins: what runs when, what failed, whether anybody works."""

from datetime import UTC
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import ConnectorException

from resolutionflow.accounts.models import AuditEntry, User
from resolutionflow.accounts.scoping import View, signed_in
from resolutionflow.jobs import state
from resolutionflow.jobs.kinds import KINDS, queue

LARGEST_ID = 2**63 - 1


def super_admins_only(view: View) -> View:
    @signed_in
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not cast(User, request.user).is_superuser:
            raise PermissionDenied("The jobs of the installation are for super admins.")
        return view(request, *args, **kwargs)

    return wrapper


@super_admins_only
@require_GET
def job_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    context = {
        "workers": state.workers(),
        "counts": state.counts(now),
        "periodic": state.periodic(now),
        "failures": state.failures(now),
        "most": state.MOST_FAILURES,
        "utc": UTC,
    }
    return render(request, "jobs/page.html", context)


@super_admins_only
@require_POST
def run_now(request: HttpRequest, name: str) -> HttpResponse:
    """Queues a periodic job before its time."""
    kind = KINDS.get(name)
    if kind is None or kind.schedule is None:
        raise Http404("No such periodic job")
    with transaction.atomic():
        job_id = kind.defer()
        if job_id is not None:
            AuditEntry.record(
                "job.run", actor=cast(User, request.user), account=None, object=name, job=job_id
            )
    if job_id is None:
        messages.info(request, f"“{kind.label}” waits already. It runs as soon as a worker is free.")
    else:
        messages.success(request, f"“{kind.label}” is queued. It runs as soon as a worker is free.")
    return redirect("jobs:page")


@super_admins_only
@require_POST
def try_again(request: HttpRequest, job_id: int) -> HttpResponse:
    """Queues a failed job once more."""
    job = ProcrastinateJob.objects.filter(id=job_id).first() if job_id <= LARGEST_ID else None
    if job is None:
        raise Http404("No such job")
    label = KINDS[job.task_name].label if job.task_name in KINDS else job.task_name
    if job.status != "failed":
        messages.info(request, f"“{label}” is no longer among the failed jobs.")
        return redirect("jobs:page")
    try:
        with transaction.atomic():
            queue().retry_job_by_id(job.id, retry_at=timezone.now())
            AuditEntry.record(
                "job.retried", actor=cast(User, request.user), account=None, object=job.task_name, job=job.id
            )
    except ConnectorException:  # somebody was quicker, or one of its kind waits
        messages.info(request, f"“{label}” waits already. It runs as soon as a worker is free.")
    else:
        messages.success(request, f"“{label}” is queued once more.")
    return redirect("jobs:page")
