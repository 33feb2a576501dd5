"""How well a flow fits a problem, as a chance of 0..1. Pure: rows in, scores out.

What speaks for a flow are the features of `features_of`, each between 0 and about 1. A flow's weight is the exponential
of their weighted sum, and its chance its share in the weights of all flows and of "none of them", which weighs
exp(NONE). So a flow that fits hardly better than the next one has no high score, however many words it shares. The
weights are fitted on half of the labelled problems: docs/matching.md.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flowpilot.matching.concepts import (
    LANGUAGE,
    concept,
    concepts,
    corrected,
    known_words,
    said,
    slips,
    spaced,
    strength,
)
from flowpilot.matching.index import FlowRow
from flowpilot.matching.text import is_code

MOST_CHARACTERS = 8_000
MOST_WORDS = 32
REPAIRED = 0.7  # what a word counts for that was mended, or is near to one of a flow's name
FEATURES = ("name", "name said", "description", "domain", "steps", "sum of name", "sum of steps", "learned")
WEIGHTS = (1.47, 3.38, 1.94, 0.69, 2.49, 2.67, 2.75, 6.0)
NONE = 3.46

Features = tuple[float, ...]


@dataclass(frozen=True)
class Asked:
    """A word of the problem; `instead` is the place of the word that this one mends, `written` how it stands there."""

    word: str
    concept: str
    weight: float
    written: str
    instead: int | None = None


@dataclass(frozen=True)
class Evidence:
    """What speaks for a flow, and the words of the problem that it has, the most telling first."""

    features: Features
    words: tuple[str, ...]


def read_problem(text: str, language: str = LANGUAGE) -> list[Asked]:
    """The words that are looked for, each concept once, those that say most first. Those at the beginning of a long
    text count for more."""
    found: dict[str, Asked] = {}
    for word in said(text[:MOST_CHARACTERS], language):
        if len(found) == 2 * MOST_WORDS:
            break
        meant = concept(word, language)
        if meant not in found:
            found[meant] = Asked(word, meant, strength(word, language) / (1 + len(found) / 20), spaced(word))
    asked = sorted(found.values(), key=lambda item: -item.weight)[:MOST_WORDS]
    if language == LANGUAGE:
        known = known_words()
        for place, item in enumerate(tuple(asked)):
            repaired = corrected(item.word) if item.word not in known else None
            if repaired and concept(repaired) not in found:
                asked.append(Asked(repaired, concept(repaired), item.weight * REPAIRED, item.written, place))
    return asked


def evidence_of(
    asked: Sequence[Asked],
    rows: Sequence[FlowRow],
    domains: Mapping[UUID, str],
    learned: Mapping[UUID, float],
    language: str = LANGUAGE,
) -> list[Evidence]:
    """What speaks for each of the flows."""
    if not rows:
        return []
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
    by_name = {n: item.weight * _rarity(flows, named.get(n, 0)) for n, item in kept}
    by_step = {n: item.weight * _rarity(flows, inside.get(n, 0)) for n, item in kept}
    usual = max(1.0, sum(row.length for row in rows) / len(rows))
    about = {id_: frozenset(concepts(name, language)) for id_, name in domains.items()}
    return [
        _evidence(
            kept,
            row,
            about.get(row.domain_id, frozenset()) if row.domain_id else frozenset(),
            learned.get(row.id, 0.0),
            by_name,
            by_step,
            usual,
            language,
        )
        for row in rows
    ]


def chances(
    evidence: Sequence[Features], weights: Sequence[float] = WEIGHTS, none: float = NONE
) -> list[float]:
    """The chance of each flow to be the right one; with that of none they make 1."""
    sums = [sum(w * f for w, f in zip(weights, features, strict=True)) for features in evidence]
    top = max([none, *sums])
    powers = [math.exp(value - top) for value in sums]
    whole = sum(powers) + math.exp(none - top)
    return [power / whole for power in powers]


def _evidence(
    kept: Sequence[tuple[int, Asked]],
    row: FlowRow,
    domain: frozenset[str],
    learned: float,
    by_name: Mapping[int, float],
    by_step: Mapping[int, float],
    usual: float,
    language: str,
) -> Evidence:
    name_words = said(row.name, language)
    name = {concept(word, language): strength(word, language) for word in name_words}
    description = {concept(word, language) for word in said(row.description, language)}
    counts: Counter[str] = Counter()
    wanted = {item.concept for _, item in kept}
    for word, count in row.counts.items():
        if (meant := concept(word, language)) in wanted:
            counts[meant] += count
    in_name = in_description = in_domain = in_steps = 0.0
    told: list[tuple[float, str]] = []
    said_of_name: set[str] = set()
    for n, item in kept:
        found = 0.0
        near = item.concept if item.concept in name else _near(item, name_words, language)
        if near:
            part = 1.0 if near == item.concept else REPAIRED
            in_name += part * by_name[n]
            said_of_name.add(near)
            found = 2 * part * by_name[n]
        if item.concept in description:
            in_description += by_name[n]
            found = max(found, by_name[n])
        if item.concept in domain:
            in_domain = 1.0
            found = max(found, by_name[n])
        often = counts[item.concept] or (1 if n in row.within and "." in item.word else 0)
        if often:
            part = often / (often + 1.2 * (0.25 + 0.75 * row.length / usual))
            in_steps += part * by_step[n]
            found = max(found, part * by_step[n] / 2)
        if found:
            told.append((found, item.written))
    mass = sum(by_name.values()) or 1.0
    steps_mass = sum(by_step.values()) or 1.0
    features = (
        in_name / mass,
        sum(name[meant] for meant in said_of_name) / (sum(name.values()) or 1.0),
        in_description / mass,
        in_domain,
        in_steps / steps_mass,
        in_name / 10,
        in_steps / 10,
        learned,
    )
    told.sort(key=lambda pair: -pair[0])
    # beside a word that tells much, those that tell little are no reason
    return Evidence(features, tuple(word for found, word in told if found > told[0][0] / 8))


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
