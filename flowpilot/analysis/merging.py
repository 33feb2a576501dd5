"""Many ways through the same problem made into one tree, whose branches are what came of the steps.

At each place the tree asks for the step that most of the sessions there took next; what came of it parts them. A
session that never took that step goes on with those whom it did not help. So the way that most went comes first, each
step stands where it is needed, and each way ends as the sessions ended that went it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any
from uuid import UUID

from flowpilot.analysis.phrases import (
    SAME_STEP,
    Spelling,
    answer_label,
    as_order,
    is_wrap_up,
    lower_first,
    meaning_of,
    same_answer,
    same_step,
    solution_line,
    step_title,
    step_words,
)
from flowpilot.analysis.reading import Lesson, Step
from flowpilot.flows.structure import Node
from flowpilot.sessions.states import Outcome
from resolutionflow.folding import fold

MOST_DRAWN = 60  # steps of a draft: more than a reviewer would read
MOST_DEEP = 30  # steps on one way
MOST_BRANCHES = 6  # of one step
SMALL = 20  # sessions up to which every way that solved it is drawn
SHOWN_RESULTS = 3

SOLVED, NOT_SOLVED = "Solved", "Not solved"


@dataclass
class Kind:
    """One step, in all the words that were found for it."""

    titles: list[str] = field(default_factory=list)
    sessions: set[UUID] = field(default_factory=set)


@dataclass(frozen=True)
class Taken:
    """A step as one session took it."""

    kind: int
    step: Step


@dataclass
class Row:
    """A session on its way through the tree: what it has still to do, and which nodes it came through."""

    lesson: Lesson
    ahead: list[Taken]
    path: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Merged:
    """`visits` and `branches` count the sessions that took a step, and gave an answer; `paths` has all that the tree
    holds, the first to end first."""

    structure: Node
    visits: dict[str, int]
    branches: dict[str, dict[str, int]]
    paths: list[dict[str, Any]]


def merge(lessons: Sequence[Lesson], taken_ids: Sequence[str] = ()) -> Merged | None:
    """The tree of these sessions, oldest first; None where none of their steps can be told. taken_ids: ids that its
    nodes must not have."""
    kinds, rows = _rows(lessons)
    rows = _worth_drawing(kinds, rows)
    if not rows:
        return None
    texts = [text for lesson in lessons for text in _texts_of(lesson)]
    return _Tree(kinds, taken_ids, Spelling(texts)).draw(rows)


def _texts_of(lesson: Lesson) -> Iterator[str]:
    yield lesson.problem
    yield lesson.solution
    for step in lesson.steps:
        yield step.title
        yield step.answer


def _rows(lessons: Sequence[Lesson]) -> tuple[list[Kind], list[Row]]:
    """Each step under its kind. The first to say it stands for the kind, so that it stays the same when more come."""
    kinds: list[Kind] = []
    exact: dict[str, int] = {}
    with_word: dict[str, set[int]] = defaultdict(set)
    rows = []
    for lesson in lessons:
        ahead: list[Taken] = []
        for step in lesson.steps:
            number = exact.get(fold(step.title))
            if number is None:
                number = exact[fold(step.title)] = _kind_of(step.title, kinds, with_word)
            kinds[number].titles.append(step.title)
            kinds[number].sessions.add(lesson.session_id)
            if (
                ahead and ahead[-1].kind == number
            ):  # the same thing again at once: what came of it in the end counts
                before = ahead.pop().step
                step = Step(before.title, step.answer or before.answer)
            ahead.append(Taken(number, step))
        rows.append(Row(lesson, ahead))
    return kinds, rows


def _kind_of(title: str, kinds: list[Kind], with_word: dict[str, set[int]]) -> int:
    words = step_words(title)
    near = set[int]().union(*(with_word[word] for word in words))
    likest = max(near, key=lambda n: (same_step(title, kinds[n].titles[0]), -n), default=None)
    if likest is not None and same_step(title, kinds[likest].titles[0]) >= SAME_STEP:
        return likest
    kinds.append(Kind())
    for word in words:
        with_word[word].add(len(kinds) - 1)
    return len(kinds) - 1


def _worth_drawing(kinds: list[Kind], rows: list[Row]) -> list[Row]:
    """Leaves out what only one did on the way, and of many sessions the ways that hardly anyone went. What solved it
    stays: a session whose last step is left out is left out itself."""
    least = max(2, ceil(len(rows) / 20))
    least_at_end = 1 if len(rows) <= SMALL else least
    kept = []
    for row in rows:
        while len(row.ahead) > 1 and _only_wraps_up(row.ahead[-1], kinds):
            row.ahead.pop()
        if row.ahead and len(kinds[row.ahead[-1].kind].sessions) >= least_at_end:
            *on_the_way, last = row.ahead
            row.ahead = [t for t in on_the_way if len(kinds[t.kind].sessions) >= least] + [last]
            kept.append(row)
    return kept


def _only_wraps_up(taken: Taken, kinds: list[Kind]) -> bool:
    return is_wrap_up(taken.step.title) or (
        len(kinds[taken.kind].sessions) == 1 and step_words(taken.step.title).keys() <= {"close", "ticket"}
    )


@dataclass
class _Branch:
    """Sessions that go the same way behind a step. `said` are the answers of those that took it."""

    rows: list[Row] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    took: int = 0


class _Tree:
    def __init__(self, kinds: list[Kind], taken_ids: Sequence[str], spelling: Spelling) -> None:
        self._kinds = kinds
        self._spelling = spelling
        self._titles: dict[int, str] = {}
        self._ids = set(taken_ids)
        self._nodes: list[Node] = []
        self.visits: dict[str, int] = {}
        self.branches: dict[str, dict[str, int]] = {}

    def draw(self, rows: list[Row]) -> Merged:
        self._step(rows, 1)
        root, *others = self._nodes
        if others:
            root["children"] = others
        paths = [
            {
                "session": str(row.lesson.session_id),
                "steps": row.path,
                "outcome": row.lesson.outcome,
            }
            for row in rows
        ]
        return Merged(root, self.visits, self.branches, paths)

    def _step(self, rows: list[Row], depth: int) -> str:
        """Draws what these sessions, none of which has ended, do next and all behind it; the id of its first node."""
        kind = _next_of(rows)
        done, going_on = self._part(rows, kind)
        id_ = self._new_id(as_order(self._kinds[kind].titles[0]))
        node: Node = {"id": id_, "type": "action", "title": self._title(kind)}
        self._nodes.append(node)
        here = [(row, row.path[-1]) for branch in [done, *going_on] for row in branch.rows if _is_open(row)]
        for _, place in here:
            place["node_id"] = id_
        self.visits[id_] = len(here)
        full = depth >= MOST_DEEP or len(self._nodes) + 2 * len(going_on) >= MOST_DRAWN
        if full or not going_on:
            self._note_results(node, [done, *going_on])
            node["next"] = self._leaf([row for branch in [done, *going_on] for row in branch.rows])
        elif not done.rows and len(going_on) == 1:
            self._note_results(node, going_on)
            node["next"] = self._step(going_on[0].rows, depth + 1)
        else:
            self._question(node, done, going_on, depth)
        return id_

    def _question(self, node: Node, done: _Branch, going_on: list[_Branch], depth: int) -> None:
        ways = sorted([branch for branch in [done, *going_on] if branch.rows], key=lambda b: -len(b.rows))
        node |= {"type": "question", "options": []}
        counts = self.branches[node["id"]] = {}
        labels = map(self._spelling.put_right, _labels(ways, done))
        for branch, label in zip(ways, labels, strict=True):
            counts[label] = branch.took
            ahead = self._leaf(branch.rows) if branch is done else self._step(branch.rows, depth + 1)
            node["options"].append({"label": label, "next": ahead})

    def _part(self, rows: list[Row], kind: int) -> tuple[_Branch, list[_Branch]]:
        """Those who ended with the step, and those who went on, by what they did next. Who never took it goes with most
        of the latter."""
        done, strangers = _Branch(), []
        answers: list[_Branch] = []
        for row in rows:
            place = next((n for n, taken in enumerate(row.ahead) if taken.kind == kind), None)
            if place is None:
                strangers.append(row)
                continue
            step = row.ahead.pop(place).step
            row.path.append({"node_id": "", "title": step.title, "answer": step.answer})
            branch = done if not row.ahead else _branch_of(step.answer, answers)
            branch.rows.append(row)
            branch.took += 1
            if step.answer:
                branch.said.append(step.answer)
        return done, _by_next(answers, strangers)

    def _leaf(self, rows: list[Row]) -> str:
        outcome = Counter(row.lesson.outcome for row in rows).most_common(1)[0][0]
        ended_with = [row.path[-1]["title"] for row in rows if row.path]
        solution = solution_line([row.lesson.solution for row in rows])
        told = any(same_step(solution, title) >= SAME_STEP for title in ended_with) if solution else True
        title = "Got around" if outcome == Outcome.WORKAROUND else SOLVED
        id_ = self._new_id(title)
        if not told:
            title = f"{title}: {lower_first(self._spelling.put_right(solution))}"
        self._nodes.append({"id": id_, "type": "outcome", "title": title, "outcome": str(outcome)})
        self.visits[id_] = len(rows)
        return id_

    def _note_results(self, node: Node, branches: list[_Branch]) -> None:
        """Where a step has one way on, what came of it stands in its help."""
        groups: list[_Branch] = []
        for said in (said for branch in branches for said in branch.said):
            _branch_of(said, groups).said.append(said)
        groups.sort(key=lambda group: -len(group.said))
        labels = [answer_label(g.said) for g in groups if not all(map(meaning_of, g.said))]
        if shown := [lower_first(label) for label in labels if label][:SHOWN_RESULTS]:
            node["help"] = self._spelling.put_right(f"What came of it: {'; '.join(shown)}.")

    def _title(self, kind: int) -> str:
        if kind not in self._titles:
            self._titles[kind] = self._spelling.put_right(step_title(self._kinds[kind].titles[:200]))
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


def _is_open(row: Row) -> bool:
    """Whether the newest place on its path has no node yet: it took the step that is drawn just now."""
    return bool(row.path) and not row.path[-1]["node_id"]


def _next_of(rows: list[Row]) -> int:
    """The step that most take next; of equals the one that more take at all, then the one known for longer."""
    votes = Counter(row.ahead[0].kind for row in rows)
    at_all = Counter(kind for row in rows for kind in {taken.kind for taken in row.ahead})
    return max(votes, key=lambda kind: (votes[kind], at_all[kind], -kind))


def _branch_of(answer: str, branches: list[_Branch]) -> _Branch:
    """The branch of those who answered the same in other words; of no answer, that of the others without one."""
    for branch in branches:
        if (not answer and not branch.said) or (
            answer and branch.said and same_answer(answer, branch.said[0])
        ):
            return branch
    branches.append(_Branch())
    return branches[-1]


def _by_next(answers: list[_Branch], strangers: list[Row]) -> list[_Branch]:
    """Answers that lead to the same step are one branch: what makes no difference is not asked."""
    by_next: dict[int, _Branch] = {}
    for branch in sorted(answers, key=lambda b: (not b.said, -len(b.rows))):
        if not branch.said and by_next:  # nobody knows what came of it
            joined = max(by_next.values(), key=lambda b: len(b.rows))
        else:
            joined = by_next.setdefault(_next_of(branch.rows), _Branch())
        _join(joined, branch)
    branches = sorted(by_next.values(), key=lambda b: -len(b.rows))
    for small in branches[MOST_BRANCHES:]:
        _join(branches[0], small)
    branches = branches[:MOST_BRANCHES]
    if strangers:
        if not branches:
            branches.append(_Branch())
        branches[0].rows += strangers
    return branches


def _join(branch: _Branch, other: _Branch) -> None:
    branch.rows += other.rows
    branch.said += other.said
    branch.took += other.took


def _labels(ways: Sequence[_Branch], done: _Branch) -> Iterator[str]:
    """A label for each way, no two alike."""
    given: set[str] = set()
    for branch in ways:
        ended = branch is done
        said = _fitting(branch.said, "yes" if ended else "no") if done.rows else branch.said
        label = answer_label(said, most=1 if ended else 3)
        if done.rows and (not label or (meaning_of(label) and len(label) <= 12)):
            label = SOLVED if ended else NOT_SOLVED
        label = label or "Anything else"
        base, number = label, 1
        while fold(label) in given:
            number += 1
            label = f"{base} ({number})"
        given.add(fold(label))
        yield label


def _fitting(said: Sequence[str], meaning: str) -> Sequence[str]:
    """Without the answers that say the opposite: of two who did the same, one was not helped by it at once."""
    return [text for text in said if meaning_of(text) in ("", meaning)]
