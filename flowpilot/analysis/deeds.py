"""What is done in a step: its acts (`verbs.py`), and the things that it is done to (`things.py`).

In other languages than English only the stems of its words are known.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from flowpilot.analysis.things import SLIGHT, joined, thing, weight_of
from flowpilot.analysis.verbs import ACT_OF, AROUND, BASE_OF, NOUN_OF, UNCHANGED
from flowpilot.matching.concepts import LANGUAGE
from flowpilot.matching.text import FILLER, terms
from resolutionflow.folding import fold

WHO = re.compile(
    r"\b(?:(?:had|let|asked|told|got|made|by|with|together with|from) (?:the |a )?"
    r"(?:user|client|customer|caller|colleague|them|him|her)\b(?:['’]s)?(?: to\b)?|"
    r"(?:the |this )?(?:user|client|customer)['’]s\b)"
)
ASIDE = re.compile(r"\([^)]*\)")
POSSESSIVE = re.compile(r"['’]s?(?=\s|$)")
TOKEN = re.compile(r"[^\W_]+(?:[.'’/&+-][^\W_]+)*|[,;:.?]")
SMALL_START = re.compile(
    r"^(?:(?:(?:i|we)(?:['’]ve| have| had)?|then|and|also|just|so|next|first|finally|\d+[.)]|[-*•–]+)\s+)+",
    re.IGNORECASE,
)
PARTED = frozenset([",", ";", ":", "and", "then", "or"])
ARTICLES = frozenset(["the", "a", "an", "its", "their", "this", "that"])
STATES = frozenset(["was", "were", "is", "are", "being", "been"])
# A past form is an act where one of these, or nothing, stands behind it; else it tells what kind of thing it is.
_BEHIND = """
    again up off on back out in into to at by from with for and or then against over of until after before as via anew
    successfully , ; : .
"""
BEHIND = frozenset(_BEHIND.split())
_LEADING = "at for on of in from with to by via into onto using as after before behind that"
LEADING = frozenset(_LEADING.split())
LINKS = LEADING | {"and", "or"}
# “turned … off”, “signed … out”: a verb, the words that stand beside it, and the act that they are together.
_PHRASES = """
    switch,turn off on = restart
    switch,turn,set,toggle off,false = disable
    switch,turn,set,toggle on,true = enable
    sign,log out,off = signout
    sign,log in,on = signin
    take,put out back,again,anew = again
    open port,ports,udp,tcp = allow
    roll back = rollback
    set up = add
    set,change,switch,turn,put to = set
    clean up = remove
    add,create,make,open,connect,register,map,join,assign again,anew,afresh,newly = again
    set,create,put,enter,add,make new,newest,latest = renew
    start again = restart
    run,start without = test
    test,try another,different = renew
