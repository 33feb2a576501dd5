"""The parts of a text that may each be a problem of its own: a mail often holds two.

Sentences and lines, and in English what "and also" joins. A part that says too little goes with the one before it; of
many parts those that lie beside each other and say least are put together.
"""

import re
from collections.abc import Collection

from flowpilot.matching.concepts import LANGUAGE, concept, said, strength

MOST_PARTS = 5
LEAST_WORDS = 2  # that say something, of a part that stands alone
BREAKS = re.compile(r"(?<=[.!?;])\s+|\s*\n\s*|\s[-–—]\s")
JOINS = re.compile(
    r"(?<=[.!?;])\s+|\s*\n\s*|\s[-–—]\s|,?\s+(?:and|plus)\s+also\s+|,\s*(?:and|also|plus|besides)\s+|\s+also\s+",
    re.IGNORECASE,
)


def parts_of(text: str, concepts: Collection[str], language: str = LANGUAGE) -> list[frozenset[str]]:
    """Which of the concepts stand in which part of the text. Empty where it has one part only."""
    pieces = (JOINS if language == LANGUAGE else BREAKS).split(text)
    found: list[dict[str, float]] = []
    for piece in pieces:
        words = {}
        for word in said(piece, language):
            meant = concept(word, language)
            if meant in concepts:
                words[meant] = strength(word, language)
        if found and (_says(words) < LEAST_WORDS or _says(found[-1]) < LEAST_WORDS):
            found[-1] |= words
        else:
            found.append(words)
    if len(found) > 1 and _says(found[-1]) < LEAST_WORDS:
        last = found.pop()
        found[-1] |= last
    while len(found) > MOST_PARTS:
        n = min(range(len(found) - 1), key=lambda n: _says(found[n]) + _says(found[n + 1]))
        found[n : n + 2] = [found[n] | found[n + 1]]
    return [frozenset(words) for words in found] if len(found) > 1 else []


def _says(words: dict[str, float]) -> float:
    return sum(weight for weight in words.values() if weight >= 1)
