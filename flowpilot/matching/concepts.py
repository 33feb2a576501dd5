"""What words mean at a help desk: other words for the same thing count as the same word.

In English only; in other languages a concept is the stem of its word.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache

from flowpilot.matching.text import is_code, stem, words
from resolutionflow.folding import fold

LANGUAGE = "english"

# Each line is one thing, named by its first word, which may come again. Two words with an underscore between them stand
# one behind the other.
SAME = """
    signin login logon log_in log_on log_into logged_in logged_on logging_in logging_on sign_in sign_on signed_in
    signout logout logoff log_out log_off sign_out logged_out logged_off
    password passwort passcode passphrase pwd pw pass credential credentials
    mfa 2fa otp authenticator two_factor multi_factor second_factor
    lock lockout locks locked locked_out locks_out locking_out lock_out unlock unlocked blocked
    email mail mails emails e_mail message messages
    mailbox inbox
    bounce bounceback ndr undeliverable undelivered non_delivery mailer_daemon returned comes_back came_back refused
    spam junk quarantine
    deliver delivery delivered arrive arrives arriving receive received turn_up
    wifi wlan wireless hotspot ssid
    internet broadband dsl fibre fiber isp
    network lan ethernet
    printer print prints printing copier mfp mfd kyocera ricoh lexmark xerox epson konica toner
    scan scanner scanning scanned scans
    computer pc pcs laptop notebook desktop workstation machine thinkpad
    slow sluggish lag laggy lagging crawl crawling snail forever ages slowness buffers buffering
    freeze frozen hang hung hanging stuck unresponsive
    phone telephone handset deskphone voip sip extension
    call calling caller callers ring rings ringing dial busy_tone hold_of
    audio sound hear heard hearing voice mic microphone speaker headset silence silent
    folder directory
    share shared drive mapped unc nas
    restore recover bring_back get_back undelete
    delete deleted vanish vanished disappear disappeared lost overwritten overwrote dragged emptied
    backup backups veeam acronis datto
    storage disk capacity bucket repository
    full fills space
    grow growing growth grows doubled
    virus malware ransomware trojan infected infection hacked hacker compromised encrypted macros popup pop_up anydesk
    virus sentinelone crowdstrike defender threat
    phishing phish phished scam spoofed dodgy fishy invoice attachment
    click clicked clicking
    starter joiner hire hired newcomer onboarding new_starter new_hire new_employee new_colleague new_trainee starts_on
    starter joins joining begins begins_on
    leaver offboarding resign resigned quit terminated dismissed leaves leaving last_day left_the contract_ended
    leaver sacked fired part_ways is_finishing
    licence license licences licensing
    update updates patch patches patching kb upgrade
    policy gpo grouppolicy group_policy group_policies policies
    onedrive one_drive blue_cloud
    sharepoint share_point
    sync synced syncing synchronise synchronize synchronisation uploading upload
    teams msteams
    meeting meetings conference
    vpn anyconnect globalprotect tunnel forticlient openvpn dialled_in dial_in dialling_in dialing_in
    vpn remote_connection remote_access
    register registered registration unregistered
    dns nslookup nxdomain by_name
    resolve resolving hostname
    join rejoin joined trust domainjoin
    bitlocker recovery_key blue_screen blue_page
    certificate cert certs
    drop drops dropped dropping disconnect disconnects disconnecting cuts_out cut_out kicks_me kicked_out breaks_off
    offline unreachable greyed_out not_available
    reach reached reachable open opens opening
    prompt prompts ask asks asking demands
    site branch building store warehouse
