"""Which step a merged flow asks for where, what of its answers matters, and where a way ends.

It is planned from the end: whether a step leads anywhere is known when all behind it is. Nothing is drawn here.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flowpilot.analysis.answers import (
    ANYTHING_ELSE,
    NO,
    NOT_SOLVED,
    YES,
    classes,
    label_of,
    meaning,
    says_solved,
)
from flowpilot.analysis.reading import Lesson, Step
from flowpilot.analysis.sameness import changes
from flowpilot.analysis.voices import Voices
from flowpilot.sessions.states import Outcome
from resolutionflow.folding import fold

MOST_OPTIONS = 6  # of a step, beside the one for all else: those of most sessions
MOST_DEEP = 30  # steps on one way
TRIED = 3  # steps that are tried at one place, where the first leads nowhere
MOST_TRIES = 400  # in one tree


@dataclass(frozen=True)
class Taken:
    """A step as one session took it."""

    kind: int
    step: Step


@dataclass(frozen=True)
class Row:
    """A session on its way through the tree, with what it has still to do. `whole`: it ends with the last of that; of
    others the step that solved it is one that nobody else took."""

    lesson: Lesson
    ahead: tuple[Taken, ...]
    whole: bool


@dataclass(frozen=True)
class Way:
    """One option of a step: those who gave this answer, and what is done then. `plan` is None where they ended (with
    this `outcome`), or where nobody went on with others ("")."""

    label: str
    took: int
    plan: "Plan | None"
    outcome: str = ""
    ended: tuple[Lesson, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A step and all behind it. `said` are the answers of those that took it."""

    kind: int
    takers: tuple[tuple[Lesson, Step], ...]
    ways: tuple[Way, ...]
    said: tuple[str, ...]


@dataclass
class _Branch:
    """Sessions with one answer, or with answers that make no difference. `rows` are those that go on."""

    is_end: bool
    took: list[Row] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """How most of those ended who did end here; of equals, solved."""
        ends = Counter(row.lesson.outcome for row in self.took if not row.ahead)
        return max(
            ends, key=lambda outcome: (ends[outcome], outcome == Outcome.RESOLVED), default=Outcome.RESOLVED
        )

    def join(self, other: "_Branch") -> None:
        self.took += other.took
        self.said += other.said
        self.rows += other.rows


