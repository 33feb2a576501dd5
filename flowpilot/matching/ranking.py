"""How well a flow fits a problem, as a chance of 0..1. Pure: rows in, scores out.

What speaks for a flow are the features of `features_of`, each between 0 and about 1. A flow's weight is the exponential
of their weighted sum, and its chance its share in the weights of all flows and of "none of them", which weighs
exp(NONE). So a flow that fits hardly better than the next one has no high score, however many words it shares. The
weights are fitted on half of the labelled problems: docs/matching.md.
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from uuid import UUID

from flowpilot.matching.concepts import (
    LANGUAGE,
    concept,
    concepts_of,
    corrected,
    known_words,
    said,
    said_of,
    slips,
    spaced,
    strength,
)
from flowpilot.matching.index import FlowRow
from flowpilot.matching.parts import parts_of
from flowpilot.matching.text import is_code, written

MOST_CHARACTERS = 8_000
MOST_WORDS = 32
MOST_FOR_SESSIONS = 12  # words that sessions are looked for by
REPAIRED = 0.7  # what a word counts for that was mended, or is near to one of a flow's name
LEAST_TOLD = 0.25  # of what the most telling word says, for a word that is shown
PART = 0.75  # how sure a flow is that fits a part, beside one that fits the whole problem
FEATURES = ("name", "name said", "description", "domain", "steps", "sum of name", "sum of steps", "learned")
WEIGHTS = (1.47, 3.38, 1.94, 0.69, 2.49, 2.67, 2.75, 6.0)
NONE = 3.46

Features = tuple[float, ...]


@dataclass(frozen=True)
class Asked:
    """A word of the problem; `written` is how it stands there, `telling` whether it says something by itself,
    `instead` the place of the word that this one mends."""

    word: str
    concept: str
    weight: float
    written: str
    telling: bool = True
    instead: int | None = None


@dataclass(frozen=True)
class Evidence:
    """What speaks for a flow: as an answer to the whole problem, and to each of its parts. `words` are those of the
    problem that it has, the most telling first."""

    features: Features
    parts: tuple[Features, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class _Found:
    """Where a flow has one word of the problem, and how much: in its name, as which of its concepts, in its
    description, its domain, its steps. `told` is how much of a reason that is."""

    name: float
    named: str | None
    description: float
    domain: bool
    steps: float
    told: float


@dataclass(frozen=True)
class Problem:
    """A problem as it is matched: its words, and for each part, if it has several, the places of its words."""

    asked: list[Asked]
    parts: list[frozenset[int]]

    def first_words(self) -> dict[int, str]:
        """By their places those that say most, as many of each part."""
        if not self.parts:
            return {n: item.word for n, item in enumerate(self.asked[:MOST_FOR_SESSIONS])}
        of_parts = chain.from_iterable(zip_longest(*(sorted(part) for part in self.parts)))
        places = dict.fromkeys(n for n in of_parts if n is not None)
        return {n: self.asked[n].word for n in sorted(list(places)[:MOST_FOR_SESSIONS])}


def read_problem(text: str, language: str = LANGUAGE) -> Problem:
    """The words that are looked for, each concept once, those that say most first. Those at the beginning of a long
    text count for more."""
    text = text[:MOST_CHARACTERS]
    found: dict[str, Asked] = {}
    as_written = written(text)
    for word in said(text, language):
        if len(found) == 2 * MOST_WORDS:
            break
        meant = concept(word, language)
        if meant not in found:
            says = strength(word, language)
            shown = as_written.get(word) or spaced(word)
            found[meant] = Asked(word, meant, says / (1 + len(found) / 20), shown, says == 1)
    asked = sorted(found.values(), key=lambda item: -item.weight)[:MOST_WORDS]
    parts = parts_of(text, {item.concept for item in asked}, language)
    if language == LANGUAGE:
        known = known_words()
        for place, item in enumerate(tuple(asked)):
            repaired = corrected(item.word) if item.word not in known else None
            if repaired and concept(repaired) not in found:
                weight = item.weight * REPAIRED
                asked.append(Asked(repaired, concept(repaired), weight, item.written, item.telling, place))
    return Problem(asked, [_places(asked, part) for part in parts])


def _places(asked: Sequence[Asked], part: Collection[str]) -> frozenset[int]:
    """Where the words of a part stand, and those that mend one of them."""
    of_part = {n for n, item in enumerate(asked) if item.instead is None and item.concept in part}
    return frozenset(of_part | {n for n, item in enumerate(asked) if item.instead in of_part})


def evidence_of(
    problem: Problem,
    rows: Sequence[FlowRow],
    domains: Mapping[UUID, str],
    learned: Sequence[Mapping[UUID, float]],
    language: str = LANGUAGE,
) -> list[Evidence]:
    """What speaks for each of the flows. learned: of the whole problem, then of each part."""
    if not rows:
        return []
    asked = problem.asked
    flows, named, inside = rows[0].flows, rows[0].named, rows[0].inside
    # a word is only mended where nothing has it as it stands
    mended = {
        item.instead
        for item in asked
        if item.instead is not None and not (named.get(item.instead) or inside.get(item.instead))
    }
    kept = [
        (n, item)
        for n, item in enumerate(asked)
        if n not in mended and (item.instead is None or item.instead in mended)
    ]
    weights = {
        n: (item.weight * _rarity(flows, named.get(n, 0)), item.weight * _rarity(flows, inside.get(n, 0)))
        for n, item in kept
    }
    groups = [frozenset(weights), *(part & weights.keys() for part in problem.parts)]
    usual = max(1.0, sum(row.length for row in rows) / len(rows))
    about = {id_: frozenset(concepts_of(name, language)) for id_, name in domains.items()}
    evidence = []
    for row in rows:
        domain = about.get(row.domain_id, frozenset()) if row.domain_id else frozenset()
        name_words = said_of(row.name, language)
        found = _found(kept, row, name_words, domain, weights, usual, language)
        name = {concept(word, language): strength(word, language) for word in name_words}
        whole, *parts = (
            _features(found, group, name, weights, said.get(row.id, 0.0))
            for group, said in zip(groups, learned, strict=True)
        )
        evidence.append(Evidence(whole, tuple(parts), _told(found, dict(kept))))
    return evidence


def chances(
    evidence: Sequence[Features], weights: Sequence[float] = WEIGHTS, none: float = NONE
) -> list[float]:
    """The chance of each flow to be the right one; with that of none they make 1."""
    sums = [sum(w * f for w, f in zip(weights, features, strict=True)) for features in evidence]
    top = max([none, *sums])
    powers = [math.exp(value - top) for value in sums]
    whole = sum(powers) + math.exp(none - top)
    return [power / whole for power in powers]


def scores_of(evidence: Sequence[Evidence]) -> list[float]:
    """The chance of each flow to be right for the whole problem or, a little less sure, for one of its parts."""
    scores = chances([item.features for item in evidence])
    for part in zip(*(item.parts for item in evidence), strict=True):
        scores = [max(score, PART * chance) for score, chance in zip(scores, chances(part), strict=True)]
    return scores


def _found(
    kept: Sequence[tuple[int, Asked]],
    row: FlowRow,
    name_words: Sequence[str],
    domain: frozenset[str],
    weights: Mapping[int, tuple[float, float]],
    usual: float,
    language: str,
) -> dict[int, _Found]:
    """The words of the problem that the flow has."""
    name = {concept(word, language) for word in name_words}
    description = frozenset(concepts_of(row.description, language))
    counts: Counter[str] = Counter()
    wanted = {item.concept for _, item in kept}
    for word, count in row.counts.items():
        if (meant := concept(word, language)) in wanted:
            counts[meant] += count
    short = 1.2 * (0.25 + 0.75 * row.length / usual)
    found = {}
    for n, item in kept:
        by_name, by_step = weights[n]
        near = item.concept if item.concept in name else _near(item, name_words, language)
        part = (1.0 if near == item.concept else REPAIRED) if near else 0.0
        described, in_domain = item.concept in description, item.concept in domain
        often = counts[item.concept] or (1 if n in row.within and "." in item.word else 0)
        steps = often / (often + short)
        told = max(2 * part * by_name, by_name if described or in_domain else 0.0, steps * by_step / 2)
        if told:
            found[n] = _Found(
                part * by_name, near, by_name if described else 0.0, in_domain, steps * by_step, told
            )
    return found


def _features(
    found: Mapping[int, _Found],
    group: Collection[int],
    name: Mapping[str, float],
    weights: Mapping[int, tuple[float, float]],
    learned: float,
) -> Features:
    """What the words of the group say for a flow with these."""
    has = [found[n] for n in group if n in found]
    mass = sum(weights[n][0] for n in group) or 1.0
    steps_mass = sum(weights[n][1] for n in group) or 1.0
    in_name, in_steps = sum(item.name for item in has), sum(item.steps for item in has)
    said_of_name = {item.named for item in has if item.named}
    return (
        in_name / mass,
        sum(name[meant] for meant in said_of_name) / (sum(name.values()) or 1.0),
        sum(item.description for item in has) / mass,
        1.0 if any(item.domain for item in has) else 0.0,
        in_steps / steps_mass,
        in_name / 10,
        in_steps / 10,
        learned,
    )


def _told(found: Mapping[int, _Found], asked: Mapping[int, Asked]) -> tuple[str, ...]:
    """The words that are a reason, as they were written. Beside what tells much, what tells little is none."""
    telling = sorted(
        ((item.told, asked[n].written) for n, item in found.items() if asked[n].telling),
        key=lambda pair: -pair[0],
    )
    return tuple(dict.fromkeys(word for told, word in telling if told > telling[0][0] * LEAST_TOLD))


def _near(item: Asked, words: Sequence[str], language: str) -> str | None:
    """The concept of the name's word that this one is a slip of, if there is one."""
    if len(item.word) < 5 or is_code(item.word):
        return None
    for word in words:
        if (
            len(word) >= 5
            and abs(len(word) - len(item.word)) <= 1
            and item.word[0] == word[0]
            and slips(item.word, word) == 1
        ):
            return concept(word, language)
    return None


def _rarity(flows: int, having: int) -> float:
    return math.log(1 + (flows + 1) / (having + 0.5))
