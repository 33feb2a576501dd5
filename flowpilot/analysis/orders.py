"""What engineers write of what they did, as an order: “restarted the spooler”, “spooler restarted”, “restart of the
spooler” and “spooler restart” all as “Restart the spooler”, with their own words.

The rules know English. What they cannot turn stays as it was written.
"""

import re

from flowpilot.analysis.deeds import BEHIND, SMALL_START, STATES
from flowpilot.analysis.things import is_thing
from flowpilot.analysis.verbs import BASE_OF, NAMED_BY, UNCHANGED, WRAP_UP
from resolutionflow.folding import fold
from resolutionflow.storable import UNSTORABLE

ENDS = " \t.,;:!-–"
WORD = re.compile(r"\S+")
_JOINTS = frozenset(["and", "then", "or", "not"])
PARTICLES = frozenset(["up", "off", "out", "down"])  # go with their verb: “looked up in the menu”
_ARTICLES = frozenset(
    ["the", "a", "an", "all", "any", "each", "that", "which", "if", "whether", "it", "them"]
)
# Verbs that begin a step as a noun too: “test page printed”.
_NOUNS = frozenset(
    ["test", "print", "switch", "log", "share", "scan", "power", "map", "call", "update", "reset"]
)


def verb_of(title: str) -> str | None:
    """The verb that a step begins with, in its plain form; None if it begins otherwise."""
    words = WORD.findall(bare(title))
    if not words or _past_form(words) or _from_noun(words) or is_thing("".join(map(_plain, words[:2]))):
        return None
    return BASE_OF.get(_plain(words[0]))


def is_wrap_up(title: str) -> bool:
    return verb_of(title) in WRAP_UP


def bare(title: str) -> str:
    return SMALL_START.sub("", " ".join(title.split()))


def as_order(title: str) -> str:
    text = bare(UNSTORABLE.sub("", title)).rstrip(ENDS)
    words = WORD.findall(text)
    if not words or text.endswith("?"):
        return upper_first(text)
    if place := _past_form(words):
        return _order(BASE_OF[_plain(words[place])], _without_state(words[:place]), words[place:])
    if named := _from_noun(words):
        return named
    if verb := BASE_OF.get(_plain(words[0])):
        return upper_first(_followed(f"{verb} {' '.join(words[1:])}".rstrip()))
    if state := next((n for n, word in enumerate(words) if n and _plain(word) in STATES), 0):
        return _order("check", words[:state], [""])  # “DNS was wrong”: what is seen when one looks at it
    return upper_first(text)


def as_check(title: str) -> str:
    """A question, where a flow does not ask what came of it: “Is it on?” as “Check: is it on?”."""
    return f"Check: {lower_first(title)}" if title.rstrip().endswith("?") else title


def _past_form(words: list[str]) -> int:
    """Where the verb stands of what was done to what is named before it; 0 if nothing is told in this way."""
    first = _plain(words[0])
    if first in BASE_OF and (first not in _NOUNS or len(words) < 3 or _plain(words[1]) in _ARTICLES | BEHIND):
        return 0
    for place, word in enumerate(words[1:], 1):
        plain, before = _plain(word), words[place - 1]
        behind = _plain(words[place + 1]) if place + 1 < len(words) else ""
        is_past = BASE_OF.get(plain, plain) != plain or plain in UNCHANGED
        if is_past and (word[-1] in ",;" or not behind or behind in BEHIND):
            parted = before[-1] in ",;:" or _plain(before) in _JOINTS
            return 0 if parted or (first in BASE_OF and _plain(before) in STATES) else place
    return 0


def _without_state(words: list[str]) -> list[str]:
    return words[:-1] if len(words) > 1 and _plain(words[-1]) in STATES | {"has", "have", "had"} else words


def _from_noun(words: list[str]) -> str:
    """“Firmware update of the dock” as “Update the firmware of the dock”."""
    for place, word in enumerate(words[:4]):
        last = place + 1 == len(words) or word.endswith(":") or _plain(words[place + 1]) == "of"
        if (verb := NAMED_BY.get(_plain(word))) and last:
            behind = words[place + 1 :]
            if place == 0 and behind:
                return _order(verb, behind[1:] if _plain(behind[0]) == "of" else behind, [""])
            if place and not behind:
                return _order(verb, words[:place], [""])
            if place and word.endswith(":"):
                return _order(verb, words[:place], [":", *behind])
            if place:
                return _order(verb, ["the", lower_first(words[0]), *words[1:place]], ["", *behind])
    return ""


def _order(verb: str, told: list[str], behind: list[str]) -> str:
    """`behind` begins with the verb as it was written, whose mark stays."""
    if len(behind) > 1 and behind[1].casefold() in PARTICLES:
        verb, behind = f"{verb} {behind[1]}", [behind[0], *behind[2:]]
    mark = behind[0][-1:] if behind[0][-1:] in (",", ";", ":") else ""
    first, *rest = told or [""]
    first = lower_first(first)
    line = " ".join([first, *rest]).strip()
    return upper_first(" ".join(filter(None, [verb, line + mark, *behind[1:]])))


def _followed(text: str) -> str:
    """“clear the queue and restarted …” with the second verb as an order too."""
    for link in (" and ", ", ", " then "):
        head, found, tail = text.partition(link)
        follower, gap, more = tail.partition(" ")
        if found and (verb := BASE_OF.get(_plain(follower))):
            text = f"{head}{link}{verb}{gap}{more}"
    return text


def _plain(word: str) -> str:
    return fold(word).strip(ENDS)


def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """But for a name such as DNS or OneDrive."""
    first = text.split(" ", 1)[0]
    named = any(char.isupper() or char.isdigit() for char in first[1:])
    return text if named else text[:1].lower() + text[1:]
