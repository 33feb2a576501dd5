"""How well problems are matched with the flows of the starter library, beside PostgreSQL's plain full text search.

problems.jsonl has labelled problems, one a line: what an engineer would type or paste, and which flow of the library is
right, or none. The file is split in half by the ids. Weights (--fit) and thresholds come from one half, every figure
that is printed from the other.
"""

import argparse
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID
from zlib import crc32

from django.db import connection
from django.test import override_settings
from django.utils import timezone

from benchmarks._database import own_database
from benchmarks._fitting import Case, fit
from flowpilot.flows.copying import copy_flows
from flowpilot.flows.library import starter_library
from flowpilot.matching.index import flows_with, sessions_with
from flowpilot.matching.ranking import (
    FEATURES,
    NONE,
    WEIGHTS,
    Evidence,
    Features,
    evidence_of,
    read_problem,
    scores_of,
)
from flowpilot.matching.similar import learned, ranked
from flowpilot.models import Domain, Flow, FlowVersion, Session
from resolutionflow.models import Account, Role, User
from resolutionflow.tenancy import account_scope

PROBLEMS = Path(__file__).parent / "problems.jsonl"
# Of what is suggested so on the first half, at least so much is right.
SURE = {"guided": 0.95, "exploring": 0.8}
BUCKETS = [0.0, 0.1, 0.25, 0.4, 0.6, 0.75, 0.9, 1.0001]

PLAIN = """
    select flow.id,
           ts_rank(setweight(to_tsvector('english', flow.name), 'A')
                   || setweight(to_tsvector('english', flow.description), 'B')
                   || setweight(to_tsvector('english', coalesce(domain.name, '')), 'C')
                   || to_tsvector('english', version.step_texts), asked.query, 1) as rank
      from (select replace(plainto_tsquery('english', %(text)s)::text, '&', '|')::tsquery as query) asked,
           flowpilot_flow flow
      join flowpilot_flowversion version
        on version.account_id = %(account)s and version.id = flow.current_version_id
      left join flowpilot_domain domain on domain.account_id = %(account)s and domain.id = flow.domain_id
     where flow.account_id = %(account)s
     order by rank desc, flow.id
"""


@dataclass
class Problem:
    """`right` is None where no flow of the library fits."""

    id: str
    text: str
    right: UUID | None
    kind: str

    @property
    def first_half(self) -> bool:
        return crc32(self.id.encode()) % 2 == 0


@dataclass
class Answer:
    """The flows that were found for a problem with their scores, best first."""

    problem: Problem
    flows: list[tuple[UUID, float]] = field(default_factory=list)

    @property
    def score(self) -> float:
        return self.flows[0][1] if self.flows else 0.0

    def right(self, most: int = 1) -> bool:
        return self.problem.right in [id_ for id_, _ in self.flows[:most]]


Way = Callable[[Problem], list[tuple[UUID, float]]]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="matching", description=__doc__)
    parser.add_argument("--fit", action="store_true", help="fit the weights to the first half and print them")
    parser.add_argument("--wrong", action="store_true", help="list what the first half gets wrong")
    chosen = parser.parse_args(arguments)
    logging.disable(logging.INFO)
    with override_settings(DEBUG=False), own_database("matching"):
        account = Account.objects.create(name="Bench", slug="bench")
        user = User.objects.create_user(
            "lead@bench.example", name="Lead", account=account, role=Role.TEAM_ADMIN
        )
        with account_scope(account):
            copy_flows(starter_library(), account, published=True, user=user, now=timezone.now())
            with connection.cursor() as cursor:
                cursor.execute("vacuum analyze")
            problems = _problems()
            first = [problem for problem in problems if problem.first_half]
            second = [problem for problem in problems if not problem.first_half]
            none = sum(problem.right is None for problem in problems)
            print(
                f"{len(problems)} problems, {none} of them fit no flow; {len(first)} to fit, {len(second)} to test"
            )
            if chosen.fit or chosen.wrong:
                _work_on(account, user, first, fitting=chosen.fit)
                return
            _report("plain full text", _plain(account), first, second)
            thresholds = _report("matching", _ours(account), first, second, table=True)
            _remember(first, user)
            print("\nThe first half's problems are now sessions that were resolved with their flow")
            _report("matching, learned", _ours(account), first, second, thresholds=thresholds, table=True)


def _problems() -> list[Problem]:
    ids = {template.name: template.slug for template in starter_library()}
    flows = {ids[flow.name]: flow.id for flow in Flow.objects.all()}
    lines = (json.loads(line) for line in PROBLEMS.read_text(encoding="utf-8").splitlines() if line.strip())
    return [
        Problem(line["id"], line["text"], flows[line["flow"]] if line["flow"] else None, line["kind"])
        for line in lines
    ]


def _plain(account: Account) -> Way:
    def ask(problem: Problem) -> list[tuple[UUID, float]]:
        with connection.cursor() as cursor:
            cursor.execute(PLAIN, {"text": problem.text.replace("\0", ""), "account": account.id})
            return [(id_, rank) for id_, rank in cursor.fetchall() if rank > 0]

    return ask


def _ours(account: Account) -> Way:
    def ask(problem: Problem) -> list[tuple[UUID, float]]:
        ids, evidence = _evidence(account, problem.text)
        return sorted(zip(ids, scores_of(evidence), strict=True), key=lambda pair: -pair[1])

    return ask


def _evidence(account: Account, text: str, *, but: str = "") -> tuple[list[UUID], list[Evidence]]:
    """What speaks for which flow. but: without what the session of this ticket says."""
    problem = read_problem(text)
    if not problem.asked:
        return [], []
    like = ranked(problem, sessions_with(account, problem.first_words()))
    votes = [learned([one for one in group if not but or one.ticket != but]) for group in like]
    rows = flows_with(account, [item.word for item in problem.asked], set().union(*votes))
    names = {domain.id: domain.name for domain in Domain.objects.all()}
    return [row.id for row in rows], evidence_of(problem, rows, names, votes)


