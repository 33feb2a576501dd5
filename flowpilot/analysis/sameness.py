"""When two steps are one, in whatever words: the same act on the same thing.

A step is read as its acts, which `verbs.py` lists, and the things that it is done to, other words for one thing being
one (below, and `flowpilot.matching.concepts`). In other languages than English only the stems of its words are known.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from flowpilot.analysis.verbs import ACT_OF, AROUND, BASE_OF, NOUN_OF, UNCHANGED
from flowpilot.analysis.words import PALE, PALE_WEIGHT
from flowpilot.matching.concepts import LANGUAGE, concept
from flowpilot.matching.text import FILLER, stem, terms
from resolutionflow.folding import fold

SAME_STEP = 0.6  # of the weight of the things of both, from which on they are one
SAME_ACT = 0.08  # what the same act adds to that
LOOKING_ACTS = frozenset(["look", "test"])
SAYS_LESS = 0.7  # where all that one says, the other says too

# Each line is one thing, named by its first word; two words with an underscore between them stand one behind the other.
SAME_THING = """
    dock docking_station docking
    accesspoint ap access_point
    router modem
    screen screens monitor monitors display displays
    graphics_driver display_driver video_driver
    network_cable patch_cable lan_cable ethernet_cable
    eventlog event_viewer event_log event_logs
    memory ram
    wifi wi-fi_network wifi_network wlan_network
    ad active_directory
    password pw pwd passwort
    portal admin_center admin_centre console
    clock time
    pbx phone_system
    permission permissions right rights
    temp temporary
    entry record
    default standard
    drive disk disks drives
    vm virtual_machine virtual
    cable lead cord
    app application program
    size limit quota space
    vendor provider manufacturer supplier
    browser chrome edge firefox web
    toner cartridge toner_cartridge
    mailbox box
    spam junk junk_folder junk_mail spam_folder
    group security_group
    testpage test_page test_print
    testmessage test_message test_mail test_email
    testcall test_call test_calls
    print prints printing
    shared
    phone handset
    mapped
    monitoring
"""
# Which one, how long, and who it was: nothing of what was done.
_SLIGHT = """
    again new newest latest old right correct wrong broken bad different another missing same back last current present one ones kept
    second seconds sec minute minutes hour hours half day night user users client customer caller colleague neighbour
    really quickly manually properly via using without show shows that whether false true
    up anew afresh first then two three s m gb mb
"""
SLIGHT = frozenset(_SLIGHT.split())
WHO = re.compile(
    r"\b(?:(?:had|let|asked|told|got|made|by|with|together with|from) (?:the |a )?"
    r"(?:user|client|customer|caller|colleague|them|him|her)\b(?:['’]s)?(?: to\b)?|(?:the |this )?(?:user|client|customer)['’]s\b)"
)
ASIDE = re.compile(r"\([^)]*\)")
POSSESSIVE = re.compile(r"['’]s?(?=\s|$)")
TOKEN = re.compile(r"[^\W_]+(?:[.'’/&+-][^\W_]+)*|[,;:.?]")
SMALL_START = re.compile(
    r"^(?:(?:(?:i|we)(?:['’]ve| have| had)?|then|and|also|just|so|next|first|finally|\d+[.)]|[-*•–]+)\s+)+",
    re.IGNORECASE,
)
# What nearly everything has, so that it tells little of what was done to.
_FAINT = "service setting status installation menu account list system tool connection level state result outcome stand"
FAINT = PALE | frozenset(map(stem, _FAINT.split()))
STATES = frozenset(["was", "were", "is", "are", "being", "been"])
# A past form is an act where one of these, or nothing, stands behind it; else it tells what kind of thing it is.
_BEHIND = """
    again up off on back out in into to at by from with for and or then against over of until after before as via anew
    successfully , ; : .
"""
BEHIND = frozenset(_BEHIND.split())
LINKS = frozenset(
    [
        "at",
        "for",
        "on",
        "of",
        "in",
        "from",
        "with",
        "to",
        "by",
        "via",
        "into",
        "onto",
        "and",
        "or",
        "using",
        "as",
        "after",
        "before",
        "behind",
        "that",
    ]
)
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
    clean up = remove
    add,create,make,open,connect,register,map,join,assign again,anew,afresh,newly = again
    set,create,put,enter,add,make new,newest,latest = renew
    start again = restart
    run,start without = test
    test,try another,different = renew
"""
PHRASES = [
    (
        frozenset(words.split()[0].split(",")),
        [frozenset(beside.split(",")) for beside in words.split()[1:]],
        act.strip(),
    )
    for words, _, act in (line.partition(" = ") for line in _PHRASES.strip().splitlines())
]
# Cutting the power is one act, whatever verb it is put in: one of the first with one of the second.
POWER = frozenset(["power", "mains", "second", "seconds", "minute", "minutes", "sec"])
LEADING = LINKS - {"and", "or"}
CUT = frozenset(["off", "out", "without", "unplug", "disconnect", "pull", "pulled", "cut", "cycle", "cycled"])
KEPT_ON = frozenset(["saving", "plan", "options", "option", "management", "settings"])


class Deed(NamedTuple):
    """`things` with their weights; `heads` are those that it is done to, but for what tells where and with what."""

    acts: frozenset[str]
    things: Mapping[str, float]
    heads: frozenset[str]


