"""What came of a step, as sessions answered it: what an answer means, which are one, and how that one is called."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from flowpilot.analysis.orders import ENDS, lower_first, upper_first
from flowpilot.analysis.phrases import cut
from flowpilot.analysis.things import thing
from flowpilot.matching.concepts import LANGUAGE
from flowpilot.matching.text import terms, words
from resolutionflow.folding import fold
from resolutionflow.storable import UNSTORABLE, visible

SOLVED, NOT_SOLVED, ANYTHING_ELSE = "Solved", "Not solved", "Anything else"
YES, NO = "Yes", "No"
LABEL = 80  # letters at most
JOINED = 48  # letters of an option that names more than one answer
FEW_WORDS = 5  # of an answer that may say no more than that, unless it begins so

_NEGATIVE = re.compile(
    r"\b(?:no|not|nope|none|never|still|fail(?:s|ed|ing)?|without|same|unchanged|nothing|neither|didnt|doesnt|isnt|wasnt|"
    r"cant|cannot|wont|negative|unsuccessful|nein|nicht|kein|keine|keinen|nie|non|pas|rien|niet|geen|nee|nao)\b|n['’]t\b"
)
_UNTROUBLED = re.compile(
    r"\b(?:no|without|zero)\s+(?:more\s+|longer\s+|further\s+|new\s+)?(?:errors?|problems?|issues?|drops?|faults?|losse?s?|"
    r"complaints?|warnings?|trouble)\b|\bnothing (?:unusual|wrong|suspicious)\b"
)
# It helped, whatever was asked.
_HELPED = re.compile(
    r"\b(?:works?|working|worked|fixed|solved|resolved|success(?:ful|fully)?|sorted|helped|back|geht|funktioniert|"
    r"klappt|lauft|gelost|behoben|erledigt|marche|fonctionne|regle|funciona|risolto|funziona|werkt|opgelost)\b"
    r"|\b(?:again|wieder)$"
    r"|\b(?:arrive[sd]?|received|(?:came|went|goes|gets) through|(?:re)?connect(?:s|ed)|prints?|printed|sync(?:s|ed)|"
    r"loads|opens|boots|comes? up|came up|shows?|passe[sd])(?: (?:again|now|fine|normally|there|by \w+|for all))?$"
)
# As it should be, which a step may find without having helped.
_RIGHT = re.compile(
    r"\b(?:yes|yep|ok|okay|fine|good|done|right|correct|match(?:es|ed)?|positive|ja|jo|oui|si|sim)\b"
    r"|\b(?:now|(?:is|are) (?:there|up|on|online))$"
)
# What was seen before is seen here, or there is nothing to see.
_TOO = re.compile(r"\b(?:too|as well|auch)$|^(?:dark|dead|down|off|out)$")
_BAD = re.compile(
    r"\b(?:stuck|drops?|hangs?|freezes|crash(?:es|ed)?|locked|jam(?:s|med)?|breaks|down|offline|expired|errors?|black|slow|"
    r"disabled|full|empty|wrong|lost|asks?|prompts?|prompted|messages?|warnings?|popups?|noise|problems?|issues?|faults?|"
    r"happens?|appears?|loops?|spins?|restarts|reboots|disconnects?|hung|blank|dead|dark|missing|kommt|"
    r"(?:comes|came|rolled|went|sent|set) back)\b"
)
_OVER = re.compile(  # “error is gone”, but not “drives are gone”
    r"\b(?:solved|fixed)\b|^(?:(?:it|is|all|now)\b\W*)*gone\b|"
    r"\b(?:errors?|problems?|issues?|faults?|messages?|prompts?|warnings?|popups?|noise|jam|lag|delay)\b.*\bgone\b"
)
_LIMITED = re.compile(r"\b(?:but|except|until|only|partly|sometimes|aber|nur|mais)\b")
_BARE = """
    works working worked work again fine good ok okay yes no now change difference same help helped luck solved resolved
    fixed done nothing still all everything back gone success it any better unchanged happy user ja nein geht wieder
