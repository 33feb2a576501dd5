"""A click in the runner and what it costs the server, for flows of growing size; the last has the most steps allowed.

The answer to a click is all of it: the decision is written and the next step rendered, as runner.js asks for it.
"""

import argparse
import logging
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks._database import own_database
from flowpilot.flows.structure import MOST_NODES, faults_of
from flowpilot.models import Flow, FlowVersion, Session, Step
from flowpilot.sessions.starting import start
from resolutionflow.models import Account, User
from resolutionflow.tenancy import account_scope

BUDGET = 50  # milliseconds of one click
WARM_UP = 3
WORDS = "Ask the user to try it once more, in a private window and on another device, and write down what is shown. "


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="runner", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="clicks that are timed")
    chosen = parser.parse_args(arguments)
    logging.disable(logging.INFO)
    storages = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with (
        override_settings(DEBUG=False, ALLOWED_HOSTS=["localhost"], STORAGES=storages),
        own_database("runner"),
    ):
        account = Account.objects.create(name="Bench", slug="bench")
        engineer = User.objects.create_user("engineer@bench.example", name="Engineer", account=account)
        browser = Client(SERVER_NAME="localhost")
        browser.force_login(engineer)
        print(
            f"ms, of {chosen.rounds} clicks; budget of a click {BUDGET}. On a busy machine only best and CPU mean much."
        )
        print(f"{'steps':>6}{'queries':>9}{'best':>8}{'median':>8}{'CPU':>8}{'page':>8}")
        for size in (10, 100, MOST_NODES):
            with account_scope(account):
                session = start(
                    engineer, problem_summary="Mail is down", flow=_flow(size), now=timezone.now()
                )
            _measure(browser, session, account, size, chosen.rounds)


def _flow(size: int) -> Flow:
    """Questions in a row, each with a help of some paragraphs; the last but one leads back to the first."""
    nodes: list[dict[str, Any]] = [
        {
            "id": f"step-{n}",
            "type": "question",
            "title": f"Does it work after try {n}?",
            "help": WORDS * 4,
            "options": [
                {"label": "No", "next": f"step-{(n + 1) % (size - 1)}"},
                {"label": "Yes", "next": "done"},
            ],
        }
        for n in range(size - 1)
    ]
    leaf = {"id": "done", "type": "outcome", "outcome": "resolved", "title": "Solved"}
    structure = nodes[0] | {"children": [*nodes[1:], leaf]}
    assert not faults_of(structure)
    flow: Flow = Flow.objects.create(name=f"{size} steps", status=Flow.Status.PUBLISHED)
    flow.current_version = FlowVersion.objects.create(flow=flow, number=1, structure=structure)
    flow.save()
    Step.objects.bulk_create(
        Step(flow=flow, node_id=node["id"], title=node["title"]) for node in [*nodes, leaf]
    )
    return flow


def _measure(browser: Client, session: Session, account: Account, size: int, rounds: int) -> None:
    address, queries = f"/sessions/{session.id}/", 0
    times: list[tuple[float, float]] = []
    for turn in range(WARM_UP + rounds):
        fields = {"decision_id": f"click-{turn}", "node_id": f"step-{turn % (size - 1)}", "answer": "No"}
        with CaptureQueriesContext(connection) as captured:
            started, worked = time.perf_counter(), time.process_time()
            answer = browser.post(f"{address}decide/", fields, headers={"HX-Request": "true"}, secure=True)
            times.append(((time.perf_counter() - started) * 1000, (time.process_time() - worked) * 1000))
        assert answer.status_code == 200, answer.status_code
        queries = len(captured)
    pages = []
    for _ in range(5):
        started = time.perf_counter()
        assert browser.get(address, secure=True).status_code == 200
        pages.append((time.perf_counter() - started) * 1000)
    clicks = [whole for whole, _ in times[WARM_UP:]]
    cpu = median(worked for _, worked in times[WARM_UP:])
    print(
        f"{size:>6}{queries:>9}{min(clicks):>8.1f}{median(clicks):>8.1f}{cpu:>8.1f}{min(pages):>8.1f}   "
        f"{'kept' if median(clicks) <= BUDGET else 'missed'}",
        flush=True,
    )
