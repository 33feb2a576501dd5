"""The name of a problem: what several people say of it, in the words of one of them, without whom and where."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from flowpilot.analysis.phrases import ENDS, MAIL_MARKS, upper_first
from flowpilot.analysis.words import (
    ADDRESS,
    DEVICE,
    FAINT,
    PLACES,
    SHORT_NUMBER,
    TITLED,
    WHEN,
    bare,
    known_concepts,
    names_in,
)
from flowpilot.matching.concepts import LANGUAGE, concept
from flowpilot.matching.text import FILLER, JOINTS
from resolutionflow.folding import fold
from resolutionflow.storable import UNSTORABLE, visible

LONGEST = 90  # letters
NAMELESS = "A problem without a name"
MOST_LISTED = 4  # words, where no text says enough of them one behind the other
LIFTED = (
    2.5  # times as often among the problem's sessions as among the domain's: what is said of all is no name
)

# Of a telling word that all say: what a word is missed that others do not say, and what a small word between is worth.
LOST, MOST_LOST = 0.25, 4
GLUED, MOST_GLUED = 0.05, 3
SELDOM = 0.2  # of the sessions: a word that no more say is worth nothing
MARKS = ",;:.–-)"

TOKEN = re.compile(r"[^\W_]+(?:[.'’/&+-][^\W_]+)*")
# What leads to the next word, and has no sense without it.
_LEADING = """
    at for of by in from on to with the a an my our their his her your this that since after before until till and or
    but near beside into onto as via over under during between is are was
"""
LEADING = frozenset(_LEADING.split())
_NO_END = "it its he she they we i has have had be been who which when where if so then every few"
NO_END = LEADING | frozenset(_NO_END.split())
_NO_START = """
    and or so then he she it they we i is are was has have had be been of for at by in to with who which but since after
    from because
"""
NO_START = frozenset(_NO_START.split())


class Said(NamedTuple):
    """A problem's text, and who wrote it."""

    text: str
    engineer: object
    session: object


@dataclass
class _Token:
    text: str
    before: str  # what stands between it and the one before
    weight: float | None  # None of what must not stand in a name
    glue: bool
    named: bool


def shared_words(
    said: Sequence[Said], often: Callable[[str], float], language: str = LANGUAGE
) -> dict[str, float]:
    """{word: share} of what two engineers say, or where only one solved it, of two sessions. `often` tells in what
    share of the domain's other sessions a word is."""
    engineers: dict[str, set[object]] = defaultdict(set)
    sessions: dict[str, set[object]] = defaultdict(set)
    for text, engineer, session in said:
        for token in TOKEN.findall(bare(text)):
            word = _word(token, language)
            engineers[word].add(engineer)
            sessions[word].add(session)
    people = len({engineer for _, engineer, _ in said})
    shared = {}
    for word, of in sessions.items():
        share = len(of) / len(said)
        enough = len(of) >= 2 and (people == 1 or len(engineers[word]) >= 2)
        if enough and word not in WHEN and word not in PLACES and not SHORT_NUMBER.fullmatch(word):
            if word in FAINT:
                shared[word] = 0.1 * share
            elif share >= LIFTED * often(word):
                shared[word] = share - SELDOM
            elif word in known_concepts():
                shared[word] = 0.1 * share
    return shared


def problem_name(
    said: Sequence[Said],
    shared: Mapping[str, float],
    names: Collection[str] = (),
    *,
    told: Iterable[str] = (),
    language: str = LANGUAGE,
) -> str:
    """The one of the engineers' texts that says most of what they share, cut down to that. names: folded words of
    people and clients. told: other texts of the sessions, by which it is seen what is no name."""
    forbidden = set(names) | _names(said, told)
    texts = dict.fromkeys(text for text, _, _ in said)
    found = [_cut_down(text, shared, forbidden, language) for text in texts]
    best = max(found, key=lambda one: (round(one[0], 6), -len(one[1])), default=(-inf, ""))
    if visible(best[1]):
        return upper_first(_short(best[1]))
    telling = [word for word in shared if word not in forbidden and word not in FAINT]
    listed = sorted(telling, key=lambda word: (-shared[word], word))[:MOST_LISTED]
    return upper_first(", ".join(listed)) or NAMELESS


