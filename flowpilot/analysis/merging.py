"""Many ways through the same problem made into one tree, whose branches are what came of the steps.

At each place the tree asks for the step that most of the sessions there took next; what came of it parts them. A
session that never took that step goes on with those whom it did not help. So the way that most went comes first, each
step stands where it is needed, and each way ends as the sessions ended that went it.

A way is drawn as far as enough sessions went it together (`least`). Who went on alone is counted where that began.
The tree is planned first (`planning.py`), then drawn.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any
from uuid import UUID

from flowpilot.analysis.answers import SOLVED, answer_label, classes, meaning
from flowpilot.analysis.kinds import Kinds
from flowpilot.analysis.orders import as_check, is_wrap_up, lower_first
from flowpilot.analysis.phrases import Spelling, solution_line
from flowpilot.analysis.planning import Plan, Planner, Row, Taken, Way
from flowpilot.analysis.reading import Lesson, Step
from flowpilot.analysis.sameness import asks_nothing, is_same_step, step_words
from flowpilot.analysis.voices import Voices
from flowpilot.flows.structure import Node
from flowpilot.matching.concepts import LANGUAGE
from flowpilot.sessions.states import Outcome
from resolutionflow.folding import fold

MOST_DRAWN = 60  # steps of a draft: more than a reviewer would read
FEW = 3  # sessions from which on two have to go a way together
SHARE = 20  # of so many sessions one has to go a way, for it to be drawn
SHOWN_RESULTS = 3
MOST_WAYS = 20  # of the evidence
HELD = 0.3  # of the sessions, whose ways a tree has to hold to their ends
NO_WAY_ON = "Not solved by these steps: go on without the flow"


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


def merge(
    lessons: Sequence[Lesson], taken_ids: Sequence[str] = (), language: str = LANGUAGE
) -> Merged | None:
    """The tree of these sessions, oldest first; None where it would hold the ways of too few of them. taken_ids: ids
    that its nodes must not have."""
    voices = Voices(lessons, language)
    kinds = Kinds(voices)
    rows = list(_rows(lessons, kinds))
    least = 1 if len(lessons) < FEW else max(2, ceil(len(lessons) / SHARE))
    plan = Planner(voices, least, _around(rows)).plan(_worth_drawing(kinds, rows, least), 1)
    if plan is None:
        return None
    texts = [text for lesson in lessons for text in _texts_of(lesson)]
    merged = _Tree(kinds, taken_ids, Spelling(texts), voices).draw(plan, lessons)
    return merged if len(merged.paths) >= HELD * len(lessons) else None


def _around(rows: Sequence[Row]) -> frozenset[int]:
    """The steps with which most of the sessions that ended with them got around the problem."""
    ends: dict[int, list[bool]] = defaultdict(list)
    for row in rows:
        if row.ahead:
            ends[row.ahead[-1].kind].append(row.lesson.outcome == Outcome.WORKAROUND)
    return frozenset(kind for kind, around in ends.items() if 2 * sum(around) > len(around))


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
            if asks_nothing(step.title):  # it tells what came of the step before
                if ahead and not ahead[-1].step.answer:
                    before = ahead.pop()
                    ahead.append(Taken(before.kind, Step(before.step.title, step.answer)))
                continue
            number = kinds.number_of(step.title, lesson.session_id)
            if ahead and ahead[-1].kind == number:
                # The same thing again at once: what came of it in the end counts.
                before = ahead.pop()
                step = Step(before.step.title, step.answer or before.step.answer)
            if all(taken.kind != number for taken in ahead):
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
            node["title"] = as_check(node["title"])
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
        if way.outcome:
            return self._end(way.ended, way.outcome)
        if way.plan is None or len(self._nodes) + 2 * len(way.plan.ways) >= MOST_DRAWN:
            return self._no_way_on(way)
        return self._step(way.plan)

    def _end(self, lessons: Sequence[Lesson], outcome: str) -> str:
        said = [lesson.solution for lesson in lessons]
        language = self._voices.language
        solution = solution_line(self._voices.shared(said), language)
        ended_with = [self._steps[lesson.session_id][-1]["title"] for lesson in lessons]
        told = not solution or any(is_same_step(solution, title, language) for title in ended_with)
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
        groups = sorted(classes(shared, self._voices.language), key=len, reverse=True)
        labels = [
            answer_label([shared[place] for place in group], language=self._voices.language)
            for group in groups
        ]
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
