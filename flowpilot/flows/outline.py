"""The steps of a flow in the order in which people read them, numbered: the outline, and what the map draws.

A flow is a graph: paths join again and loop back. To be read it is laid out as a tree that holds each step once, under
the way that reaches it over the fewest answers; every other way to it names its number instead.
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

from flowpilot.flows.structure import KEYS, Node, nodes_of_any
from flowpilot.sessions.states import Outcome

MOST_INDENT = 8
SHELL_NAMES = {"powershell": "PowerShell", "cmd": "Command Prompt", "bash": "Bash"}

# on: to the step drawn next, join: to a step that stands elsewhere, back: to one before, nowhere: to none that there is
Lead = Literal["on", "join", "back", "nowhere"]


@dataclass(frozen=True)
class Way:
    """Where an answer leads, or an action (then the label is "")."""

    label: str
    target: str  # the id that the structure says
    to: int | None = None  # the number of that step, and its name
    name: str = ""
    lead: Lead = "nowhere"

    @property
    def goes_on(self) -> bool:
        return self.lead == "on"


@dataclass(frozen=True)
class OutlineStep:
    """One step; `type` and `outcome` are known ones or "".

    `number` counts from 1 in reading order. `parent` is the number of the step that it stands under and `via` the label
    of the answer there; both are None of the first step, and of one that no path reaches (`loose`).
    """

    number: int
    id: str
    type: str
    name: str  # its title, or what stands for it where it has none
    title: str
    help: str = ""
    outcome: str = ""
    script: dict[str, Any] | None = None
    ways: tuple[Way, ...] = ()
    parent: int | None = None
    via: str | None = None
    depth: int = 0  # answers from the first step to here
    loose: bool = False
    comes_from: tuple[tuple[int, str], ...] = field(default=())  # every way that leads here: number, label

    @property
    def indent(self) -> int:
        """How far the outline indents it: a narrow screen has no room for more."""
        return min(self.depth, MOST_INDENT)

    @property
    def shell(self) -> str:
        return SHELL_NAMES.get(_text((self.script or {}).get("shell")), "Script")

    @property
    def script_text(self) -> str:
        return _text((self.script or {}).get("text"))

    @property
    def blanks(self) -> list[str]:
        """What the script asks for, in words."""
        blanks = (self.script or {}).get("blanks")
        found = [blank for blank in blanks if isinstance(blank, dict)] if isinstance(blanks, list) else []
        return [
            _text(blank.get("label")) + (" (kept secret)" if blank.get("secret") is True else "")
            for blank in found
        ]


def outline(structure: object) -> tuple[OutlineStep, ...]:
    """Every step of a structure, faulty or not, in reading order; those that no path reaches come last.

    Takes any JSON value and raises nothing; the time is linear in its size.
    """
    return _Reading(structure).steps()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _name(node: Node) -> str:
    return _text(node.get("title")).strip() or "Untitled step"


def _known(value: object, values: Collection[str]) -> str:
    return value if isinstance(value, str) and value in values else ""


def _ways(node: Node) -> list[tuple[str, str]]:
    """The labels and targets of a node, as far as they are texts."""
    options = node.get("options")
    if node.get("type") == "question" and isinstance(options, list):
        return [
            (_text(option.get("label")), _text(option.get("next")))
            for option in options
            if isinstance(option, dict)
        ]
    return [("", _text(node.get("next")))] if node.get("type") == "action" else []


class _Reading:
    """The nodes by their place in the structure, which stays a key where ids are missing or there twice."""

    def __init__(self, structure: object) -> None:
        self.nodes = list(nodes_of_any(structure))
        self.ways = [_ways(node) for node in self.nodes]
        self.place: dict[str, int] = {}
        for place, node in enumerate(self.nodes):
            self.place.setdefault(_text(node.get("id")), place)
        self.place.pop("", None)
        self.under: dict[int, tuple[int, int]] = {}  # a node: the node and its way that it stands under
        self.depth: dict[int, int] = {}
        self.roots: list[int] = []
        self.loose: set[int] = set()

    def steps(self) -> tuple[OutlineStep, ...]:
        for place in range(len(self.nodes)):
            if place not in self.depth:
                self.roots.append(place)
                self._span(place)
        order = self._order()
        number = {place: count for count, place in enumerate(order, start=1)}
        last = self._last_below(order, number)
        sources: dict[int, list[tuple[int, str]]] = {}
        for place in order:
            for label, target in self.ways[place]:
                if target in self.place:
                    sources.setdefault(self.place[target], []).append((number[place], label))
        return tuple(self._step(place, number, last, sources) for place in order)

    def _span(self, root: int) -> None:
        """Hangs what the root reaches under it, each step where the fewest answers lead."""
        nearest = {root: 0}
        under: dict[int, tuple[int, int]] = {}
        waiting = deque([root])
        while waiting:
            place = waiting.popleft()
            if place in self.depth:
                continue
            self.depth[place] = nearest[place]
            if root:
                self.loose.add(place)
            if place in under:
                self.under[place] = under[place]
            cost = int(self.nodes[place].get("type") == "question")
            for index, (_, target) in enumerate(self.ways[place]):
                to = self.place.get(target)
                if to is None or to in self.depth or nearest.get(to, 1 << 30) <= nearest[place] + cost:
                    continue
                nearest[to], under[to] = nearest[place] + cost, (place, index)
                waiting.append(to) if cost else waiting.appendleft(to)

    def _order(self) -> list[int]:
        below: dict[int, list[int]] = {}
        for place, (parent, _) in sorted(self.under.items(), key=lambda item: item[1]):
            below.setdefault(parent, []).append(place)
        order, waiting = [], self.roots[::-1]
        while waiting:
            place = waiting.pop()
            order.append(place)
            waiting += reversed(below.get(place, []))
        return order

    def _last_below(self, order: list[int], number: dict[int, int]) -> dict[int, int]:
        last = dict(number)
        for place in reversed(order):
            if place in self.under:
                parent = self.under[place][0]
                last[parent] = max(last[parent], last[place])
        return last

    def _step(
        self,
        place: int,
        number: dict[int, int],
        last: dict[int, int],
        sources: dict[int, list[tuple[int, str]]],
    ) -> OutlineStep:
        node = self.nodes[place]
        ways = []
        for index, (label, target) in enumerate(self.ways[place]):
            to = self.place.get(target)
            if to is None:
                ways.append(Way(label, target))
                continue
            name = _name(self.nodes[to])
            lead: Lead = "join"
            if self.under.get(to) == (place, index):
                lead = "on"
            elif number[to] <= number[place] <= last[to]:
                lead = "back"
            ways.append(Way(label, target, number[to], name, lead))
        parent, index = self.under.get(place, (None, 0))
        script = node.get("script")
        return OutlineStep(
            number=number[place],
            id=_text(node.get("id")),
            type=_known(node.get("type"), KEYS),
            name=_name(node),
            title=_text(node.get("title")),
            help=_text(node.get("help")),
            outcome=_known(node.get("outcome"), Outcome.values) if node.get("type") == "outcome" else "",
            script=script if isinstance(script, dict) else None,
            ways=tuple(ways),
            parent=None if parent is None else number[parent],
            via=None if parent is None else self.ways[parent][index][0],
            depth=self.depth[place],
            loose=place in self.loose,
            comes_from=tuple(sources.get(place, ())),
        )
