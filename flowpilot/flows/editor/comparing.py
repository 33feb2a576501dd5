"""Two structures side by side, step by step and part by part, and one made of both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from flowpilot.flows.editor.changes import named
from flowpilot.flows.editor.tree import Tree, links_of
from flowpilot.flows.structure import Node

Side = Literal["mine", "theirs"]
FIRST = ""  # the id under which the choice of the first step stands
PARTS = {"title": ("title",), "help": ("help",), "content": ("type", "options", "next", "script", "outcome")}
HEADINGS = {
    "title": "Title",
    "help": "Help",
    "content": "What it does",
    "step": "The step",
    "first": "First step",
}


@dataclass(frozen=True)
class Difference:
    """One part of a step that differs. `part` is a key of PARTS, "step" where one side does not have it at all, or
    "first" for where the flow begins. The texts are lines; changed: the sides that changed it since both began."""

    step: str
    title: str
    part: str
    mine: tuple[str, ...]
    theirs: tuple[str, ...]
    changed: frozenset[Side]

    @property
    def key(self) -> str:
        return f"{self.part}:{self.step}"

    @property
    def heading(self) -> str:
        return HEADINGS[self.part]

    @property
    def suggested(self) -> Side:
        """Theirs where only they changed it, else mine: theirs is saved, and undo brings it back."""
        return "theirs" if self.changed == {"theirs"} else "mine"

    @property
    def both(self) -> bool:
        return len(self.changed) == 2

    @property
    def lines(self) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
        """Mine and theirs, each line with whether the other side lacks it."""
        return (
            [(line, line not in self.theirs) for line in self.mine],
            [(line, line not in self.mine) for line in self.theirs],
        )


def differences(mine: object, theirs: object, base: object) -> list[Difference]:
    """Everything in which two structures differ for whoever walks them; how steps are nested says nothing."""
    own, other, before = Tree(mine), Tree(theirs), Tree(base)
    found = []
    if own.root["id"] != other.root["id"]:
        ids = own.root["id"], other.root["id"], before.root["id"]
        found.append(Difference(FIRST, "The flow", "first", _first(own), _first(other), _who(*ids)))
    for id_ in dict.fromkeys([*other.nodes, *own.nodes]):
        one, two, old = own.nodes.get(id_), other.nodes.get(id_), before.nodes.get(id_)
        if one is None or two is None:
            node = one or two or {}
            who = _who(_content(one), _content(two), _content(old))
            found.append(Difference(id_, named(node), "step", _whole(own, one), _whole(other, two), who))
            continue
        for part, keys in PARTS.items():
            values = [_part(node, keys) for node in (one, two, old)]
            if values[0] != values[1]:
                texts = _lines(own, one, part), _lines(other, two, part)
                found.append(Difference(id_, named(two), part, *texts, _who(*values)))
    return found


def merge(mine: object, theirs: object, choices: Mapping[str, Side]) -> Node:
    """Theirs, with mine wherever `choices` says so for the key of a difference. What only one side has stays or goes
    as chosen; a link to a step that is not there is left as a fault."""
    own, made = Tree(mine), Tree(theirs)
    taken = {key for key, side in choices.items() if side == "mine"}
    for id_, node in own.nodes.items():
        if id_ in made.nodes:
            _take_parts(made, node, [part for part in PARTS if f"{part}:{id_}" in taken])
        elif f"step:{id_}" in taken:
            parent = own.parents.get(id_, "")
            home = parent if parent in made.nodes else made.root["id"]
            made.put({key: value for key, value in node.items() if key != "children"}, home)
    if f"first:{FIRST}" in taken and own.root["id"] in made.nodes:
        made.begin_with(own.root["id"])
    for id_ in [id_ for id_ in made.nodes if id_ not in own.nodes and f"step:{id_}" in taken]:
        if id_ != made.root["id"]:
            made.take(id_)
    return made.root


def _take_parts(made: Tree, node: Node, parts: list[str]) -> None:
    other = made.nodes[node["id"]]
    for keys in (PARTS[part] for part in parts):
        for key in keys:
            other.pop(key, None)
        other |= _part(node, keys) or {}
    made.keep_leaf(node["id"])


def _part(node: Node | None, keys: tuple[str, ...]) -> Node | None:
    return {key: node[key] for key in keys if key in node} if node else None


def _who(mine: object, theirs: object, base: object) -> frozenset[Side]:
    sides: list[Side] = []
    if mine != base:
        sides.append("mine")
    if theirs != base:
        sides.append("theirs")
    return frozenset(sides)


def _first(tree: Tree) -> tuple[str, ...]:
    return (named(tree.root),)


def _content(node: Node | None) -> Node | None:
    return {key: value for key, value in node.items() if key != "children"} if node else None


def _whole(tree: Tree, node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ("Not there",)
    return (node["title"], *_lines(tree, node, "content"), *_lines(tree, node, "help"))


def _lines(tree: Tree, node: Node, part: str) -> tuple[str, ...]:
    if part != "content":
        return tuple(node.get(part, "").splitlines()) or ("Empty",)
    lines = [node["type"].capitalize()]
    for link, target in links_of(node["id"], node):
        label = "Then" if link.option is None else f"{node['options'][link.option]['label']} →"
        lines.append(f"{label} {named(tree.nodes[target]) if target in tree.nodes else 'nowhere yet'}")
    if "outcome" in node:
        lines.append(node["outcome"].capitalize())
    if "script" in node:
        script = node["script"]
        lines += [f"Script for {script['shell']}", *script["text"].splitlines()]
        lines += [
            f"{{{blank['name']}}} {blank['label']}{', secret' if blank.get('secret') else ''}"
            for blank in script["blanks"]
        ]
    return tuple(lines)
