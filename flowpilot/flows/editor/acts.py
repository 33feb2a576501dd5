"""What is posted by the form of a step: its fields, and what else to do with the step."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from django.http import QueryDict

from flowpilot.flows.editor import changes
from flowpilot.flows.editor.changes import Changed, Refused
from flowpilot.flows.editor.saving import Act
from flowpilot.flows.editor.tree import Link, Tree
from flowpilot.flows.structure import Node

LONGEST = 50_000  # characters of one text; beyond the validator's limits so that nothing typed is cut off
PLAIN = ("", "keep")  # acts that only save; "keep" shows the form anew

Step = Callable[..., Changed]
BY_STEP: Mapping[str, Step] = {
    "up": partial(changes.shift, by=-1),
    "down": partial(changes.shift, by=1),
    "duplicate": changes.duplicate,
    "option-add": changes.add_option,
    "script-add": changes.add_script,
    "script-delete": changes.delete_script,
}
BY_WORD: Mapping[str, Step] = {
    "type": changes.set_type,
    "add": changes.add,
    "blank-add": changes.add_blank,
}
BY_NUMBER: Mapping[str, Step] = {
    "option-up": partial(changes.shift_option, by=-1),
    "option-down": partial(changes.shift_option, by=1),
    "option-duplicate": changes.duplicate_option,
    "option-delete": changes.delete_option,
    "blank-delete": changes.delete_blank,
}


def act_of(data: QueryDict) -> Act:
    """What the posted form does to a structure: first its fields go into the step, then the act named is done.

    The fields are kept also where the act is refused.
    """
    step, act = data.get("step", ""), data.get("act", "")

    def done(structure: object) -> Changed:
        changed: Changed | None = None
        if "title" in data:
            changed = changes.rewrite(structure, step, partial(content_of, data))
            structure = changed.structure
        if act in PLAIN:
            return changed or Changed(Tree(structure).root, step, "")
        try:
            return _do(structure, step, act, data)
        except Refused as refused:
            if changed is None:
                raise
            return replace(changed, refusal=str(refused))

    return done


def _do(structure: object, step: str, act: str, data: QueryDict) -> Changed:
    name, _, word = act.partition(":")
    number = int(word) if word.isascii() and word.isdigit() and len(word) < 4 else None
    if act in BY_STEP:
        return BY_STEP[act](structure, step)
    if name in BY_WORD:
        return BY_WORD[name](structure, step, word)
    if name in BY_NUMBER and number is not None:
        return BY_NUMBER[name](structure, step, number)
    if name == "option-step" and number is not None:
        return changes.add_behind(structure, Link(step, number))
    if name == "delete":
        return changes.delete(structure, step, instead=data.get("instead", ""), branch="branch" in data)
    to = Link.read(data.get("to", ""))
    if name == "move" and to:
        return changes.move(structure, step, to)
    if name == "move":
        raise Refused("Choose a place.")
    raise Refused("This cannot be done.")


def content_of(data: QueryDict, node: Node) -> Node:
    """What the form says a step is, to be stored. Raises Refused for a text that is beyond any limit."""
    if any(len(value) > LONGEST for _, values in data.lists() for value in values):
        raise Refused(f"A text has more than {LONGEST:,} characters. Shorten it; it is not saved.")
    return as_sent(data, node)


def as_sent(data: QueryDict, node: Node) -> Node:
    """A step's own content as the form says it. What the form shows as it was stays exactly as it was.

    node: the step that the form was made for.
    """
    content: Node = {"type": node["type"], "title": _kept(node["title"], data.get("title", ""))}
    help_ = _kept(node.get("help", ""), data.get("help", ""))
    if help_ or "help" in node:
        content["help"] = help_
    if node["type"] == "question":
        pairs = zip(data.getlist("option-label"), data.getlist("option-next"), strict=False)
        content["options"] = [{"label": label, "next": next_} for label, next_ in pairs]
        _keep_options(content["options"], node["options"])
    elif node["type"] == "action":
        content["next"] = data.get("next", "")
        if "script-text" in data:
            content["script"] = _script(data, node.get("script", {}))
    else:
        content["outcome"] = data.get("outcome", "")
    return content


def _keep_options(options: list[dict[str, Any]], before: list[dict[str, Any]]) -> None:
    """What else an option holds, a fault, stays with it until it is changed."""
    for number, (option, old) in enumerate(zip(options, before, strict=False)):
        if option["label"] == old["label"] and option["next"] == old["next"]:
            options[number] = old


def _script(data: QueryDict, before: Mapping[str, Any]) -> dict[str, Any]:
    secret = set(data.getlist("blank-secret"))
    rows = zip(data.getlist("blank-name"), data.getlist("blank-label"), strict=False)
    blanks = [
        {"name": name, "label": label, "secret": str(number) in secret}
        for number, (name, label) in enumerate(rows)
    ]
    old = [{"secret": False} | blank for blank in before.get("blanks", [])]
    return {
        "shell": data.get("script-shell", ""),
        "text": _kept(before.get("text", ""), data.get("script-text", "")),
        "blanks": before["blanks"] if blanks == old and "blanks" in before else blanks,
    }


def _kept(before: str, now: str) -> str:
    """The text from the form, which ends lines its own way; as it was before if nothing else differs."""
    now = now.replace("\r\n", "\n")
    return before if before.replace("\r\n", "\n") == now else now
