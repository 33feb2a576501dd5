"""Whether the analysis puts together what is one problem: its proposals, and what the sessions behind them are about.

Of two sessions in one proposal of a new flow, how often both are of one problem (precision); of two sessions of one
problem that comes again, how often one proposal holds both (recall); and the same of the known problems, of which only
those become proposals whose sessions have ways enough in common for a tree. Three times:
the demo MSP; the same with every second engineer writing down each step, so that many small problems have sessions
enough; and the problems of repeated.toml, of which rules may be chosen by the first half only.

Of the demo a ticket is about the problem of its flow, or about the very text where no flow fits; only the problems that
its story repeats count for the recall.
"""

import argparse
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from unittest.mock import patch

from django.contrib.auth.hashers import make_password

from benchmarks._database import own_database
from flowpilot.analysis.running import analyse
from flowpilot.models import Domain, FlowProposal, ProblemSession, Session
from operations.demo.msp import cast, course, loading
from operations.demo.msp.discoveries import all_recurring, left
from operations.demo.msp.problems import all_texts
from resolutionflow.models import Account, Role, User
from resolutionflow.tenancy import account_scope

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
RECURRING = "again: "
REPEATED = Path(__file__).parent / "repeated.toml"
TOLD_IN_FULL = (
    0.5  # of the demo's tickets without a flow only the last step is written down, instead of nearly all
)
ENGINEERS = 4


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="grouping", description=__doc__)
    parser.add_argument("--mixed", action="store_true", help="list the proposals that hold several problems")
    mixed = parser.parse_args(arguments).mixed
    print(
        f"{'':24}{'proposals':>10}{'of one':>8}{'precision':>20}{'recall':>20}{'known: prec.':>14}{'recall':>10}"
    )
    with own_database("grouping"):
        _demo("the demo", mixed)
    with own_database("grouping"), patch.object(course, "TERSE", TOLD_IN_FULL):
        _demo("the demo, told in full", mixed)
    with own_database("grouping"):
        for half in (1, 2):
            _repeated(half, mixed)


def _demo(title: str, mixed: bool) -> None:
    loading.load(None, password_hash=make_password(None), now=NOW, progress=lambda *_: None)
    account = Account.objects.get(slug=cast.SLUG)
    with account_scope(account):
        said = Session.objects.values_list("id", "problem_summary")
        _report(title, account, {str(id_): _problem_of(text) for id_, text in said}, RECURRING, mixed)


def _repeated(half: int, mixed: bool) -> None:
    account = Account.objects.create(name=f"Half {half}", slug=f"half-{half}")
    people = [
        User.objects.create_user(
            f"{n}@half{half}.example", name=f"E {n}", account=account, role=Role.ENGINEER
        )
        for n in range(ENGINEERS)
    ]
    problems = tomllib.loads(REPEATED.read_text(encoding="utf-8"))["problem"]
    problems = [problem for problem in problems if problem["half"] == half]
    with account_scope(account):
        domains = {
            name: Domain.objects.create(name=name) for name in dict.fromkeys(p["domain"] for p in problems)
        }
        problem_of = {}
        for n in range(max(len(problem["said"]) for problem in problems)):
            for place, problem in enumerate(problems):
                started = NOW - timedelta(days=60) + timedelta(days=n, minutes=place)
                done = problem["done"]
                steps = [done[n % len(done)], done[(n + 1) % len(done)]]
                session = Session.objects.create(
                    user=people[(n + place) % ENGINEERS],
                    domain=domains[problem["domain"]],
                    problem_summary=problem["said"][n],
                    confidence_tier="discovery",
                    status="resolved",
                    outcome="resolved",
                    started_at=started,
                    completed_at=started + timedelta(minutes=30),
                    decisions=[_decision(k, title, started) for k, title in enumerate(steps, start=1)],
                )
                problem_of[str(session.id)] = problem["name"]
        _report(f"repeated, half {half}", account, problem_of, "", mixed)


def _decision(number: int, title: str, at: datetime) -> dict[str, object]:
    return {
        "id": str(number),
        "node_id": None,
        "title": title,
        "answer": "",
        "note": "",
        "at": at.isoformat(),
    }


def _report(title: str, account: Account, problem_of: Mapping[str, str], again: str, mixed: bool) -> None:
    """again: how the problems are called of which all pairs should stand together."""
    analyse(account, NOW)
    proposals = FlowProposal.objects.filter(kind=FlowProposal.Kind.NEW_FLOW)
    behind = dict(proposals.values_list("title", "evidence__sessions"))
    places = {str(s): p for s, p in ProblemSession.objects.values_list("session_id", "problem_id")}
    held = {id_: name for name, ids in behind.items() for id_ in ids}
    pure = sum(len({problem_of[id_] for id_ in ids}) == 1 for ids in behind.values())
    right = sum(_pairs(problem_of[id_] for id_ in ids) for ids in behind.values())
    together = sum(len(ids) * (len(ids) - 1) // 2 for ids in behind.values())
    repeated = [id_ for id_ in places if problem_of[id_].startswith(again)]
    there = _pairs(problem_of[id_] for id_ in repeated)
    found = _pairs((problem_of[id_], held[id_]) for id_ in repeated if id_ in held)
    known = _pairs((problem_of[id_], places[id_]) for id_ in repeated)
    known_right = _pairs((problem_of[id_], places[id_]) for id_ in places)
    known_together = _pairs(places.values())
    print(
        f"{title:24}{len(behind):>10}{pure:>8}{_share(right, together):>20}{_share(found, there):>20}"
        f"{known_right / known_together:>14.1%}{known / there:>10.1%}"
    )
    if mixed:
        _show_mixed(behind, problem_of)


def _show_mixed(behind: Mapping[str, Sequence[str]], problem_of: Mapping[str, str]) -> None:
    for title, ids in behind.items():
        if len({problem_of[id_] for id_ in ids}) > 1:
            print(f"  {title}")
            for id_, said in Session.objects.filter(id__in=ids).values_list("id", "problem_summary"):
                print(f"    {problem_of[str(id_)]}: {said}")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%} of {whole:,}" if whole else "–"


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


@cache
def _problem_of(said: str) -> str:
    return next(name for pattern, name in _patterns() if pattern.fullmatch(said))
