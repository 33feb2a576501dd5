"""The words by which the analysis knows a problem: what it is about, without when, where and whose it was.

A word stands for all that mean the same (`flowpilot.matching.concepts`), in English; in other languages for its stem.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from flowpilot.analysis.states import REACHED, SOUND, clauses
from flowpilot.matching.concepts import LANGUAGE, WEAK, concept, known_words, said
from flowpilot.matching.text import stem
from resolutionflow.folding import fold

MOST_LETTERS = 4_000  # of a text: a pasted mail tells its problem before that
MOST_WORDS = 40
OF_DETAILS = 0.5  # what a word weighs that only the description says; one of the problem weighs 1
SAYS_IT = 1.5  # telling words of a problem, from which on the description only adds to it

# Stems that every other ticket has. They say little in an account whose few sessions cannot tell that yet.
_PALE = """
    user custom client person colleagu staff issu problem error work check see look call ticket tri fix report say said
    tell ask need want help new use open then still cant cannot wont doesnt didnt isnt not pc comput machin today
    yesterday morn sinc now ok okay done start stop show messag system thing someth anyth noth urgent asap alert
"""
PALE = frozenset(_PALE.split())
# Where it happened: whoever works there has different problems.
PLACES = frozenset(["site", "offic", "floor", "branch", "build", "recept", "annex", "quarter", "headquart"])
FAINT = PALE | PLACES | WEAK | {concept("computer")}
PALE_WEIGHT = 0.25
STATES = frozenset(map(concept, SOUND))

# What has the fault: it says where to look, not what is wrong.
_SYSTEMS = """
    email mailbox wifi internet network printer scan phone call folder share storage onedrive sharepoint teams meeting
    vpn dns backup file server router switch browser website intranet app outlook word excel powerpoint adobe acrobat
    windows office iphone ipad android camera keyboard mouse monitor screen dock laptop headset tablet calendar account
    rdp rds session remote terminal citrix erp crm
"""
SYSTEMS = frozenset(map(concept, _SYSTEMS.split()))
OF_SYSTEM = 0.5

# When something happened says nothing of what it is.
_WHEN = """
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun weekend
    january february march april may june july august september october november december jan feb mar apr jun jul aug
    sep sept oct nov dec today yesterday tomorrow tonight morning noon afternoon evening night day week month year
    daily weekly minute hour oclock
    montag dienstag mittwoch donnerstag freitag samstag sonntag heute gestern morgen
"""
WHEN = frozenset(form for word in _WHEN.split() for form in (word, stem(word)))

# LT-0344, srv-dc01, DESKTOP-4F7G2H, PC0417; but neither KB5034441 nor 0x800f0922.
DEVICE = re.compile(
    r"\b(?!kb\d)(?:[a-z]{2,12}(?:-[a-z]{1,8})*-(?=[a-z]*\d)[a-z0-9]{2,12}|[a-z]{2,4}\d{3,6})\b", re.IGNORECASE
)
ADDRESS = re.compile(r"\S+@\S+|https?://\S+")
SHORT_NUMBER = re.compile(r"\d{1,2}|(?:19|20)\d\d|\d[\d.]*\d?(?:st|nd|rd|th|am|pm|h)")
# Behind these lines of a mail stands who wrote it, or what was written before.
END_OF_MAIL = re.compile(
    r"^\s*(?:--+\s*$|(?:kind|best|warm|many)?\s*(?:regards|wishes|thanks|thank you|cheers)\b[ ,!.]*$|sent from my\b|"
    r"mit freundlichen|viele grüße|from:|von:|on .{5,80} wrote:|-+ ?original)",
    re.IGNORECASE | re.MULTILINE,
)
GREETING = re.compile(
    r"^\s*(?:hi|hello|hey|dear|good (?:morning|afternoon))\b[^,\n!:]{0,40}[,!:\n]\s*", re.IGNORECASE
)
# “the harbour site”: which one it is says no more than that it is one.
PLACE = re.compile(
    r"\bthe\s+(?:[\w'’-]+\s+){1,2}(?=(?:site|office|branch|floor|building|annexe?|depot|warehouse|headquarters)\b)",
    re.IGNORECASE,
)
# Who has it stands last, in brackets or behind a dash.
OWNER = re.compile(r"(?:\(([^()]{1,40})\)|\s[-–—]\s((?:[^\s,;:]+\s?){1,3}))[\s.!?]*$")
TITLED = re.compile(r"\b(?:mr|mrs|ms|miss|dr|prof)\.?\s+(?:[^\W\d_]['’]?)[\w'’-]+", re.IGNORECASE)


# Written with a capital within a sentence, and nobody's name.
_PRODUCTS = """
    word excel outlook powerpoint access onenote visio project planner forms office windows teams exchange sharepoint
    onedrive intune defender azure entra edge chrome firefox safari google gmail adobe acrobat reader citrix zoom slack
    cisco fortinet sophos veeam synology dell lenovo hp canon brother epson kyocera ricoh xerox zebra apple mac iphone
    ipad android samsung linux ubuntu bluetooth thunderbolt ethernet explorer microsoft bitlocker hyper vmware sage
    powershell disconnected connecting preparing internet english german french default
