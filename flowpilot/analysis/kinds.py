"""Which steps are one and the same, in whatever words they are told."""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from flowpilot.analysis.sameness import SAME_STEP, same_step, step_words
from flowpilot.analysis.voices import Voices
from resolutionflow.folding import fold

COMPARED = 6  # ways to say a step that another one is compared with
LIKE_THE_FIRST = 0.45  # how much a step has in common with the first of its kind at least


@dataclass
class Kind:
    """One step, in all the words that were found for it; `ways` are the different ones, without whose it was."""

    titles: list[str] = field(default_factory=list)
    ways: dict[str, None] = field(default_factory=dict)
    sessions: set[UUID] = field(default_factory=set)


class Kinds:
    """The steps of a problem's sessions, by number. The first to say one stands for it, so that it stays the same when
    more sessions come. Where and for whom it was done makes no other step of it."""

    def __init__(self, voices: Voices) -> None:
        self._voices = voices
        self._kinds: list[Kind] = []
        self._exact: dict[str, int] = {}
        self._with_word: dict[str, set[int]] = defaultdict(set)

    def __getitem__(self, number: int) -> Kind:
        return self._kinds[number]

    def number_of(self, title: str, session_id: UUID) -> int:
        """The step that this is, a new one where it is none of those that are known; it counts among them then."""
        number = self._exact.get(fold(title))
        if number is None:
            number = self._exact[fold(title)] = self._find(title)
        self._kinds[number].titles.append(title)
        self._kinds[number].sessions.add(session_id)
        return number

    def _find(self, told: str) -> int:
        title = self._voices.without_whose(told)
        words = step_words(title, self._voices.language)
        near = set[int]().union(*(self._with_word[word] for word in words))
        likeness = {number: self._likeness(title, self._kinds[number]) for number in near}
        found = max(near, key=lambda number: (likeness[number], -number), default=None)
        if found is None or likeness[found] < SAME_STEP:
            found = len(self._kinds)
            self._kinds.append(Kind())
        self._kinds[found].ways.setdefault(title)
        for word in words:
            self._with_word[word].add(found)
        return found

    def _likeness(self, title: str, kind: Kind) -> float:
        """How much the step is of the kind: like one of the ways to say it, and not too far from the first."""
        likeness = [same_step(title, way, self._voices.language) for way in islice(kind.ways, COMPARED)]
        return max(likeness) if likeness[0] >= LIKE_THE_FIRST else 0.0
