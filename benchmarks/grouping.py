"""Whether the analysis puts together what is one problem: its proposals for the demo MSP against what the sessions of
that are about.

Of two sessions in one proposal of a new flow, how often both are of one problem (precision); of two sessions of one of
the problems that come again and again, how often they stand together (recall). Other tickets are of one problem if they
are of one flow, or say the same text that no flow fits.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache

from django.contrib.auth.hashers import make_password

from benchmarks._database import own_database
from flowpilot.analysis.running import analyse
from flowpilot.models import FlowProposal, ProblemSession, Session
from operations.demo.msp import cast, loading
from operations.demo.msp.discoveries import all_recurring, left
from operations.demo.msp.problems import all_texts
from resolutionflow.models import Account
from resolutionflow.tenancy import account_scope

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
RECURRING = "again: "


def main(arguments: Sequence[str]) -> None:
    argparse.ArgumentParser(prog="grouping", description=__doc__).parse_args(arguments)
    with own_database("grouping"):
        loading.load(None, password_hash=make_password("a benchmark"), now=NOW, progress=lambda *_: None)
        account = Account.objects.get(slug=cast.SLUG)
        analyse(account, NOW)
        with account_scope(account):
            problem_of = {
                str(id_): _problem_of(said)
                for id_, said in Session.objects.values_list("id", "problem_summary")
            }
            proposals = FlowProposal.objects.filter(kind=FlowProposal.Kind.NEW_FLOW)
            behind = list(proposals.values_list("evidence__sessions", flat=True))
            places = [(str(s), p) for s, p in ProblemSession.objects.values_list("session_id", "problem_id")]
    right = sum(_pairs(problem_of[id_] for id_ in ids) for ids in behind)
    together = sum(len(ids) * (len(ids) - 1) // 2 for ids in behind)
    again = [(problem_of[id_], place) for id_, place in places if problem_of[id_].startswith(RECURRING)]
    found, there = _pairs(again), _pairs(problem for problem, _ in again)
    print(f"{len(behind)} proposals of new flows")
    print(
        f"precision {right / together:.3f}: {right:,} of {together:,} pairs in one proposal are of one problem"
    )
    print(f"recall {found / there:.3f}: {found:,} of {there:,} pairs of what comes again stand together")


def _pairs(labels: Iterable[object]) -> int:
    return sum(count * (count - 1) // 2 for count in Counter(labels).values())


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(text)), re.IGNORECASE), name)
        for text, name in _texts()
    ]


def _texts() -> Iterator[tuple[str, str]]:
    for problem in all_recurring():
        yield from ((text, RECURRING + problem.problems[0]) for text in problem.problems)
    yield from ((text, "left") for text in left().problems)
    for flow, texts in all_texts()["flow"].items():
        yield from ((text, flow) for text in texts)
    yield from ((text, text) for texts in all_texts()["other"].values() for text in texts)


def _problem_of(said: str) -> str:
    return next(name for pattern, name in _patterns() if pattern.fullmatch(said))
