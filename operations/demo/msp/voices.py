"""What is said about a session, and what reaches the ticket system."""

import tomllib
from datetime import timedelta
from functools import cache
from math import ceil
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from flowpilot.psa.models import PsaActivityLog
from flowpilot.sessions.states import Outcome, Tier
from operations.demo.msp import cast

if TYPE_CHECKING:
    from operations.demo.msp.story import Told

Kind = PsaActivityLog.ActivityType
NOTES, RATED, COMMENTED = 0.07, 0.6, 0.13  # shares of decisions, of completed sessions, of ratings
STARS = {  # how many sessions of that end get one to five stars
    "resolved": (1, 2, 8, 36, 53),
    "workaround": (2, 8, 30, 40, 20),
    "escalated": (10, 20, 35, 25, 10),
    "unresolved": (18, 27, 30, 18, 7),
}
WEAK = {cast.LEFT_AT[0], cast.ESCALATES}  # rated a star less, now and then
HOURS_A_STEP = 0.25  # time entries are whole quarters of an hour


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "voices.toml").read_text(encoding="utf-8"))


def a_note(random: Random) -> str:
    """A note beside a decision, mostly none."""
    return str(random.choice(_texts()["notes"])) if random.random() < NOTES else ""


def rate(told: "Told", random: Random) -> None:
    """Stars for the session, thumbs for some of the steps of its flow."""
    if told.outcome and told.completed_at and random.random() < RATED:
        stars = random.choices((1, 2, 3, 4, 5), STARS[told.outcome])[0]
        if told.flow in WEAK and random.random() < 0.4:
            stars = max(1, stars - 1)
        comment = random.choice(_texts()["comments"][str(stars)]) if random.random() < COMMENTED else None
        told.rating = stars, comment, told.completed_at + timedelta(seconds=random.randint(8, 90))
    if told.tier != Tier.GUIDED:
        return
    seen = {d["node_id"]: d["at"] for d in told.decisions if d["node_id"] and not d["undone_at"]}
    generous = random.random() < 0.28
    liked = 0.9 if told.outcome in (Outcome.RESOLVED, Outcome.WORKAROUND) else 0.6
    for node_id, at in seen.items():
        unhelpful = (told.flow, node_id) == cast.UNHELPFUL_AT
        if random.random() < (0.5 if unhelpful else 0.35 if generous else 0):
            helpful = random.random() < (0.15 if unhelpful else liked)
            told.thumbs.append((node_id, helpful, at + timedelta(seconds=random.randint(1, 20))))


def post(told: "Told", worked: timedelta, random: Random) -> None:
    """Note, time and status of an ended session on its ticket."""
    if not told.ticket or not told.completed_at:
        return
    hours = ceil(worked / timedelta(hours=HOURS_A_STEP)) * HOURS_A_STEP
    entries = [
        (Kind.NOTE_POSTED, None, 0.92),
        (Kind.TIME_ENTRY_POSTED, hours, 0.81),
        (Kind.STATUS_UPDATED, None, 0.64),
    ]
    for seconds, (kind, amount, share) in enumerate(entries, start=5):
        if random.random() < share:
            told.activity.append((kind.value, amount, told.completed_at + timedelta(seconds=seconds)))
