"""Which words of engineers may stand in a flow for all: those that two of them use when they tell what they did.

So a flow says “Restart the spooler” and not whose. Where all sessions are one engineer's, two sessions have to use a
word. Filler, verbs that every step may begin with, and whether it helped, tell nothing about anybody.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from flowpilot.analysis.answers import meaning
from flowpilot.analysis.orders import ENDS, verb_of
from flowpilot.analysis.phrases import step_title
from flowpilot.analysis.reading import Lesson
from flowpilot.analysis.verbs import BASE_OF
from flowpilot.matching.concepts import LANGUAGE
from flowpilot.matching.text import terms
from resolutionflow.folding import fold

# Before these words a step can end: what follows says where, for whom, or with what.
_LINKS = "at for on in of from with to by via into onto and or"
_PHRASE = frozenset(_LINKS.split())
_EDGE = _PHRASE | {"a", "an", "the"}
_WORD = re.compile(r"\S+")


class Voices:
    """The words that are used by two at least."""

    def __init__(self, lessons: Sequence[Lesson], language: str = LANGUAGE) -> None:
        self.language = language
        by_engineer = len({lesson.engineer_id for lesson in lessons}) > 1
        told: dict[str, set[UUID]] = defaultdict(set)
        for lesson in lessons:
            who = lesson.engineer_id if by_engineer else lesson.session_id
            for text in (
                lesson.solution,
                *(text for step in lesson.steps for text in (step.title, step.answer)),
            ):
                told[text].add(who)
        used: dict[str, set[UUID]] = defaultdict(set)
        for text, people in told.items():
            for word in terms(text, language):
                used[word] |= people
        least = 2 if len(lessons) > 1 else 1
        self._shared = {word for word, people in used.items() if len(people) >= least}
        self._texts: dict[str, bool] = {}  # whether all words of it are shared, as far as it was asked

    def are_shared(self, text: str) -> bool:
        if text not in self._texts:
            self._texts[text] = all(self._is_shared(word) for word in _WORD.findall(text))
        return self._texts[text]

    def shared(self, texts: Iterable[str]) -> list[str]:
        return [text for text in texts if self.are_shared(text)]

    def title_of(self, said: Sequence[str]) -> str:
        """The name of a step that was said in these ways, in shared words alone; an order, if anybody said it so."""
        found = self.shared(said) or [self.cut_down(text) for text in said]
        return step_title([text for text in found if verb_of(text)] or found, self.language)

    def _is_shared(self, word: str) -> bool:
        known = fold(word).strip(".,;:!?()'\"") in BASE_OF or bool(meaning(word))
        return known or all(stem in self._shared for stem in terms(word, self.language))

    def cut_down(self, text: str) -> str:
        """Up to the phrase that has a word of one alone; where that leaves no step, without just those words."""
        head = self.without_whose(text)
        words = _WORD.findall(head)
        if not self.are_shared(head):
            words = [word for word in words if self._is_shared(word)]
        while words and fold(words[-1]) in _EDGE:
            words.pop()
        return " ".join(words)

    def without_whose(self, text: str) -> str:
        """Up to the phrase that has a word of one alone, such as “at Fenwick's desk”, unless more is done behind it."""
        words = _WORD.findall(text)
        alone = next((place for place, word in enumerate(words) if not self._is_shared(word)), 0)
        start = max((place for place in range(alone) if fold(words[place]) in _PHRASE), default=0)
        more = any(BASE_OF.get(word := fold(told).strip(ENDS), word) != word for told in words[start:])
        return text if start < 2 or more else " ".join(words[:start])
