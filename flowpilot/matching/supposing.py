"""What the matching says of many problems at once, with a flow that is only supposed: the flows are read once, and no
statement is asked for a problem. It scores as `matching.assess` does, but for what was learned from sessions: a flow
that nobody has used yet has nothing of that to go by.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from heapq import nlargest
from uuid import UUID

from flowpilot.matching.concepts import LANGUAGE, concept, concepts_of, said
from flowpilot.matching.index import MOST_FLOWS, FlowRow
from flowpilot.matching.ranking import Evidence, Problem, evidence_of, read_problem, scores_of

SUPPOSED = UUID(int=0)  # the flow that is not there


@dataclass(frozen=True)
class KnownFlow:
    """`steps` are the texts of its steps, `since` when it was there; None of the supposed one, which always was."""

    id: UUID
    name: str
    description: str
    domain_id: UUID | None
    steps: str
    since: datetime | None = None


class Supposing:
    """The flows of an account with a supposed one among them."""

    def __init__(
        self,
        supposed: KnownFlow,
        others: Iterable[KnownFlow],
        domains: Mapping[UUID, str],
        language: str = LANGUAGE,
    ) -> None:
        flows = [replace(supposed, id=SUPPOSED, since=None), *others]
        self._language, self._domains = language, domains
        self._since = [flow.since for flow in flows]
        self._named: dict[str, set[int]] = defaultdict(set)
        self._inside: dict[str, set[int]] = defaultdict(set)
        self._counts: list[Mapping[str, Mapping[str, int]]] = []
        self._rows: list[FlowRow] = []
        for place, flow in enumerate(flows):
            for text in (flow.name, flow.description):
                for meant in concepts_of(text, language):
                    self._named[meant].add(place)
            counts = _counts(flow.steps, language)
            for meant in counts:
                self._inside[meant].add(place)
            self._counts.append(counts)
            texts = (flow.id, flow.name, flow.description, flow.domain_id)
            self._rows.append(
                FlowRow(*texts, frozenset(), sum(map(len, counts.values())), {}, len(flows), {}, {})
            )

    def score(self, text: str, at: datetime, least: float) -> float:
        """The score that the supposed flow would have had at that moment; 0 where it is below `least`, or another flow
        that was there has no lower one."""
        problem = read_problem(text, self._language)
        hits: defaultdict[int, float] = defaultdict(float)
        for item in problem.asked:
            named, inside = self._named.get(item.concept, set()), self._inside.get(item.concept, set())
            rare = item.weight / (len(named) + len(inside) + 1)
            for place in named | inside:
                hits[place] += rare if place in named else rare / 2
        if 0 not in hits:
            return 0.0
        # another flow beside it only lowers a chance
        if scores_of(self._evidence(problem, [0]))[0] < least:
            return 0.0
        rivals = [place for place in hits if place and self._was_there(place, at)]
        rivals = nlargest(MOST_FLOWS - 1, rivals, key=lambda place: (hits[place], -place))
        own, *others = scores_of(self._evidence(problem, [0, *rivals]))
        return own if own >= least and own > max(others, default=0.0) else 0.0

    def _was_there(self, place: int, at: datetime) -> bool:
        since = self._since[place]
        return since is not None and since <= at

    def _evidence(self, problem: Problem, places: Sequence[int]) -> list[Evidence]:
        asked = [item.concept for item in problem.asked]
        named = {n: len(self._named.get(meant, ())) for n, meant in enumerate(asked)}
        inside = {n: len(self._inside.get(meant, ())) for n, meant in enumerate(asked)}
        rows = []
        for place in places:
            there = self._counts[place]
            counts = {word: n for meant in asked if meant in there for word, n in there[meant].items()}
            rows.append(replace(self._rows[place], counts=counts, named=named, inside=inside))
        nothing: list[dict[UUID, float]] = [{} for _ in (None, *problem.parts)]
        return evidence_of(problem, rows, self._domains, nothing, self._language)


@lru_cache(maxsize=2_000)
def _counts(steps: str, language: str) -> Mapping[str, Mapping[str, int]]:
    """How often the steps have which words, by what these mean."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for word, count in Counter(said(steps, language)).items():
        found[concept(word, language)][word] = count
    return dict(found)
