"""The name of a problem: what several people say of it, in the words of one of them, without whom and where."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from flowpilot.analysis.orders import ENDS, upper_first
from flowpilot.analysis.phrases import MAIL_MARKS
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
MOST_NAMES = 3
NAMELESS = "A problem without a name"
MOST_LISTED = 4  # words, where no text says enough of them one behind the other
LIFTED = (
    2.5  # times as often among the problem's sessions as among the domain's: what is said of all is no name
)

# Of a telling word that all say: what a word is missed that others do not say, and what a small word between is worth.
LOST, MOST_LOST = 0.25, 4
GLUED, MOST_GLUED = 0.05, 3
HEADLESS, STOOD_FOR = (
    0.5,
    0.3,
)  # what a text loses that is left without its subject, or with another word for it
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


# “… does not print”, of which what does not is left out.
_FINITE = """
    does doesnt do dont is isnt are arent was wasnt were werent has hasnt have havent will wont can cant cannot keeps
    gets says shows takes asks needs wants sees hears reports offline
"""
FINITE = frozenset(_FINITE.split())
# How long something takes is said of a problem; when it was is not.
LASTING = frozenset(["second", "seconds", "minute", "minutes", "hour", "hours"])


@dataclass(eq=False)  # a word that is said twice is two of them
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


def problem_names(
    said: Sequence[Said],
    shared: Mapping[str, float],
    names: Collection[str] = (),
    *,
    told: Iterable[str] = (),
    language: str = LANGUAGE,
) -> list[str]:
    """The one of the engineers' texts that says most of what they share, cut down to that, and at most MOST_NAMES - 1
    others that put it differently. names: folded words of people and clients. told: other texts of the sessions, by
    which it is seen what is no name."""
    forbidden = set(names) | _names(said, told)
    texts = dict.fromkeys(text for text, _, _ in said)
    found = [_cut_down(text, shared, forbidden, language) for text in texts]
    kept: dict[str, set[str]] = {}
    for worth, text in sorted(found, key=lambda one: (-round(one[0], 6), len(one[1]))):
        of = {_word(token, language) for token in TOKEN.findall(text)} - FAINT
        is_other = not any(2 * len(of & other) > len(of) for other in kept.values())
        if (
            visible(text)
            and (not kept or (worth > 0 and len(of) > 1 and is_other))
            and len(kept) < MOST_NAMES
        ):
            kept[upper_first(_short(text))] = of
    return list(kept) or [_listed(shared, forbidden)]


def _listed(shared: Mapping[str, float], forbidden: Collection[str]) -> str:
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
            weight = 0.0 if glue or plain in LASTING else shared.get(_word(found[0], language))
        tokens.append(_Token(found[0], text[end : found.start()], weight, glue, named))
        end = found.end()
    lost = LOST * min(MOST_LOST, sum(1 for token in tokens if token.weight is None and not token.named))
    subject = "Device" if DEVICE.match(text) else "User"
    scored = []
    for part in map(_trimmed, _parts(tokens)):
        if not part:
            continue
        worth, said = _worth(part, language) - lost, _joined(part)
        if _lacks_subject(part, tokens):
            if all(token.named for token in tokens[: tokens.index(part[0])]):
                worth, said = worth - STOOD_FOR, f"{subject} {said}"
            else:
                worth -= HEADLESS
        scored.append((worth, said))
    return max(scored, default=(-inf, ""), key=lambda one: one[0])


def _lacks_subject(part: Sequence[_Token], tokens: Sequence[_Token]) -> bool:
    """Whether it goes on in the middle of a sentence, with what somebody or something does that is left out."""
    cut = tokens.index(part[0]) > 0 and not any(mark in part[0].before for mark in f"{MARKS}(")
    return cut and JOINTS.sub("", fold(part[0].text)) in FINITE


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
        while parts[-1] and fold(parts[-1][-1].text) in LEADING:
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
    while part and fold(part[-1].text) in NO_END:
        part = part[:-1]
    while part and fold(part[0].text) in NO_START and JOINTS.sub("", fold(part[0].text)) not in FINITE:
        led = fold(part[0].text) in LEADING
        part = part[1:]
        if led and len(part) > 1 and ":" in part[1].before:  # “from home: …”
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
