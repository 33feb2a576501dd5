"""The back-test: which sessions of the last 90 days a proposal would have covered, and how long they took.

Covered are the sessions that no flow guided, of the proposal's domain or of none, which are about its problem, by the
criterion of the analysis, and which no other proposal has behind it or is nearer to. Their
median minutes stand against those of the domain's guided sessions. Only completed sessions have minutes.

The interval of the difference holds whatever the distributions: each median lies between two order statistics with
97.5 %, so the difference of the two lies between the differences of those bounds with 95 % at least. It needs
ENOUGH sessions on either side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Q

from flowpilot.analysis.likeness import ABOUT, closeness
from flowpilot.analysis.words import own_words
from flowpilot.metrics import COMPLETED, GUIDED, UNGUIDED
from flowpilot.proposals.evidence import Evidence
from flowpilot.proposals.models import FlowProposal
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import FINAL, Tier
from resolutionflow.links import url_with
from resolutionflow.metrics import median_ranks
from resolutionflow.periods import Period

Bounds = tuple[float, float]

DAYS = 90
BOTH_SIDES = 0.0125  # left out at each end, so that both medians hold together with 95 %
ENOUGH = 7  # completed sessions on a side: fewer give no interval for its median


@dataclass(frozen=True)
class Covered:
    """A session that the proposal would have covered; `seconds` is None of one that is not completed."""

    id: UUID
    problem: str
    engineer_id: UUID
    started_at: datetime
    seconds: int | None
    how: str  # its outcome, or the status of an unfinished one


@dataclass(frozen=True)
class BackTest:
    """Medians are in seconds, None of no completed session. Between the `bounds` lies how many seconds a guided session
    takes less; None where a side has too few."""

    covered: tuple[Covered, ...]  # newest first
    unguided: int  # sessions among which they were looked for
    guided: int  # completed guided sessions of the domain
    covered_median: float | None
    covered_bounds: Bounds | None
    guided_median: float | None
    bounds: Bounds | None
    domain_id: UUID | None
    period: Period

    @property
    def guided_href(self) -> str:
        return self._sessions(
            self.domain_id or "none", tier="guided", status=[status.value for status in FINAL]
        )

    @property
    def unguided_href(self) -> str:
        domains = [str(self.domain_id), "none"] if self.domain_id else "none"
        return self._sessions(domains, tier=["exploring", "discovery", "none"])

    def _sessions(self, domain: Any, **filters: Any) -> str:
        return url_with("sessions:list", {"domain_id": domain} | self.period.query | filters)

    @property
    def completed(self) -> int:
        return sum(1 for session in self.covered if session.seconds is not None)

    @property
    def saved(self) -> float | None:
        """How many seconds less the median of the guided ones is."""
        if self.covered_median is None or self.guided_median is None:
            return None
        return self.covered_median - self.guided_median

    @property
    def verdict(self) -> str:
        return verdict(self.bounds)


def back_test(proposal: FlowProposal, *, now: datetime) -> BackTest:
    """Two queries."""
    account, domain_id = proposal.account, proposal.domain_id
    period = Period.of_days(DAYS, now=now, tz=account.tz)
    guided = Q(domain_id=domain_id) & GUIDED & COMPLETED
    near = UNGUIDED & (Q(domain_id=domain_id) | Q(domain_id=None))
    rows = (
        Session.objects.during(period)
        .filter(guided | near)
        .order_by("-started_at", "-id")
        .values_list(
            *("id", "problem_summary", "problem_description", "user_id", "started_at", "duration_seconds"),
            *("outcome", "status", "confidence_tier"),
        )
    )
    claims = _Claims(proposal)
    covered: list[Covered] = []
    guided_seconds: list[int] = []
    unguided = 0
    for id_, problem, details, user_id, started_at, seconds, outcome, status, tier in rows:
        if tier == Tier.GUIDED:
            guided_seconds.append(seconds)
            continue
        unguided += 1
        if claims.has(id_, problem, details):
            covered.append(Covered(id_, problem, user_id, started_at, seconds, outcome or status))
    timed = [session.seconds for session in covered if session.seconds is not None]
    covered_bounds = bounds_of_median(timed)
    return BackTest(
        covered=tuple(covered),
        unguided=unguided,
        guided=len(guided_seconds),
        covered_median=median(timed) if timed else None,
        covered_bounds=covered_bounds,
        guided_median=median(guided_seconds) if guided_seconds else None,
        bounds=difference(covered_bounds, bounds_of_median(guided_seconds)),
        domain_id=domain_id,
        period=period,
    )


class _Claims:
    """Which sessions are the proposal's, and no other's that was filed in its account."""

    def __init__(self, proposal: FlowProposal) -> None:
        self._language = proposal.account.language
        evidence = Evidence.read(proposal.evidence)
        self._terms = evidence.terms
        self._behind = set(evidence.sessions)
        others = FlowProposal.objects.filter(kind=FlowProposal.Kind.NEW_FLOW).exclude(id=proposal.id)
        others = others.filter(Q(domain_id=proposal.domain_id) | Q(domain_id=None))
        self._others: list[Mapping[str, float]] = []
        self._taken: set[UUID] = set()
        for other in map(Evidence.read, others.values_list("evidence", flat=True)):
            self._others.append(other.terms)
            self._taken.update(other.sessions)

    def has(self, id_: UUID, problem: str, details: str) -> bool:
        if id_ in self._behind:
            return True
        if id_ in self._taken:
            return False
        words = own_words(problem, details, self._language)
        near = closeness(words, self._terms)
        return near >= ABOUT and all(closeness(words, terms) <= near for terms in self._others)


def bounds_of_median(values: Sequence[float]) -> Bounds | None:
    """Between which values the median lies with 97.5 %; None of fewer than ENOUGH."""
    ranks = median_ranks(len(values), outside=BOTH_SIDES)
    if ranks is None:
        return None
    ordered = sorted(values)
    return ordered[ranks[0] - 1], ordered[ranks[1] - 1]


def difference(one: Bounds | None, other: Bounds | None) -> Bounds | None:
    """Between which values the first median minus the second lies with at least 95 %; None where a side has too few."""
    if one is None or other is None:
        return None
    return one[0] - other[1], one[1] - other[0]


def verdict(bounds: Bounds | None) -> str:
    """What the bounds of the seconds saved say, in a word: faster, slower, open, or few."""
    if bounds is None:
        return "few"
    return "faster" if bounds[0] > 0 else "slower" if bounds[1] < 0 else "open"


def freeze(proposal: FlowProposal, *, now: datetime) -> None:
    """Keeps with the evidence what the back-test says at this moment, for the flow's page to measure against later. The
    caller saves the proposal."""
    found = back_test(proposal, now=now)
    kept: dict[str, Any] = {
        "days": DAYS,
        "covered": len(found.covered),
        "median": found.covered_median,
        "bounds": found.covered_bounds,
        "guided_median": found.guided_median,
    }
    evidence = proposal.evidence if isinstance(proposal.evidence, dict) else {}
    proposal.evidence = evidence | {"back_test": kept}