"""
# Words that stand in many problems and tell little of what they are about.
_WEAK = (
    "account always another any anybody anyone anything around available away back bad big bit call check come day "
    "days desk device everybody everyone everything everywhere far few find fine folks found give go goes going gone "
    "good guy happen happens hello help hour hours issue keep keeps kind know last later let like line little long "
    "look lot made make many message minute minutes monday month morning much name need needs never new next nice "
    "night nobody normal note nothing number number numbers office ok okay old one people person place press private "
    "problem put quick quite read real right room round said say says see seem seems send sent server setting shown "
    "shows side since something somebody someone sorry started state stay stays support sure system systems take "
    "takes talk tell thank thing things think three ticket time times today told tomorrow tried try turn turns two "
    "use used user users wait want wants way week windows word work working works wrong year yesterday yet"
)
WEAK = frozenset(stem(word, LANGUAGE) for word in _WEAK.split())
COMPUTER = stem("computer", LANGUAGE)  # most problems have one
PHRASES = frozenset(
    tuple(word.split("_")) for line in SAME.strip().splitlines() for word in line.split() if "_" in word
)


@lru_cache
def groups() -> Mapping[str, tuple[str, ...]]:
    """The words of each concept, by the stem that names it."""
    found: dict[str, tuple[str, ...]] = {}
    for line in SAME.strip().splitlines():
        named, *others = line.split()
        concept_ = stem(named, LANGUAGE)
        found[concept_] = (*found.get(concept_, (named,)), *others)
    return found


@lru_cache
def _concept_of_stem() -> Mapping[str, str]:
    return {
        stem(word.replace("_", ""), LANGUAGE): concept for concept, same in groups().items() for word in same
    }


@lru_cache
def _phrase() -> re.Pattern[str]:
    """Two words that mean one, so that they are read as one."""
    seconds: dict[str, list[str]] = defaultdict(list)
    for first, second in PHRASES:
        seconds[first].append(second)
    ways = (rf"{first}[ -](?:{'|'.join(second)})" for first, second in sorted(seconds.items()))
    return re.compile(rf"\b(?:{'|'.join(ways)})\b")


@lru_cache(maxsize=100_000)
def concept(word: str, language: str = LANGUAGE) -> str:
    """The concept of one folded word."""
    stemmed = stem(word, language)
    return _concept_of_stem().get(stemmed, stemmed) if language == LANGUAGE else stemmed


def strength(word: str, language: str = LANGUAGE) -> float:
    """How much a word says at all, before it is looked at how rare it is among the flows."""
    if word.isdigit() and len(word) < 4:
        return 0.2
    weak = language == LANGUAGE and (stem(word, language) in WEAK or concept(word) == COMPUTER)
    return 0.3 if weak else 1.0


def concepts(text: str, language: str = LANGUAGE) -> list[str]:
    """The concepts of a text in their order, as often as they are meant there."""
    return [concept(word, language) for word in said(text, language)]


def said(text: str, language: str = LANGUAGE) -> list[str]:
    """The words of a text, with those that mean something together as one."""
    if language == LANGUAGE:
        text = _phrase().sub(lambda found: re.sub("[ -]", "", found[0]), fold(text))
    return words(text)


@lru_cache(maxsize=4_000)
def said_of(text: str, language: str = LANGUAGE) -> tuple[str, ...]:
    """`said`, of a text that comes again with the next question."""
    return tuple(said(text, language))


@lru_cache(maxsize=4_000)
def concepts_of(text: str, language: str = LANGUAGE) -> tuple[str, ...]:
    """`concepts`, of a text that comes again with the next question."""
    return tuple(concepts(text, language))


def spaced(word: str) -> str:
    """The word as people write it: "log into", which `said` has as one word."""
    return _spaced().get(word, word)


@lru_cache
def _spaced() -> Mapping[str, str]:
    return {"".join(phrase): " ".join(phrase) for phrase in PHRASES}


def ways_to_say(word: str, language: str = LANGUAGE) -> Iterator[tuple[str, ...]]:
    """The words, or words one behind the other, that mean the same as this one, itself first."""
    yield (word,)
    if language == LANGUAGE:
        for other in groups().get(concept(word), ()):
            if other != word:
                yield tuple(other.split("_"))


@lru_cache
def known_words() -> frozenset[str]:
    """The words of all concepts: a word that is near to one of these is a slip of the hand."""
    return frozenset(word.replace("_", "") for same in groups().values() for word in same)


@lru_cache(maxsize=100_000)
def corrected(word: str) -> str | None:
    """The word of a concept that was meant, if this one is a slip of the hand; None if none is near enough. A slip is
    seldom in the first letter."""
    if len(word) < 5 or is_code(word):
        return None
    most = 1 if len(word) < 8 else 2
    near = [
        (slips(word, other), other)
        for other in known_words()
        if abs(len(other) - len(word)) <= most and word[0] in other[:2]
    ]
    least = min(near, default=(9, ""))
    return least[1] if least[0] <= most else None


def slips(one: str, other: str) -> int:
    """How many letters are wrong, missing, too many, or have changed places with the next."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, their in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != their))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == their:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
