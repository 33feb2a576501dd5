"""What words mean at a help desk: other words for the same thing count as the same word.

In English only; in other languages a concept is the stem of its word.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from flowpilot.matching.text import is_code, stem, words
from resolutionflow.folding import fold

LANGUAGE = "english"

# Each line is one thing, named by its first word. Two words with an underscore between them stand one behind the
# other.
SAME = """
    signin login logon log_in log_on log_into logged_in logged_on logging_in logging_on sign_in sign_on signed_in
    signout logout logoff log_out log_off sign_out logged_out logged_off kicked_out
    password passwort passcode passphrase pwd pw pass credential credentials
    mfa 2fa otp authenticator two_factor multi_factor second_factor
    lock lockout locked_out locks_out locking_out lock_out
    email mail mails emails outgoing_mail e_mail
    mailbox inbox
    bounce bounceback ndr undeliverable undelivered non_delivery mailer_daemon
    deliver delivery arrive arriving receive received
    wifi wlan wireless hotspot ssid
    internet broadband
    network lan ethernet
    printer copier mfp mfd
    scan scanner scanning
    computer pc laptop notebook desktop workstation machine
    slow sluggish lag laggy lagging crawl crawling snail forever ages slowness
    freeze frozen hang hung hanging stuck unresponsive
    phone telephone handset deskphone voip sip
    call calling caller ring rings ringing dial
    audio sound hear heard hearing voice mic microphone speaker headset
    folder directory
    share shared drive mapped unc nas
    restore recover recovery bring_back get_back undelete
    delete deleted vanish vanished disappear disappeared missing gone lost overwritten
    backup backups
    full space storage disk capacity
    virus malware ransomware trojan infected infection hacked hacker compromised encrypted
    phishing phish phished scam spoofed suspicious dodgy fishy
    click clicked clicking
    starter joiner hire newcomer onboarding new_starter new_hire new_employee new_colleague starts_on joins joining
    leaver offboarding resign resigned quit terminated dismissed leaves leaving last_day
    licence license licences licensing
    update updates patch patches patching kb
    gpo grouppolicy group_policy group_policies policies
    onedrive one_drive
    sharepoint share_point
    sync synced syncing synchronise synchronize synchronisation
    teams msteams
    meeting meetings conference
    vpn anyconnect globalprotect tunnel forticlient openvpn
    register registered registration unregistered
    dns nslookup nxdomain
    resolve resolving hostname
    trust domainjoin domain_join join_domain joined_domain
    bitlocker recovery_key
    certificate cert certs
    drop drops dropped dropping disconnect disconnects disconnected cuts_out cut_out
    offline unreachable
    prompt prompts ask asks asking
    site office branch building
"""
PHRASES = frozenset(
    tuple(word.split("_")) for line in SAME.strip().splitlines() for word in line.split() if "_" in word
)


@lru_cache
def groups() -> Mapping[str, tuple[str, ...]]:
    """The words of each concept, by the stem that names it."""
    return {stem(line.split()[0], LANGUAGE): tuple(line.split()) for line in SAME.strip().splitlines()}


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


def concepts(text: str, language: str = LANGUAGE) -> list[str]:
    """The concepts of a text in their order, as often as they are meant there."""
    return [concept(word, language) for word in said(text, language)]


def said(text: str, language: str = LANGUAGE) -> list[str]:
    """The words of a text, with those that mean something together as one."""
    if language == LANGUAGE:
        text = _phrase().sub(lambda found: re.sub("[ -]", "", found[0]), fold(text))
    return words(text)


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


def corrected(word: str, known: Iterable[str]) -> str | None:
    """The word of these that was meant, if this one is a slip of the hand; None if none is near enough."""
    if len(word) < 5 or is_code(word):
        return None
    near = [(slips(word, other), other) for other in known if abs(len(other) - len(word)) <= 2]
    least = min(near, default=(9, ""))
    return least[1] if least[0] <= (1 if len(word) < 8 else 2) else None


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
