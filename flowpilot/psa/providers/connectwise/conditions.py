"""Conditions of a query.

ConnectWise has no escape for quotes, so what somebody typed must never decide where a text ends.
"""

import re

LONGEST_SEARCH = 100  # characters; an address may have 2,000, and one of these can take twelve
MOST_WORDS = 6
# A text is taken apart at these: quotes would end it, and whether a backslash escapes one is not documented.
BREAKS = re.compile(r"[\s\"\\\x00-\x1f\x7f\ud800-\udfff]+")
NUMBER = re.compile(r"#?([1-9][0-9]{0,8})", re.ASCII)


def quoted(value: str) -> str:
    """A text of a condition. The value must have no double quote and no backslash."""
    if BREAKS.search(value.replace(" ", "")):
        raise ValueError("A text of a condition cannot hold this")
    return f'"{value}"'


def search(typed: str) -> str:
    """Tickets whose summary has every word that was typed, or that have the number; "" for no words at all."""
    typed = typed[:LONGEST_SEARCH].strip()
    words = [word for word in BREAKS.split(typed) if word][:MOST_WORDS]
    if not words:
        return ""
    summary = " and ".join(f"summary contains {quoted(word)}" for word in words)
    number = NUMBER.fullmatch(typed)
    return f"id={number[1]} or {summary}" if number else summary


def of_ticket(ref: str) -> str:
    """The time entries of a ticket, whose ref has been found to be a number."""
    return f'chargeToId={ref} and chargeToType="ServiceTicket"'