"""


def _phrases() -> Iterator[tuple[frozenset[str], list[frozenset[str]], str]]:
    for line in _PHRASES.strip().splitlines():
        words, _, act = line.strip().partition(" = ")
        verbs, *beside = (frozenset(some.split(",")) for some in words.split())
        yield verbs, beside, act


PHRASES = list(_phrases())
# Cutting the power is one act, whatever verb it is put in: one of the first with one of the second.
POWER = frozenset(["power", "mains", "second", "seconds", "minute", "minutes", "sec"])
CUT = frozenset(["off", "out", "without", "unplug", "disconnect", "pull", "pulled", "cut", "cycle", "cycled"])
PLUGS = frozenset(["supply", "unplugged", "plugged", "usb-c"])
KEPT_ON = frozenset(["saving", "plan", "options", "option", "management", "settings"])


class Deed(NamedTuple):
    """`things` with their weights; `heads` are those that it is done to, but for what tells where and with what."""

    acts: frozenset[str]
    things: Mapping[str, float]
    heads: frozenset[str]


@lru_cache(maxsize=20_000)
def deed(title: str, language: str = LANGUAGE) -> Deed:
    text = fold(SMALL_START.sub("", " ".join(title.split())))
    if language != LANGUAGE:
        return Deed(frozenset(), {word: weight_of(word) for word in terms(text, language)}, frozenset())
    for aside in (ASIDE, WHO, POSSESSIVE):
        text = aside.sub(" ", text)
    tokens = TOKEN.findall(joined(text))
    places = dict(_verbs(tokens))
    if set(places.values()) <= AROUND:
        places |= {place: NOUN_OF[token] for place, token in enumerate(tokens) if token in NOUN_OF}
    acts = _acts(tokens, places)
    things = _things(tokens, places, acts)
    return Deed(acts, things, _heads(tokens, places, things))


def _verbs(tokens: Sequence[str]) -> list[tuple[int, str]]:
    """Where what is done stands, and the verb of it: the first word, and past forms."""
    found: list[tuple[int, str]] = []
    for place, token in enumerate(tokens):
        base = BASE_OF.get(token)
        before = tokens[place - 1] if place else ""
        behind = tokens[place + 1] if place + 1 < len(tokens) else "."
        is_past = (base != token or token in UNCHANGED) and before not in ARTICLES
        if base is None:
            # At either end any word that ends as a past form does is taken for one.
            at_end = place in (0, len(tokens) - 1) and before not in STATES
            if at_end and len(token) > 5 and token.endswith("ed"):
                found.append((place, token))
        elif place == 0 or (is_past and (before in PARTED or (behind in BEHIND and before not in STATES))):
            found.append((place, base))
    if len(found) > 1 and found[0] == (0, tokens[0]) and tokens[found[1][0] - 1] not in PARTED:
        del found[0]  # “Print head and sensor cleaned”: a thing, not an act
    return found


def _with_phrases(acts: set[str], bases: set[str], words: set[str]) -> set[str]:
    """The acts, where a verb and what stands beside it are one of their own."""
    if words & POWER and (words | bases) & CUT and not words & KEPT_ON and not bases & {"sign", "log"}:
        return {"restart"}
    for verbs, beside, act in PHRASES:
        if (told := bases & verbs) and all(words & some for some in beside):
            if act != "renew":  # which is so besides
                acts = acts.difference(*(ACT_OF[verb] for verb in told))
            acts |= {act}
    if "restart" in acts and bases & {"switch", "turn"} and {"off", "on"} <= words:
        acts = acts - {"enable", "disable"}  # off and on again is one act
    # Taken away and made anew is no taking away.
    if "remove" in acts and acts & {"again", "add", "renew", "map"} and not bases <= {"reinstall"}:
        acts = acts - {"remove", "add", "renew"} | {"again"}
    return acts


def _acts(tokens: Sequence[str], places: Mapping[int, str]) -> frozenset[str]:
    words, bases = set(tokens), set(places.values())
    acts = {act for base in bases - AROUND for act in ACT_OF.get(base, (base,))}
    acts = _with_phrases(acts, bases, words)
    if tokens and tokens[-1] == "?":
        acts = {"look"}
    elif not acts and words & STATES:
        acts = {"look"}  # what was found, said as a step: “DNS was wrong”
    elif not acts and words & {"same", "another", "different"}:
        acts = {"test"}  # “same laptop at another dock”
    elif not acts and "new" in words:
        acts = {"renew"}
    return frozenset(acts)


def _things(tokens: Sequence[str], places: Mapping[int, str], acts: frozenset[str]) -> dict[str, float]:
    power = "restart" in acts and bool(set(tokens) & POWER)
    found: dict[str, float] = {}
    for place, token in enumerate(tokens):
        is_act = place in places or (token in NOUN_OF and set(ACT_OF[NOUN_OF[token]]) & acts)
        if is_act or not token[0].isalnum() or token in FILLER or token in SLIGHT:
            continue
        if place and tokens[place - 1] in STATES:
            continue
        if power and (token.isdigit() or token in POWER | CUT | PLUGS):
            continue
        found[thing(token)] = weight_of(thing(token))
    return found


def _heads(tokens: Sequence[str], places: Mapping[int, str], things: Mapping[str, float]) -> frozenset[str]:
    """The last thing of the text, and behind each further verb, before what leads to where, with what or for whom."""
    heads, head, led = set(), "", False
    for place, token in enumerate(tokens):
        if place in places or token in LINKS or not token[0].isalnum():
            if head and not led:
                heads.add(head)
            head, led = "", token in LEADING
        elif thing(token) in things:
            head = thing(token)
    if head and (not led or not heads):
        heads.add(head)
    return frozenset(head for head in heads if things[head] == 1.0)
