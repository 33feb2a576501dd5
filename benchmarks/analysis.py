"""How long the analysis of many discovery sessions takes, and how much memory, from unread sessions to filed proposals.

Made-up engineers solve made-up problems, some often and some once, each in words of their own. Grouping is compared
with the obvious way, on fewer sessions: each session's words against those of all before it.
"""

import argparse
import logging
import random
import resource
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks._database import own_database
from flowpilot.analysis.grouping import Groups
from flowpilot.analysis.reading import Lesson, lessons_of, unread
from flowpilot.analysis.running import analyse
from flowpilot.models import Domain, FlowProposal, Problem, Session
from resolutionflow.models import Account, User
from resolutionflow.tenancy import account_scope

BUDGET, MEMORY = 120, 1024  # seconds, MiB
DOMAINS, PROBLEMS, ENGINEERS = 12, 1500, 40
ALIKE = 0.3  # of the words of both: one problem, in the obvious way
NOW = datetime(2026, 11, 1, tzinfo=UTC)
SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
VERBS = [
    "checked",
    "Restarted",
    "looked at",
    "reset",
    "replaced",
    "reinstalled",
    "updated",
    "cleared",
    "test",
]
RESULTS = ["ok", "no change", "works", "still the same", "fixed", "not there", "empty", "running", ""]
COMMON = [
    *("user", "customer", "not", "working", "error", "since", "today", "again", "office"),
    *("laptop", "screen", "window", "message", "cannot", "open"),
]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="analysis", description=__doc__)
    parser.add_argument("--sessions", type=int, default=50_000)
    parser.add_argument("--pairwise", type=int, default=3_000, help="sessions that the obvious way groups")
    chosen = parser.parse_args(arguments)
    logging.disable(logging.INFO)
    with own_database("analysis"):
        account = Account.objects.create(name="Bench", slug="bench")
        with account_scope(account):
            _fill(account, chosen.sessions)
            _compare(chosen.pairwise)
        started, worked = time.perf_counter(), time.process_time()
        done = analyse(account, NOW)
        seconds, cpu = time.perf_counter() - started, time.process_time() - worked
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        started = time.perf_counter()
        again = analyse(account, NOW)
        assert (again.read, again.filed.new, again.filed.updated) == (0, 0, 0)
        with account_scope(account):
            problems, proposals = Problem.objects.count(), FlowProposal.objects.count()
    print(f"{done.read:,} sessions, {problems:,} problems, {proposals:,} proposals")
    print(
        f"{seconds:.1f} s ({cpu:.1f} s of CPU in Python), budget {BUDGET}: {'kept' if seconds <= BUDGET else 'missed'}"
    )
    print(f"peak {peak:.0f} MiB, budget {MEMORY:,}: {'kept' if peak <= MEMORY else 'missed'}")
    print(f"the same again, with nothing new: {time.perf_counter() - started:.2f} s")


def _compare(count: int) -> None:
    """The time of grouping alone, both ways in turn, on the same lessons."""
    lessons = list(lessons_of(unread()[:count]))
    worked = time.process_time()
    ours = len({Groups.place(groups, lesson).id for groups in [Groups([])] for lesson in lessons})
    quick = time.process_time() - worked
    worked = time.process_time()
    obvious = _pairwise(lessons)
    slow = time.process_time() - worked
    print(
        f"grouping {len(lessons):,}: {quick:.2f} s of CPU into {ours:,} problems; each with each {slow:.2f} s into "
        f"{obvious:,}: {slow / quick:.1f} times as long"
    )


def _pairwise(lessons: Sequence[Lesson]) -> int:
    group_of: list[int] = []
    words = [(lesson.domain_id, set(lesson.told().own)) for lesson in lessons]
    for n, (domain, mine) in enumerate(words):
        best, found = ALIKE, n
        for m in range(n):
            other_domain, others = words[m]
            if domain == other_domain:
                likeness = len(mine & others) / len(mine | others)
                if likeness > best:
                    best, found = likeness, group_of[m]
        group_of.append(found)
    return len(set(group_of))


def _fill(account: Account, count: int) -> None:
    chance = random.Random(7)
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _ in range(4000)]
    domains = [Domain.objects.create(name=f"Domain {n}") for n in range(DOMAINS)]
    people = User.objects.bulk_create(
        User(account=account, email=f"{n}@bench.example", name=f"Engineer {n}") for n in range(ENGINEERS)
    )
    problems = [_problem(chance, words) for _ in range(PROBLEMS)]
    often = [1 / (rank + 5) for rank in range(PROBLEMS)]
    for start in range(0, count, 1000):
        rows = []
        for n in range(start, min(start + 1000, count)):
            alone = chance.random() < 0.1
            number = chance.choices(range(PROBLEMS), often)[0]
            problem = _problem(chance, words) if alone else problems[number]
            at = NOW - timedelta(days=365) + n * timedelta(minutes=9)
            rows.append(
                Session(
                    user=chance.choice(people),
                    domain=None if chance.random() < 0.1 else domains[number % DOMAINS],
                    confidence_tier="discovery",
                    status="resolved",
                    outcome="resolved" if chance.random() < 0.9 else "workaround",
                    started_at=at,
                    completed_at=at + timedelta(minutes=chance.randint(5, 60)),
                    last_activity_at=at,
                    **_told(chance, *problem),
                )
            )
        Session.objects.bulk_create(rows)


def _problem(chance: random.Random, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Its words, and what its steps are about."""
    return chance.sample(words, 6), [" ".join(chance.sample(words, 2)) for _ in range(5)]


def _told(chance: random.Random, words: Sequence[str], things: Sequence[str]) -> dict[str, Any]:
    said = chance.sample(words, 4) + chance.sample(COMMON, 3)
    chance.shuffle(said)
    steps = list(_steps(chance, things))
    return {
        "problem_summary": " ".join(said),
        "resolution_summary": steps[-1]["title"],
        "decisions": steps,
        "step_count": len(steps),
    }


def _steps(chance: random.Random, things: Sequence[str]) -> Iterator[dict[str, Any]]:
    for n in sorted(chance.sample(range(len(things)), chance.randint(2, len(things)))):
        verb = VERBS[(len(things[n]) + n) % len(VERBS)]
        yield {
            "id": str(n),
            "node_id": None,
            "title": f"{verb} {'the ' if chance.random() < 0.5 else ''}{things[n]}",
            "answer": chance.choice(RESULTS),
            "note": "",
            "at": "2026-03-02T09:00:00Z",
            "undone_at": None,
            "taken_over": False,
        }
