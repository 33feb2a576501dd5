"""Conditions of a query.

ConnectWise has no escape for quotes, so what somebody typed must never decide where a text ends.
"""

import re
from urllib.parse import quote

LONGEST_SEARCH = 100  # characters
MOST_WORDS, LONGEST_WORD = 6, 50
LONGEST_CONDITION = 1_600  # of an address, which may have 2,000; a character can take twelve of them
# A text is taken apart at these: quotes would end it, and whether a backslash escapes one is not documented.
BREAKS = re.compile(r"[\s\"\\\x00-\x1f\x7f\ud800-\udfff]+")
NUMBER = re.compile(r"#?([1-9][0-9]{0,8})", re.ASCII)


def quoted(value: str) -> str:
    """A text of a condition. The value must have no double quote and no backslash."""
    if BREAKS.search(value.replace(" ", "")):
        raise ValueError("A text of a condition cannot hold this")
    return f'"{value}"'


def search(typed: str) -> str:
    """Tickets that have every word that was typed in their summary or the name of their company, or that have the
    number; "" for no words at all. Words that an address has no room for are left out, the last ones first."""
    typed = typed[:LONGEST_SEARCH].strip()
    words = [_has(word[:LONGEST_WORD]) for word in BREAKS.split(typed) if word][:MOST_WORDS]
    if not words:
        return ""
    while len(quote(" and ".join(words), safe="")) > LONGEST_CONDITION:
        words.pop()
    every = " and ".join(words)
    number = NUMBER.fullmatch(typed)
    return f"id={number[1]} or {every}" if number else every


def _has(word: str) -> str:
    return f"(summary contains {quoted(word)} or company/name contains {quoted(word)})"


def of_ticket(ref: str) -> str:
    """The time entries of a ticket, whose ref has been found to be a number."""
    return f'chargeToId={ref} and chargeToType="ServiceTicket"'
