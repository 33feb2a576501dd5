"""The words of a problem, as they are compared: folded, without filler, cut down to their stems."""

import re
from functools import lru_cache
from threading import Lock
from typing import Any

import snowballstemmer

from resolutionflow.folding import fold

# A word, or a code such as 0x80070035, 5.7.1 or KB5034441; "wi-fi" and "sign-in" are one word.
TOKEN = re.compile(r"[^\W_]+(?:[.'’-][^\W_]+)*")
JOINTS = re.compile(r"['’-]")
DIGIT = re.compile(r"\d")
LONGEST = 60  # letters of a word; what is longer is a key, a link or a file, and no word of a problem
_FILLER = (
    "a about after again all also am an and any are as at be because been before being but by can cannot could "
    "did do does doing dont down during each for from further get gets getting got had has have having he her "
    "here him his how i if in into is it its just me more most my no nor not now of off on once only or other "
    "our out over own please same she so some still such than thanks that the their them then there these they "
    "this those through to too under until up very was we were what when where which while who why will with "
    "would you your hi hello regards dear team arent cant couldnt didnt doesnt hadnt hasnt havent id im isnt ive shes "
    "thats theyre wasnt werent weve wont wouldnt youre"
)
FILLER = frozenset(_FILLER.split())
_stemming = Lock()  # a stemmer keeps the word it works on in itself


def terms(text: str, language: str = "english") -> list[str]:
    """The words that tell what a text is about, in their order, as often as they stand there.

    Case, accents, endings and filler do not count; codes stay whole. language: one that Snowball has stems for, else
    words stay as they are. Any number of threads may ask.
    """
    return [stem(word, language) for word in words(text)]


def words(text: str) -> list[str]:
    """The same words before they are cut down to their stems."""
    found = (JOINTS.sub("", token) for token in TOKEN.findall(fold(text)))
    return [
        word
        for word in found
        if word not in FILLER and len(word) <= LONGEST and (len(word) > 1 or word.isdigit())
    ]


def written(text: str) -> dict[str, str]:
    """The words of a text, and how each of them stands there first: "Wi-Fi" for "wifi"."""
    found: dict[str, str] = {}
    for token in TOKEN.findall(text):
        found.setdefault(JOINTS.sub("", fold(token)), token)
    return found


@lru_cache(maxsize=100_000)
def stem(word: str, language: str = "english") -> str:
    """The stem of one folded word; a word with a digit in it is a code and stays whole."""
    if is_code(word):
        return word
    with _stemming:
        stemmer = _stemmer(language)
        return word if stemmer is None else stemmer.stemWord(word)


def is_code(word: str) -> bool:
    return DIGIT.search(word) is not None


@lru_cache
def _stemmer(language: str) -> Any:
    return snowballstemmer.stemmer(language) if language in snowballstemmer.algorithms() else None
