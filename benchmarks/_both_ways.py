"""A dashboard and its panels, as a browser asks for them, the product's way and the obvious one in turn.

Both ways answer the same requests from the same tables and must give the same panels. The figures are medians; on a
busy machine only their ratio means much.
"""

import argparse
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from statistics import median
from unittest.mock import patch
from zoneinfo import ZoneInfo

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks._database import own_database
from resolutionflow.models import User
from resolutionflow.periods import Period

DAYS = 90
BUDGETS = {10_000: 80, 100_000: 450}  # milliseconds of the whole page, by sessions in the period
NEIGHBOURS = [("east", 40_000), ("south", 40_000), ("west", 40_000)]
WARM_UP = 2
PAGE = "the page"

Way = Callable[[], AbstractContextManager[None]]


def arguments_of(
    name: str, about: str | None, arguments: Sequence[str], *, sizes: list[int], rounds: int
) -> argparse.Namespace:
    """`sizes`, `rounds` and `explain` as they were given, or these."""
    parser = argparse.ArgumentParser(prog=name, description=about)
    parser.add_argument("--sizes", type=_numbers, default=sizes, help="10000,100000")
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--explain", action="store_true", help="print the plan of every query instead")
    return parser.parse_args(arguments)


@contextmanager
def prepared(name: str) -> Iterator[Period]:
    """A database of the benchmark's own, and the last whole days: neither period moves with the clock, so both ways
    count the same sessions."""
    tz, now = ZoneInfo("Europe/London"), timezone.now()
    logging.disable(logging.INFO)
    storages = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with override_settings(DEBUG=False, ALLOWED_HOSTS=["localhost"], STORAGES=storages), own_database(name):
        yield Period.ending(now.astimezone(tz).date() - timedelta(days=1), DAYS, now=now, tz=tz)


def lead_of(slug: str) -> Client:
    """The browser of the account's team admin."""
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(email=f"lead@{slug}.example"))
    return client


def compare(
    client: Client, urls: Mapping[str, str], obvious_way: Way, *, title: str, size: int, rounds: int
) -> None:
    """Prints a line for each address, by its name. That of PAGE is measured against the budget of the size."""
    queries = {}
    for name, url in urls.items():
        # how recent something is goes with the clock
        with patch("django.utils.timezone.now", return_value=timezone.now()):
            own, content = _once(client, url, nullcontext)
            obvious, obvious_content = _once(client, url, obvious_way)
        # a page has a token of its own each time
        assert name == PAGE or content == obvious_content, f"{name}: the two ways differ"
        queries[name] = (own, obvious)
    # everything in turn, so that a busy moment of the machine falls on all alike
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in urls}
    for turn in range(WARM_UP + rounds):
        for name, url in urls.items():
            both = _timed(client, url, nullcontext), _timed(client, url, obvious_way)
            if turn >= WARM_UP:
                times[name].append(both)
    print(f"\n{title}; ms, median of {rounds}")
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


def explain(client: Client, url: str) -> None:
    """Prints the plan of each query over sessions."""
    with CaptureQueriesContext(connection) as queries:
        client.get(url, secure=True)
    with connection.cursor() as cursor:
        for query in queries.captured_queries:
            if "flowpilot_session" in query["sql"]:
                cursor.execute("explain (analyze, buffers) " + query["sql"])
                print("", query["sql"], *(line for (line,) in cursor.fetchall()), sep="\n")


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _once(client: Client, url: str, way: Way) -> tuple[int, bytes]:
    """How many statements the request needs, and its answer."""
    with way(), CaptureQueriesContext(connection) as queries:
        response = client.get(url, secure=True)
    assert response.status_code == 200, f"{url}: {response.status_code}"
    return len(queries), response.content


def _timed(client: Client, url: str, way: Way) -> float:
    with way():
        started = time.perf_counter()
        client.get(url, secure=True)
        return (time.perf_counter() - started) * 1000
