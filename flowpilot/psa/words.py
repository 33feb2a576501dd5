"""A push in plain words: what it is, where it stands, and what happens next."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from flowpilot.psa.models import PsaPush
from flowpilot.psa.providers.errors import TicketMerged
from flowpilot.psa.states import WAITING, Hold, State

Tone = Literal["good", "watch", "bad", "none"]


@dataclass(frozen=True)
class Standing:
    """label: two or three words for a badge. words: a sentence about what happens next. icon: of icons.svg, another one
    for each label."""

    label: str
    tone: Tone
    icon: str
    words: str


@dataclass(frozen=True)
class Place:
    """What of the session's other pushes bears on where one stands. replaced: a later revision stands in its place.
    stuck: it waits for ever, unless a person decides. before: what goes first and is not there, by kind; `refused` of
    these need a person. merged: one of them found its ticket merged into another one."""

    replaced: bool = False
    stuck: bool = False
    before: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    merged: bool = False


STANDINGS = {
    State.PENDING: Standing("Waiting to be sent", "none", "clock", "It is sent within a minute."),
    State.SENDING: Standing("Being sent", "none", "up", "It is on its way."),
    State.RETRY_WAIT: Standing(
        "Will be tried again", "watch", "loop", "It has not arrived. It is tried again by itself."
    ),
    State.UNCERTAIN: Standing(
        "Being checked",
        "watch",
        "search",
        "There was no clear answer. The ticket is looked at before anything is sent again.",
    ),
    State.SUCCESS: Standing("Delivered", "good", "check", "The ticket has it."),
    State.NEEDS_ATTENTION: Standing(
        "Needs attention",
        "bad",
        "warning",
        "It was not accepted, or tried too often. Somebody has to see to it.",
    ),
}
REPLACED = Standing("Replaced", "none", "right", "A newer version stands in its place.")
DISMISSED = Standing("Dismissed", "none", "close", "Somebody decided that it is not needed.")
DOUBLED = Standing(
    "Delivered twice", "bad", "copy", "The ticket has it more than once. Delete the younger one."
)
STUCK, HELD, SWITCHED_OFF = "Waits for you", "On hold", "Switched off"

# For who may put the connection right.
HOLDS: dict[str, str] = {
    Hold.TOO_MANY_REQUESTS: "The ticket system asks to wait because of too many requests. Pushes go on by themselves.",
    Hold.KEYS_REFUSED: "The ticket system refuses the keys of the connection. Enter valid ones, then test it.",
    Hold.WRONG_ADDRESS: "No ticket system answers at the address of the connection. Check the address, then test it.",
    Hold.NO_KEYS: "The keys of the connection cannot be read any more. Enter them again.",
}
# For everybody: what it waits for.
WAITS_FOR: dict[str, str] = {
    Hold.TOO_MANY_REQUESTS: "{system} asks to send less for a while. It goes on by itself.",
    Hold.KEYS_REFUSED: "{system} does not let us in at the moment. It goes once a team admin has put that right.",
    Hold.WRONG_ADDRESS: "{system} is not found where it should be. It goes once a team admin has put that right.",
    Hold.NO_KEYS: "The way into {system} has to be set up anew. It goes once a team admin has done that.",
}
OFF = "The connection to {system} is switched off. It goes once a team admin switches it on again."
A_KIND = {"note": "the note", "time_entry": "the time entry", "status": "the status"}
# How the providers and the delivery say it.
INTO = re.compile(r"It said: It (?:is part of|was merged into) (\S+?)(?: now)?\.$")


def standing(push: PsaPush, place: Place, now: datetime) -> Standing:
    """`push.connection` is at hand."""
    state = State(push.status)
    if push.doubles:
        return DOUBLED
    if place.replaced and state != State.SUCCESS:
        return REPLACED
    if push.dismissed_at is not None:
        why = f" They wrote: {push.dismissed_note}" if push.dismissed_note else ""
        return Standing(DISMISSED.label, DISMISSED.tone, DISMISSED.icon, DISMISSED.words + why)
    if place.stuck:
        needs = "needs" if len(place.refused) < 2 else "need"
        what = listed(place.refused) or "what belongs to it"
        do = "Link another ticket, or drop it." if place.merged else "Set it now, or drop it."
        return Standing(STUCK, "bad", "user", f"Waits for {what}, which {needs} you. {do}")
    if state in WAITING and (held := _held(push, now)) is not None:
        return held
    if state == State.PENDING and place.before:
        return Standing("Waiting to be sent", "none", "clock", f"It is sent after {listed(place.before)}.")
    if state == State.SUCCESS:
        return _delivered(push)
    return STANDINGS[state]


def _held(push: PsaPush, now: datetime) -> Standing | None:
    system = str(push.connection)
    if not push.connection.active:
        return Standing(SWITCHED_OFF, "watch", "minus", OFF.format(system=system))
    if push.connection.is_held(now):
        return Standing(HELD, "watch", "lock", WAITS_FOR[push.connection.held_reason].format(system=system))
    return None


def _delivered(push: PsaPush) -> Standing:
    usual = STANDINGS[State.SUCCESS]
    words = usual.words
    if push.kind == PsaPush.Kind.STATUS:
        words = "The ticket has this status."
    elif push.external_id:
        words = f"In the ticket as {push.get_kind_display().lower()} {push.external_id}."
    remark = f" {push.last_error}" if push.last_error else ""
    return Standing(usual.label, usual.tone, usual.icon, words + remark)


def in_order(kinds: Iterable[str]) -> tuple[str, ...]:
    """Each once: note, time entry, status."""
    given = set(kinds)
    return tuple(kind for kind in A_KIND if kind in given)


def listed(kinds: Iterable[str]) -> str:
    """ "the note, the time entry and the status"; "" for none."""
    *first, last = [A_KIND[kind] for kind in in_order(kinds)] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def merged_into(push: PsaPush) -> str:
    """The ticket that took over the one of a push which was refused for that; "" where it is not known."""
    found = INTO.search(push.last_error) if push.last_code == TicketMerged.__name__ else None
    return found[1] if found else ""


def pushes_are(count: int) -> str:
    """ "1 push is", "3 pushes are": the beginning of a sentence."""
    return f"{count:,} push is" if count == 1 else f"{count:,} pushes are"