def _remember(problems: Sequence[Problem], user: User) -> None:
    now = timezone.now()
    versions = dict(FlowVersion.objects.values_list("flow_id", "id"))
    for n, problem in enumerate(problems):
        started = now - timedelta(hours=n + 1)
        Session.objects.create(
            user=user,
            flow_id=problem.right,
            flow_version_id=versions.get(problem.right),
            problem_summary=problem.text[:500],
            problem_description=problem.text[500:],
            psa_ticket_id=problem.id,
            status="resolved",
            outcome="resolved",
            started_at=started,
            completed_at=started + timedelta(minutes=20),
        )


def _work_on(account: Account, user: User, first: Sequence[Problem], *, fitting: bool) -> None:
    """Fits to the first half, half of the cases as a new account sees them and half as one that has learned."""
    cases: list[Case] = []
    for remembered in (False, True):
        if remembered:
            _remember(first, user)
        for problem in first:
            ids, evidence = _evidence(account, problem.text, but=problem.id)
            features: list[Features] = [item.features for item in evidence]
            if fitting:
                if problem.right is None or problem.right in ids:
                    cases.append((features, None if problem.right is None else ids.index(problem.right)))
                else:
                    print("not among the candidates:", problem.text[:80])
            else:
                _show_wrong(problem, ids, evidence, remembered=remembered)
    if fitting:
        weights, none = fit(cases)
        for name, weight, old in zip(FEATURES, weights, WEIGHTS, strict=True):
            print(f"{name:16}{weight:8.2f}   was {old:.2f}")
        print(f"{'none':16}{none:8.2f}   was {NONE:.2f}")
        print("WEIGHTS =", tuple(round(weight, 2) for weight in weights), "NONE =", round(none, 2))


def _show_wrong(problem: Problem, ids: list[UUID], evidence: list[Evidence], *, remembered: bool) -> None:
    scores = scores_of(evidence)
    best = max(range(len(ids)), key=lambda n: scores[n], default=None)
    wrong = best is not None and (ids[best] != problem.right if problem.right else scores[best] >= 0.4)
    if wrong and not remembered and best is not None:
        names = dict(Flow.objects.values_list("id", "name"))
        print(f"{problem.text[:150]!r}\n   is: {names.get(problem.right)}")
        print(f"   found: {names[ids[best]]} {scores[best]:.2f} {evidence[best].words[:8]}")


def _report(
    title: str,
    way: Way,
    first: Sequence[Problem],
    second: Sequence[Problem],
    *,
    thresholds: tuple[float, float] | None = None,
    table: bool = False,
) -> tuple[float, float]:
    """Prints what comes of the second half. thresholds: those chosen on the first half, if not given."""
    if thresholds is None:
        chosen_on = [Answer(problem, way(problem)) for problem in first]
        thresholds = _threshold(chosen_on, SURE["guided"]), _threshold(chosen_on, SURE["exploring"])
    answers = [Answer(problem, way(problem)) for problem in second]
    fitting = [answer for answer in answers if answer.problem.right]
    others = [answer for answer in answers if not answer.problem.right]
    guided = [answer for answer in answers if answer.score >= thresholds[0]]
    offered = [answer for answer in answers if answer.score >= thresholds[1]]
    print(f"\n{title}: guided from {thresholds[0]:.3f}, exploring from {thresholds[1]:.3f}")
    print(f"  {'top 1':32}{_share(sum(answer.right() for answer in fitting), len(fitting))}")
    print(f"  {'top 3':32}{_share(sum(answer.right(3) for answer in fitting), len(fitting))}")
    for kind in sorted({answer.problem.kind for answer in fitting}):
        of_kind = [answer for answer in fitting if answer.problem.kind == kind]
        print(f"  {'top 1, ' + kind:32}{_share(sum(answer.right() for answer in of_kind), len(of_kind))}")
    print(f"  {'guided':32}{_share(len(guided), len(answers))}")
    print(
        f"  {'false guided, of the guided':32}{_share(sum(not answer.right() for answer in guided), len(guided))}"
    )
    print(f"  {'guided or exploring':32}{_share(len(offered), len(answers))}")
    print(
        f"  {'of those the first was right':32}{_share(sum(answer.right() for answer in offered), len(offered))}"
    )
    none_left = sum(answer.score < thresholds[1] for answer in others)
    print(f"  {'no flow fits, and none offered':32}{_share(none_left, len(others))}")
    if table:
        print(f"  {'score':>12}{'problems':>10}{'mean score':>12}{'was right':>12}")
        for low, high in pairwise(BUCKETS):
            there = [answer for answer in answers if low <= answer.score < high]
            if there:
                mean = sum(answer.score for answer in there) / len(there)
                right = sum(answer.right() for answer in there) / len(there)
                print(f"  {f'{low:.2f}-{min(high, 1):.2f}':>12}{len(there):>10}{mean:>12.2f}{right:>12.2f}")
    return thresholds


def _threshold(answers: Sequence[Answer], sure: float) -> float:
    """The lowest score from which on at least so many were right, that of one answer at least."""
    lowest, right = 1.0, 0
    for count, answer in enumerate(sorted(answers, key=lambda answer: -answer.score), 1):
        right += answer.right()
        if right / count >= sure and answer.score > 0:
            lowest = answer.score
    return lowest


def _share(part: int, whole: int) -> str:
    return f"{part / whole:7.1%}  {part} of {whole}" if whole else "      –"
