"""What stands behind a proposal, as a reviewer sees it. Its shape is told in docs/learning.md."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import log
from typing import Any
from uuid import UUID

from flowpilot.analysis.merging import Merged
from flowpilot.analysis.reading import Lesson, Told
from flowpilot.flows.models import Flow
from flowpilot.matching.concepts import LANGUAGE, concepts
from resolutionflow.folding import fold
from resolutionflow.metrics import wilson

MOST_SUMMARIES = 10
LEAST = 0.2  # of a problem's weight that a flow says, to be named as near to it
# What a word counts that a flow has in its name, in its description, in its steps alone: long flows say most of them.
IN_NAME, IN_DESCRIPTION, IN_STEPS = 1.0, 0.5, 0.2
ENTIRE: dict[str, Any] = {
    "sessions": [],
    "terms": {},
    "step_terms": {},
    "agreement": None,
    "also_told": [],
    "summaries": [],
    "visits": {},
    "branches": {},
    "outcomes": {},
    "paths": [],
    "nearest_flow": None,
    "returned": None,
    "change": None,
}


class PublishedFlows:
    """The published flows of the account in scope, by their words."""

    def __init__(self, language: str = LANGUAGE) -> None:
        self._flows: list[tuple[UUID, str]] = []
        self._with_word: dict[str, dict[int, float]] = defaultdict(dict)  # {word: {place of a flow: share}}
        rows = Flow.objects.filter(status=Flow.Status.PUBLISHED).order_by("id")
        for id_, *texts in rows.values_list("id", "name", "description", "current_version__step_texts"):
            for text, share in zip(texts, (IN_NAME, IN_DESCRIPTION, IN_STEPS), strict=True):
                for word in concepts(text or "", language):
                    self._with_word[word].setdefault(len(self._flows), share)
            self._flows.append((id_, texts[0]))

    def nearest_to(self, about: Mapping[str, float]) -> dict[str, Any] | None:
        """The flow that says most of what the problem is about: the share of its weight, where a word weighs more the
        fewer flows have it. None below LEAST, where a name beside a number would only mislead."""
        said: dict[int, float] = defaultdict(float)
        whole = 0.0
        for word, weight in about.items():
            shares = self._with_word.get(word, {})
            telling = weight * log(1 + len(self._flows) / max(1, len(shares)))
            whole += telling
            for place, share in shares.items():
                said[place] += telling * share
        nearest = max(said, key=lambda place: (said[place], -place), default=None)
        if nearest is None or said[nearest] < LEAST * whole:
            return None
        id_, name = self._flows[nearest]
        return {"flow_id": str(id_), "name": name, "similarity": round(said[nearest] / whole, 3)}


def evidence_of(
    lessons: Sequence[Lesson],
    merged: Merged,
    *,
    sessions: Iterable[UUID],
    outcomes: Mapping[str, int],
    about: Told,
    flows: PublishedFlows | None,
) -> dict[str, Any]:
    """`lessons` are those that the tree was merged from, the first to end first, `sessions` all. flows: among which the
    nearest is looked for; of a change none is, for it has its flow."""
    return ENTIRE | {
        "sessions": [str(id_) for id_ in sessions],
        "terms": _rounded(about.own),
        "step_terms": _rounded(about.steps),
        "summaries": list(
            {fold(lesson.problem): lesson.problem for lesson in lessons if lesson.problem}.values()
        )[:MOST_SUMMARIES],
        "visits": merged.visits,
        "branches": merged.branches,
        "outcomes": dict(outcomes),
        "nearest_flow": flows.nearest_to(about.own) if flows else None,
        **merged.told(),
    }


def _rounded(weights: Mapping[str, float]) -> dict[str, float]:
    return {word: round(weight, 3) for word, weight in weights.items()}


def change_of(
    kind: str, node_id: str, title: str, *, n: int, of: int, label: str | None = None
) -> dict[str, Any]:
    """What an enhancement changes, and in how many of how many sessions (of thumbs, for a disliked step) it was called
    for, with the interval of that share."""
    lower, upper = wilson(n, of)
    return {
        "kind": kind,
        "node_id": node_id,
        "title": title,
        "label": label,
        "n": n,
        "of": of,
        "lower": round(lower, 3),
        "upper": round(upper, 3),
    }


def summary_of(lessons: Sequence[Lesson], count: int, solutions: Collection[str]) -> str:
    """Two sentences: how often and when it was solved without a flow, and how."""
    people = len({lesson.engineer_id for lesson in lessons})
    first, last = (f"{lesson.ended_at:%-d %b %Y}" for lesson in (lessons[0], lessons[-1]))
    when = f"on {first}" if first == last else f"between {first} and {last}"
    by = "one engineer" if people == 1 else f"{people} engineers"
    told = f"Solved {count} times without a flow, {when}, by {by}."
    return f"{told} What solved it: {'; '.join(solutions)}." if solutions else told