"""
BARE = frozenset(_BARE.split())
_ADDED = re.compile(r"[,;(]| [-–] ")  # what is behind it only adds to what was said
_CLAUSE = re.compile(r"[,;:.–(!]| - | and ")


@lru_cache(maxsize=20_000)
def meaning(answer: str) -> str:
    """“yes” or “no” of an answer that says little else, in whichever language; "" of any other."""
    return _sense(answer)[0]


def says_solved(answer: str) -> bool:
    """Whether it says that what was wrong is right again, not just that something is as it should be."""
    return _sense(answer) == ("yes", True)


@lru_cache(maxsize=20_000)
def _sense(answer: str) -> tuple[str, bool]:
    """What it means, and whether it helped. Of a longer answer the first clause tells that, if it begins with it."""
    whole = " ".join(fold(answer).split())
    is_short = len(whole.split()) <= FEW_WORDS
    told = whole.strip(ENDS) if is_short else _CLAUSE.split(whole, maxsplit=1)[0].strip()
    ways = [way.search(told) for way in (_NEGATIVE, _HELPED, _OVER, _RIGHT)]
    denied, helped, over, right = ways
    if len(told.split()) > FEW_WORDS and all(way is None or way.start() for way in ways):
        return "", False
    if _UNTROUBLED.search(told):
        return "yes", False
    if denied:
        return "no", False
    if helped or over or right:
        mixed = _LIMITED.search(told) or (_BAD.search(told) and not over)
        return ("", False) if mixed else ("yes", bool(helped or over))
    return ("no", False) if _TOO.search(told) else ("", False)


def same_answer(one: str, other: str, language: str = LANGUAGE) -> bool:
    """Whether both mean yes or both no; of answers that tell something else, whether one says nothing that the other
    does not say too. What stands behind a comma only adds to it."""
    first, second = meaning(one), meaning(other)
    if first or second:
        return first == second
    if fold(one).strip(ENDS) == fold(other).strip(ENDS):
        return True
    return _says_less(one, other, language) or _says_less(other, one, language)


def _says_less(one: str, other: str, language: str) -> bool:
    said, whole = _words(one, language), _words(other, language)
    first, *more = _ADDED.split(one, maxsplit=1)
    if more and not _ADDED.search(other):
        said = _words(first, language) or said
    return bool(said) and said <= whole


@lru_cache(maxsize=20_000)
def _words(answer: str, language: str) -> frozenset[str]:
    if language == LANGUAGE:
        return frozenset(map(thing, words(answer)))
    return frozenset(terms(answer, language))


def _is_bare(answer: str) -> bool:
    """Whether it says no more than that it helped, or did not."""
    return bool(meaning(answer)) and BARE.issuperset(words(answer))


def classes(answers: Iterable[str], language: str = LANGUAGE) -> list[list[int]]:
    """Which answers are one, by their places; those without any are one too. The first to be given comes first."""
    found: list[tuple[str, list[int]]] = []
    class_of: dict[str, list[int]] = {}
    for place, answer in enumerate(answers):
        if answer not in class_of:
            same = (
                places for first, places in found if answer and first and same_answer(answer, first, language)
            )
            class_of[answer] = next(same, [])
            if not class_of[answer]:
                found.append((answer, class_of[answer]))
        class_of[answer].append(place)
    return [places for _, places in found]


def label_of(said: Sequence[str], *, helped: bool | None, language: str = LANGUAGE) -> str:
    """The option of those who answered so, "" where nothing can be told. helped: whether they ended with the step,
    None where nobody did and so the step is a question about how things stand."""
    if helped is None:
        label = answer_label(said, language=language)
        return label if len(label) <= JOINED else answer_label(said, most=1, language=language)
    wanted = "yes" if helped else "no"  # of two who did the same, one was not helped by it at once
    fitting = [text for text in said if meaning(text) in ("", wanted)]
    telling = [text for text in fitting if not _is_bare(text)] if helped else fitting
    label = answer_label(telling, most=1 if helped else 3, language=language)
    if not label or _is_bare(label):
        return SOLVED if helped else NOT_SOLVED
    return label if len(label) <= JOINED else answer_label(telling, most=1, language=language)


def answer_label(said: Sequence[str], most: int = 3, language: str = LANGUAGE) -> str:
    """The results that these words tell, each as most said it, the most frequent first; "" if there is none to see."""
    groups = [[said[place] for place in places] for places in classes(said, language)]
    groups.sort(key=lambda group: -len(group))
    labels = list(filter(None, map(_one_label, groups[:most])))
    while len(labels) > 1 and len(", ".join(labels)) > LABEL:
        labels.pop()
    *others, last = labels or [""]
    return upper_first(f"{', '.join(map(lower_first, others))} or {lower_first(last)}" if others else last)


def _one_label(said: Sequence[str]) -> str:
    counts: Counter[str] = Counter()
    for text, count in Counter(said).items():
        counts[fold(text).strip(ENDS)] += count
    plain = [text for text in dict.fromkeys(said) if visible(text) and text.strip(ENDS)]
    if not plain:
        return ""
    best = max(plain, key=lambda text: (counts[fold(text).strip(ENDS)], -len(text)))
    return upper_first(cut(UNSTORABLE.sub("", best).strip(ENDS), LABEL))