def _names(said: Sequence[Said], told: Iterable[str]) -> set[str]:
    """Words that the texts only have with a capital, where a name would stand."""
    found: set[str] = set()
    small: set[str] = set()
    for text in {*(text for text, _, _ in said), *told}:
        found |= names_in(text, alone=True)
        small.update(token for token in TOKEN.findall(text) if token[0].islower())
    return found - set(map(fold, small))


def _cut_down(
    text: str, shared: Mapping[str, float], forbidden: Collection[str], language: str
) -> tuple[float, str]:
    """How much it says, and the longest of its parts that has nothing but shared words."""
    text = MAIL_MARKS.sub("", UNSTORABLE.sub("", " ".join(text.split())))
    out = [
        span for mark in (ADDRESS, DEVICE, TITLED) for span in (found.span() for found in mark.finditer(text))
    ]
    tokens: list[_Token] = []
    end = 0
    for found in TOKEN.finditer(text):
        weight: float | None = None
        plain = fold(found[0])
        glue = JOINTS.sub("", plain) in FILLER
        inside = any(start < found.end() and found.start() < stop for start, stop in out)
        named = plain in forbidden or JOINTS.split(plain)[0] in forbidden
        named = inside or (named and found[0][0].isupper())
        if not named:
            weight = 0.0 if glue else shared.get(_word(found[0], language))
        tokens.append(_Token(found[0], text[end : found.start()], weight, glue, named))
        end = found.end()
    parts = _parts(tokens)
    lost = LOST * min(MOST_LOST, sum(1 for token in tokens if token.weight is None and not token.named))
    scored = [(_worth(part, language) - lost, _joined(part)) for part in map(_trimmed, parts) if part]
    return max(scored, default=(-inf, ""), key=lambda one: one[0])


def _parts(tokens: Sequence[_Token]) -> list[list[_Token]]:
    """The runs of what may stand in a name. “at the annexe” goes with its preposition and breaks nothing; a word that
    the sentence needs parts it."""
    parts: list[list[_Token]] = [[]]
    away = False
    for token in tokens:
        if token.weight is not None:
            if away and parts[-1] and any(mark in token.before for mark in MARKS):
                token.before = ", "
            elif away:
                token.before = " "
            parts[-1].append(token)
            away = False
            continue
        led = False
        while parts[-1] and parts[-1][-1].glue and fold(parts[-1][-1].text) in LEADING:
            parts[-1].pop()
            led = True
        if not (led or away or "(" in token.before):
            if not any(mark in token.before for mark in MARKS):
                _drop_half(parts[-1])
            parts.append([])
        away = True
    return parts


def _drop_half(part: list[_Token]) -> None:
    """“since password” of “since password change”: half of what the preposition leads to."""
    if len(part) > 1 and not part[-1].glue and part[-2].glue and fold(part[-2].text) in LEADING:
        del part[-2:]


def _trimmed(part: list[_Token]) -> list[_Token]:
    while part and part[-1].glue and fold(part[-1].text) in NO_END:
        part = part[:-1]
    while part and part[0].glue and fold(part[0].text) in NO_START:
        part = part[1:]
    return part if any(not token.glue for token in part) else []


def _worth(part: Sequence[_Token], language: str) -> float:
    said = {_word(token.text, language): token.weight or 0.0 for token in part}
    glue = sum(token.glue for token in part)
    return (
        sum(said.values())
        + GLUED * min(MOST_GLUED, glue)
        - 0.004 * max(0, sum(len(token.text) + 1 for token in part) - 60)
    )


def _joined(part: Sequence[_Token]) -> str:
    text = part[0].text + "".join(f"{token.before}{token.text}" for token in part[1:])
    if text.count("(") == text.count(")") + 1:
        text += ")"
    for one, other in ("()", "[]", '""', "“”"):
        if text.count(one) != text.count(other) or (one == other and text.count(one) % 2):
            text = text.replace(one, "").replace(other, "")
    return " ".join(text.split()).strip(ENDS)


def _word(token: str, language: str) -> str:
    return concept(JOINTS.sub("", fold(token)), language)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rsplit(" ", 1)[0].rstrip(ENDS) + "…"
