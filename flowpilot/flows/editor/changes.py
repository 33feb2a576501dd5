"""What an author does to a structure. Each act takes one and gives another; the one that it took stays as it was.

An act never loses a step but `delete`, and a structure whose ids are unique keeps them so. Faults are allowed: they are
shown, and hinder nothing but publishing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from flowpilot.flows.editor.tree import Link, Tree, links_of
from flowpilot.flows.structure import KEYS, MOST_BLANKS, MOST_NODES, MOST_OPTIONS, Node
from flowpilot.sessions.states import Outcome


class Refused(Exception):
    """Nothing was changed; the text says why, for the author."""


@dataclass(frozen=True)
class Changed:
    """The structure after an act, which step to show then, and the act in words.

    cursor: the id of the field to be in then. refusal: why the act was not done; the texts sent
    with it are kept.
    """

    structure: Node
    step: str
    words: str
    cursor: str = ""
    refusal: str = ""


TITLE = "step-title"


def rewrite(structure: object, step: str, content: Callable[[Node], Node]) -> Changed:
    """Puts what a form makes of a step in the place of its own content; its id and its children stay."""
    tree = Tree(structure)
    node = _node(tree, step)
    new = content(node)
    kept = {key: node[key] for key in ("id", "children") if key in node}
    node.clear()
    node |= {"id": kept.pop("id")} | new | kept
    tree.keep_leaf(step)
    return Changed(tree.root, step, f"Changed {named(node)}")


def set_type(structure: object, step: str, type: str) -> Changed:
    """A question's first option becomes what an action leads to, and the other way round."""
    tree = Tree(structure)
    node = _node(tree, step)
    if type not in KEYS:
        raise Refused("A step is a question, an action or an outcome.")
    target = next((target for _, target in links_of(step, node)), "")
    rest = {key: value for key, value in node.items() if key in KEYS[type]}
    node.clear()
    node |= rest | {"type": type} | _fresh(type, target)
    tree.keep_leaf(step)
    return Changed(tree.root, step, f"Made {named(node)} {_ARTICLE[type]}", f"step-type-{type}")


def add(structure: object, step: str, type: str) -> Changed:
    """A new step beside another: after an action, behind an open or a new option of a question, before an outcome."""
    tree = Tree(structure)
    beside = _node(tree, step)
    if type not in KEYS:
        raise Refused("A step is a question, an action or an outcome.")
    if beside["type"] == "question":
        link = next((link for link, target in links_of(step, beside) if not target), None)
        new = _insert(tree, link or _new_option(beside), type)
    elif beside["type"] == "action":
        new = _insert(tree, Link(step), type)
    else:
        new = _new_step(tree, type, step, beside=step)
        for link in tree.links_to(step):
            if link.step != new["id"]:
                tree.lead(link, new["id"])
        if step == tree.root["id"]:
            tree.begin_with(new["id"])
    return Changed(tree.root, new["id"], f"Added {_ARTICLE[type]} beside {named(beside)}", TITLE)


def add_behind(structure: object, link: Link, type: str = "action") -> Changed:
    """A new step between a link and what it led to."""
    tree = Tree(structure)
    _check(tree, link)
    new = _insert(tree, link, type)
    return Changed(
        tree.root, new["id"], f"Added {_ARTICLE[type]} behind {named(tree.nodes[link.step])}", TITLE
    )


def duplicate(structure: object, step: str) -> Changed:
    """The same step once more, with an id of its own. A copied action comes after the first; where an option leads to
    a question or an outcome, another option leads to its copy."""
    tree = Tree(structure)
    node = _node(tree, step)
    _room(tree)
    copy = Tree({key: value for key, value in node.items() if key != "children"}).root
    copy |= {"id": new_id(tree), "title": f"{node['title']} (copy)"[:300]}
    if node["type"] == "action":
        node["next"] = copy["id"]
    elif via := next((link for link in tree.links_to(step) if link.option is not None), None):
        options = tree.nodes[via.step]["options"]
        if len(options) < MOST_OPTIONS:
            label = _free_label(options, options[via.option or 0]["label"])
            options.insert((via.option or 0) + 1, {"label": label, "next": copy["id"]})
    tree.put(copy, step)
    return Changed(tree.root, copy["id"], f"Duplicated {named(node)}", TITLE)


def delete(structure: object, step: str, *, instead: str = "", branch: bool = False) -> Changed:
    """Away with a step; what led there leads to `instead`, or is left open. branch: also with every step that only
    it leads to. The first step goes only if another one can take its place."""
    tree = Tree(structure)
    node = _node(tree, step)
    gone = {step} | (only_behind(tree, step) if branch else set())
    if instead and (instead in gone or instead not in tree.nodes):
        raise Refused("Choose a step that stays.")
    links = [link for link, target in tree.links() if target in gone and link.step not in gone]
    if step == tree.root["id"]:
        heir = instead or next((target for _, target in links_of(step, node) if target in tree.nodes), "")
        if not heir or heir in gone:
            raise Refused(
                "A flow keeps its first step. Lead it somewhere first, or change its title and type."
            )
        tree.begin_with(heir)
    for link in links:
        tree.lead(link, instead if tree.target_of(link) == step else "")
    for id_ in gone:
        tree.take(id_)
    where = instead or (links[0].step if links else tree.root["id"])
    more = f" and {len(gone) - 1} behind it" if len(gone) > 1 else ""
    return Changed(tree.root, where, f"Deleted {named(node)}{more}")


