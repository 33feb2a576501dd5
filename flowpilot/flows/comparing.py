"""What changed from one structure of a flow to another, in words for people who never see the structure.

Steps are the same where their ids are. Where a step stands among its siblings has no meaning and is no change.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from flowpilot.flows.outline import OutlineStep, Way, outline
from flowpilot.sessions.states import Outcome
from resolutionflow.figures import counted

KINDS = {
    "question": "a question",
    "action": "an action",
    "outcome": "an outcome",
    "": "a step of no known type",
}


@dataclass(frozen=True)
class Detail:
    """One change in words; of a long text both wordings beside it."""

    words: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class StepChange:
    """A step that was added, removed or changed. `number` is its place in the outline that has it, the newer first."""

    id: str
    title: str
    number: int
    details: tuple[Detail, ...]


@dataclass(frozen=True)
class Comparison:
    changed: tuple[StepChange, ...]  # in the order of the newer structure
    added: tuple[StepChange, ...]
    removed: tuple[StepChange, ...]
    start: Detail | None  # where it begins elsewhere

    @property
    def summary(self) -> str:
        """“2 steps changed, 1 step added”; "Nothing changed"."""
        groups = [(self.changed, "changed"), (self.added, "added"), (self.removed, "removed")]
        parts = [f"{counted(len(steps), 'step')} {word}" for steps, word in groups if steps]
        return ", ".join(parts) or (self.start.words if self.start else "Nothing changed")

    @property
    def brief(self) -> list[tuple[str, list[str]]]:
        """Each step that differs, with what is different; long texts without their wordings."""
        groups = [
            *((step.title, [detail.words for detail in step.details]) for step in self.changed),
            *((step.title, ["New"]) for step in self.added),
            *((step.title, ["Gone"]) for step in self.removed),
        ]
        return [("Start", [self.start.words]), *groups] if self.start else groups

    @property
    def empty(self) -> bool:
        return not (self.changed or self.added or self.removed or self.start)


def changes_between(before: object, after: object) -> Comparison:
    """Takes any JSON values, faulty structures too, and raises nothing."""
    old, new = _by_id(outline(before)), _by_id(outline(after))
    old_names = {step.id: step.name for step in old.values()}
    new_names = {step.id: step.name for step in new.values()}
    changed = []
    for key, step in new.items():
        if key in old and (details := tuple(_differences(old[key], step, old_names, new_names))):
            changed.append(StepChange(step.id, step.name, step.number, details))
    return Comparison(
        changed=tuple(changed),
        added=tuple(_whole(step, new_names) for key, step in new.items() if key not in old),
        removed=tuple(_whole(step, old_names) for key, step in old.items() if key not in new),
        start=_start(old, new),
    )


Key = tuple[str, int]  # an id, and how many steps before have it too: 0 unless the structure is faulty


def _by_id(steps: tuple[OutlineStep, ...]) -> dict[Key, OutlineStep]:
    found: dict[Key, OutlineStep] = {}
    seen: dict[str, int] = {}
    for step in steps:
        found[step.id, seen.get(step.id, 0)] = step
        seen[step.id] = seen.get(step.id, 0) + 1
    return found


def _start(old: dict[Key, OutlineStep], new: dict[Key, OutlineStep]) -> Detail | None:
    firsts = [next(iter(steps.values()), None) for steps in (old, new)]
    if not firsts[0] or not firsts[1] or firsts[0].id == firsts[1].id:
        return None
    return Detail(f"It begins with “{firsts[1].name}”, not with “{firsts[0].name}”")


def _whole(step: OutlineStep, names: dict[str, str]) -> StepChange:
    """A step that one side has alone: what it is and where it leads."""
    details = [Detail(f"{KINDS[step.type].capitalize()}{_outcome(step)}")]
    for way in step.ways:
        option = f"Option “{way.label}” leads to" if step.type == "question" else "Goes on to"
        details.append(Detail(f"{option} {_goal(way, names)}"))
    if step.help:
        details.append(Detail("Help", after=step.help))
    if step.script is not None:
        details.append(Detail(f"{step.shell} script", after=step.script_text))
    return StepChange(step.id, step.name, step.number, tuple(details))


def _outcome(step: OutlineStep) -> str:
    return f": {Outcome(step.outcome).label}" if step.outcome else ""


def _goal(way: Way, names: dict[str, str]) -> str:
    return f"“{names[way.target]}”" if way.target in names else "no step"


def _differences(
    old: OutlineStep, new: OutlineStep, old_names: dict[str, str], new_names: dict[str, str]
) -> Iterator[Detail]:
    if old.title != new.title:
        yield Detail(f"Title was “{old.name}”")
    if old.type != new.type:
        yield Detail(f"Was {KINDS[old.type]}, is {KINDS[new.type]}")
    elif old.outcome != new.outcome:
        yield Detail(f"Outcome was {_said(old.outcome)}, is {_said(new.outcome)}")
    if old.help != new.help:
        yield _text_change("Help", old.help, new.help)
    yield from _ways(old, new, old_names, new_names)
    yield from _scripts(old, new)


def _said(outcome: str) -> str:
    return Outcome(outcome).label if outcome else "unknown"


def _text_change(what: str, before: str, after: str) -> Detail:
    word = "changed" if before and after else "added" if after else "removed"
    return Detail(f"{what} {word}", before, after)


def _ways(
    old: OutlineStep, new: OutlineStep, old_names: dict[str, str], new_names: dict[str, str]
) -> Iterator[Detail]:
    if old.type == new.type == "action":
        if [way.target for way in old.ways] != [way.target for way in new.ways]:
            yield Detail(
                f"Goes on to {_goal(new.ways[0], new_names)}, not to {_goal(old.ways[0], old_names)}"
            )
        return
    before, after = ({way.label: way for way in step.ways} for step in (old, new))
    renamed = _renamed(old, new)
    for way in old.ways:
        if way.label in after:
            if after[way.label].target != way.target:
                here, there = _goal(after[way.label], new_names), _goal(way, old_names)
                yield Detail(f"{_option(way)} leads to {here}, not to {there}")
        elif way.label in renamed:
            yield Detail(f"{_option(way)} is called “{renamed[way.label]}”")
        else:
            yield Detail(f"{_option(way)} to {_goal(way, old_names)} removed")
    for way in new.ways:
        if way.label not in before and way.label not in renamed.values():
            yield Detail(f"{_option(way)} to {_goal(way, new_names)} added")
    kept = [
        [way.label for way in step.ways if way.label in before and way.label in after] for step in (old, new)
    ]
    if kept[0] != kept[1]:
        yield Detail("Options in another order: " + ", ".join(f"“{way.label}”" for way in new.ways))


def _option(way: Way) -> str:
    return f"Option “{way.label}”" if way.label else "What comes next"


def _renamed(old: OutlineStep, new: OutlineStep) -> dict[str, str]:
    """Old labels and new ones, where an option at the same place leads to the same step by another name."""
    before, after = ({way.label for way in step.ways} for step in (old, new))
    return {
        one.label: other.label
        for one, other in zip(old.ways, new.ways, strict=False)
        if one.target == other.target
        and one.label != other.label
        and one.label not in after
        and other.label not in before
        and one.label
        and other.label
    }


def _scripts(old: OutlineStep, new: OutlineStep) -> Iterator[Detail]:
    if old.script == new.script:
        return
    if old.script is None or new.script is None:
        yield _text_change("Script", old.script_text, new.script_text)
        return
    if old.shell != new.shell:
        yield Detail(f"Script was for {old.shell}, is for {new.shell}")
    if old.script_text != new.script_text:
        yield _text_change("Script", old.script_text, new.script_text)
    if old.blanks != new.blanks:
        asked = ", ".join(new.blanks) or "nothing"
        yield Detail(f"Script asks for {asked}; asked for {', '.join(old.blanks) or 'nothing'}")
    elif old.script_text == new.script_text and old.shell == new.shell:
        yield Detail("Blanks of the script changed")
