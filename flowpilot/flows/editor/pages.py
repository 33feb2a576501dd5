"""What the editor's templates are given."""

import re
from itertools import pairwise
from typing import Any

from django.shortcuts import resolve_url
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from flowpilot.flows.editor.outline import Outline, Row, title_of
from flowpilot.flows.editor.saving import mark_of
from flowpilot.flows.editor.tree import Tree
from flowpilot.flows.models import FlowDraft
from flowpilot.flows.structure import BLANK_NAME, KEYS, SHELLS, Node
from flowpilot.sessions.states import Outcome
from resolutionflow.accounts.models import User

_BRACED = re.compile(r"\{(" + BLANK_NAME.pattern + r")\}")
CHOSEN, NOT_CHOSEN = SafeString(" selected"), ""
MOST_CHOICES = 1500  # of all lists of steps in one form; beyond them editor.js fills a list when it is opened
SHORTCUTS = (
    ("Alt+K", "previous step"),
    ("Alt+J", "next step"),
    ("Alt+↑", "move the step up"),
    ("Alt+↓", "move the step down"),
    ("Alt+A", "add an action"),
    ("Alt+Q", "add a question"),
    ("Alt+O", "add an outcome"),
    ("Alt+N", "add an answer"),
    ("Alt+C", "duplicate the step"),
    ("Alt+Backspace", "delete the step"),
    ("Ctrl+Z", "undo, outside of text fields"),
    ("Ctrl+S", "save at once"),
)


def bar_context(draft: FlowDraft, outline: Outline, user: User) -> dict[str, Any]:
    """How the draft stands: saved when and by whom, what undo would undo, whether it may be published."""
    newest = None
    if draft.revision:
        newest = draft.changes.select_related("made_by").defer("before").order_by("-revision").first()
    return {
        "flow": draft.flow,
        "here": resolve_url("flows:edit", draft.flow.id),
        "draft": draft,
        "newest": newest,
        "by_other": newest is not None and newest.made_by_id != user.pk,
        "fault_count": len(outline.faults),
        "faulty": [row for row in outline.rows if row.faults][:1],
        "general": outline.general,
        "step_count": len(outline.rows),
    }


def step_context(
    draft: FlowDraft, outline: Outline, row: Row, *, node: Node | None = None, whole_lists: bool = False
) -> dict[str, Any]:
    """The form of one step. node: what it says, where that is not what is saved."""
    node = node or row.node
    kind = node["type"]
    count = len(node["options"]) if kind == "question" else 1
    full = whole_lists or count * len(outline.rows) <= MOST_CHOICES
    before, after = outline.beside(row)
    return {
        "flow": draft.flow,
        "here": resolve_url("flows:edit", draft.flow.id),
        "mark": mark_of(draft),
        "row": row,
        "step": row.node["id"],
        "title": title_of(row.node),
        "node": node,
        "total": len(outline.rows),
        "full": full,
        "types": [(name, name.capitalize()) for name in KEYS],
        "options": _options(outline, node, full) if kind == "question" else [],
        "next": choices(outline, node.get("next", ""), full) if kind == "action" else "",
        "next_step": node.get("next") if kind == "action" and node.get("next") in outline.by_id else "",
        "outcomes": Outcome.choices,
        "shells": SHELLS,
        "undescribed": _undescribed(node),
        "led_from": [(link.step, outline.called(link)) for link in outline.tree.links_to(row.node["id"])][:6],
        "is_first": row.node["id"] == outline.tree.root["id"],
        "before": before,
        "after": after,
    }


def _options(outline: Outline, node: Node, full: bool) -> list[dict[str, Any]]:
    return [
        {
            "label": option["label"],
            "next": choices(outline, option["next"], full),
            "target": option["next"] if option["next"] in outline.by_id else "",
        }
        for option in node["options"]
    ]


def choices(outline: Outline, chosen: str, full: bool) -> SafeString:
    """The options of a list of steps; only the chosen one where not all are to be had."""
    known = chosen in outline.by_id
    first = format_html('<option value=""{}>Nowhere yet</option>', NOT_CHOSEN if chosen else CHOSEN)
    if chosen and not known:
        first += format_html('<option value="{}" selected>A step that does not exist</option>', chosen)
    steps = (
        outline.steps() if full else [pair for pair in outline.steps() if pair[0] == chosen] if known else []
    )
    return first + format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((id_, CHOSEN if id_ == chosen else NOT_CHOSEN, words) for id_, words in steps),
    )


def _undescribed(node: Node) -> list[str]:
    """The blanks that the script seems to have and nobody has described."""
    if node["type"] != "action" or "script" not in node:
        return []
    known = {blank["name"] for blank in node["script"]["blanks"]}
    found = dict.fromkeys(_BRACED.findall(node["script"]["text"]))
    return [name for name in found if name not in known][:8]


def walked(structure: object, ids: list[str]) -> tuple[Outline, list[dict[str, Any]], Row]:
    """Of a preview: the steps gone through, each with the answer that led on, and the one reached."""
    outline = Outline(structure)
    path = [outline.by_id[id_] for id_ in ids if id_ in outline.by_id] or [outline.rows[0]]
    trail = [
        {"title": title_of(row.node), "answer": _answer(outline.tree, row.node["id"], then.node["id"])}
        for row, then in pairwise(path)
    ]
    return outline, trail, path[-1]


def _answer(tree: Tree, id_: str, to: str) -> str:
    node = tree.nodes[id_]
    if node["type"] != "question":
        return "Done" if node["type"] == "action" else ""
    return next((option["label"] for option in node["options"] if option["next"] == to), "")
