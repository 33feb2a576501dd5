"""What is done in a step: the verbs of a help desk, in all their forms, and which of them are one act. In English."""

from collections.abc import Iterable

from flowpilot.matching.concepts import concept

# Looking at something is another step than doing something to it, whatever else both say.
_LOOKING = """
    check look verify confirm inspect review view test try ping see examine compare ask find monitor read search watch
"""
_DOING = """
    activate add adjust advise allow apply approve assign attach block calibrate call change clean clear
    close configure connect convert copy correct create cycle deactivate delete deploy disable disconnect download
    edit email empty enable enter exclude expand explain export extend fix flush force forget free give grant import
    increase inform install join kill leave let log make map mark migrate mount move open plug point power press
    print publish purge push put raise re-add re-register reactivate reboot rebuild reconnect recreate refresh
    register reinstall rejoin release reload remap remote remove rename renew repair replace replug reseat resend
    reset resolve restart restore resync retry revoke roll run save scan send set share sign start
    stop swap switch sync synchronise synchronize take tell toggle trust turn unblock uninstall unlock unplug untick
    update upgrade upload use whitelist wipe
"""
IRREGULAR = {
    "ran": "run", "sent": "send", "resent": "resend", "took": "take", "taken": "take", "told": "tell", "found": "find",
    "made": "make", "gave": "give", "given": "give", "rebuilt": "rebuild", "saw": "see", "seen": "see",
    "re-added": "re-add", "readded": "re-add", "left": "leave", "forgot": "forget", "reran": "run", "had": "have",
    "chose": "choose", "showed": "show", "shown": "show", "kept": "keep",
}  # fmt: skip
# Verbs whose past form is the plain one: they are told from nouns only by where they stand.
UNCHANGED = frozenset(["put", "reset", "set", "read"])


def _forms(verb: str) -> Iterable[str]:
    if verb.endswith("e"):
        yield from (f"{verb}d", f"{verb[:-1]}ing")
    elif verb.endswith("y") and verb[-2] not in "aeou":
        yield f"{verb[:-1]}ied"
    yield from (f"{verb}{verb[-1]}ed", f"{verb}{verb[-1]}ing", f"{verb}ed", f"{verb}ing", verb)


BASE_OF = {form: verb for verb in [*_DOING.split(), *_LOOKING.split()] for form in _forms(verb)} | IRREGULAR
# An act as a noun: “restart of the spooler”, “ran the calibration”, “BIOS update”.
NOUN_OF = {
    "restart": "restart", "reboot": "restart", "cycle": "cycle", "update": "update", "updates": "update",
    "upgrade": "update", "reset": "reset", "reinstall": "reinstall", "reinstallation": "reinstall",
    "installation": "install", "calibration": "calibrate", "cleaning": "clean", "repair": "repair", "ping": "ping",
    "trace": "check", "check": "check", "test": "test", "replacement": "replace", "swap": "replace", "sync": "sync",
    "synchronisation": "sync", "synchronization": "sync", "restore": "restore", "removal": "remove",
    "renewal": "renew", "scan": "scan", "flushdns": "flush", "call": "call",
}  # fmt: skip

# What a step can be named by as an order. The others stand for things as well (“virus scan”).
_NAMED = "restart reboot cycle update upgrade reset reinstall reinstallation installation calibration cleaning repair"
NAMED_BY = {noun: NOUN_OF[noun] for noun in [*_NAMED.split(), "replacement", "removal", "renewal"]}

# Each line is one act, named by its first word; a verb that is used for several acts stands in the line of each.
_SAME = """
    look check verify confirm inspect review view see examine find search read compare monitor watch open
    test try ping
    restart reboot cycle
    remove clear delete purge empty flush clean wipe uninstall forget
    renew replace swap change exchange update upgrade install reinstall download
    set put give raise correct configure adjust enter change reset edit increase extend expand apply fix grow
    grant give add assign allow share
    allow whitelist exclude approve
    add create make register join map connect
    again re-add re-register recreate rebuild rejoin remap reinstall reconnect reseat replug
    enable activate reactivate
    disable deactivate
    unlock unblock release
    contact call ask email
    connect plug attach join reconnect
    sync synchronise synchronize resync
    restore recover
    repair fix
"""


def _acts() -> dict[str, frozenset[str]]:
    lines = [line.split() for line in _SAME.strip().splitlines()]
    verbs = {*BASE_OF.values(), *(verb for line in lines for verb in line)}
    return {verb: frozenset(line[0] for line in lines if verb in line) or frozenset([verb]) for verb in verbs}


ACT_OF = _acts()
AROUND = frozenset(
    ["run", "start", "do", "make", "perform", "let", "use", "have"]
)  # say nothing beside an act

# What is done to anything, or how it is looked at, tells no problem from another.
_USUAL = """
    device phone user client customer colleague idea setting log hour alert monitoring vendor status page ticket cause
    spare service entry permission driver support remote session help way thing problem option default
"""
ACTS = frozenset(map(concept, [*BASE_OF, *_USUAL.split()]))
# What is done once it is solved, and is no step of solving it.
_WRAP_UP = "confirm advise tell inform explain call email close document monitor ask"
WRAP_UP = frozenset(_WRAP_UP.split())
