"""Many ways through the same problem made into one tree, whose branches are what came of the steps.

At each place the tree asks for the step that most of the sessions there took next; what came of it parts them. A
session that never took that step goes on with those whom it did not help. So the way that most went comes first, each
step stands where it is needed, and each way ends as the sessions ended that went it.

A way is drawn as far as enough sessions went it together (`_least`). Who went on alone is counted where that began.
The tree is planned first, from its end: whether a step leads anywhere is known when all behind it is.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any
from uuid import UUID

from flowpilot.analysis.answers import ANYTHING_ELSE, NO, NOT_SOLVED, SOLVED, YES, classes, label_of, meaning
from flowpilot.analysis.kinds import Kinds
from flowpilot.analysis.phrases import (
    SAME_STEP,
    Spelling,
    answer_label,
    is_wrap_up,
    lower_first,
    same_step,
    solution_line,
    step_words,
)
from flowpilot.analysis.reading import Lesson, Step
from flowpilot.analysis.voices import Voices
from flowpilot.flows.structure import Node
from flowpilot.sessions.states import Outcome
from resolutionflow.folding import fold

MOST_DRAWN = 60  # steps of a draft: more than a reviewer would read
MOST_DEEP = 30  # steps on one way
MOST_BRANCHES = 6  # of one step
FEW = 3  # sessions from which on two have to go a way together
SHARE = 20  # of so many sessions one has to go a way, for it to be drawn
TRIED = 3  # steps that are tried at one place, where the first leads nowhere
MOST_TRIES = 400  # in one tree
SHOWN_RESULTS = 3
MOST_WAYS = 20  # of the evidence
NO_WAY_ON = "Not solved by these steps: go on without the flow"


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
    """One option of a step: those who gave this answer, and what is done then. `plan` is None where they ended, or
    where nobody went on with others (`is_end` tells which)."""

    label: str
    took: int
    plan: "Plan | None"
    is_end: bool
    ended: tuple[Lesson, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A step and all behind it. `said` are the answers of those that took it."""

    kind: int
    takers: tuple[tuple[Lesson, Step], ...]
    ways: tuple[Way, ...]
    said: tuple[str, ...]


@dataclass(frozen=True)
class Merged:
    """`visits` and `branches` count the sessions that took a step, and gave an answer; `paths` has all whose way the
    tree holds to its end, the first to end first. `left_out` counts the others at the last step that they took, under
    "" those that took none."""

    structure: Node
    visits: dict[str, int]
    branches: dict[str, dict[str, int]]
    paths: list[dict[str, Any]]
    left_out: dict[str, int]

    def told(self) -> dict[str, Any]:
        """What the evidence says of the ways: those that most sessions went, each with the newest of them."""
        ways: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for path in self.paths:
            way = (*(step["node_id"] for step in path["steps"]), path["end"])
            ways.setdefault(way, []).append(path)
        most = sorted(ways.values(), key=lambda same: -len(same))[:MOST_WAYS]
        return {
            "paths": [
                {name: same[-1][name] for name in ("session", "steps", "outcome")} | {"count": len(same)}
                for same in most
            ],
            "left_out": self.left_out,
        }


def merge(lessons: Sequence[Lesson], taken_ids: Sequence[str] = ()) -> Merged | None:
    """The tree of these sessions, oldest first; None where too few of them went any way together. taken_ids: ids that
    its nodes must not have."""
    voices = Voices(lessons)
    kinds = Kinds(voices)
    rows = list(_rows(lessons, kinds))
    least = 1 if len(lessons) < FEW else max(2, ceil(len(lessons) / SHARE))
    plan = _Planner(voices, least).plan(_worth_drawing(kinds, rows, least), 1)
    if plan is None:
        return None
    texts = [text for lesson in lessons for text in _texts_of(lesson)]
    return _Tree(kinds, taken_ids, Spelling(texts), voices).draw(plan, lessons)


def _texts_of(lesson: Lesson) -> Iterator[str]:
    yield lesson.problem
    yield lesson.solution
    for step in lesson.steps:
        yield step.title
        yield step.answer


def _rows(lessons: Sequence[Lesson], kinds: Kinds) -> Iterator[Row]:
    """Each step under its kind."""
    for lesson in lessons:
        ahead: list[Taken] = []
        for step in lesson.steps:
            number = kinds.number_of(step.title, lesson.session_id)
            if (
                ahead and ahead[-1].kind == number
            ):  # the same thing again at once: what came of it in the end counts
                before = ahead.pop().step
                step = Step(before.title, step.answer or before.answer)
            ahead.append(Taken(number, step))
        yield Row(lesson, tuple(ahead), whole=True)


