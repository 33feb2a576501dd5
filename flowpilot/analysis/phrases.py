"""What engineers write, short and in haste, as a flow says it: steps as orders, results as answers.

Only words are chosen and their form put right; nothing is made up. The rules know English; of another language the
words stay as they were written.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from flowpilot.analysis.words import PALE, PALE_WEIGHT
from flowpilot.matching.concepts import LANGUAGE, concept
from flowpilot.matching.text import stem, terms
from resolutionflow.folding import fold
from resolutionflow.storable import UNSTORABLE, visible

TITLE, LABEL, SOLUTION = 120, 80, 80  # letters at most
SAME_STEP, SAME_ANSWER = 0.6, 0.5  # of the weight of the words of both, from which on they are one
COMPARED = 20  # different ways to say one thing

# Looking at something is another step than doing something to it, whatever else both say.
LOOKING = "check look verify confirm inspect review view test try ping see examine compare ask find monitor"
_LOOKING = LOOKING.split()
_DOING = """
    add adjust advise allow apply approve assign attach block calibrate call change clean clear
    close configure connect copy create cycle deactivate delete deploy disable disconnect download
    edit email empty enable enter exclude explain extend fix flush force free give import increase
    inform install join kill let log make map mark migrate mount move open plug point power press
    print publish purge push put raise re-add reactivate reboot rebuild reconnect recreate refresh
    register reinstall release reload remote remove rename renew repair replace replug reseat resend
    reset resolve restart restore resync retry revoke roll run save scan send set share sign start
    stop swap switch sync take tell toggle trust turn unblock uninstall unlock unplug untick update
    upgrade upload use whitelist wipe
"""
DOING = _DOING.split()
IRREGULAR = {
    "ran": "run",
    "sent": "send",
    "resent": "resend",
    "took": "take",
    "told": "tell",
    "found": "find",
    "made": "make",
    "gave": "give",
    "rebuilt": "rebuild",
    "saw": "see",
    "re-added": "re-add",
}
# Other verbs for the same act.
_SAME = [
    "check look verify confirm inspect review view see examine",
    "restart reboot cycle",
    "clear delete remove purge empty flush clean wipe",
    "replace swap change exchange",
    "sync resync synchronise synchronize",
    "test try",
    "reinstall re-install",
]
SAME_VERB = {stem(verb): stem(words.split()[0]) for words in _SAME for verb in words.split()[1:]}
# What is done once it is solved, and is no step of solving it.
_WRAP_UP = "confirm advise tell inform explain call email close document monitor ask"
WRAP_UP = frozenset(_WRAP_UP.split())

SMALL_START = re.compile(
    r"^(?:(?:i|we|then|and|also|just|have|had|so|next|first|finally|\d+[.)]|[-*•–]+)\s+)+", re.IGNORECASE
)
MAIL_MARKS = re.compile(
    r"^(?:(?:re|fwd?|aw|wg|urgent|ticket|issue|problem|incident|inc)\b\s*(?:#?\d+)?\s*[:\-–]\s*)+",
    re.IGNORECASE,
)
NO = re.compile(
    r"\b(?:no|not|nope|none|never|still|fail(?:s|ed|ing)?|without|same|unchanged|nothing|neither|didnt|doesnt|isnt|wasnt|"
    r"cant|cannot|wont|negative|unsuccessful)\b|n['’]t\b"
)
YES = re.compile(
    r"\b(?:yes|yep|ok|okay|works?|working|worked|fixed|solved|resolved|success(?:ful|fully)?|fine|good|done|sorted|helped|"
    r"positive|gone|back)\b"
)
WORD = re.compile(r"[^\W\d_]{2,}")
ENDS = " \t.,;:!-–"


def _forms(verb: str) -> Iterable[str]:
    if verb.endswith("e"):
        yield from (f"{verb}d", f"{verb[:-1]}ing")
    elif verb.endswith("y") and verb[-2] not in "aeou":
        yield f"{verb[:-1]}ied"
    yield from (f"{verb}{verb[-1]}ed", f"{verb}{verb[-1]}ing", f"{verb}ed", f"{verb}ing", verb)


BASE_OF = {form: verb for verb in [*DOING, *_LOOKING] for form in _forms(verb)} | IRREGULAR


# What is done to anything, or how it is looked at, tells no problem from another.
_USUAL = """
    device phone user client customer colleague idea setting log hour alert monitoring vendor status page ticket cause
    spare service entry permission driver support remote session help way thing problem option default
