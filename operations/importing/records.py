"""One session to be imported, whatever the format it came in, and the rules that it has to keep."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from flowpilot.sessions.states import OUTCOMES_OF_STATUS, STATUS_OF_OUTCOME, Outcome, Status, Tier
from operations.importing.faults import Fault

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
LONGEST_DURATION = timedelta(seconds=2**31 - 1)  # what the column of seconds holds

OUTCOMES: dict[str, tuple[str | None, ...]] = {
    status.value: tuple(outcome.value for outcome in outcomes) or (None,)
    for status, outcomes in OUTCOMES_OF_STATUS.items()
}
COMPLETED = {status for status, outcomes in OUTCOMES.items() if outcomes != (None,)}
TIERS = frozenset(Tier.values)


@dataclass(slots=True)
class ImportedDecision:
    """`helpful` is the thumb given on the step, null for none. Times are in UTC."""

    at: datetime
    node_id: str | None = None
    title: str = ""
    answer: str = ""
    note: str = ""
    undone_at: datetime | None = None
    taken_over: bool = False
    helpful: bool | None = None
    index: int = 0  # its place in the file, from 0

    @property
    def counts(self) -> bool:
        return self.undone_at is None and not self.taken_over

    def stored(self) -> dict[str, Any]:
        """As it stands in Session.decisions. The id comes from the place, so that importing again changes nothing."""
        return {
            "id": str(self.index),
            "node_id": self.node_id,
            "title": self.title,
            "answer": self.answer,
            "note": self.note,
            "at": iso(self.at),
            "undone_at": iso(self.undone_at) if self.undone_at else None,
            "taken_over": self.taken_over,
        }


@dataclass(slots=True)
class ImportedActivity:
    """A time entry (with hours) or a note (without) that the ticket system holds."""

    kind: Literal["time_entry", "note"]
    index: int  # its place in the file's list, from 0
    at: datetime
    hours: Decimal | None = None


@dataclass(slots=True)
class ImportedSession:
    """All times are in UTC. `stated_steps` is the file's step_count, null where it does not say."""

    line: int
    raw: str
    external_id: str
    email: str
    engineer: str
    started_at: datetime
    status: str
    outcome: str | None = None
    completed_at: datetime | None = None
    flow: str | None = None
    domain: str | None = None
    client: str | None = None
    problem_summary: str = ""
    confidence_tier: str | None = None
    confidence: float | None = None
    stated_steps: int | None = None
    psa_ticket_id: str | None = None
    rating: int | None = None
    comment: str | None = None
    decisions: list[ImportedDecision] = field(default_factory=list)
    activity: list[ImportedActivity] = field(default_factory=list)

    @property
    def step_count(self) -> int:
        if self.stated_steps is not None:
            return self.stated_steps
        return sum(1 for decision in self.decisions if decision.counts)

    @property
    def last_activity_at(self) -> datetime:
        newest = self.completed_at or self.started_at  # the end is never before the start
        for decision in self.decisions:
            newest = max(newest, decision.at)
        return newest

    def check(self) -> None:
        """Raises Fault where the facts contradict each other."""
        if self.outcome not in OUTCOMES[self.status]:
            allowed = " or ".join(f"{outcome}" for outcome in OUTCOMES[self.status] if outcome)
            needs = f"the outcome {allowed}" if allowed else "no outcome"
            has = f"not {self.outcome}" if self.outcome else "but none is given"
            raise Fault(f"A session with the status {self.status} has {needs}, {has}.")
        if self.completed_at is None:
            if self.status in COMPLETED:
                raise Fault(f"A session with the status {self.status} needs completed_at.")
            if self.rating is not None:
                raise Fault("Only a completed session can have a rating.")
        elif self.status not in COMPLETED:
            raise Fault(f"A session with the status {self.status} has no completed_at.")
        elif self.completed_at < self.started_at:
            raise Fault("completed_at is before started_at.")
        elif self.completed_at - self.started_at > LONGEST_DURATION:
            raise Fault("The session lasts longer than 68 years.")
        if self.comment is not None and self.rating is None:
            raise Fault("A comment needs a rating.")
        if self.flow is None and any(decision.helpful is not None for decision in self.decisions):
            raise Fault("A decision can be helpful only in a session with a flow.")


def in_reach(at: datetime) -> bool:
    """Whether every page can show the time in every zone."""
    return EARLIEST <= at < LATEST


def iso(at: datetime) -> str:
    """A time in UTC as it stands in JSON, with Z."""
    return at.isoformat()[:-6] + "Z"


def outcome_status(outcome: str | None) -> str:
    """The status of a session whose file gives an outcome only; without one it is being worked on."""
    return (STATUS_OF_OUTCOME[outcome] if outcome else Status.ACTIVE).value


KNOWN_OUTCOMES = frozenset(Outcome.values)
