"""Changes of a published flow's structure that an enhancement proposes."""

from typing import Any

from flowpilot.analysis.orders import lower_first
from flowpilot.flows.editor.changes import delete
from flowpilot.flows.structure import LABEL_LENGTH, Node, nexts_of, nodes_of
from flowpilot.sessions.states import Outcome
from resolutionflow.folding import fold


def with_option(structure: Node, node_id: str, behind: Node) -> tuple[Node, str]:
    """A question with a further option that leads to the tree `behind`, and the option's label. The ids of that tree
    are none of the structure's."""
    label = ""

    def changed(node: Node) -> Node:
        nonlocal label
        copy: dict[str, Any] = node | {"children": [changed(child) for child in node.get("children", [])]}
        if node["id"] == node_id:
            label = _free_label(f"Something else: {lower_first(behind['title'])}", node["options"])
            copy["options"] = [*node["options"], {"label": label, "next": behind["id"]}]
        if not copy["children"]:
            del copy["children"]
        return copy

    root = changed(structure)
    first = {key: value for key, value in behind.items() if key != "children"}
    root["children"] = [*root.get("children", []), first, *behind.get("children", [])]
    return root, label


def _free_label(wanted: str, options: list[dict[str, Any]]) -> str:
    taken = {fold(option["label"]) for option in options}
    label, number = wanted[:LABEL_LENGTH], 1
    while fold(label) in taken:
        number += 1
        label = f"{wanted[: LABEL_LENGTH - 6]} ({number})"
    return label


def without_step(structure: Node, node_id: str) -> Node | None:
    """An action taken out; what led to it leads to what comes after it. None where the rest would not read without it:
    an answer that leads straight to a further question or to a solution, though nothing was done; a question about what
    came of the dropped step; a question all of whose answers lead to the same. Raises Refused of the editor where there
    is nothing after it."""
    nodes = {node["id"]: node for node in nodes_of(structure)}
    behind = nodes[nodes[node_id]["next"]]
    asked = [node for node in nodes.values() if node["type"] == "question" and node_id in nexts_of(node)]
    others = [node for node in nodes.values() if node["id"] != node_id and behind["id"] in nexts_of(node)]
    is_question = behind["type"] == "question"
    solves = behind.get("outcome") in (Outcome.RESOLVED, Outcome.WORKAROUND)
    if (asked and (is_question or solves)) or (is_question and not others):
        return None
    if any(set(nexts_of(node)) <= {node_id, behind["id"]} for node in asked):
        return None
    return delete(structure, node_id, instead=behind["id"]).structure
