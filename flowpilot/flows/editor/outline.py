"""The steps of a draft as a list, in the order in which a session meets them: each once, below what leads to it first.

Rows are written without templates: five hundred of them are made anew with every click, and only those that differ
from before are sent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2s

from django.utils.html import conditional_escape as escaped
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from flowpilot.flows.editor.tree import Link, Tree, links_of
from flowpilot.flows.structure import Fault, Node, faults_of

UNTITLED = "Untitled step"
DEEPEST = 6  # the further steps are indented like this one: a phone is narrow
MARKS = {"question": "?", "action": "→", "outcome": "●"}


@dataclass(frozen=True)
class Row:
    """via: the answer that leads here first; then: the number of a step further up that an action leads back to."""

    number: int
    node: Node
    depth: int
    via: str
    then: int | None
    faults: tuple[str, ...]
    reached: bool


class Outline:
    """The draft's steps by number. `faults` are those of the whole structure; a step's own are in its row."""

    def __init__(self, structure: object) -> None:
        self.tree = Tree(structure)
        self.faults = [
            Fault(fault.node_id if fault.node_id in self.tree.nodes else "", fault.message)
            for fault in faults_of(structure)
        ]
        by_step: dict[str, list[str]] = {}
        for fault in self.faults:
            by_step.setdefault(fault.node_id, []).append(fault.message)
        self.general = by_step.get("", [])
        order = list(_in_order(self.tree))
        numbers = {place.id: number for number, place in enumerate(order, 1)}
        self.rows = [
            Row(
                number,
                node := self.tree.nodes[place.id],
                min(place.depth, DEEPEST),
                place.via,
                _back(node, numbers, number),
                tuple(by_step.get(place.id, ())),
                place.reached,
            )
            for number, place in enumerate(order, 1)
        ]
        self.by_id = {row.node["id"]: row for row in self.rows}

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
            for link, target in links_of(row.node["id"], row.node):
                yield link, self.called(link), target

    def called(self, link: Link) -> str:
        row = self.by_id[link.step]
        if link.option is None:
            return f"{row.number} · {title_of(row.node)}"
        label = row.node["options"][link.option]["label"].strip()
        return f"{row.number} · {title_of(row.node)}: {label or f'answer {link.option + 1}'}"

    def steps(self) -> Iterator[tuple[str, str]]:
        """(id, number and title) of every step."""
        for row in self.rows:
            yield row.node["id"], f"{row.number} · {title_of(row.node)}"

    def html(self, here: str) -> SafeString:
        """All rows; here: the address of the editor."""
        return SafeString("".join(row_html(row, here) for row in self.rows))

    def changed_rows(self, before: "Outline", here: str) -> list[SafeString] | None:
        """The rows that look another way than before, to be swapped; None where steps came, went or moved."""
        if [(row.node["id"], row.reached) for row in before.rows] != [
            (row.node["id"], row.reached) for row in self.rows
        ]:
            return None
        return [
            row_html(new, here, swap=True)
            for old, new in zip(before.rows, self.rows, strict=True)
            if row_html(old, here) != row_html(new, here)
        ]


def title_of(node: Node) -> str:
    return node["title"].strip() or UNTITLED


def row_key(id_: str) -> str:
    """The row's id in the page; ids of steps may hold any character."""
    return f"row-{blake2s(id_.encode(errors='replace'), digest_size=8).hexdigest()}"


def row_html(row: Row, here: str, *, swap: bool = False) -> SafeString:
    node = row.node
    parts = [
        f'<li id="{row_key(node["id"])}" class="d{row.depth}{"" if row.reached else " lost"}"',
        ' hx-swap-oob="true"' if swap else "",
        f'><a href="{here}?{escaped(urlencode({"step": node["id"]}))}" data-step="{escaped(node["id"])}">',
        f'<span class="n">{row.number}</span>',
    ]
    tone = f" {escaped(node.get('outcome', ''))}" if node["type"] == "outcome" else ""
    kind = node["type"].capitalize()
    parts.append(f'<span class="mark {node["type"]}{tone}" title="{kind}">{MARKS[node["type"]]}</span>')
    if row.via:
        parts.append(f'<span class="via" dir="auto">{escaped(row.via[:60])}</span>')
    parts.append(f'<span class="t" dir="auto">{escaped(title_of(node))}</span>')
    if row.then:
        parts.append(f'<span class="then" title="Leads to step {row.then}">↩ {row.then}</span>')
    if row.faults:
        faults = escaped("\n".join(row.faults))
        words = f"{len(row.faults)} fault{'' if len(row.faults) == 1 else 's'}"
        parts.append(f'<span class="fault" title="{faults}">{words}</span>')
    return SafeString("".join([*parts, "</a></li>"]))


@dataclass(frozen=True)
class _Place:
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
