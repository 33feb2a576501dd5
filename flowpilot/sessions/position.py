"""Where a session stands in its flow: what its decisions say, read against the version that it started on."""

from collections.abc import Iterable, Mapping
from typing import Any

from flowpilot.flows.structure import Node, nodes_of

Decision = Mapping[str, Any]


def current_node(structure: Node, decisions: Iterable[Decision]) -> Node:
    """The step that is to be done next: the root at the start, else what the last decision in the flow leads to. One
    that was taken over leads on too.

    Decisions beside the flow (node_id null) and those at a node or with an answer that the structure does not know
    change nothing.
    """
    nodes = {node["id"]: node for node in nodes_of(structure)}
    for decision in reversed([decision for decision in decisions if not decision.get("undone_at")]):
        node = nodes.get(decision.get("node_id") or "")
        target = next_of(node, decision.get("answer") or "") if node else None
        if target:
            return nodes[target]
    return structure


def has_left(decisions: Iterable[Decision]) -> bool:
    """Whether the engineer goes on without the flow: it was left, and no step of it was taken since."""
    standing = [decision for decision in decisions if not decision.get("undone_at")]
    newest = next((d for d in reversed(standing) if d.get("node_id") or d.get("left_flow")), None)
    return newest is not None and bool(newest.get("left_flow"))


def next_of(node: Node, answer: str) -> str | None:
    """The id that this answer leads to; None for an answer that the question does not have, and behind a leaf."""
    if node["type"] == "question":
        return next((option["next"] for option in node["options"] if option["label"] == answer), None)
    return node["next"] if node["type"] == "action" else None