def same_step(one: str, other: str, language: str = LANGUAGE) -> float:
    """How much two steps are one, 0 to 1: from SAME_STEP on they are."""
    first, second = deed(one, language), deed(other, language)
    shared = first.acts & second.acts
    if first.acts and second.acts and not shared:
        return 0.0
    if not first.things and not second.things:
        return 1.0 if first.acts == second.acts and first.acts else 0.0
    for a, b in ((first, second), (second, first)):
        if a.heads and not a.heads & b.things.keys():
            return 0.0
    alike = overlap(first.things, second.things) + (SAME_ACT if shared else 0.0)
    fewer, more = sorted((first.things.keys(), second.things.keys()), key=len)
    if shared and len(fewer) > 1 and fewer <= more:
        alike = max(alike, SAYS_LESS)
    return min(alike, 1.0)


def only_looks(title: str) -> bool:
    """Whether the step looks or tests, and changes nothing."""
    acts = deed(title).acts
    return bool(acts) and acts <= LOOKING_ACTS


def asks_nothing(title: str) -> bool:
    """Whether it is a question about what came of the step before: it names nothing itself (“What is the result?”)."""
    return title.rstrip().endswith("?") and not any(weight == 1.0 for weight in deed(title).things.values())


def is_same_step(one: str, other: str, language: str = LANGUAGE) -> bool:
    return same_step(one, other, language) >= SAME_STEP


def overlap(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The share of the weight of both that both have."""
    whole = sum(one.values()) + sum(other.values())
    return 2 * sum(weight for word, weight in one.items() if word in other) / whole if whole else 0.0


def step_words(title: str, language: str = LANGUAGE) -> Mapping[str, float]:
    """{word: weight} by which steps that may be one are found: its things, or its acts if it names none."""
    told = deed(title, language)
    return told.things or dict.fromkeys(told.acts, 1.0)


@lru_cache(maxsize=20_000)
def deed(title: str, language: str = LANGUAGE) -> Deed:
    text = fold(SMALL_START.sub("", " ".join(title.split())))
    if language != LANGUAGE:
        return Deed(frozenset(), {word: _weight(word) for word in terms(text, language)}, frozenset())
    for aside in (ASIDE, WHO, POSSESSIVE):
        text = aside.sub(" ", text)
    tokens = TOKEN.findall(_joined(text))
    places = dict(_verbs(tokens))
    if set(places.values()) <= AROUND:
        places |= {place: NOUN_OF[token] for place, token in enumerate(tokens) if token in NOUN_OF}
    acts = _acts(tokens, places)
    things = _things(tokens, places, acts)
    return Deed(acts, things, _heads(tokens, places, things))


def _verbs(tokens: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Where what is done stands, and the verb of it: the first word, and past forms."""
    found = []
    for place, token in enumerate(tokens):
        base = BASE_OF.get(token)
        before = tokens[place - 1] if place else ""
        behind = tokens[place + 1] if place + 1 < len(tokens) else "."
        if base is None:
            # At either end any word that ends as a past form does is taken for one.
            if (
                place in (0, len(tokens) - 1)
                and len(token) > 5
                and token.endswith("ed")
                and before not in STATES
            ):
                found.append((place, token))
        elif place == 0 or before in (",", ";", ":", "and", "then", "or"):
            if place == 0 or base != token or token in UNCHANGED:
                found.append((place, base))
        elif (base != token or token in UNCHANGED) and behind in BEHIND and before not in STATES:
            found.append((place, base))
    if len(found) > 1 and found[0][0] == 0 and tokens[0] == found[0][1]:
        # “Print head and sensor cleaned”: a thing, not an act.
        if tokens[found[1][0] - 1] not in (",", ";", ":", "and", "then"):
            del found[0]
    yield from found


def _with_phrases(acts: set[str], bases: set[str], words: set[str]) -> set[str]:
    """The acts, where a verb and what stands beside it are one of their own."""
    if words & POWER and (words | bases) & CUT and not words & KEPT_ON:
        return {"restart"}
    for verbs, beside, act in PHRASES:
        if (told := bases & verbs) and all(words & some for some in beside):
            if act != "renew":  # which is so besides
                acts = acts.difference(*(ACT_OF[verb] for verb in told))
            acts |= {act}
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
        if power and (
            token.isdigit()
            or token in POWER
            or token in CUT
            or token in ("supply", "unplugged", "plugged", "usb-c")
        ):
            continue
        found.setdefault(thing(token))
        found[thing(token)] = _weight(thing(token))
    return found


def _weight(word: str) -> float:
    return PALE_WEIGHT if stem(word) in FAINT or not any(map(str.isalpha, word)) else 1.0


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


@cache
def _same_things() -> Mapping[str, str]:
    lines = [line.split() for line in SAME_THING.strip().splitlines()]
    words = {word.replace("_", ""): line[0] for line in lines for word in line}
    return {stem(word): meant for word, meant in words.items()} | words


def is_thing(word: str) -> bool:
    """Whether the table knows it, as one word."""
    return word in _same_things()


@lru_cache(maxsize=20_000)
def thing(word: str) -> str:
    known = _same_things()
    return known.get(word) or known.get(stem(word)) or concept(word)


@cache
def _phrase() -> re.Pattern[str]:
    pairs = (word for line in SAME_THING.split() for word in [line] if "_" in word)
    return re.compile(rf"\b(?:{'|'.join(pair.replace('_', '[ -]') for pair in pairs)})\b")


def _joined(text: str) -> str:
    """Two words that are one thing as one word."""
    return _phrase().sub(lambda found: re.sub("[ -]", "", found[0]), text)
