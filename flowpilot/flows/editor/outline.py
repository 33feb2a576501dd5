"""The steps of a draft as a list, in the order in which a session meets them: each once, below what leads to it first.

Rows are written without templates, for there may be five hundred of them; after a mere change of words only those are
sent that say them.
"""

from collections.abc import Iterator
from hashlib import blake2s
from html import escape as escaped
from typing import NamedTuple

from django.utils.http import urlencode
from django.utils.safestring import SafeString

from flowpilot.flows.editor.tree import Link, Tree, links_of
from flowpilot.flows.structure import Node, faults_of

UNTITLED = "Untitled step"
DEEPEST = 6  # the further steps are indented like this one: a phone is narrow
MARKS = {"question": "?", "action": "→", "outcome": "●"}


class Row(NamedTuple):
    """How a step stands in the outline.

    via: the option that leads here first; then: the number of a step that an action leads to and that does not follow.
    """

    number: int
    id: str
    type: str
    title: str
    outcome: str
    depth: int
    via: str
    then: int | None
    faults: tuple[str, ...]
    reached: bool


class Outline:
    """The draft's steps by number. `faults` are those of the whole structure; a step's own are in its row."""

    def __init__(self, structure: object) -> None:
        self.tree = Tree.over(structure)
        nodes = self.tree.nodes
        self.faults = faults_of(structure)
        by_step: dict[str, list[str]] = {}
        for fault in self.faults:
            by_step.setdefault(fault.node_id if fault.node_id in nodes else "", []).append(fault.message)
        self.general = by_step.get("", [])
        places = list(_in_order(self.tree))
        numbers = {place.id: number for number, place in enumerate(places, 1)}
        self.rows = [
            Row(
                number,
                id_,
                nodes[id_]["type"],
                nodes[id_]["title"].strip() or UNTITLED,
                nodes[id_].get("outcome", ""),
                min(depth, DEEPEST),
                via,
                _back(nodes[id_], numbers, number),
                tuple(by_step.get(id_, ())),
                reached,
            )
            for number, (id_, depth, via, reached) in enumerate(places, 1)
        ]
        self.by_id = {row.id: row for row in self.rows}

    def row(self, id_: str) -> Row:
        """The step with this id, or the first one."""
        return self.by_id.get(id_) or self.rows[0]

    def beside(self, row: Row) -> tuple[Row | None, Row | None]:
        """The rows before and after."""
        before = self.rows[row.number - 2] if row.number > 1 else None
        return before, self.rows[row.number] if row.number < len(self.rows) else None

    def links(self) -> Iterator[tuple[Link, str, str]]:
        """Every place behind which a step can stand: (link, what to call it, the id of what stands there)."""
        for row in self.rows:
            for link, target in links_of(row.id, self.tree.nodes[row.id]):
                yield link, self.called(link), target

    def called(self, link: Link) -> str:
        row = self.by_id[link.step]
        if link.option is None:
            return f"{row.number} · {row.title}"
        label = self.tree.nodes[row.id]["options"][link.option]["label"].strip()
        return f"{row.number} · {row.title}: {label or f'option {link.option + 1}'}"

    def steps(self) -> Iterator[tuple[str, str]]:
        """(id, number and title) of every step."""
        for row in self.rows:
            yield row.id, f"{row.number} · {row.title}"

    def html(self, here: str) -> SafeString:
        """All rows; here: the address of the editor."""
        return SafeString("".join(row_html(row, here) for row in self.rows))

    def rows_about(self, id_: str, before: object, here: str) -> list[SafeString] | None:
        """After a step was rewritten: the rows that say something of it, to be swapped. None if it leads elsewhere
        than before, for then any row may look another way."""
        old, new = Tree.over(before).nodes.get(id_), self.tree.nodes.get(id_)
        if (
            old is None
            or new is None
            or old["type"] != new["type"]
            or links_of(id_, old) != links_of(id_, new)
        ):
            return None
        shown = dict.fromkeys([id_, *(target for _, target in links_of(id_, new))])
        return [row_html(self.by_id[step], here, swap=True) for step in shown if step in self.by_id]


def row_key(id_: str) -> str:
    """The row's id in the page; ids of steps may hold any character."""
    return f"row-{blake2s(id_.encode(errors='replace'), digest_size=8).hexdigest()}"


def row_html(row: Row, here: str, *, swap: bool = False) -> SafeString:
    parts = [
        f'<li id="{row_key(row.id)}" class="d{row.depth}{"" if row.reached else " lost"}"',
        ' hx-swap-oob="true"' if swap else "",
        f'><a href="{here}?{escaped(urlencode({"step": row.id}))}" data-step="{escaped(row.id)}">',
        f'<span class="n">{row.number}</span>',
    ]
    tone = f" {escaped(row.outcome)}" if row.outcome else ""
    parts.append(
        f'<span class="mark {row.type}{tone}" title="{row.type.capitalize()}">{MARKS[row.type]}</span>'
    )
    if row.via:
        parts.append(f'<span class="via" dir="auto">{escaped(row.via[:60])}</span>')
    parts.append(f'<span class="t" dir="auto">{escaped(row.title)}</span>')
    if row.then:
        parts.append(f'<span class="then" title="Leads to step {row.then}">↩ {row.then}</span>')
    if row.faults:
        faults = escaped("\n".join(row.faults))
        words = f"{len(row.faults)} fault{'' if len(row.faults) == 1 else 's'}"
        parts.append(f'<span class="fault" title="{faults}">{words}</span>')
    return SafeString("".join([*parts, "</a></li>"]))


class _Place(NamedTuple):
    id: str
    depth: int
    via: str
    reached: bool


def _in_order(tree: Tree) -> Iterator[_Place]:
    seen: set[str] = set()

    def from_(start: _Place) -> Iterator[_Place]:
        waiting = [start]
        while waiting:
            place = waiting.pop()
            if place.id in seen or place.id not in tree.nodes:
                continue
            seen.add(place.id)
            yield place
            node = tree.nodes[place.id]
            deeper = place.depth + (node["type"] == "question")
            waiting += [
                _Place(
                    target,
                    deeper,
                    "" if link.option is None else node["options"][link.option]["label"].strip(),
                    start.reached,
                )
                for link, target in reversed(links_of(place.id, node))
            ]

    yield from from_(_Place(tree.root["id"], 0, "", reached=True))
    led_to = {target for link, target in tree.links() if link.step not in seen}
    lost = sorted((id_ for id_ in tree.nodes if id_ not in seen), key=lambda id_: id_ in led_to)
    for id_ in lost:  # those that nothing leads to come before what they lead to
        yield from from_(_Place(id_, 0, "", reached=False))


def _back(node: Node, numbers: dict[str, int], number: int) -> int | None:
    """Where an action leads, if that does not simply follow."""
    target = numbers.get(node.get("next", "")) if node["type"] == "action" else None
    return target if target is not None and target != number + 1 else None
