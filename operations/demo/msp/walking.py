"""Going through a flow's structure towards an end, as an engineer would: mostly straight, sometimes round a loop."""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from flowpilot.flows.structure import Node, nexts_of, nodes_of

LONGEST = 45  # decisions; from then on the shortest way


@dataclass(frozen=True)
class Taken:
    """One step taken: the node, and the answer given ("" after an action)."""

    node: Node
    answer: str


@dataclass
class Walker:
    """The ways through one structure."""

    structure: Node
    _distances: dict[str, dict[str, int]] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> dict[str, Node]:
        return {node["id"]: node for node in nodes_of(self.structure)}

    @cached_property
    def outcomes(self) -> set[str]:
        return {node["outcome"] for node in self.nodes.values() if node["type"] == "outcome"}

    def to(self, outcome: str, random: Random, *, first_answer: str = "") -> tuple[list[Taken], Node]:
        """The steps from the root to a leaf of this outcome, or of any where none has it, and that leaf.

        first_answer: the answer given to the root, if a leaf of the outcome can be reached by it.
        """
        left = self._steps_to(outcome if outcome in self.outcomes else "")
        taken: list[Taken] = []
        visits: defaultdict[str, int] = defaultdict(int)
        at = self.structure
        while at["type"] != "outcome":
            visits[at["id"]] += 1
            if at["type"] == "action":
                taken.append(Taken(at, ""))
                at = self.nodes[at["next"]]
                continue
            options = [option for option in at["options"] if option["next"] in left]
            fixed = [option for option in options if not taken and option["label"] == first_answer]
            if len(taken) > LONGEST or visits[at["id"]] > 2:
                chosen = min(options, key=lambda option: left[option["next"]])
            else:
                weights = [
                    1 / (1 + place) / (1 + 2 * visits[option["next"]]) for place, option in enumerate(options)
                ]
                chosen = random.choices(fixed or options, None if fixed else weights)[0]
            taken.append(Taken(at, chosen["label"]))
            at = self.nodes[chosen["next"]]
        return taken, at

    def straight_to(self, node_id: str) -> list[Taken]:
        """The steps of the shortest way from the root to that node, which must be reachable, without it."""
        ways: dict[str, list[Taken]] = {self.structure["id"]: []}
        waiting = [self.structure]
        for node in waiting:  # grows while it is gone through
            answers = [(o["next"], o["label"]) for o in node.get("options", [])] or [(node.get("next"), "")]
            for target, answer in answers:
                if target and target not in ways:
                    ways[target] = [*ways[node["id"]], Taken(node, answer)]
                    waiting.append(self.nodes[target])
        return ways[node_id]

    def _steps_to(self, outcome: str) -> dict[str, int]:
        """How far each node is from the nearest leaf of the outcome ("": of any); who reaches none is left out."""
        if outcome not in self._distances:
            before = defaultdict(list)
            for node in self.nodes.values():
                for target in nexts_of(node):
                    before[target].append(node["id"])
            ends = [
                n["id"]
                for n in self.nodes.values()
                if n["type"] == "outcome" and outcome in ("", n["outcome"])
            ]
            distances = dict.fromkeys(ends, 0)
            waiting = list(ends)
            for id_ in waiting:  # grows while it is gone through
                for earlier in before[id_]:
                    if earlier not in distances:
                        distances[earlier] = distances[id_] + 1
                        waiting.append(earlier)
            self._distances[outcome] = distances
        return self._distances[outcome]


def without_one_step(structure: Node) -> Node:
    """The structure with its last action left out: what led there goes on to what came next."""
    actions = [
        node
        for node in nodes_of(structure)
        if node["type"] == "action" and node is not structure and not node.get("children")
    ]
    gone = actions[-1]

    def kept(node: Node) -> Node:
        copy = dict(node)
        if copy.get("next") == gone["id"]:
            copy["next"] = gone["next"]
        if "options" in copy:
            copy["options"] = [
                option | {"next": gone["next"]} if option["next"] == gone["id"] else option
                for option in copy["options"]
            ]
        if "children" in copy:
            copy["children"] = [kept(child) for child in copy["children"] if child is not gone]
        return copy

    return kept(structure)
