"""A click in the editor of a flow of five hundred steps, as a browser makes it, beside one of a flow of ten.

What has a budget is the server's time of a click; on a busy machine only the ratio to the small flow, which bears the
same costs of a request, means much.
"""

import argparse
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from statistics import median
from typing import Any

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks._database import own_database
from flowpilot.flows import drafting, publishing
from flowpilot.flows.editor.saving import mark_of
from flowpilot.models import Flow
from resolutionflow.models import Account, Role, User
from resolutionflow.tenancy import account_scope

SIZES = (10, 500)
BUDGET = 50  # milliseconds
WARM_UP = 3

Click = tuple[str, Callable[[Flow, int], tuple[str, dict[str, Any] | None]]]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="editor", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    chosen = parser.parse_args(arguments)
    logging.disable(logging.INFO)
    storages = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with (
        override_settings(DEBUG=False, ALLOWED_HOSTS=["localhost"], STORAGES=storages),
        own_database("editor"),
    ):
        account = Account.objects.create(name="Bench", slug="bench")
        lead = User.objects.create(
            account=account, email="lead@bench.example", name="Lead", role=Role.TEAM_ADMIN
        )
        client = Client(SERVER_NAME="localhost", headers={"HX-Request": "true"})
        client.force_login(lead)
        with account_scope(account):
            flows = {
                size: publishing.create(
                    name=f"{size} steps", user=lead, now=timezone.now(), structure=_structure(size)
                )
                for size in SIZES
            }
        _measure(client, account, flows, chosen.rounds)


def _structure(size: int) -> dict[str, Any]:
    """Questions whose answers lead on and back, with help and a script here and there."""
    nodes: list[dict[str, Any]] = [
        {"id": f"s{size - 1}", "type": "outcome", "outcome": "resolved", "title": "Solved"}
    ]
    for n in range(size - 2, -1, -1):
        node: dict[str, Any] = {
            "id": f"s{n}",
            "title": f"Step {n}: look at the state of it",
            "help": "Look **twice**. " * 8,
        }
        if n % 3:
            script = {"shell": "bash", "text": "ping {host}", "blanks": [{"name": "host", "label": "Host"}]}
            node |= {"type": "action", "next": f"s{n + 1}"} | ({"script": script} if n % 5 == 0 else {})
        else:
            targets = [n + 1, min(n + 2, size - 1), max(n - 3, 0), size - 1]
            node |= {
                "type": "question",
                "options": [{"label": f"Answer {t}", "next": f"s{to}"} for t, to in enumerate(targets)],
            }
        nodes.append(node)
    root = nodes.pop()
    return root | {"children": list(reversed(nodes))}


def _fields(flow: Flow, turn: int, act: str) -> dict[str, Any]:
    """The form of the action in the middle."""
    draft = drafting.draft_of(flow)
    draft.flow = flow
    size = int(flow.name.split()[0])
    n = next(n for n in range(size // 2, size) if n % 3 == 1)
    content = {"title": f"Title {turn}", "help": "Help", "next": f"s{n + 1}"}
    return {"mark": mark_of(draft), "step": f"s{n}", "act": act} | content


CLICKS: list[Click] = [
    ("show a step", lambda flow, turn: (f"/flows/{flow.id}/edit/?step=s{turn % 9}", None)),
    ("save a text", lambda flow, turn: (f"/flows/{flow.id}/edit/change/", _fields(flow, turn, ""))),
    ("move a step", lambda flow, turn: (f"/flows/{flow.id}/edit/change/", _fields(flow, turn, "down"))),
    ("undo", lambda flow, turn: (f"/flows/{flow.id}/edit/undo/", _fields(flow, turn, ""))),
]  # fmt: skip


def _measure(client: Client, account: Account, flows: dict[int, Flow], rounds: int) -> None:
    times: dict[tuple[str, int], list[float]] = {}
    queries, sizes = {}, {}
    for turn in range(WARM_UP + rounds):
        for name, click in CLICKS:
            for size, flow in flows.items():
                with account_scope(account):
                    address, data = click(flow, turn)
                # what counts the statements costs time itself
                with CaptureQueriesContext(connection) if turn == 0 else nullcontext() as captured:
                    started = time.perf_counter()
                    ask = client.get if data is None else client.post
                    response = ask(address, data, secure=True)
                    taken = (time.perf_counter() - started) * 1000
                assert response.status_code == 200, f"{name}: {response.status_code}"
                if captured is not None:
                    queries[name, size] = len(captured)
                sizes[name, size] = len(response.content)
                if turn >= WARM_UP:
                    times.setdefault((name, size), []).append(taken)
    small, large = SIZES
    columns = f"{f'{large} steps':>11}{f'{small} steps':>10}{'ratio':>7}{'budget':>8}"
    print(f"\nms, median of {rounds}\n{'':14}{'queries':>8}{'kB':>6}{'best':>7}{columns}")
    for name, _ in CLICKS:
        own, other = median(times[name, large]), median(times[name, small])
        best, weight = min(times[name, large]), sizes[name, large] / 1000
        print(
            f"{name:14}{queries[name, large]:>8}{weight:>6.0f}{best:>7.1f}{own:>11.1f}{other:>10.1f}"
            f"{own / other:>7.1f}{BUDGET:>8} {'kept' if own <= BUDGET else 'missed'}",
            flush=True,
        )
