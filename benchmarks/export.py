"""A long session list as a download, beside the obvious way: rows a second, and the memory that it takes.

The obvious way makes a list of model instances with their relations and writes the whole file into memory. Each way is
a process of its own, which asks for the address as a browser does and throws away what comes; its peak is its own.
"""

import argparse
import csv
import io
import json
import logging
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone
from xlsxwriter import Workbook

from benchmarks._database import own_database
from benchmarks._many_sessions import fill
from flowpilot.models import Session
from resolutionflow.accounts.names import shown_names
from resolutionflow.links import url_with
from resolutionflow.models import User
from resolutionflow.periods import Period
from resolutionflow.tenancy import account_scope

PROJECT = Path(__file__).resolve().parent.parent
DAYS = 90
HEADINGS = (
    *("id", "external_id", "engineer", "client", "domain", "flow", "version", "problem", "status", "outcome"),
    *(
        "tier",
        "confidence",
        "started",
        "completed",
        "minutes",
        "steps",
        "ticket",
        "rated",
        "stars",
        "comment",
    ),
)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="export", description=__doc__)
    parser.add_argument(
        "--sizes", default="10000,100000,1000000", help="sessions of an account: 10000,100000"
    )
    parser.add_argument("--obvious-up-to", type=int, default=100_000, help="more need too much memory")
    parser.add_argument("--once", nargs=2, metavar=("WAY", "SIZE"), help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    logging.disable(logging.INFO)
    if chosen.once:
        _once(*chosen.once)
        return
    sizes = [int(size) for size in chosen.sizes.split(",")]
    now = timezone.now()
    period = Period.of_days(DAYS, now=now, tz=ZoneInfo("Europe/London"))
    print(f"{'':16}{'sessions':>11}{'seconds':>9}{'a second':>10}{'first byte':>12}{'MB':>7}{'peak MiB':>10}")
    with own_database("export"):
        fill([(f"with-{size}", size) for size in sizes], start=period.start, end=now - timedelta(minutes=1))
        for size in sizes:
            for format in ("csv", "xlsx"):
                own = _measured(f"own-{format}", size)
                if size <= chosen.obvious_up_to:
                    obvious = _measured(f"obvious-{format}", size)
                    print(
                        f"{'':16}{obvious['seconds'] / own['seconds']:.1f} times as fast, "
                        f"{obvious['peak'] / own['peak']:.1f} times less memory"
                    )


def _measured(way: str, size: int) -> dict[str, float]:
    """Runs this module again in a process of its own, on the same database, and prints its line."""
    database = settings.DATABASES["default"]
    url = f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
    environment = os.environ | {"DATABASE_URL": f"{url}/{connection.settings_dict['NAME']}"}
    command = [sys.executable, "-m", "benchmarks", "export", "--once", way, str(size)]
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{way:16}{size:>11,}{found['seconds']:>9.1f}{size / found['seconds']:>10,.0f}{found['first']:>10.2f} s"
        f"{found['bytes'] / 1e6:>7.1f}{found['peak']:>10.0f}",
        flush=True,
    )
    return found


def _once(way: str, size: str) -> None:
    storages = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with override_settings(DEBUG=False, ALLOWED_HOSTS=["localhost"], STORAGES=storages):
        lead = User.objects.select_related("account").get(email=f"lead@with-{size}.example")
        _ask(lead, "csv", {"period": "7d", "tier": "none"})  # what a process does once is no part of it
        kind, _, format = way.partition("-")
        started = time.perf_counter()
        chunks = _obvious(lead, format) if kind == "obvious" else _ask(lead, format, {"period": "all"})
        first, length = None, 0
        for chunk in chunks:
            first = first or time.perf_counter() - started
            length += len(chunk)
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "first": first, "bytes": length, "peak": peak}))


def _ask(lead: User, format: str, query: dict[str, str]) -> Iterator[bytes]:
    client = Client(SERVER_NAME="localhost")
    client.force_login(lead)
    response = client.get(url_with("analytics:sessions-export", query, format), secure=True)
    assert response.status_code == 200, response.status_code
    yield from response.streaming_content


def _obvious(lead: User, format: str) -> Iterator[bytes]:
    assert lead.account
    with account_scope(lead.account):
        relations = ("user", "client", "domain", "flow", "flow_version", "rating")
        sessions = list(Session.objects.select_related(*relations).order_by("-started_at", "-id"))
        names = shown_names(lead.account)
        tz = lead.account.tz
        rows = [_line(session, names, tz, lead) for session in sessions]
    write: dict[str, Callable[[list[list[Any]]], bytes]] = {"csv": _as_csv, "xlsx": _as_xlsx}
    yield write[format](rows)


def _line(session: Session, names: dict[Any, str], tz: ZoneInfo, lead: User) -> list[Any]:
    rating = getattr(session, "rating", None)
    own = rating if session.user_id == lead.id else None
    return [
        str(session.id),
        session.external_id,
        names[session.user_id],
        session.client and session.client.name,
        session.domain and session.domain.name,
        session.flow and session.flow.name,
        session.flow_version and session.flow_version.number,
        session.problem_summary,
        session.get_status_display(),
        session.get_outcome_display(),
        session.get_confidence_tier_display(),
        session.confidence,
        session.started_at.astimezone(tz).replace(tzinfo=None),
        session.completed_at and session.completed_at.astimezone(tz).replace(tzinfo=None),
        session.duration_seconds and round(session.duration_seconds / 60, 1),
        session.step_count,
        session.psa_ticket_id,
        "yes" if rating else "no",
        own and own.rating,
        own and own.comment,
    ]


def _as_csv(rows: list[list[Any]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(HEADINGS)
    writer.writerows(rows)
    return buffer.getvalue().encode()


def _as_xlsx(rows: list[list[Any]]) -> bytes:
    buffer = io.BytesIO()
    workbook = Workbook(buffer, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"})
    sheet = workbook.add_worksheet("Sessions")
    sheet.write_row(0, 0, HEADINGS)
    for number, row in enumerate(rows, start=1):
        sheet.write_row(number, 0, row)
    workbook.close()
    return buffer.getvalue()
