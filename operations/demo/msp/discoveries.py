"""Problems that no flow covers and that come again and again: what engineers do about them, in words of their own."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

KEEPS_TO_WORDS = 0.7  # how often an engineer says a thing as they always do
DETOUR, OTHER_ORDER = 0.35, 0.15


@dataclass(frozen=True)
class Recurring:
    """One such problem. A way is how often it is gone, then the steps of it with their answers; the last one helps."""

    domain: str
    share: float
    first_day: int
    problems: Sequence[str]
    steps: Mapping[str, Mapping[str, Sequence[str]]]
    ways: Sequence[Sequence[Any]]
    detours: Sequence[Sequence[str]]
    workaround: Sequence[str]

    def gone(self, engineer: int, random: Random) -> list[tuple[str, str]]:
        """What an engineer did until it was solved, as titles and answers."""
        shares = [way[0] for way in self.ways]
        way = list(random.choices(self.ways, shares)[0][1:])
        if len(way) > 2 and random.random() < OTHER_ORDER:
            way[0], way[1] = way[1], way[0]
        if random.random() < DETOUR:
            way.insert(random.randrange(len(way)), random.choice(self.detours))
        return [self._said(key, answer, engineer, random) for key, answer in way]

    def _said(self, key: str, answer: str, engineer: int, random: Random) -> tuple[str, str]:
        step = self.steps[key]
        return in_words_of(engineer, step["titles"], random), random.choice(step[answer])


@dataclass(frozen=True)
class Left:
    """A step at which engineers leave a flow, always to do the same."""

    flow: str
    node: str
    share: float
    titles: Sequence[str]
    answers: Sequence[str]
    problems: Sequence[str]


def in_words_of(engineer: int, wordings: Sequence[str], random: Random) -> str:
    mostly = wordings[engineer % len(wordings)]
    return mostly if random.random() < KEEPS_TO_WORDS else random.choice(wordings)


def recurring_on(day: int) -> list[int]:
    """The problems that occur on a day of the story, as places in `all_recurring()`."""
    return [place for place, problem in enumerate(all_recurring()) if problem.first_day <= day]


@cache
def all_recurring() -> list[Recurring]:
    return [Recurring(**problem) for problem in _texts()["recurring"]]


@cache
def left() -> Left:
    return Left(**_texts()["left"])


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "discoveries.toml").read_text(encoding="utf-8"))
