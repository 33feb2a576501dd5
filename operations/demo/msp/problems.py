"""What people ring up about, and which flow it is a case for."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from flowpilot.flows.library import LibraryFlow
from operations.demo.msp import cast
from operations.demo.msp.discoveries import Recurring, all_recurring, recurring_on

FOLDER = Path(__file__).parent
OTHER_SHARE = 0.14  # of a domain's tickets that no flow fits
RECURRING_SHARE = 0.021  # of all tickets, those about what comes again and again and no flow covers
UNSORTED_SHARE = 0.04  # of all tickets that nobody gave a domain


@dataclass(frozen=True)
class Problem:
    """`flow` is the name of the library's flow that fits, None if none does; `domain` None for unsorted ones;
    `recurring` the place in `all_recurring()`."""

    summary: str
    domain: str | None
    flow: str | None
    recurring: int | None = None

    @property
    def discovery(self) -> Recurring | None:
        return None if self.recurring is None else all_recurring()[self.recurring]


@cache
def all_texts() -> dict[str, dict[str, Any]]:
    return tomllib.loads((FOLDER / "problems.toml").read_text(encoding="utf-8"))


def a_problem(
    library: Sequence[LibraryFlow], day: int, random: Random, *, mostly: str | None = None
) -> Problem:
    """One problem that comes in on a day. `mostly`: a domain that has more than its share of them then."""
    texts = all_texts()
    if random.random() < RECURRING_SHARE:
        places = recurring_on(day)
        place = random.choices(places, [all_recurring()[place].share for place in places])[0]
        again = all_recurring()[place]
        return Problem(filled(random.choice(again.problems), random), again.domain, None, place)
    if random.random() < UNSORTED_SHARE:
        return Problem(filled(random.choice(texts["other"]["none"]), random), None, None)
    shares = {name: share * (5 if name == mostly else 1) for name, share in cast.DOMAINS.items()}
    domain = random.choices(list(shares), list(shares.values()))[0]
    if random.random() < OTHER_SHARE:
        return Problem(filled(random.choice(texts["other"][domain]), random), domain, None)
    names = [flow.name for flow in library if flow.domain == domain]
    flow = random.choices(names, [len(texts["flow"][name]) for name in names])[0]
    return Problem(filled(random.choice(texts["flow"][flow]), random), domain, flow)


def tried(random: Random) -> list[tuple[str, str]]:
    """What was tried without a flow, and what came of it."""
    texts = all_texts()["tried"]
    return [
        (title, random.choice(texts[title])) for title in random.sample(sorted(texts), random.randint(1, 4))
    ]


def settled(outcome: str, random: Random) -> list[tuple[str, str]]:
    """What helped in the end, and how it was seen; nothing where nothing helped."""
    texts = all_texts()["settled"].get(outcome)
    return [tuple(random.choice(texts))] if texts else []


def seen_by(engineer: int) -> tuple[str, str]:
    """What an engineer looks at where a flow is left, and what they see. Without chance, so that the story stays."""
    ways = all_texts()["left"]["seen"]
    title, answer = ways[engineer % len(ways)]
    return title, answer


def filled(text: str, random: Random) -> str:
    """The text with some user, device and site in it."""
    user, site = random.choice(cast.PEOPLE), random.choice(cast.SITES)
    device = f"{random.choice(['LT', 'PC', 'WS'])}-{random.randint(101, 989):04d}"
    filled = text.format(user=user, device=device, site=site)
    return filled[0].upper() + filled[1:]