def _worth_drawing(kinds: Kinds, rows: list[Row], least: int) -> list[Row]:
    """Without what follows the solution, and without the steps that too few took anywhere."""
    kept = []
    for row in rows:
        ahead = list(row.ahead)
        while len(ahead) > 1 and _only_wraps_up(ahead[-1], kinds):
            ahead.pop()
        whole = bool(ahead) and len(kinds[ahead[-1].kind].sessions) >= least
        shared = tuple(taken for taken in ahead if len(kinds[taken.kind].sessions) >= least)
        if shared:
            kept.append(Row(row.lesson, shared, whole))
    return kept


def _only_wraps_up(taken: Taken, kinds: Kinds) -> bool:
    return is_wrap_up(taken.step.title) or (
        len(kinds[taken.kind].sessions) == 1 and step_words(taken.step.title).keys() <= {"close", "ticket"}
    )


@dataclass
class _Branch:
    """Sessions with one answer, or with answers that make no difference. `rows` are those that go on."""

    is_end: bool
    took: list[Row] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def join(self, other: "_Branch") -> None:
        self.took += other.took
        self.said += other.said
        self.rows += other.rows


class _Planner:
    """Which step is asked for where, and where a way ends."""

    def __init__(self, voices: Voices, least: int) -> None:
        self.voices = voices
        self._least = least
        self._tries = 0

    def plan(self, rows: list[Row], depth: int) -> Plan | None:
        """What these sessions, none of which has ended, do next, and all behind it; None where too few do the same."""
        if len(rows) < self._least or depth > MOST_DEEP:
            return None
        votes = Counter(row.ahead[0].kind for row in rows)
        at_all = Counter(kind for row in rows for kind in {taken.kind for taken in row.ahead})
        able = [kind for kind, count in at_all.items() if count >= self._least]
        # The step that most take next; of equals the one that more take at all, then the one known for longer.
        able.sort(key=lambda kind: (-votes[kind], -at_all[kind], kind))
        for kind in able[:TRIED]:
            self._tries += 1
            if plan := self._with(kind, rows, depth):
                return plan
            if self._tries > MOST_TRIES:
                break
        return None

    def _with(self, kind: int, rows: list[Row], depth: int) -> Plan | None:
        takers: list[tuple[Row, Step]] = []
        strangers: list[Row] = []
        for row in rows:
            place = next((n for n, taken in enumerate(row.ahead) if taken.kind == kind), None)
            if place is None:
                strangers.append(row)
            else:
                rest = row.ahead[:place] + row.ahead[place + 1 :]
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
        answer is never in two branches: what most did who gave it counts."""
        ended = _Branch(is_end=True)
        going: list[_Branch] = []
        for places in classes(step.answer for _, step in takers):
            rows = [takers[place][0] for place in places]
            answers = [takers[place][1].answer for place in places if takers[place][1].answer]
            over = [row for row in rows if not row.ahead and row.whole]
            on = [row for row in rows if row.ahead]
            denied = bool(answers) and meaning(answers[0]) == "no"
            if answers and over and (not on or (not denied and 2 * len(over) >= len(rows))):
                ended.join(_Branch(is_end=True, took=rows, said=answers))
            elif answers:
                going.append(_Branch(is_end=False, took=rows, said=answers, rows=on))
            else:  # nobody knows what came of it: only what they did then parts them
                ended.join(_Branch(is_end=True, took=over))
                going.append(_Branch(is_end=False, took=[row for row in rows if row not in over], rows=on))
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
            ended = tuple(row.lesson for row in branch.took) if branch.is_end else ()
            way = Way(label, len(branch.took), plan, branch.is_end, ended)
            ways.append((len(branch.took) if branch.is_end else max(len(branch.took), len(branch.rows)), way))
        ways.sort(key=lambda counted: -counted[0])
        found = [way for _, way in ways]
        if found and len(alone) >= self._least and any(way.label != ANYTHING_ELSE for way in found):
            label = NOT_SOLVED if any(way.is_end for way in found) else ANYTHING_ELSE
            if any(fold(way.label) == fold(label) for way in found):
                label = ANYTHING_ELSE
            same = next((way for way in found if fold(way.label) == fold(label)), None)
            if same is None:
                found.append(Way(label, len(alone), None, is_end=False))
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
            label = label_of(said, helped=branch.is_end if some_ended else None)
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


class _Tree:
    def __init__(self, kinds: Kinds, taken_ids: Sequence[str], spelling: Spelling, voices: Voices) -> None:
        self._kinds = kinds
        self._spelling = spelling
        self._voices = voices
        self._titles: dict[int, str] = {}
        self._ids = set(taken_ids)
        self._nodes: list[Node] = []
        self._steps: dict[UUID, list[dict[str, str]]] = defaultdict(list)
        self._ends: dict[UUID, str] = {}
        self.visits: dict[str, int] = {}
        self.branches: dict[str, dict[str, int]] = {}

    def draw(self, plan: Plan, lessons: Sequence[Lesson]) -> Merged:
        self._step(plan)
        root, *others = self._nodes
        if others:
            root["children"] = others
        paths = [
            {
                "session": str(lesson.session_id),
                "steps": self._steps[lesson.session_id],
                "outcome": lesson.outcome,
                "end": self._ends[lesson.session_id],
            }
            for lesson in lessons
            if lesson.session_id in self._ends
        ]
        left_out = Counter(
            self._steps[lesson.session_id][-1]["node_id"] if self._steps[lesson.session_id] else ""
            for lesson in lessons
            if lesson.session_id not in self._ends
        )
        return Merged(root, self.visits, self.branches, paths, dict(left_out))

    def _step(self, plan: Plan) -> str:
        """Draws the step and all behind it; its id."""
        id_ = self._new_id(self._voices.title_of(self._kinds[plan.kind].titles[:1]))
        node: Node = {"id": id_, "type": "action", "title": self._title(plan.kind)}
        self._nodes.append(node)
        self.visits[id_] = len(plan.takers)
        for lesson, step in plan.takers:
            place = {"node_id": id_, "title": step.title, "answer": step.answer}
            self._steps[lesson.session_id].append(place)
        if len(plan.ways) == 1:
            self._note_results(node, plan.said)
            node["next"] = self._behind(plan.ways[0])
            return id_
        node |= {"type": "question", "options": []}
        counts = self.branches[id_] = {}
        for way in plan.ways:
            label = self._spelling.put_right(way.label)
            counts[label] = way.took
            node["options"].append({"label": label, "next": self._behind(way)})
        return id_

    def _behind(self, way: Way) -> str:
        if way.is_end:
            return self._end(way.ended)
        if way.plan is None or len(self._nodes) + 2 * len(way.plan.ways) >= MOST_DRAWN:
            return self._no_way_on(way)
        return self._step(way.plan)

    def _end(self, lessons: Sequence[Lesson]) -> str:
        outcome = Counter(lesson.outcome for lesson in lessons).most_common(1)[0][0]
        said = [lesson.solution for lesson in lessons]
        solution = solution_line(self._voices.shared(said))
        ended_with = [self._steps[lesson.session_id][-1]["title"] for lesson in lessons]
        told = any(same_step(solution, title) >= SAME_STEP for title in ended_with) if solution else True
        title = "Got around" if outcome == Outcome.WORKAROUND else SOLVED
        id_ = self._new_id(title)
        if not told:
            title = f"{title}: {lower_first(self._spelling.put_right(solution))}"
        self._nodes.append({"id": id_, "type": "outcome", "title": title, "outcome": str(outcome)})
        self.visits[id_] = len(lessons)
        for lesson in lessons:
            self._ends[lesson.session_id] = id_
        return id_

    def _no_way_on(self, way: Way) -> str:
        """An end for those who went on, each for themselves."""
        id_ = self._new_id("not solved")
        self._nodes.append(
            {"id": id_, "type": "outcome", "title": NO_WAY_ON, "outcome": Outcome.UNRESOLVED.value}
        )
        self.visits[id_] = way.took
        return id_

    def _note_results(self, node: Node, said: Sequence[str]) -> None:
        """Where a step has one way on, what came of it stands in its help."""
        shared = self._voices.shared(said)
        groups = sorted(classes(shared), key=len, reverse=True)
        labels = [answer_label([shared[place] for place in group]) for group in groups]
        if shown := [lower_first(label) for label in labels if label and not meaning(label)][:SHOWN_RESULTS]:
            node["help"] = self._spelling.put_right(f"What came of it: {'; '.join(shown)}.")

    def _title(self, kind: int) -> str:
        if kind not in self._titles:
            self._titles[kind] = self._spelling.put_right(
                self._voices.title_of(self._kinds[kind].titles[:200])
            )
        return self._titles[kind]

    def _new_id(self, title: str) -> str:
        words = re.findall(r"[a-z0-9]+", fold(title))[:6]
        base = "-".join(words)[:60].strip("-") or "step"
        id_, number = base, 1
        while id_ in self._ids:
            number += 1
            id_ = f"{base}-{number}"
        self._ids.add(id_)
        return id_
