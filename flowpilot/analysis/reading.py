"""What one session tells: the problem, what its engineer did in words of their own, and how it ended."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import takewhile
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, Func, QuerySet, UUIDField, Value

from flowpilot.analysis.sameness import only_looks
from flowpilot.analysis.verbs import ACTS
from flowpilot.analysis.words import FAINT, MOST_LETTERS, own_words, words_of
from flowpilot.matching.concepts import LANGUAGE
from flowpilot.metrics import UNGUIDED
from flowpilot.sessions.driving import is_own_step
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import Status

FEWEST_STEPS = 2  # decisions with the engineer's own text, fewer of which teach nothing
MOST_STEPS = 30  # of one session, the newest
LONGEST_NOTE = 80  # of a note that stands in for a result; longer ones are stories

WORD = re.compile(r"[^\W_]")

COLUMNS = (
    *(
        "id",
        "user_id",
        "domain_id",
        "flow_id",
        "problem_summary",
        "problem_description",
        "resolution_summary",
    ),
    *("outcome", "completed_at", "decisions"),
)


class Left(NamedTuple):
    """Where a flow was left."""

    flow_id: UUID
    node_id: str


@dataclass(frozen=True)
class Step:
    """`answer` is what came of it, "" where that was not said."""

    title: str
    answer: str


@dataclass(frozen=True)
class Lesson:
    """`steps` are the own ones, in their order; of a session that left its flow, those after that (`left`)."""

    session_id: UUID
    engineer_id: UUID
    domain_id: UUID | None
    problem: str
    solution: str
    outcome: str
    ended_at: datetime
    steps: tuple[Step, ...]
    left: Left | None
    details: str = ""

    def told(self, language: str = LANGUAGE) -> "Told":
        """What the session is about. Beside a flow what was done first tells that, and what was seen before it helps:
        why a flow is left is not its problem, and how one makes sure in the end is the same everywhere."""
        if self.left is None:
            own = own_words(self.problem, self.details, language)
            done = [self.solution, *(step.title for step in self.steps)]
        else:
            seen = list(takewhile(lambda step: only_looks(step.title), self.steps))
            first = [step.title for step in self.steps[len(seen) : len(seen) + 1]]
            own = dict.fromkeys(words_of(" . ".join(first), language), 1.0)
            done = [f"{step.title} . {step.answer}" for step in seen]
        telling = [word for text in done for word in _words_done(text[:MOST_LETTERS], language)]
        return Told(own, dict.fromkeys(telling, 1.0))


@lru_cache(maxsize=50_000)
def _words_done(text: str, language: str) -> tuple[str, ...]:
    """What it was done to: acts, and what is done about anything, are not among it."""
    return tuple(word for word in words_of(text, language) if word not in ACTS and word not in FAINT)


class Told(NamedTuple):
    """{word: weight}: `own` are the words of the problem, `steps` those of what was done."""

    own: dict[str, float]
    steps: dict[str, float]


def unread() -> QuerySet[Session]:
    """The sessions that the analysis has still to read, the first to end first."""
    rows: QuerySet[Session] = Session.objects.filter(UNGUIDED, status=Status.RESOLVED, analysed_at=None)
    return rows.order_by("completed_at", "id")


def sessions_of(ids: Sequence[UUID]) -> QuerySet[Session]:
    """The sessions of these ids, which go to the database as one array: a parameter for each of thousands costs more
    than the rest of the statement."""
    rows: QuerySet[Session] = Session.objects.filter(_IsAny("id", Value(ids, ArrayField(UUIDField()))))
    return rows


class _IsAny(Func):
    """Whether a column is one of an array's values."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


def lessons_of(sessions: QuerySet[Session]) -> Iterator[Lesson]:
    """One of each session that tells enough, in the order of the rows."""
    for row in sessions.values_list(*COLUMNS):
        lesson = _lesson(*row)
        if len(lesson.steps) >= FEWEST_STEPS:
            yield lesson


def _lesson(
    id_: UUID,
    engineer_id: UUID,
    domain_id: UUID | None,
    flow_id: UUID | None,
    problem: str,
    details: str,
    solution: str,
    outcome: str,
    ended_at: datetime,
    decisions: list[Any],
) -> Lesson:
    standing = [d for d in decisions if isinstance(d, dict) and not d.get("undone_at")]
    places = [place for place, d in enumerate(standing) if d.get("left_flow")]
    left = None
    if places and flow_id is not None and isinstance(node_id := standing[places[-1]].get("node_id"), str):
        left = Left(flow_id, node_id)
        standing = standing[places[-1] + 1 :]
    steps = [Step(_line(d.get("title")), _result(d)) for d in standing if _is_own(d)]
    return Lesson(
        session_id=id_,
        engineer_id=engineer_id,
        domain_id=domain_id,
        problem=_line(problem),
        solution=" ".join(solution.split()),
        outcome=outcome,
        ended_at=ended_at,
        steps=tuple(steps[-MOST_STEPS:]),
        left=left,
        details=details,
    )


def _is_own(decision: Mapping[str, Any]) -> bool:
    """Taken beside a flow, in words of the engineer's own: neither a colleague's answer nor taken over from one."""
    return is_own_step(decision) and bool(WORD.search(_line(decision.get("title"))))


def _result(decision: Mapping[str, Any]) -> str:
    """What came of a step; where only a short note tells that, the note."""
    answer, note = _line(decision.get("answer")), _line(decision.get("note"))
    return answer or (note if len(note) <= LONGEST_NOTE else "")


def _line(text: object) -> str:
    return " ".join(text.split()) if isinstance(text, str) else ""
