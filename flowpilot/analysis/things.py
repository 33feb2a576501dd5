"""What steps are done to: which words name the same thing at a help desk, and which say little. In English.

Beside `flowpilot.matching.concepts`, which knows what problems are about: there printing and the printer are one, and
so are locking and unlocking; in a step they are not.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from flowpilot.analysis.words import PALE, PALE_WEIGHT
from flowpilot.matching.concepts import concept
from flowpilot.matching.text import stem

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
    again new newest latest old right correct wrong broken bad different another missing same back last current present
    one ones kept second seconds sec minute minutes hour hours half day night user users client customer caller
    colleague neighbour really quickly manually properly via using without show shows that whether false true up
    anew afresh first then two three s m gb mb
"""
SLIGHT = frozenset(_SLIGHT.split())
# What nearly everything has, so that it tells little of what was done to.
_FAINT = """
    service setting source status installation menu account list system tool connection level state result outcome stand
"""
FAINT = PALE | frozenset(map(stem, _FAINT.split()))


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
    pairs = (word for word in SAME_THING.split() if "_" in word)
    return re.compile(rf"\b(?:{'|'.join(pair.replace('_', '[ -]') for pair in pairs)})\b")


def joined(text: str) -> str:
    """The text, with two words that are one thing as one word."""
    return _phrase().sub(lambda found: re.sub("[ -]", "", found[0]), text)


def weight_of(word: str) -> float:
    """How much a thing tells: little if nearly everything has it, or if it is a number."""
    return PALE_WEIGHT if stem(word) in FAINT or not any(map(str.isalpha, word)) else 1.0