"""
PRODUCTS = frozenset(_PRODUCTS.split())
CAPITAL = re.compile(r"[^\W\d_]+")
NAME_WEIGHT = 0.25


def words_of(text: str, language: str = LANGUAGE) -> list[str]:
    """What the text is about, each word once, in their order."""
    if not text:  # as many descriptions and solutions are
        return []
    return list(dict.fromkeys(_words(bare(text), language)))[:MOST_WORDS]


def own_words(problem: str, details: str, language: str = LANGUAGE) -> dict[str, float]:
    """{word: weight} of a problem as its engineer puts it. Names weigh little, since somebody has different problems,
    and what only the details say weighs half, unless the problem says nothing by itself."""
    names = {concept(name) for name in names_in(problem)} if language == LANGUAGE else set()
    names |= set(_of_owner(problem, language))
    said = _complaint(problem, language) if language == LANGUAGE else words_of(problem, language)
    own = {word: NAME_WEIGHT if word in names else 1.0 for word in said}
    weight = OF_DETAILS if sum(map(strength, own)) >= SAYS_IT else 1.0
    for word in words_of(details, language):
        own.setdefault(word, weight)
    return dict(list(own.items())[:MOST_WORDS])


def bare(text: str) -> str:
    """The text without greeting, signature, quoted mails, addresses, devices and titled people."""
    text = text[:MOST_LETTERS]
    begun = GREETING.sub("", text) or text
    ends = END_OF_MAIL.search(begun)
    if ends and ends.start() > 0:
        begun = begun[: ends.start()]
    for left_out in (ADDRESS, DEVICE, TITLED, PLACE):
        begun = left_out.sub(" ", begun)
    return begun


def _of_owner(problem: str, language: str) -> list[str]:
    """The words behind the complaint that say whose it is; none where no complaint would be left."""
    found = OWNER.search(problem)
    if found is None or len(problem[: found.start()].split()) < 2:
        return []
    return words_of(found[1] or found[2], language)


def _complaint(problem: str, language: str) -> list[str]:
    """The words of a problem, those marked that are only said of what is as it should be."""
    parts = [(list(_words(clause, language)), sound) for clause, sound in clauses(bare(problem))]
    told = dict.fromkeys(word for words, sound in parts if not sound for word in words)
    alone = sum(map(strength, told)) < SAYS_IT
    for words, sound in parts:
        for word in words if sound else ():
            if not alone or word in STATES:
                told.setdefault(REACHED + word)
            else:
                told.setdefault(word)
    return list(told)[:MOST_WORDS]


def _words(text: str, language: str) -> Iterator[str]:
    for word in said(fold(text), language):
        if word not in WHEN and not SHORT_NUMBER.fullmatch(word):
            yield concept(word, language)


# “Ravi cannot print”, “Gwen Harper: …”: up to three words with capitals, and what only people do behind them.
FIRST = re.compile(
    r"\s*((?:[^\W\d_a-z][\w'’.-]*\s?){1,3}?)"
    r"(?=\s*:|['’]s\b|\s(?:cannot|can['’]t|needs|wants|gets|says|asks|reports|sees|has)\b)"
)


def names_in(text: str, *, alone: bool = False) -> frozenset[str]:
    """Folded words that look like somebody's name or a place's: with a capital within a sentence or before what
    only people do, and otherwise unknown. None in a text that has capitals throughout. alone: a single word before a
    colon too, which in “Dock: no picture” is none."""
    found, others = set(), 0
    if text.isascii() and text.islower():
        return frozenset()
    first = FIRST.match(text)
    named = {fold(word) for word in CAPITAL.findall(first[1]) if word[1:].islower()} if first else set()
    if first and len(named) == 1 and not alone and text[first.end() :].lstrip().startswith(":"):
        named = set()
    begins = True
    end = 0
    for token in CAPITAL.finditer(text):
        between, end = text[end : token.start()], token.end()
        begins = begins or any(mark in between for mark in ".!?:\n")
        word = token[0]
        if not begins:
            if len(word) > 1 and word[0].isupper() and word[1:].islower():
                found.add(fold(word))
            elif word.islower():
                others += 1
        begins = False
    if len(found) > others + 1:
        found = set()
    return frozenset((found | named) - PRODUCTS - known_words())


@cache
def known_concepts() -> frozenset[str]:
    """What the words mean that every help desk has."""
    return frozenset(map(concept, known_words()))


@lru_cache(maxsize=100_000)
def strength(word: str) -> float:
    """How much a word says at all, before it is looked at how rare it is."""
    return PALE_WEIGHT if word.removeprefix(REACHED) in FAINT else 1.0


@lru_cache(maxsize=100_000)
def pointing(word: str) -> float:
    """How much a word that two texts share says for their being about one problem: systems have many."""
    return strength(word) * (OF_SYSTEM if word.removeprefix(REACHED) in SYSTEMS else 1.0)
