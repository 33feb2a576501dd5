"""What the editor's templates are given."""

import re
from html import escape
from itertools import pairwise
from typing import Any

from django.shortcuts import resolve_url
from django.utils.safestring import SafeString

from flowpilot.flows.editor.outline import Outline, Row
from flowpilot.flows.editor.saving import mark_of
from flowpilot.flows.editor.tree import Tree
from flowpilot.flows.models import FlowDraft
from flowpilot.flows.structure import BLANK_NAME, KEYS, SHELLS, Node
from flowpilot.sessions.states import Outcome
from resolutionflow.accounts.models import User
from resolutionflow.accounts.names import shown_name

_BRACED = re.compile(r"\{(" + BLANK_NAME.pattern + r")\}")
MOST_CHOICES = 1500  # of all lists of steps in one form; beyond them editor.js fills a list when it is opened
SHORTCUTS = (
    ("Alt+K", "previous step"),
    ("Alt+J", "next step"),
    ("Alt+↑", "move the step up"),
    ("Alt+↓", "move the step down"),
    ("Alt+A", "add an action"),
    ("Alt+Q", "add a question"),
    ("Alt+O", "add an outcome"),
    ("Alt+N", "add an option"),
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
    saver = draft.edited_by if draft.revision and draft.edited_by_id != user.pk else None
    doer = newest.made_by if newest and newest.made_by_id != user.pk else None
    return {
        "flow": draft.flow,
        "here": resolve_url("flows:edit", draft.flow.id),
        "draft": draft,
        "newest": newest,
        "saved_by": shown_name(draft.flow.account, saver) if saver else "",
        "done_by": shown_name(draft.flow.account, doer) if doer else "",
        "fault_count": len(outline.faults),
        "faulty": [row for row in outline.rows if row.faults][:1],
        "general": outline.general,
        "step_count": len(outline.rows),
    }


def saved_context(draft: FlowDraft, outline: Outline, row: Row) -> dict[str, Any]:
    """What stands beside the fields of a step that was saved while it is typed in."""
    node = outline.tree.nodes[row.id]
    return {
        "flow": draft.flow,
        "here": resolve_url("flows:edit", draft.flow.id),
        "mark": mark_of(draft),
        "row": row,
        "step": row.id,
        "node": node,
        "undescribed": _undescribed(node),
    }


def step_context(
    draft: FlowDraft, outline: Outline, row: Row, *, node: Node | None = None, whole_lists: bool = False
) -> dict[str, Any]:
    """The form of one step. node: what it says, where that is not what is saved."""
    node = node or outline.tree.nodes[row.id]
    kind = node["type"]
    count = len(node["options"]) if kind == "question" else 1
    full = whole_lists or count * len(outline.rows) <= MOST_CHOICES
    lists = Choices(outline, full)
    before, after = outline.beside(row)
    return saved_context(draft, outline, row) | {
        "title": row.title,
        "node": node,
        "total": len(outline.rows),
        "full": full,
        "types": [(name, name.capitalize()) for name in KEYS],
        "options": _options(outline, lists, node) if kind == "question" else [],
        "next": lists.html(node.get("next", "")) if kind == "action" else "",
        "next_step": node.get("next") if kind == "action" and node.get("next") in outline.by_id else "",
        "outcomes": Outcome.choices,
        "shells": SHELLS,
        "undescribed": _undescribed(node),
        "led_from": [(link.step, outline.called(link)) for link in outline.tree.links_to(row.id)][:6],
        "is_first": row.id == outline.tree.root["id"],
        "before": before,
        "after": after,
    }


def _options(outline: Outline, lists: "Choices", node: Node) -> list[dict[str, Any]]:
    return [
        {
            "label": option["label"],
            "next": lists.html(option["next"]),
            "target": option["next"] if option["next"] in outline.by_id else "",
        }
        for option in node["options"]
    ]


class Choices:
    """Lists of steps for the form, written once for all of them; if not full, each with the chosen step alone."""

    def __init__(self, outline: Outline, full: bool) -> None:
        self.words = dict(outline.steps())
        self.all = "".join(_choice(id_, words) for id_, words in self.words.items()) if full else ""

    def html(self, chosen: str) -> SafeString:
        """The options of a list, with one of them chosen; that may be "" or a step that does not exist."""
        first = _choice("", "Nowhere yet", "" if chosen else " selected")
        if chosen not in self.words:
            missing = _choice(chosen, "A step that does not exist", " selected") if chosen else ""
            return SafeString(first + missing + self.all)
        plain = _choice(chosen, self.words[chosen])
        marked = _choice(chosen, self.words[chosen], " selected")
        return SafeString(first + (self.all.replace(plain, marked, 1) if self.all else marked))


def _choice(id_: str, words: str, mark: str = "") -> str:
    return f'<option value="{escape(id_)}"{mark}>{escape(words)}</option>'


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
        {"title": row.title, "answer": _answer(outline.tree, row.id, then.id)} for row, then in pairwise(path)
    ]
    return outline, trail, path[-1]


def _answer(tree: Tree, id_: str, to: str) -> str:
    node = tree.nodes[id_]
    if node["type"] != "question":
        return "Done" if node["type"] == "action" else ""
    return next((option["label"] for option in node["options"] if option["next"] == to), "")
