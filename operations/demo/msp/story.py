"""What happened at the demo MSP, told at a given moment. Pure: no database, no clock, the same each time.

Each day has a random generator of its own, seeded by its number: on every day of one week the same story is told, only
further, and a week later it is the same again, seven days later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import log
from random import Random
from typing import Any

from flowpilot.flows.library import LibraryFlow
from flowpilot.flows.structure import Node
from flowpilot.sessions.states import STATUS_OF_OUTCOME, Status, Tier
from operations.demo.msp import cast, course, days, voices
from operations.demo.msp.discoveries import left
from operations.demo.msp.problems import Problem, a_problem, filled
from operations.demo.msp.walking import Walker, without_one_step

FIRST_TICKET = 48_211
HELP_WANTED, STILL_ACTIVE = 3, 3  # the newest of all, so that something is going on at any hour
STATUS_OF_END = {outcome: status.value for outcome, status in STATUS_OF_OUTCOME.items()} | {
    course.ABANDONED: Status.ABANDONED.value
}
USUAL_MINUTES = {Tier.GUIDED: 19, Tier.EXPLORING: 29, Tier.DISCOVERY: 37}
HARDER = {"Backup": 1.5, "Endpoints": 1.2, "Network": 1.15, "Microsoft 365": 0.9}
QUICKER_BY_THE_END, QUICKER_REVISED = 0.85, 0.8
OVERNIGHT = 0.03  # of the sessions: taken up again on the next morning


@dataclass(slots=True)
class Told:
    """One session. `engineer` is a place in `cast.ENGINEERS`; clients, domains and flows are names; times are in UTC.

    `decisions` are as the session stores them, with times that are not yet text. `thumbs` are (node_id, helpful, at),
    `activity` (type, hours or None, at), `rating` (stars, comment or None, at).
    """

    engineer: int
    started_at: datetime
    problem: Problem
    client: str | None
    tier: Tier
    flow: str | None
    version: int | None
    confidence: float | None
    ticket: str | None
    status: str
    outcome: str | None
    completed_at: datetime | None
    decisions: list[dict[str, Any]] = field(default_factory=list)
    rating: tuple[int, str | None, datetime] | None = None
    thumbs: list[tuple[str, bool, datetime]] = field(default_factory=list)
    activity: list[tuple[str, float | None, datetime]] = field(default_factory=list)

    @property
    def last_activity_at(self) -> datetime:
        moments: list[datetime] = [decision["at"] for decision in self.decisions]
        return max([self.completed_at or self.started_at, *moments])


def versions(flow: LibraryFlow) -> list[Node]:
    """The structures that the demo publishes of a flow, the oldest first."""
    if flow.name in cast.REVISED:
        return [without_one_step(flow.structure), flow.structure]
    return [flow.structure]


class Story:
    """The library's flows at work."""

    def __init__(self, library: Sequence[LibraryFlow]) -> None:
        self.library = library
        self.walkers = {
            (flow.name, number): Walker(structure)
            for flow in library
            for number, structure in enumerate(versions(flow), start=1)
        }

    def tell(self, now: datetime) -> Iterator[list[Told]]:
        """The sessions of one day after the other, each day's by their start, as they stand at `now`."""
        first = days.first_day(now)
        ticket = FIRST_TICKET
        told = []
        for day in range(cast.DAYS):
            random = Random(f"{cast.NAME} {day}")  # noqa: S311 - a story, no secret
            sessions = [self._session(day, at, random) for at in days.arrivals(day, first, random)]
            sessions.sort(key=lambda session: session.started_at)
            for session in sessions:
                ticket += 1
                session.ticket = session.ticket and str(ticket)
            told.append([_as_of(now, session) for session in sessions if session.started_at <= now])
        newest = [session for sessions in told for session in sessions][-HELP_WANTED - STILL_ACTIVE :]
        for place, session in enumerate(newest):
            _reopen(session, Status.REQUESTING_ESCALATION if place < HELP_WANTED else Status.ACTIVE)
        yield from told

    def _session(self, day: int, at: datetime, random: Random) -> Told:
        there, shares = days.at_work(day)
        engineer = random.choices(there, shares)[0]
        problem = a_problem(self.library, day, random, mostly="Network" if day == days.OUTAGE else None)
        clients = random.choices(list(cast.CLIENTS), list(cast.CLIENTS.values()))
        tier, confidence = _matched(problem, day, random)
        flow = None if tier == Tier.DISCOVERY else problem.flow
        spot = left()
        at_spot = tier == Tier.EXPLORING and flow == spot.flow and random.random() < spot.share
        if at_spot:
            problem = replace(problem, summary=filled(random.choice(spot.problems), random))
        revised = problem.flow is not None and day >= cast.REVISED.get(problem.flow, cast.DAYS)
        if at_spot:
            walker = self.walkers[spot.flow, 2 if revised else 1]
            went = course.left_at(walker, spot, engineer, day, random)
        elif problem.discovery:
            went = course.discovered(problem.discovery, engineer, day, random)
        else:
            went = self._course(problem, tier, day, revised, random)
        minutes = USUAL_MINUTES[tier] * HARDER.get(problem.domain or "", 1) * cast.ENGINEERS[engineer].pace
        minutes *= 1 - (1 - QUICKER_BY_THE_END) * day / cast.DAYS
        if flow and revised:
            minutes *= QUICKER_REVISED
        seconds = max(90, round(random.lognormvariate(log(minutes * 60), 0.65)))
        worked = min(seconds, 4 * 3600)
        if random.random() < OVERNIGHT:
            seconds += random.randint(15, 20) * 3600
        status = STATUS_OF_END[went.end]
        ended = went.end != course.ABANDONED
        told = Told(
            engineer=engineer,
            started_at=at,
            problem=problem,
            client=clients[0] if random.random() < 0.96 else None,
            tier=tier,
            flow=flow,
            version=(2 if revised else 1) if flow else None,
            confidence=confidence,
            ticket="to come" if random.random() < 0.93 else None,
            status=status,
            outcome=went.end if ended else None,
            completed_at=at + timedelta(seconds=seconds) if ended else None,
            decisions=_decisions(went.steps, at, seconds, random),
        )
        voices.rate(told, random)
        voices.post(told, timedelta(seconds=worked), random)
        return told

    def _course(self, problem: Problem, tier: Tier, day: int, revised: bool, random: Random) -> course.Course:
        walker = self.walkers[problem.flow, 2 if revised else 1] if problem.flow else None
        if walker is None or tier == Tier.DISCOVERY:
            return course.alone(walker, day, random)
        if tier == Tier.EXPLORING:
            return course.left(walker, day, random)
        return course.guided(walker, str(problem.flow), day, revised=revised, random=random)


