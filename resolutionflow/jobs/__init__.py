"""Work that a request does not wait for: jobs in PostgreSQL's tables, run by `manage.py worker`.

A job is a function marked by `job`, in the module `jobs` of an app. It gets ids and words, never objects, opens
`account_scope` itself where it touches an account's rows, and may run twice: a worker that died leaves a job half done,
and it is put back.
"""

from resolutionflow.jobs.kinds import KINDS, Kind, Schedule, daily, every_minutes, hourly, job
from resolutionflow.jobs.upkeep import put_stalled_jobs_back, remove_old_jobs

__all__ = [
    "KINDS",
    "Kind",
    "Schedule",
    "daily",
    "every_minutes",
    "hourly",
    "job",
    "put_stalled_jobs_back",
    "remove_old_jobs",
]
