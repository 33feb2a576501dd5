"""Changes of a published flow's structure that an enhancement proposes."""

from typing import Any

from flowpilot.analysis.orders import lower_first
from flowpilot.flows.editor.changes import delete
from flowpilot.flows.structure import LABEL_LENGTH, Node, nodes_of
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


def without_step(structure: Node, node_id: str) -> Node:
    """An action taken out; what led to it leads to what comes after it. Raises Refused of the editor where there is
    nothing after it."""
    node = next(node for node in nodes_of(structure) if node["id"] == node_id)
    return delete(structure, node_id, instead=node["next"]).structure