"""
ACTS = frozenset(map(concept, [*BASE_OF, *_USUAL.split()]))


@lru_cache(maxsize=20_000)
def step_words(title: str, language: str = LANGUAGE) -> Mapping[str, float]:
    """{stem: weight} of a step, by which it is known in other words."""
    words = dict.fromkeys(SAME_VERB.get(word, word) for word in terms(_bare(title), language))
    return {word: PALE_WEIGHT if word in PALE else 1.0 for word in words}


def same_step(one: str, other: str, language: str = LANGUAGE) -> float:
    """How much two steps are one, 0 to 1: from SAME_STEP on they are."""
    if {_manner(one), _manner(other)} == {"look", "do"}:
        return 0.0
    return _overlap(step_words(one, language), step_words(other, language))


def _overlap(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    whole = sum(one.values()) + sum(other.values())
    return 2 * sum(weight for word, weight in one.items() if word in other) / whole if whole else 0.0


@lru_cache(maxsize=20_000)
def _manner(title: str) -> str:
    verb = verb_of(title)
    return "" if verb is None else "look" if verb in _LOOKING else "do"


def verb_of(title: str) -> str | None:
    """The verb that a step begins with, in its plain form; None if it begins otherwise."""
    first = _bare(title).partition(" ")[0]
    return BASE_OF.get(fold(first).strip(ENDS))


def is_looking(title: str) -> bool:
    return _manner(title) == "look"


def is_wrap_up(title: str) -> bool:
    return verb_of(title) in WRAP_UP


def step_title(said: Sequence[str], language: str = LANGUAGE) -> str:
    """The name of a step that was said in these ways: as most said it, else the way that has most in common with the
    others; as an order."""
    return _cut(as_order(_most_typical(said, language)), TITLE) or "Step"


def _most_typical(said: Sequence[str], language: str) -> str:
    """What most said just so or nearly so; of equals the shorter one, then the one that was said first."""
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for text, count in Counter(said).items():
        plain = fold(_bare(text)).strip(ENDS)
        counts[plain] += count
        first.setdefault(plain, text)
    common = counts.most_common(COMPARED)
    words = [step_words(plain, language) for plain, _ in common]

    def typical(n: int) -> tuple[float, int]:
        near = sum(count * _overlap(words[n], other) for other, (_, count) in zip(words, common, strict=True))
        return common[n][1] + near, -len(common[n][0])

    return first[common[max(range(len(common)), key=typical)][0]]


def _bare(title: str) -> str:
    return SMALL_START.sub("", " ".join(title.split()))


def as_order(title: str) -> str:
    """“restarted the spooler.” as “Restart the spooler”."""
    text = _bare(UNSTORABLE.sub("", title)).rstrip(ENDS)
    first, blank, rest = text.partition(" ")
    verb = BASE_OF.get(fold(first).strip(ENDS))
    if verb is not None:
        first = verb
        for link in (" and ", ", ", " then "):  # “cleared the queue and restarted …”
            head, found, tail = rest.partition(link)
            follower, gap, more = tail.partition(" ")
            if found and fold(follower) in BASE_OF:
                rest = f"{head}{link}{BASE_OF[fold(follower)]}{gap}{more}"
    return upper_first(f"{first}{blank}{rest}")


def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """But for a name such as DNS or OneDrive."""
    first = text.split(" ", 1)[0]
    return (
        text if any(char.isupper() or char.isdigit() for char in first[1:]) else text[:1].lower() + text[1:]
    )


class Spelling:
    """How names are written: “OneDrive” and “VPN”, though some wrote “onedrive” and “vpn”."""

    def __init__(self, texts: Iterable[str]) -> None:
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for text, count in Counter(texts).items():
            if not text.isupper():  # shouted
                for word in WORD.findall(text):
                    if any(map(str.isupper, word[1:])):
                        found[word.lower()][word] += count
        self._known = {word: counts.most_common(1)[0][0] for word, counts in found.items()}

    def put_right(self, text: str) -> str:
        return WORD.sub(lambda word: self._known.get(word[0].lower(), word[0]), text)


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return text[: longest - 1].rsplit(" ", 1)[0].rstrip(ENDS)[: longest - 1] + "…"


@lru_cache(maxsize=20_000)
def meaning_of(answer: str) -> str:
    """“yes” or “no” of an answer that says little else, "" of any other."""
    folded = fold(answer)
    if len(folded.split()) > 5:
        return ""
    if NO.search(folded):
        return "no"
    return "yes" if YES.search(folded) else ""


def same_answer(one: str, other: str) -> bool:
    first, second = meaning_of(one), meaning_of(other)
    if first or second:
        return first == second
    words = [dict.fromkeys(terms(text), 1.0) for text in (one, other)]
    return _overlap(*words) >= SAME_ANSWER or fold(one) == fold(other)


def answer_label(said: Sequence[str], most: int = 3) -> str:
    """The results that these words tell, each as most said it, the most frequent first; "" if there is none to see."""
    groups: list[list[str]] = []
    group_of: dict[str, list[str]] = {}
    for text in said:
        if text not in group_of:
            group_of[text] = next((group for group in groups if same_answer(text, group[0])), [])
            if not group_of[text]:
                groups.append(group_of[text])
        group_of[text].append(text)
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
    return upper_first(_cut(UNSTORABLE.sub("", best).strip(ENDS), LABEL))


def solution_line(solutions: Sequence[str], language: str = LANGUAGE) -> str:
    """What solved it, in the words of the one who said most of what the others did; "" where nobody said it shortly."""
    lines = [
        re.split(r"(?<=[a-z0-9)])[.;]\s|\n", text.strip(), maxsplit=1)[0].strip(ENDS) for text in solutions
    ]
    short = [
        UNSTORABLE.sub("", line) for line in lines if visible(line) and len(line) <= SOLUTION and terms(line)
    ]
    return _most_typical(short, language) if short else ""
