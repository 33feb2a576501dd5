"""A push in plain words: what it is, where it stands, and what a person can do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from flowpilot.psa.models import PsaPush
from flowpilot.psa.states import Hold, State

Tone = Literal["good", "watch", "bad", "none"]

WHAT = {"note": "Note", "time_entry": "Time entry", "status": "Status"}


@dataclass(frozen=True)
class Standing:
    """label: two or three words for a badge. words: one sentence about what happens next."""

    label: str
    tone: Tone
    words: str


STANDINGS = {
    State.PENDING: Standing("Waiting to be sent", "none", "It is sent within a minute."),
    State.SENDING: Standing("Being sent", "none", "It is on its way."),
    State.RETRY_WAIT: Standing(
        "Will be tried again", "watch", "It has not arrived. It is tried again by itself."
    ),
    State.UNCERTAIN: Standing(
        "Being checked",
        "watch",
        "There was no clear answer. The ticket is looked at before anything is sent again.",
    ),
    State.SUCCESS: Standing("Delivered", "good", "The ticket has it."),
    State.NEEDS_ATTENTION: Standing(
        "Needs attention", "bad", "It was not accepted, or tried too often. Somebody has to see to it."
    ),
}
REPLACED = Standing("Replaced", "none", "A newer version stands in its place.")
HELD = Standing("On hold", "watch", "It waits until the connection works again.")
SWITCHED_OFF = Standing("On hold", "watch", "It waits until the connection is switched on again.")
DOUBLED = Standing("Delivered twice", "bad", "The ticket has it more than once. Delete the younger one.")

HOLDS: dict[str, str] = {
    Hold.TOO_MANY_REQUESTS: "The ticket system asks to wait because of too many requests. Pushes go on by themselves.",
    Hold.KEYS_REFUSED: "The ticket system refuses the keys of the connection. Enter valid ones, then test it.",
    Hold.WRONG_ADDRESS: "No ticket system answers at the address of the connection. Check the address, then test it.",
    Hold.NO_KEYS: "The keys of the connection cannot be read any more. Enter them again.",
}


def standing(push: PsaPush, now: datetime, *, replaced: bool = False) -> Standing:
    """`push.connection` is at hand. replaced: whether a later revision stands in its place."""
    state = State(push.status)
    if push.doubles:
        return DOUBLED
    if replaced and state != State.SUCCESS:
        return REPLACED
    if state in (State.PENDING, State.RETRY_WAIT):
        if not push.connection.active:
            return SWITCHED_OFF
        if push.connection.is_held(now):
            return HELD
    return STANDINGS[state]


def pushes_are(count: int) -> str:
    """ "1 push is", "3 pushes are": the beginning of a sentence."""
    return f"{count:,} push is" if count == 1 else f"{count:,} pushes are"
