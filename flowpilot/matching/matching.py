"""Which flows fit a problem, which earlier sessions are like it, and how sure that is: docs/matching.md.

Two statements whatever the numbers of flows and sessions, and one for the domains.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flowpilot.flows.models import Domain, Flow
from flowpilot.matching.index import flows_with, sessions_with
from flowpilot.matching.ranking import Evidence, Problem, evidence_of, read_problem, scores_of
from flowpilot.matching.similar import SHOWN, SimilarSession, best_of, learned, ranked
from flowpilot.matching.text import is_code
from flowpilot.sessions.states import Status, Tier
from resolutionflow.accounts.models import Account

MOST_MATCHES = 5
LEAST_SCORE = 0.05  # what is below is not worth a line
LEAST_BEST = 0.1  # if not even the first flow is so likely, it is hardly ever right, and nothing is near
LONG_CODE = 4  # letters and digits of a code that says something: 5.7.1 does, 24 does not
SURE_OF_DOMAIN = 0.3
SHOWN_WORDS = 6


@dataclass(frozen=True)
class Match:
    """A published flow, with its domain. `score` is the chance that it is the right one, `words` those of the problem
    that it has, the most telling first."""

    flow: Flow
    score: float
    words: tuple[str, ...]


@dataclass(frozen=True)
class Assessment:
    """All that can be said of a problem before it is worked on. `tier` is that of the best match, `scores` has every
    flow that was looked at, by its id."""

    matches: list[Match]
    similar: list[SimilarSession]
    domain: Domain | None
    tier: Tier
    scores: dict[UUID, float]


def assess(account: Account, problem: str, *, limit: int = MOST_MATCHES) -> Assessment:
    """The account's flows and sessions that fit the problem. The account is the one in scope."""
    read = read_problem(problem, account.language)
    if not read.asked:
        return Assessment([], [], None, Tier.DISCOVERY, {})
    groups = _like(account, read)
    like = best_of(groups)
    ranking, domains = _ranking(account, read, groups)
    matches = _matches(ranking, limit)
    similar = [one for one in like if one.status == Status.RESOLVED][:SHOWN]
    tier = tier_of(account, matches[0].score if matches else None)
    scores = {item.flow_id: item.score for item in ranking}
    return Assessment(matches, similar, _domain(ranking, like, domains), tier, scores)


def match_flows(
    account: Account, problem: str, *, domain: Domain | None = None, limit: int = MOST_MATCHES
) -> list[Match]:
    """The published flows that fit the problem, best first; of one domain only, if one is given."""
    read = read_problem(problem, account.language)
    if not read.asked:
        return []
    ranking, _ = _ranking(account, read, _like(account, read))
    return _matches([item for item in ranking if domain is None or item.domain_id == domain.id], limit)


def similar_sessions(account: Account, problem: str, *, limit: int = SHOWN) -> list[SimilarSession]:
    """The resolved sessions whose problem is most like this one."""
    read = read_problem(problem, account.language)
    if not read.asked:
        return []
    return [one for one in best_of(_like(account, read)) if one.status == Status.RESOLVED][:limit]


def tier_of(account: Account, score: float | None) -> Tier:
    """How a session begins whose best match has this score, by the account's thresholds."""
    if score is None or score < account.exploring_threshold:
        return Tier.DISCOVERY
    return Tier.GUIDED if score >= account.guided_threshold else Tier.EXPLORING


@dataclass(frozen=True)
class Ranked:
    """A flow's place before its row is read."""

    flow_id: UUID
    domain_id: UUID | None
    score: float
    evidence: Evidence


def _like(account: Account, problem: Problem) -> list[list[SimilarSession]]:
    return ranked(problem, sessions_with(account, problem.first_words()), account.language)


def _ranking(
    account: Account, problem: Problem, like: Sequence[Sequence[SimilarSession]]
) -> tuple[list[Ranked], dict[UUID, Domain]]:
    domains = {domain.id: domain for domain in Domain.objects.all()}
    votes = [learned(group) for group in like]
    rows = flows_with(account, [item.word for item in problem.asked], set().union(*votes))
    names = {id_: domain.name for id_, domain in domains.items()}
    evidence = evidence_of(problem, rows, names, votes, account.language)
    scores = scores_of(evidence)
    found = [
        Ranked(row.id, row.domain_id, round(score, 4), item)
        for row, score, item in zip(rows, scores, evidence, strict=True)
    ]
    return sorted(found, key=lambda item: (-item.score, item.flow_id)), domains


def _near(ranking: list[Ranked]) -> list[Ranked]:
    """Those worth a line. A code that was found whole is a reason by itself."""
    if not any(
        item.score >= LEAST_BEST or any(map(_is_long_code, item.evidence.words)) for item in ranking[:1]
    ):
        return []
    return [item for item in ranking if item.score >= LEAST_SCORE]


def _is_long_code(word: str) -> bool:
    return len(word) >= LONG_CODE and is_code(word)


def _matches(ranking: list[Ranked], limit: int) -> list[Match]:
    kept = _near(ranking)[:limit]
    flows = Flow.objects.select_related("domain").in_bulk([item.flow_id for item in kept])
    return [Match(flows[item.flow_id], item.score, item.evidence.words[:SHOWN_WORDS]) for item in kept]


def _domain(ranking: list[Ranked], like: list[SimilarSession], domains: dict[UUID, Domain]) -> Domain | None:
    """Where the flows that fit belong, and where no flow does, the sessions that are like the problem."""
    chance: dict[UUID, float] = defaultdict(float)
    near = _near(ranking)
    left = max(0.0, 1 - sum(item.score for item in near))
    for item in near:
        if item.domain_id:
            chance[item.domain_id] += item.score
    whole = 0.5 + sum(one.score for one in like if one.domain_id)
    for one in like:
        if one.domain_id:
            chance[one.domain_id] += left * one.score / whole
    best = max(chance, key=lambda id_: chance[id_], default=None)
    return domains.get(best) if best and chance[best] >= SURE_OF_DOMAIN else None
