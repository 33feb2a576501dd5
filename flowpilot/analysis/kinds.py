"""Which steps are one and the same, in whatever words they are told."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from uuid import UUID

from flowpilot.analysis.phrases import (
    BASE_OF,
    ENDS,
    LOOKING,
    SAME_STEP,
    SAME_VERB,
    SMALL_START,
    same_step,
    step_words,
)
from flowpilot.analysis.voices import Voices
from flowpilot.matching.text import stem
from resolutionflow.folding import fold

COMPARED = 6  # ways to say a step that another one is compared with
LIKE_THE_FIRST = 0.45  # how much a step has in common with the first of its kind at least


# To give a setting another value, in whichever words: one act.
_SETTING = frozenset(map(stem, ["set", "put", "give", "raise", "correct", "configure", "adjust", "enter"]))


def _act(verb: str) -> str:
    found = SAME_VERB.get(stem(verb), stem(verb))
    return "set" if found in _SETTING else found


_LOOKING = frozenset(map(_act, LOOKING.split()))
UNCHANGED = frozenset(["put", "reset", "set"])  # verbs whose past form is the plain one


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
        likeness = [self._likeness_of(title, way) for way in islice(kind.ways, COMPARED)]
        return max(likeness) if likeness[0] >= LIKE_THE_FIRST else 0.0

    def _likeness_of(self, one: str, other: str) -> float:
        return (
            0.0 if _are_apart(acts_in(one), acts_in(other)) else same_step(one, other, self._voices.language)
        )


def _are_apart(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether what is done differs, whatever it is done to. There are many words for looking."""
    if not one or not other or one & other:
        return False
    return not (one <= _LOOKING and other <= _LOOKING)


@lru_cache(maxsize=20_000)
def acts_in(title: str) -> frozenset[str]:
    """What is done, as stems: what a step begins with, and verbs in a past form, wherever they stand (“cartridge
    replaced”). At either end any word that ends as a past form does is taken for one."""
    words = [fold(word).strip(ENDS) for word in SMALL_START.sub("", " ".join(title.split())).split(" ")]
    return frozenset(map(_act, _verbs(words)))


def _verbs(words: list[str]) -> Iterator[str]:
    for place, word in enumerate(words):
        base = BASE_OF.get(word)
        if base is not None and (place == 0 or base != word or word in UNCHANGED):
            yield base
        elif base is None and place in (0, len(words) - 1) and len(word) > 5 and word.endswith("ed"):
            yield word
