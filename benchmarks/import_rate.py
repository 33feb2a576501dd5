"""How fast a log is imported, beside the obvious way of one save per session, and how much memory it takes.

Takes the path of an incident event log (--log); without it the demo's sample. Works in an account of its own in the
configured database and takes it away afterwards.
"""

import argparse
import gzip
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from django.db import transaction

from flowpilot.models import Client, Domain, Flow, Session
from operations.demo.incident_log.loading import SAMPLE
from operations.importing.formats import servicenow
from operations.importing.mapping import SHIPPED, read_mapping
from operations.importing.reading import Source
from operations.importing.records import ImportedSession
from operations.removing import remove_account
from resolutionflow.models import Account, User
from resolutionflow.tenancy import account_scope

PROJECT = Path(__file__).resolve().parent.parent
BUDGET = 5_000  # incidents a second, process start included
OBVIOUS_SESSIONS = 2_000


def main(args: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="import-rate", description=__doc__)
    parser.add_argument("--log", type=Path, default=SAMPLE)
    log: Path = parser.parse_args(args).log
    print(f"{'':28}{'sessions':>10}{'seconds':>10}{'a second':>10}{'peak MiB':>10}")
    with _account() as account:
        rate = _print("import, process included", *_imported(log, account))
        _print("the same again", *_imported(log, account))
    with tempfile.TemporaryDirectory() as folder, _account() as account:
        _print("a log five times as long", *_imported(_longer(log, 5, Path(folder)), account))
    with _account() as account:
        obvious = _print("one save per session", *_obvious(log, account), None)
    print(
        f"{rate / obvious:.1f} times the obvious way; {rate / BUDGET:.2f} of the budget of {BUDGET:,} a second"
    )


def _print(label: str, sessions: int, seconds: float, peak: float | None) -> float:
    rate = sessions / seconds
    shown = "" if peak is None else f"{peak:.0f}"
    print(f"{label:28}{sessions:>10,}{seconds:>10.2f}{rate:>10,.0f}{shown:>10}", flush=True)
    return rate


@contextmanager
def _account() -> Iterator[Account]:
    slug = f"import-rate-{os.getpid()}"
    account = Account.objects.create(name="Import rate", slug=slug)
    try:
        yield account
    finally:
        remove_account(account)


def _imported(log: Path, account: Account) -> tuple[int, float, float]:
    """Sessions, seconds and peak memory in MiB of the command as an operator runs it."""
    command = [sys.executable, "manage.py", "import_sessions", str(log), "--account", account.slug]
    # the child tells its own peak: that of all children of this process would be the largest so far
    measured = (
        "import resource, runpy, sys; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "finally: print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [command[0], "-c", measured, *command[1:], "--format", "servicenow"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - started
    read, peak = re.search(r"Read (\d+) ", done.stdout), re.search(r"peak (\d+)", done.stdout)
    if read is None or peak is None:
        raise RuntimeError(done.stdout)
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return int(read[1]), seconds, int(peak[1]) / unit


def _longer(log: Path, times: int, folder: Path) -> Path:
    """The log so many times over, with numbers of their own."""
    longer = folder / "longer.csv"
    with longer.open("wb") as out:
        for turn in range(times):
            with gzip.open(log) if log.suffix == ".gz" else log.open("rb") as file:
                header = file.readline()
                if turn == 0:
                    out.write(header)
                out.writelines(b"%d-%b" % (turn, line) for line in file)
    return longer


def _obvious(log: Path, account: Account) -> tuple[int, float]:
    """What one would write first: look up or make each name, then create the session."""
    rows = servicenow.read(Source(log), read_mapping(SHIPPED), account.slug)
    sessions = (row for row in rows if isinstance(row, ImportedSession))
    started = time.perf_counter()
    number = 0
    with account_scope(account):
        for session in islice(sessions, OBVIOUS_SESSIONS):
            with transaction.atomic():
                _create(session, account)
            number += 1
    return number, time.perf_counter() - started


def _create(session: ImportedSession, account: Account) -> None:
    user, _ = User.objects.get_or_create(
        email=session.email, defaults={"account": account, "name": session.engineer, "password": "!"}
    )
    client = Client.objects.get_or_create(name=session.client)[0] if session.client else None
    domain = Domain.objects.get_or_create(name=session.domain)[0] if session.domain else None
    flow = Flow.objects.get_or_create(name=session.flow)[0] if session.flow else None
    Session.objects.create(
        user=user,
        client=client,
        domain=domain,
        flow=flow,
        problem_summary=session.problem_summary,
        status=session.status,
        outcome=session.outcome,
        confidence_tier=session.confidence_tier,
        started_at=session.started_at,
        completed_at=session.completed_at,
        last_activity_at=session.last_activity_at,
        decisions=[decision.stored() for decision in session.decisions],
        step_count=session.step_count,
        psa_ticket_id=session.psa_ticket_id,
        external_id=session.external_id,
        source="import",
    )
    if flow:
        flow.usage_count += 1
        flow.last_matched_at = max(filter(None, [flow.last_matched_at, session.started_at]))
        flow.save()
