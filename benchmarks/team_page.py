"""The Team page and each of its panels, as a browser asks for them, beside the obvious way.

Both ways answer the same requests in turn, from the same tables with the same indexes, and must give the same panels.
The figures are medians; on a busy machine only their ratio means much.
"""

import argparse
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from statistics import median
from zoneinfo import ZoneInfo

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analytics.dashboards import TEAM
from benchmarks._database import own_database
from benchmarks._many_sessions import fill
from benchmarks._obvious_team import obvious_way
from resolutionflow.links import url_with
from resolutionflow.models import User
from resolutionflow.periods import Period

DAYS = 90
BUDGETS = {10_000: 80, 100_000: 450}  # milliseconds of the whole page, by sessions in the period
NEIGHBOURS = [("east", 40_000), ("south", 40_000), ("west", 40_000)]
WARM_UP = 2
PAGE = "the page"

Way = Callable[[], AbstractContextManager[None]]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="team_page", description=__doc__)
    parser.add_argument("--sizes", type=numbers, default=[10_000, 100_000, 1_000_000], help="10000,100000")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--explain", action="store_true", help="print the plan of every query instead")
    chosen = parser.parse_args(arguments)
    # The last whole days: neither period moves with the clock, so both ways count the same sessions.
    tz, now = ZoneInfo("Europe/London"), timezone.now()
    period = Period.ending(now.astimezone(tz).date() - timedelta(days=1), DAYS, now=now, tz=tz)
    logging.disable(logging.INFO)
    storages = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with (
        override_settings(DEBUG=False, ALLOWED_HOSTS=["localhost"], STORAGES=storages),
        own_database("team_page"),
    ):
        accounts = [(f"with-{size}", 2 * size) for size in chosen.sizes]
        fill([*NEIGHBOURS, *accounts], start=period.before.start, end=period.end)
        for size in chosen.sizes:
            client = Client(SERVER_NAME="localhost")
            client.force_login(User.objects.get(email=f"lead@with-{size}.example"))
            if chosen.explain:
                _explain(client, period)
            else:
                _compare(client, period, size, chosen.rounds)


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _urls(period: Period) -> dict[str, str]:
    page = {PAGE: url_with("analytics:team", period.query)}
    return page | {
        panel.name: url_with("analytics:team-panel", period.query, panel.name) for panel in TEAM.panels
    }


def _compare(client: Client, period: Period, size: int, rounds: int) -> None:
    urls = _urls(period)
    queries = {}
    for name, url in urls.items():
        own, content = once(client, url, nullcontext)
        obvious, obvious_content = once(client, url, obvious_way)
        # a page has a token of its own each time
        assert name == PAGE or content == obvious_content, f"{name}: the two ways differ"
        queries[name] = (own, obvious)
    # everything in turn, so that a busy moment of the machine falls on all alike
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in urls}
    for turn in range(WARM_UP + rounds):
        for name, url in urls.items():
            both = timed(client, url, nullcontext), timed(client, url, obvious_way)
            if turn >= WARM_UP:
                times[name].append(both)
    print(f"\n{size:,} sessions in {DAYS} days; ms, median of {rounds}")
    print(
        f"{'':10}{'queries':>8}{'best':>8}{'median':>8}   {'obvious':>8}{'median':>8}{'ratio':>7}{'budget':>8}"
    )
    for name, pairs in times.items():
        own, obvious = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
        budget = BUDGETS.get(size) if name == PAGE else None
        print(
            f"{name:10}{queries[name][0]:>8}{min(pair[0] for pair in pairs):>8.0f}{own:>8.0f}   "
            f"{queries[name][1]:>8}{obvious:>8.0f}{obvious / own:>7.1f}"
            + ("" if budget is None else f"{budget:>8} {'kept' if own <= budget else 'missed'}"),
            flush=True,
        )


def once(client: Client, url: str, way: Way) -> tuple[int, bytes]:
    """How many statements the request needs, and its answer."""
    with way(), CaptureQueriesContext(connection) as queries:
        response = client.get(url, secure=True)
    assert response.status_code == 200, f"{url}: {response.status_code}"
    return len(queries), response.content


def timed(client: Client, url: str, way: Way) -> float:
    with way():
        started = time.perf_counter()
        client.get(url, secure=True)
        return (time.perf_counter() - started) * 1000


def _explain(client: Client, period: Period) -> None:
    with CaptureQueriesContext(connection) as queries:
        client.get(_urls(period)[PAGE], secure=True)
    with connection.cursor() as cursor:
        for query in queries.captured_queries:
            if '"flowpilot_session"' in query["sql"]:
                cursor.execute("explain (analyze, buffers) " + query["sql"])
                print("", query["sql"], *(line for (line,) in cursor.fetchall()), sep="\n")
