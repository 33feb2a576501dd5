"""What the structure of a flow may be: one JSON object, the root node, whose `children` hold the others.

A node is a question with options, an action with what comes next, or an outcome, a leaf:

    {"id": "web-mail", "type": "question", "title": "Can the user sign in to the web mail?", "help": "…",
     "options": [{"label": "Yes", "next": "profile"}, {"label": "No", "next": "reset"}], "children": [node, …]}
    {"id": "reset", "type": "action", "title": "Reset the password", "next": "web-mail",
     "script": {"shell": "powershell", "text": "Get-ADUser {user}",
                "blanks": [{"name": "user", "label": "Sign-in name", "secret": false}]}}
    {"id": "solved", "type": "outcome", "outcome": "resolved", "title": "Solved"}

Where a node stands among the children says nothing about the order of the steps; `next` does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flowpilot.flows.scripts import misplaced
from flowpilot.sessions.states import Outcome
from resolutionflow.storable import UNSTORABLE

Node = dict[str, Any]

MOST_NODES = 500
MOST_DEPTH = 50  # the root has depth 1
MOST_OPTIONS = 30
ID_LENGTH, TITLE_LENGTH, LABEL_LENGTH, TEXT_LENGTH = 100, 300, 200, 10_000
MOST_BLANKS = 30
SHELLS = ("powershell", "cmd", "bash")
COMMON = {"id", "type", "title", "help", "children"}
KEYS = {
    "question": COMMON | {"options"},
    "action": COMMON | {"next", "script"},
    "outcome": COMMON | {"outcome"},
}
BLANK_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong. `node_id` is "" where the node has none that can be shown."""

    node_id: str
    message: str

    def __str__(self) -> str:
        return f"{self.node_id}: {self.message}" if self.node_id else self.message


def nodes_of(structure: Node) -> Iterator[Node]:
    """Every node of a valid structure, the root first, in the order in which they are written."""
    waiting = [structure]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.get("children", []))


def nodes_of_any(structure: object) -> Iterator[Node]:
    """As `nodes_of`, of a draft too: whatever is no node is passed over, and so is what hangs on it."""
    waiting = [structure]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            children = node.get("children")
            waiting += reversed(children) if isinstance(children, list) else []


def nexts_of(node: Node) -> list[str]:
    """Where a node of a valid structure leads: the ids behind its options, or behind the action; of a leaf none."""
    if node["type"] == "question":
        return [option["next"] for option in node["options"]]
    return [node["next"]] if node["type"] == "action" else []


def faults_of(structure: object) -> list[Fault]:
    """Everything that is wrong with a structure, in the order of its nodes; nothing if it may be published.

    Takes any JSON value and raises nothing; the time is linear in its size.
    """
    found: list[Fault] = []
    nodes = list(_nodes(structure, found))
    known: dict[str, Node] = {}
    for node in nodes:
        id_ = _shown_id(node)
        found += [Fault(id_, message) for message in _faults_of_node(node)]
        if id_ and id_ in known:
            found.append(Fault(id_, "Another step has this id already."))
        elif id_:
            known[id_] = node
    for node in nodes:
        for place, target in _links(node):
            if target not in known:
                message = f"{place} leads to a step that does not exist: {_shown(target)}"
                found.append(Fault(_shown_id(node), message))
    if nodes and _shown_id(nodes[0]):
        found += _faults_of_paths(nodes[0], known)
    return found


def _nodes(structure: object, found: list[Fault]) -> Iterator[Node]:
    """The objects among the children, down to the limits; what is no object or beyond a limit goes to `found`."""
    waiting: list[tuple[object, int, str]] = [(structure, 1, "")]
    count = 0
    while waiting:
        node, depth, parent = waiting.pop()
        if not isinstance(node, dict):
            found.append(Fault(parent, "A step must be an object."))
            continue
        count += 1
        if count > MOST_NODES:
            found.append(Fault("", f"A flow has at most {MOST_NODES} steps."))
            return
        yield node
        children = node.get("children", [])
        if not isinstance(children, list):
            found.append(Fault(_shown_id(node), "The children must be a list."))
        elif children and depth == MOST_DEPTH:
            found.append(Fault(_shown_id(node), f"Steps are nested at most {MOST_DEPTH} deep."))
        else:
            waiting += [(child, depth + 1, _shown_id(node)) for child in reversed(children)]


def _shown_id(node: Node) -> str:
    id_ = node.get("id")
    return id_ if isinstance(id_, str) and not _fault_of_text(id_, "", ID_LENGTH) else ""


def _shown(text: str) -> str:
    return UNSTORABLE.sub("?", text[:ID_LENGTH])


def _fault_of_text(value: object, what: str, longest: int) -> str:
    """What is wrong with a text that has to be given; "" if nothing is."""
    if not isinstance(value, str) or not value.strip():
        return f"{what} is missing."
    if len(value) > longest:
        return f"{what} has more than {longest:,} characters."
    return f"{what} has characters that cannot be stored." if UNSTORABLE.search(value) else ""


