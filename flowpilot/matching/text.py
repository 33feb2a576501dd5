"""The words of a problem, as they are compared: folded, without filler, cut down to their stems."""

import re
from functools import lru_cache
from typing import Any

import snowballstemmer

from resolutionflow.folding import fold

# A word, or a code such as 0x80070035, 5.7.1 or KB5034441; "wi-fi" and "sign-in" are one word.
TOKEN = re.compile(r"[^\W_]+(?:[.'’-][^\W_]+)*")
JOINTS = re.compile(r"['’-]")
FILLER = frozenset(
    """
    a about after again all also am an and any are as at be because been before being but by can cannot could did do does
    doing dont down during each for from further get gets getting got had has have having he her here him his how i if in
    into is it its just me more most my no nor not now of off on once only or other our out over own please same she so
    some still such than thanks that the their them then there these they this those through to too under until up very
    was we were what when where which while who why will with would you your hi hello regards dear team
    """.split()
)


def terms(text: str, language: str = "english") -> list[str]:
    """The words that tell what a text is about, in their order, as often as they stand there.

    Case, accents, endings and filler do not count; codes stay whole. language: one that Snowball has stems for, else
    words stay as they are.
    """
    found = []
    for token in TOKEN.findall(fold(text)):
        word = JOINTS.sub("", token)
        if word not in FILLER and (len(word) > 1 or word.isdigit()):
            found.append(stem(word, language))
    return found


@lru_cache(maxsize=100_000)
def stem(word: str, language: str = "english") -> str:
    """The stem of one folded word; a word with a digit in it is a code and stays whole."""
    stemmer = _stemmer(language)
    return word if stemmer is None or any(map(str.isdigit, word)) else stemmer.stemWord(word)


@lru_cache
def _stemmer(language: str) -> Any:
    return snowballstemmer.stemmer(language) if language in snowballstemmer.algorithms() else None