def _matched(problem: Problem, day: int, random: Random) -> tuple[Tier, float | None]:
    """How well a published flow fitted, and how sure the matching was: null where it was picked by hand."""
    fits = problem.flow is not None and problem.domain not in cast.UNCOVERED
    if problem.flow == cast.STALE[0] and day >= cast.STALE[1]:
        fits = False
    chance = random.random()
    if fits and chance < 0.62 + 0.16 * day / cast.DAYS:
        return Tier.GUIDED, None if random.random() < 0.1 else round(random.uniform(0.72, 0.98), 2)
    if fits and chance < 0.92:
        return Tier.EXPLORING, round(random.uniform(0.45, 0.7), 2)
    return Tier.DISCOVERY, None if random.random() < 0.4 else round(random.uniform(0.05, 0.4), 2)


def _decisions(
    steps: list[course.Step], start: datetime, seconds: int, random: Random
) -> list[dict[str, Any]]:
    moments = sorted(random.uniform(0.03, 0.97) for _ in steps)
    decisions = []
    for number, (step, moment) in enumerate(zip(steps, moments, strict=True), start=1):
        at = start + timedelta(seconds=round(seconds * moment))
        decisions.append(
            {
                "id": str(number),
                "node_id": step.node_id,
                "title": step.title,
                "answer": step.answer,
                "note": voices.a_note(random),
                "at": at,
                "undone_at": at + timedelta(seconds=random.randint(5, 60)) if step.undone else None,
                "taken_over": False,
            }
            | ({"left_flow": Tier.GUIDED.value} if step.left else {})
        )
    return decisions


def _as_of(now: datetime, told: Told) -> Told:
    """The session without what came after `now`; one that ended later is being worked on."""
    if told.completed_at and told.completed_at > now:
        told.status, told.outcome, told.completed_at, told.rating = Status.ACTIVE.value, None, None, None
    if told.rating and told.rating[2] > now:
        told.rating = None
    if told.decisions and told.decisions[-1]["at"] > now and told.status == Status.ABANDONED:
        told.status = Status.ACTIVE.value
    told.decisions = [decision for decision in told.decisions if decision["at"] <= now]
    for decision in told.decisions:
        if decision["undone_at"] and decision["undone_at"] > now:
            decision["undone_at"] = None
    told.thumbs = [thumb for thumb in told.thumbs if thumb[2] <= now]
    told.activity = [entry for entry in told.activity if entry[2] <= now and told.completed_at]
    return told


def _reopen(told: Told, status: Status) -> None:
    told.status, told.outcome, told.completed_at, told.rating = status.value, None, None, None
    told.activity = []