def _faults_of_node(node: Node) -> Iterator[str]:
    texts = [("id", "The id", ID_LENGTH), ("title", "The title", TITLE_LENGTH)]
    if node.get("help", "") != "":
        texts.append(("help", "The help", TEXT_LENGTH))
    for key, what, longest in texts:
        if fault := _fault_of_text(node.get(key), what, longest):
            yield fault
    kind = node.get("type")
    if not isinstance(kind, str) or kind not in KEYS:
        yield f"The type must be one of {', '.join(KEYS)}."
        return
    for key in sorted(node.keys() - KEYS[kind]):
        yield f"A step of the type {kind} has no “{_shown(key)}”."
    yield from {"question": _faults_of_question, "action": _faults_of_action, "outcome": _faults_of_outcome}[
        kind
    ](node)


def _faults_of_action(node: Node) -> Iterator[str]:
    if fault := _fault_of_text(node.get("next"), "What comes next", ID_LENGTH):
        yield fault
    if "script" in node:
        yield from _faults_of_script(node["script"])


def _faults_of_outcome(node: Node) -> Iterator[str]:
    if node.get("outcome") not in Outcome.values:
        yield f"The outcome must be one of {', '.join(Outcome.values)}."
    if node.get("children"):
        yield "An outcome is a leaf: it has no children."


def _faults_of_question(node: Node) -> Iterator[str]:
    options = node.get("options")
    if not isinstance(options, list) or not 2 <= len(options) <= MOST_OPTIONS:
        yield f"A question has 2 to {MOST_OPTIONS} options."
        return
    labels: set[str] = set()
    for number, option in enumerate(options, start=1):
        if not isinstance(option, dict) or option.keys() - {"label", "next"}:
            yield f"Option {number} must have a label and what comes next, and nothing else."
            continue
        label = option.get("label")
        if fault := _fault_of_text(label, f"The label of option {number}", LABEL_LENGTH):
            yield fault
        elif label in labels:
            yield f"Option {number} has the label of another one."
        else:
            labels.add(str(label))
        if fault := _fault_of_text(option.get("next"), f"What comes next after option {number}", ID_LENGTH):
            yield fault


def _faults_of_script(script: object) -> Iterator[str]:
    if not isinstance(script, dict) or script.keys() - {"shell", "text", "blanks"}:
        yield "A script has a shell, a text and blanks, and nothing else."
        return
    if script.get("shell") not in SHELLS:
        yield f"The shell of a script must be one of {', '.join(SHELLS)}."
    text, blanks = script.get("text"), script.get("blanks", [])
    if fault := _fault_of_text(text, "The text of the script", TEXT_LENGTH):
        yield fault
    elif not isinstance(blanks, list) or len(blanks) > MOST_BLANKS:
        yield f"The blanks of a script must be a list of at most {MOST_BLANKS}."
    else:
        names = [blank.get("name") if isinstance(blank, dict) else None for blank in blanks]
        faults = [
            f"Blank {number}: {fault}"
            for number, blank in enumerate(blanks, start=1)
            for fault in _faults_of_blank(blank, str(text), names[: number - 1])
        ]
        yield from faults
        if not faults and script.get("shell") in SHELLS:
            for name in misplaced(script):
                yield f"The blank {{{name}}} must stand by itself, outside quotes: they come with the value."


def _faults_of_blank(blank: object, text: str, taken: list[object]) -> Iterator[str]:
    if not isinstance(blank, dict) or blank.keys() - {"name", "label", "secret"}:
        yield "it has a name, a label and whether it is secret, and nothing else."
        return
    name = blank.get("name")
    if not isinstance(name, str) or not BLANK_NAME.fullmatch(name):
        yield "the name must be a lower-case word, such as user."
    elif name in taken:
        yield f"another one has the name {name}."
    elif f"{{{name}}}" not in text:
        yield f"it does not stand in the script; write {{{name}}} there."
    if fault := _fault_of_text(blank.get("label"), "the label", LABEL_LENGTH):
        yield fault
    if not isinstance(blank.get("secret", False), bool):
        yield "whether it is secret must be true or false."


def _links(node: Node) -> Iterator[tuple[str, str]]:
    """Where a node leads, well formed or not: (what leads there, the id), the ids that are texts only."""
    options = node.get("options")
    if node.get("type") == "question" and isinstance(options, list):
        for number, option in enumerate(options, start=1):
            if isinstance(option, dict) and isinstance(option.get("next"), str) and option["next"]:
                yield f"Option {number}", option["next"]
    elif node.get("type") == "action" and isinstance(node.get("next"), str) and node["next"]:
        yield "The step", node["next"]


def _faults_of_paths(root: Node, known: dict[str, Node]) -> Iterator[Fault]:
    ahead = {id_: [target for _, target in _links(node) if target in known] for id_, node in known.items()}
    back: dict[str, list[str]] = {id_: [] for id_ in known}
    for id_, targets in ahead.items():
        for target in targets:
            back[target].append(id_)
    reached = _reachable([_shown_id(root)], ahead)
    ending = _reachable([id_ for id_, node in known.items() if node.get("type") == "outcome"], back)
    for id_ in known:
        if id_ not in reached:
            yield Fault(id_, "No path leads here from the first step.")
        elif id_ not in ending:
            yield Fault(id_, "No path leads from here to an outcome.")


def _reachable(starts: list[str], edges: dict[str, list[str]]) -> set[str]:
    reached, waiting = set(starts), list(starts)
    while waiting:
        for target in edges[waiting.pop()]:
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached
