"""When two steps are one, in whatever words: the same act on the same thing."""

from collections.abc import Mapping

from flowpilot.analysis.deeds import deed
from flowpilot.matching.concepts import LANGUAGE

SAME_STEP = 0.6  # of the weight of the things of both, from which on they are one
SAME_ACT = 0.08  # what the same act adds to that
SAYS_LESS = 0.7  # where all that one says, the other says too
LOOKING_ACTS = frozenset(["look", "test"])


def same_step(one: str, other: str, language: str = LANGUAGE) -> float:
    """How much two steps are one, 0 to 1: from SAME_STEP on they are."""
    first, second = deed(one, language), deed(other, language)
    shared = first.acts & second.acts
    if first.acts and second.acts and not shared:
        return 0.0
    if not first.things and not second.things:
        return 1.0 if first.acts == second.acts and first.acts else 0.0
    for a, b in ((first, second), (second, first)):
        if a.heads and not a.heads & b.things.keys():
            return 0.0
    alike = overlap(first.things, second.things) + (SAME_ACT if shared else 0.0)
    fewer, more = sorted((first.things.keys(), second.things.keys()), key=len)
    if shared and len(fewer) > 1 and fewer <= more:
        alike = max(alike, SAYS_LESS)
    return min(alike, 1.0)


def only_looks(title: str) -> bool:
    """Whether the step looks or tests, and changes nothing."""
    acts = deed(title).acts
    return bool(acts) and acts <= LOOKING_ACTS


def changes(title: str) -> bool:
    """Whether the step does something, as far as its words tell. To try another cable is no more than a test."""
    acts = deed(title).acts
    return bool(acts - LOOKING_ACTS) and not (acts & LOOKING_ACTS and acts <= LOOKING_ACTS | {"renew"})


def asks_nothing(title: str) -> bool:
    """Whether it is a question about what came of the step before: it names nothing itself (“What is the result?”)."""
    return title.rstrip().endswith("?") and not any(weight == 1.0 for weight in deed(title).things.values())


def is_same_step(one: str, other: str, language: str = LANGUAGE) -> bool:
    return same_step(one, other, language) >= SAME_STEP


def overlap(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The share of the weight of both that both have."""
    whole = sum(one.values()) + sum(other.values())
    return 2 * sum(weight for word, weight in one.items() if word in other) / whole if whole else 0.0


def step_words(title: str, language: str = LANGUAGE) -> Mapping[str, float]:
    """{word: weight} by which steps that may be one are found: its things, or its acts if it names none."""
    told = deed(title, language)
    return told.things or dict.fromkeys(told.acts, 1.0)