def only_behind(tree: Tree, step: str) -> set[str]:
    """The steps that no path from the first one reaches without this one, itself left out."""

    def reached(start: str, closed: str) -> set[str]:
        found: set[str] = set()
        waiting = [start]
        while waiting:
            id_ = waiting.pop()
            if id_ in tree.nodes and id_ not in found and id_ != closed:
                found.add(id_)
                waiting += [target for _, target in links_of(id_, tree.nodes[id_])]
        return found

    below = set[str]()
    for _, target in links_of(step, tree.nodes[step]):
        below |= reached(target, step)
    return below - reached(tree.root["id"], step)


def shift(structure: object, step: str, by: int) -> Changed:
    """One place up (-1) or down (1): an action changes places with the action beside it; a step behind an option moves
    together with the option."""
    tree = Tree(structure)
    node = _node(tree, step)
    links = tree.links_to(step)
    via = links[0] if links else None
    before = via.step if via and tree.nodes[via.step]["type"] == "action" else ""
    after = node.get("next", "") if node["type"] == "action" else ""
    if by < 0 and before and node["type"] == "action" and before != step:
        _swap(tree, before, step)
    elif by > 0 and after and after != step and tree.nodes.get(after, {}).get("type") == "action":
        _swap(tree, step, after)
    elif via and via.option is not None:
        options = tree.nodes[via.step]["options"]
        other = via.option + by
        if not 0 <= other < len(options):
            raise Refused(f"It stands behind the {'first' if by < 0 else 'last'} option already.")
        options[via.option], options[other] = options[other], options[via.option]
    elif before:
        raise Refused("Only an action can change places with the action before it. Move that action instead.")
    else:
        raise Refused("There is nothing that it could change places with. Move it to another place instead.")
    return Changed(tree.root, step, f"Moved {named(node)} {'up' if by < 0 else 'down'}")


def move(structure: object, step: str, to: Link) -> Changed:
    """To another place: an action is taken out of its row and put in behind the link; a question or an outcome changes
    places with what the link leads to."""
    tree = Tree(structure)
    node = _node(tree, step)
    _check(tree, to)
    if to.step == step:
        raise Refused("A step cannot stand behind itself.")
    if tree.target_of(to) == step:
        raise Refused("It stands there already.")
    if node["type"] == "action":
        behind = node["next"] if node["next"] != step else ""
        if step == tree.root["id"]:
            if behind not in tree.nodes:
                raise Refused("The first step must lead somewhere before it can be moved.")
            tree.begin_with(behind)
        for link in tree.links_to(step):
            tree.lead(link, behind)
        node["next"] = tree.target_of(to)
        tree.lead(to, step)
    else:
        if step == tree.root["id"]:
            raise Refused("Only an action can be moved away from the start.")
        if to.step in only_behind(tree, step):
            raise Refused("That place is behind this step itself.")
        via = next(iter(tree.links_to(step)), None)
        if via:
            tree.lead(via, tree.target_of(to))
        tree.lead(to, step)
    return Changed(tree.root, step, f"Moved {named(node)} behind {named(tree.nodes[to.step])}")


def add_option(structure: object, step: str) -> Changed:
    tree = Tree(structure)
    node = _question(tree, step)
    link = _new_option(node, label="")
    return Changed(
        tree.root, step, f"Added an option to {named(node)}", f"option-{(link.option or 0) + 1}-label"
    )


def shift_option(structure: object, step: str, option: int, by: int) -> Changed:
    tree = Tree(structure)
    node = _question(tree, step, option)
    options, other = node["options"], option + by
    if not 0 <= other < len(options):
        raise Refused(f"It is the {'first' if by < 0 else 'last'} option already.")
    options[option], options[other] = options[other], options[option]
    way = "up" if by < 0 else "down"
    words = f"Moved the option “{options[other]['label']}” {way}"
    return Changed(tree.root, step, words, f"option-{other + 1}-{way}")


def duplicate_option(structure: object, step: str, option: int) -> Changed:
    tree = Tree(structure)
    node = _question(tree, step, option)
    options = node["options"]
    if len(options) >= MOST_OPTIONS:
        raise Refused(f"A question has at most {MOST_OPTIONS} options.")
    first = options[option]
    options.insert(option + 1, first | {"label": _free_label(options, first["label"])})
    return Changed(tree.root, step, f"Duplicated the option “{first['label']}”", f"option-{option + 2}-label")


