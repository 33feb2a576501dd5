"""What the queue's own tables do not keep: why a job failed."""

import re
import traceback
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils import timezone
from uuid6 import uuid7

LONGEST = 300
# What may open something, where an error's text repeats it.
SECRETS = [
    (re.compile(r"(?<=://)[^\s/@]+@"), "…@"),
    (
        re.compile(r"[^\s@'\"<>(){}\[\],;:=/…]+@[^\s@'\"<>(){}\[\],;:=/]+"),
        "…",
    ),  # a person's address outlives the person here
    (
        re.compile(
            r"(?i)\b(pass(?:word|wd)?|secret|token|api_?key|key|authorization|bearer)(\s*[=:]\s*|\s+)\S+"
        ),
        r"\1\2…",
    ),
    (re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])[\w-]{24,}"), "…"),
]


class JobFailure(models.Model):
    """One try of a job that ended with an error. It knows the job by its number only: jobs are removed sooner."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job_id = models.BigIntegerField()
    kind = models.CharField(max_length=128)
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    error = models.CharField(max_length=LONGEST)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-at"], name="job_failure_newest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.job_id}: {self.error}"

    @classmethod
    def record(cls, *, job_id: int, kind: str, attempt: int, error: str, at: datetime) -> None:
        cls.objects.create(job_id=job_id, kind=kind, attempt=attempt, error=error, at=at)


def error_line(error: BaseException) -> str:
    """The error in one line without secrets; details of rows that databases add in further lines are left out."""
    lines = "".join(traceback.format_exception_only(error)).replace("\0", "").strip().splitlines()
    line = lines[0] if lines else type(error).__name__
    for pattern, replacement in SECRETS:
        line = pattern.sub(replacement, line)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
