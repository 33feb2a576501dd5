"""Whether two texts are about the same problem: the one criterion that grouping, filing again and the back-test share.

A problem is known by its words with weights: how many of its sessions say a word, and how rare the word is in the
account. A text is about it when its own words are among the heavy ones. Words that it has besides do no harm up to a
point: an engineer's text is short, a pasted mail is long.
"""

from collections.abc import Collection, Mapping
from heapq import nlargest
from math import log

ABOUT = (
    0.42  # of the weight that so many words could have at most, what a text about the problem has at least
)
FEWEST, MOST = 3, 12  # words that a text counts as having, however short or long it is
MOST_TERMS = 40  # kept with a proposal

# Stems that every other ticket has. They say little in an account whose few sessions cannot tell that yet.
_PALE = """
    user custom client person colleagu staff issu problem error work check see look call ticket tri fix report say said
    tell ask need want help new use open then still cant cannot wont doesnt didnt isnt not pc comput machin today
    yesterday morn sinc now ok okay done start stop show messag system thing someth anyth noth urgent asap
"""
PALE = frozenset(_PALE.split())


def is_about(problem_terms: Collection[str], evidence_terms: Mapping[str, float]) -> bool:
    """Whether a text with these words (flowpilot.matching.text.terms) is about the problem that `evidence_terms`, the
    `terms` of a proposal's evidence, tell of."""
    words = set(problem_terms)
    shared = sum(1 for word in words if evidence_terms.get(word, 0) > 0)
    # One word that both happen to have is too little, unless one of them has no more.
    enough = 2 if min(len(words), len(evidence_terms)) > 1 else 1
    return shared >= enough and likeness(words, evidence_terms) >= ABOUT


def likeness(problem_terms: Collection[str], evidence_terms: Mapping[str, float]) -> float:
    """How much of the problem's weight the text has, 0 to 1, measured by the heaviest of so many words."""
    words = set(problem_terms)
    count = min(max(len(words), FEWEST), MOST)
    most = sum(nlargest(count, evidence_terms.values()))
    if most <= 0:
        return 0.0
    return min(1.0, sum(evidence_terms.get(word, 0.0) for word in words) / most)


def rarity(word: str, *, having: int, of: int) -> float:
    """How much a word tells that so many sessions of so many have. Twenty sessions are taken for granted, so that a
    new account does not take what its first three problems share for common."""
    return log(1 + (of + 20) / (having + 2)) * (0.25 if word in PALE else 1)
