"""The back-test: which sessions of the last 90 days a proposal would have covered, and how long they took.

Covered are the sessions that no flow guided, of the proposal's domain or of none, for which two things hold. They are
about its problem: by the words that the analysis goes by, and not found by it to be about another one. After a
rejection the sessions are those of the proposal that came back. And the matching would have suggested it: with a score
from which on the account explores, above all published flows that were there at the time. Their median minutes stand
against those of the domain's guided sessions. Only completed sessions have minutes.

The interval of the difference holds whatever the distributions: each median lies between two order statistics with
97.5 %, so the difference of the two lies between the differences of those bounds with 95 % at least. It needs
ENOUGH sessions on either side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import nlargest
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Min, OuterRef, Q, Subquery

from flowpilot.analysis.likeness import ABOUT, FEWEST, closeness
from flowpilot.analysis.models import ProblemSession
from flowpilot.analysis.states import REACHED
from flowpilot.analysis.words import own_words
from flowpilot.flows.models import Flow
from flowpilot.flows.search import texts_of
from flowpilot.matching.concepts import concepts_of
from flowpilot.matching.supposing import KnownFlow, Supposing
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
MOST_FLOWS = 300  # that it is compared with, those used most
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
    had_flow: bool = False  # it was begun with one, which was left or did not guide


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
    def with_flow(self) -> int:
        """Covered sessions that had a flow already, which fitted less."""
        return sum(session.had_flow for session in self.covered)

    @property
    def without_flow(self) -> int:
        return len(self.covered) - self.with_flow

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
    about = ProblemSession.objects.filter(session=OuterRef("id"))
    rows = (
        Session.objects.during(period)
        .filter(guided | near)
        .order_by("-started_at", "-id")
        .values_list(
            *("confidence_tier", "id", "problem_summary", "problem_description", "user_id", "started_at"),
            *("duration_seconds", "outcome", "status", "flow_id", "confidence"),
            *(Subquery(about.values("problem")), Subquery(about.values("problem__proposal"))),
        )
    )
    suggesting = _Suggesting(proposal)
    covered: list[Covered] = []
    guided_seconds: list[int] = []
    unguided = 0
    for tier, id_, problem, details, user_id, started_at, seconds, outcome, status, *had in rows:
        if tier == Tier.GUIDED:
            guided_seconds.append(seconds)
            continue
        unguided += 1
        flow_id, confidence, found_to_be, filed_as = had
        if found_to_be and filed_as != proposal.id:
            continue
        if suggesting.takes(problem, details, started_at, flow_id=flow_id, confidence=confidence):
            how = outcome or status
            covered.append(Covered(id_, problem, user_id, started_at, seconds, how, had_flow=bool(flow_id)))
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


class _Suggesting:
    """Whether FlowPilot would have suggested the proposal, had it been a flow all the while."""

    def __init__(self, proposal: FlowProposal) -> None:
        account = proposal.account
        self._least = account.exploring_threshold
        self._language = account.language
        self._terms = Evidence.read(proposal.evidence).terms
        # What hardly any text is below that is about it: most sessions need no more than that.
        self._least_weight = ABOUT * sum(nlargest(FEWEST, self._terms.values()))
        self._weights: dict[str, float] = {}
        for word, weight in self._terms.items():
            meant = word.removeprefix(REACHED)
            self._weights[meant] = self._weights.get(meant, 0.0) + weight
        fields = ("id", "name", "description", "domain_id", "current_version__step_texts")
        published = Flow.objects.filter(status=Flow.Status.PUBLISHED, current_version__isnull=False)
        rows = list(
            published.exclude(proposals=proposal)
            .order_by("-usage_count", "id")
            .values_list(*fields, Min("versions__published_at"), "domain__name")[:MOST_FLOWS]
        )
        domains = {row[3]: row[6] for row in rows if row[3]}
        if proposal.domain is not None:
            domains[proposal.domain.id] = proposal.domain.name
        supposed = KnownFlow(
            *(proposal.id, proposal.title, proposal.summary, proposal.domain_id),
            "\n".join(texts_of(proposal.structure)),
        )
        flows = (KnownFlow(*row[:6]) for row in rows)
        self._flows = Supposing(supposed, flows, domains, account.language)

    def takes(
        self, problem: str, details: str, at: datetime, *, flow_id: UUID | None, confidence: float | None
    ) -> bool:
        """A flow that was suggested then had the score that the session keeps, with what had been learned by then."""
        words = {*concepts_of(problem, self._language), *concepts_of(details, self._language)}
        if sum(self._weights.get(word, 0.0) for word in words) < self._least_weight:
            return False
        if closeness(own_words(problem, details, self._language), self._terms) < ABOUT:
            return False
        score = self._flows.score(f"{problem}\n{details}", at, self._least)
        return score > ((confidence or 0.0) if flow_id else 0.0)


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
