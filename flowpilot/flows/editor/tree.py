"""A structure as the editor works on it: a copy in good shape, with every step at hand."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flowpilot.flows.structure import KEYS, MOST_DEPTH, Node


@dataclass(frozen=True)
class Link:
    """What leads from a step to another: one of its options, by its place, or, of an action, None."""

    step: str
    option: int | None = None

    def __str__(self) -> str:
        return f"{'' if self.option is None else self.option}:{self.step}"

    @classmethod
    def read(cls, text: str) -> "Link | None":
        option, colon, step = text.partition(":")
        if not colon or (option and not (option.isascii() and option.isdigit() and len(option) < 4)):
            return None
        return cls(step, int(option) if option else None)


class Tree:
    """A copy of any JSON value as a structure whose parts have the right shape; texts may be empty or too long.

    What has the right shape already stays as it is, so a copy of a valid structure equals it.
    """

    def __init__(self, structure: object) -> None:
        self._take_up(_shaped(json.loads(json.dumps(structure))))

    @classmethod
    def over(cls, structure: object) -> "Tree":
        """The structure itself, not a copy, for whoever only reads."""
        tree = cls.__new__(cls)
        tree._take_up(_shaped(structure))
        return tree

    def _take_up(self, root: Node) -> None:
        self.root = root
        self.nodes: dict[str, Node] = {}
        self.parents: dict[str, str] = {}
        for node, parent in _walk(self.root):
            self.nodes[node["id"]] = node
            if parent is not None:
                self.parents[node["id"]] = parent["id"]

    def links(self) -> Iterator[tuple[Link, str]]:
        """Every link and what it leads to, "" where that is open."""
        for id_, node in self.nodes.items():
            yield from links_of(id_, node)

    def links_to(self, id_: str) -> list[Link]:
        return [link for link, target in self.links() if target == id_]

    def has(self, link: Link) -> bool:
        return link in [known for known, _ in links_of(link.step, self.nodes.get(link.step, {}))]

    def target_of(self, link: Link) -> str:
        node = self.nodes[link.step]
        target: str = node.get("next", "") if link.option is None else node["options"][link.option]["next"]
        return target

    def lead(self, link: Link, target: str) -> None:
        """Lets the link lead to another step."""
        node = self.nodes[link.step]
        (node if link.option is None else node["options"][link.option])["next"] = target

    def put(self, node: Node, beside: str) -> None:
        """Hangs a new step into the structure: below a question, else after the step that it belongs to."""
        home = beside
        if home != self.root["id"] and (self.nodes[home]["type"] != "question" or self._is_deep(home)):
            home = self.parents[home]
        siblings = self.nodes[home].setdefault("children", [])
        at = next((n for n, child in enumerate(siblings, 1) if child["id"] == beside), len(siblings))
        siblings.insert(at, node)
        self.nodes[node["id"]], self.parents[node["id"]] = node, home

    def _is_deep(self, id_: str) -> bool:
        depth = 1
        while id_ in self.parents:
            id_, depth = self.parents[id_], depth + 1
        return depth >= MOST_DEPTH

    def take(self, id_: str) -> Node:
        """Takes a step out, never the root; its children stay where it stood. Links to it are left."""
        node = self.nodes.pop(id_)
        home = self.nodes[self.parents.pop(id_)]
        children = node.pop("children", [])
        at = next(n for n, child in enumerate(home["children"]) if child["id"] == id_)
        home["children"][at : at + 1] = children
        self.parents |= {child["id"]: home["id"] for child in children}
        if not home["children"]:
            del home["children"]
        return node

    def keep_leaf(self, id_: str) -> None:
        """Hangs the children of a step that became an outcome beside it. Those of the root have no other place."""
        node = self.nodes[id_]
        if node["type"] != "outcome" or not node.get("children") or id_ == self.root["id"]:
            return
        parent = self.parents[id_]
        children = node.pop("children", [])
        siblings = self.nodes[parent]["children"]
        at = next(n for n, child in enumerate(siblings, 1) if child["id"] == id_)
        siblings[at:at] = children
        self.parents |= {child["id"]: parent for child in children}

    def begin_with(self, id_: str) -> None:
        """Makes a step the root."""
        if id_ == self.root["id"]:
            return
        old, new = self.root, self.take(id_)
        children = old.pop("children", [])
        new["children"] = [old, *children]
        self.root = self.nodes[id_] = new
        self.parents |= {child["id"]: id_ for child in new["children"]}


def links_of(id_: str, node: Node) -> list[tuple[Link, str]]:
    """What leads on from a step of a Tree, and where to."""
    if node.get("type") == "question":
        return [(Link(id_, n), option["next"]) for n, option in enumerate(node["options"])]
    return [(Link(id_), node.get("next", ""))] if node.get("type") == "action" else []


def _walk(root: Node) -> Iterator[tuple[Node, Node | None]]:
    waiting: list[tuple[Node, Node | None]] = [(root, None)]
    while waiting:
        node, parent = waiting.pop()
        yield node, parent
        waiting += [(child, node) for child in reversed(node.get("children", []))]


def _shaped(root: object) -> Node:
    """The value with everything put right that has the wrong shape, in place; deterministic, so that a step has the
    same id each time."""
    shaped: Node = root if isinstance(root, dict) else {}
    taken: set[str] = set()
    nameless: list[Node] = []
    waiting = [shaped]
    while waiting:
        node = waiting.pop()
        if "children" in node:
            children = node["children"] if isinstance(node["children"], list) else []
            node["children"] = [child for child in children if isinstance(child, dict)]
        waiting += reversed(node.get("children", []))
        _shape(node)
        if not isinstance(node.get("id"), str) or not node["id"].strip() or node["id"] in taken:
            nameless.append(node)
        else:
            taken.add(node["id"])
    number = 0
    for node in nameless:
        while (id_ := f"step-{number}") in taken:
            number += 1
        taken.add(id_)
        node["id"] = id_
    return shaped


def _shape(node: Node) -> None:
    if not isinstance(node.get("type"), str) or node["type"] not in KEYS:
        node["type"] = "question" if "options" in node else "outcome" if "outcome" in node else "action"
    for key in ("title", "help", "next", "outcome"):
        if not isinstance(node.get(key, ""), str):
            node[key] = _text(node[key])
    node.setdefault("title", "")
    if node["type"] == "question" or "options" in node:
        node["options"] = [_with_texts(option, "label", "next") for option in _objects(node.get("options"))]
    if "script" in node:
        script = node["script"] = _with_texts(node["script"], "shell", "text")
        script["blanks"] = [_blank(blank) for blank in _objects(script.get("blanks"))]


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _objects(value: object) -> list[object]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _with_texts(value: object, *keys: str) -> dict[str, Any]:
    shaped = value if isinstance(value, dict) else {}
    for key in keys:
        if not isinstance(shaped.get(key), str):
            shaped[key] = _text(shaped.get(key))
    return shaped


def _blank(value: object) -> dict[str, Any]:
    shaped = _with_texts(value, "name", "label")
    if "secret" in shaped:
        shaped["secret"] = bool(shaped["secret"])
    return shaped