class Planner:
    """Which step is asked for where, and where a way ends."""

    def __init__(self, voices: Voices, least: int, around: Collection[int] = ()) -> None:
        """`around`: the steps that get around the problem."""
        self.voices = voices
        self._around = around
        self._least = least
        self._tries = 0
        self._plans: dict[
            tuple[Any, ...], Plan | None
        ] = {}  # branches are joined after all were planned: most stay

    def plan(self, rows: list[Row], depth: int) -> Plan | None:
        """What these sessions, none of which has ended, do next, and all behind it; None where too few do the same."""
        key = tuple((id(row.lesson), *map(id, row.ahead)) for row in rows)
        if key not in self._plans:
            self._plans[key] = self._planned(rows, depth)
        return self._plans[key]

    def _planned(self, rows: list[Row], depth: int) -> Plan | None:
        if len(rows) < self._least or depth > MOST_DEEP:
            return None
        votes = Counter(row.ahead[0].kind for row in rows)
        at_all = Counter(kind for row in rows for kind in {taken.kind for taken in row.ahead})
        able = [kind for kind, count in at_all.items() if count >= self._least]
        # The step that most take next; of equals the one that more take at all, then the one known for longer. What
        # only gets around the problem is for those whom nothing else helps.
        able.sort(key=lambda kind: (kind in self._around, -votes[kind], -at_all[kind], kind))
        for kind in able[:TRIED]:
            if self._tries >= MOST_TRIES:
                break
            self._tries += 1
            if plan := self._with(kind, rows, depth):
                return plan
        return None

    def _with(self, kind: int, rows: list[Row], depth: int) -> Plan | None:
        takers: list[tuple[Row, Step]] = []
        strangers: list[Row] = []
        for row in rows:
            place = next((n for n, taken in enumerate(row.ahead) if taken.kind == kind), None)
            if place is None:
                strangers.append(row)
            else:
                solved_it = row.whole and place == len(row.ahead) - 1  # whatever else they tried before
                rest = () if solved_it else row.ahead[:place] + row.ahead[place + 1 :]
                takers.append((Row(row.lesson, rest, row.whole), row.ahead[place].step))
        ways = self._ways(self._branches(takers, strangers), depth)
        if not ways:
            return None
        if len(ways) == 1 and ways[0].plan is not None and 2 * len(takers) <= len(rows):
            # On the way of no more than half, and no difference to anybody.
            return self.plan([_without(row, kind) for row in rows if _without(row, kind).ahead], depth)
        said = tuple(step.answer for _, step in takers if step.answer)
        return Plan(kind, tuple((row.lesson, step) for row, step in takers), tuple(ways), said)

    def _branches(self, takers: list[tuple[Row, Step]], strangers: list[Row]) -> list[_Branch]:
        """Who ended with the step, and who went on, parted by answers as far as they lead to different steps. One
        answer is never in two branches: what most did who gave it counts; but who did something and says that it is
        solved has ended, whatever they did then."""
        acts = 2 * sum(changes(step.title) for _, step in takers) > len(takers)
        ended = _Branch(is_end=True)
        going: list[_Branch] = []
        for places in classes((step.answer for _, step in takers), self.voices.language):
            rows = [takers[place][0] for place in places]
            answers = [takers[place][1].answer for place in places if takers[place][1].answer]
            over = [row for row in rows if not row.ahead and row.whole]
            on = [row for row in rows if row.ahead]
            denied = bool(answers) and meaning(answers[0]) == "no"
            open_ = [answer for answer in answers if not (acts and says_solved(answer))]
            solved = bool(answers) and 2 * len(open_) <= len(answers)
            if solved or (answers and over and (not on or (not denied and 2 * len(over) >= len(rows)))):
                ended.join(_Branch(is_end=True, took=rows, said=answers))
            elif answers:
                going.append(_Branch(is_end=False, took=rows, said=open_, rows=on))
            else:  # nobody knows what came of it: only what they did then parts them
                ended.join(_Branch(is_end=True, took=over))
                going.append(
                    _Branch(is_end=False, took=[row for row in rows if row.ahead or not row.whole], rows=on)
                )
        branches = _by_next(going)
        if strangers:
            if not branches:
                branches.append(_Branch(is_end=False))
            branches[0].rows += strangers
        return [branch for branch in [ended, *branches] if branch.took or branch.rows]

    def _ways(self, branches: list[_Branch], depth: int) -> list[Way]:
        """The options, that of most sessions first. What too few did is one more of them where they are many
        together, and else left out."""
        planned = [(b, None if b.is_end else self.plan(b.rows, depth + 1)) for b in branches]
        branches = self._joined(planned)
        if len(branches) < len(planned):  # more that makes no difference
            return self._ways(branches, depth)
        named = self._named(branches)
        if len(named) < len(branches):
            return self._ways(list(named.values()), depth)
        plans = {id(branch): plan for branch, plan in planned}
        ways: list[tuple[int, Way]] = []
        alone: list[Row] = []
        for label, branch in named.items():
            plan = plans[id(branch)]
            enough = len(branch.took) >= self._least if branch.is_end else plan is not None
            if not enough:
                alone += branch.took
                continue
            way = Way(label, len(branch.took), plan)
            if branch.is_end:
                way = replace(way, outcome=branch.outcome, ended=tuple(row.lesson for row in branch.took))
            ways.append((len(branch.took) if branch.is_end else max(len(branch.took), len(branch.rows)), way))
        ways.sort(key=lambda counted: -counted[0])
        found = [way for _, way in ways[:MOST_OPTIONS]]
        for _, way in ways[MOST_OPTIONS:]:
            alone += named[way.label].took
        if found and len(alone) >= self._least and any(way.label != ANYTHING_ELSE for way in found):
            label = NOT_SOLVED if any(way.outcome for way in found) else ANYTHING_ELSE
            if any(fold(way.label) == fold(label) for way in found):
                label = ANYTHING_ELSE
            same = next((way for way in found if fold(way.label) == fold(label)), None)
            if same is None:
                found.append(Way(label, len(alone), None))
        return found

    def _joined(self, planned: list[tuple[_Branch, Plan | None]]) -> list[_Branch]:
        """Those that begin with the same step are one."""
        by_kind: dict[int, _Branch] = {}
        kept = []
        for branch, plan in planned:
            first = by_kind.setdefault(plan.kind, branch) if plan else branch
            if first is branch:
                kept.append(branch)
            else:
                first.join(branch)
        return kept

    def _named(self, branches: list[_Branch]) -> dict[str, _Branch]:
        """By their labels; of those with equal ones the further ones join the first."""
        some_ended = any(branch.is_end for branch in branches)
        named: dict[str, tuple[str, _Branch]] = {}
        for branch in branches:
            said = self.voices.shared(branch.said)
            label = label_of(
                said, helped=branch.is_end if some_ended else None, language=self.voices.language
            )
            if not label:
                label = {"yes": YES, "no": NO}.get(_sense(branch.said), ANYTHING_ELSE)
            if (known := named.get(fold(label))) is None:
                named[fold(label)] = label, branch
            else:
                known[1].join(branch)
        return dict(named.values())


def _sense(said: Sequence[str]) -> str:
    """“yes” or “no” where all of them say it."""
    senses = {meaning(text) for text in said}
    return senses.pop() if len(senses) == 1 else ""


def _without(row: Row, kind: int) -> Row:
    return Row(row.lesson, tuple(taken for taken in row.ahead if taken.kind != kind), row.whole)


def _by_next(going: list[_Branch]) -> list[_Branch]:
    """Answers that lead to the same step are one branch: what makes no difference is not asked. The largest first."""
    by_next: dict[int | None, _Branch] = {}
    for branch in sorted(going, key=lambda b: (not b.said, -len(b.rows))):
        if not branch.said and by_next:
            joined = max(by_next.values(), key=lambda b: len(b.rows))
        else:
            first = Counter(row.ahead[0].kind for row in branch.rows).most_common(1)
            joined = by_next.setdefault(first[0][0] if first else None, _Branch(is_end=False))
        joined.join(branch)
    return sorted(by_next.values(), key=lambda b: -len(b.rows))