def delete_option(structure: object, step: str, option: int) -> Changed:
    tree = Tree(structure)
    node = _question(tree, step, option)
    gone = node["options"].pop(option)
    cursor = f"option-{min(option + 1, len(node['options'])) or 1}-label"
    return Changed(tree.root, step, f"Deleted the option “{gone['label']}” of {named(node)}", cursor)


def add_script(structure: object, step: str) -> Changed:
    tree = Tree(structure)
    node = _node(tree, step)
    node.setdefault("script", {"shell": "powershell", "text": "", "blanks": []})
    return Changed(tree.root, step, f"Added a script to {named(node)}", "script-text")


def delete_script(structure: object, step: str) -> Changed:
    tree = Tree(structure)
    node = _node(tree, step)
    node.pop("script", None)
    return Changed(tree.root, step, f"Deleted the script of {named(node)}")


def add_blank(structure: object, step: str, name: str = "") -> Changed:
    tree = Tree(structure)
    blanks = _script(tree, step)["blanks"]
    if len(blanks) >= MOST_BLANKS:
        raise Refused(f"A script has at most {MOST_BLANKS} blanks.")
    blanks.append({"name": name, "label": name.replace("_", " ").capitalize(), "secret": False})
    cursor = f"blank-{len(blanks)}-{'label' if name else 'name'}"
    return Changed(tree.root, step, f"Added a blank to the script of {named(tree.nodes[step])}", cursor)


def delete_blank(structure: object, step: str, blank: int) -> Changed:
    tree = Tree(structure)
    blanks = _script(tree, step)["blanks"]
    if not 0 <= blank < len(blanks):
        raise Refused("There is no such blank.")
    del blanks[blank]
    return Changed(
        tree.root, step, f"Deleted a blank of the script of {named(tree.nodes[step])}", "script-text"
    )


def named(node: Node) -> str:
    return f"“{node['title']}”" if node["title"].strip() else "a step without a title"


def new_id(tree: Tree) -> str:
    """An id that no step has or ever had: figures and ratings of a deleted step stay its own."""
    while (id_ := f"s{uuid4().hex[:11]}") in tree.nodes:
        pass
    return id_


_ARTICLE = {"question": "a question", "action": "an action", "outcome": "an outcome"}


def _fresh(type: str, target: str) -> dict[str, Any]:
    """What a step of this type has to begin with, if its first way on leads to `target`."""
    if type == "question":
        return {"options": [{"label": "Yes", "next": target}, {"label": "No", "next": ""}]}
    return {"next": target} if type == "action" else {"outcome": Outcome.RESOLVED.value}


def _node(tree: Tree, step: str) -> Node:
    if step not in tree.nodes:
        raise Refused("This step does not exist any more.")
    return tree.nodes[step]


def _question(tree: Tree, step: str, option: int | None = None) -> Node:
    node = _node(tree, step)
    if node["type"] != "question" or not (option is None or 0 <= option < len(node["options"])):
        raise Refused("There is no such option.")
    return node


def _script(tree: Tree, step: str) -> dict[str, Any]:
    node = _node(tree, step)
    if "script" not in node:
        raise Refused("This step has no script.")
    script: dict[str, Any] = node["script"]
    return script


def _check(tree: Tree, link: Link) -> None:
    if not tree.has(link):
        raise Refused("That place does not exist any more.")


def _room(tree: Tree) -> None:
    if len(tree.nodes) >= MOST_NODES:
        raise Refused(f"A flow has at most {MOST_NODES} steps.")


def _new_step(tree: Tree, type: str, target: str, *, beside: str) -> Node:
    _room(tree)
    new: Node = {"id": new_id(tree), "type": type, "title": ""} | _fresh(type, target)
    tree.put(new, beside)
    return new


def _insert(tree: Tree, link: Link, type: str) -> Node:
    """A new step between a link and what it led to."""
    new = _new_step(tree, type, tree.target_of(link), beside=link.step)
    tree.lead(link, new["id"])
    return new


def _new_option(node: Node, label: str | None = None) -> Link:
    options = node["options"]
    if len(options) >= MOST_OPTIONS:
        raise Refused(f"A question has at most {MOST_OPTIONS} options.")
    options.append({"label": f"Option {len(options) + 1}" if label is None else label, "next": ""})
    return Link(node["id"], len(options) - 1)


def _free_label(options: list[dict[str, str]], like: str) -> str:
    taken = {option["label"] for option in options}
    number = 2
    while (label := f"{like[:190]} {number}") in taken:
        number += 1
    return label


def _swap(tree: Tree, first: str, second: str) -> None:
    """Two actions, of which the first leads to the second, in the other order."""
    one, two = tree.nodes[first], tree.nodes[second]
    for link in tree.links_to(first):
        if link.step != second:
            tree.lead(link, second)
    one["next"] = second if two["next"] == first else two["next"]
    two["next"] = first
    if first == tree.root["id"]:
        tree.begin_with(second)
