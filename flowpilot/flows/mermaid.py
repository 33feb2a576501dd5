"""A flow as a Mermaid flowchart, written and read.

Mermaid holds the steps with their titles and types, the answers and where they lead, and the outcomes (as classes). It
has no place for help, scripts, the description and the domain, nor for an answer that leads nowhere; ids that it does
not allow are replaced. docs/flows.md says so to authors.

Read are flowcharts as people write them: `flowchart` or `graph` in any direction, all shapes of nodes, chains and `&`,
labels as `-->|Yes|` and as `-- Yes -->`. A diamond is a question; so is what has several arrows or one with a label. A
node without arrows out of it is an outcome, by its class or, failing that, by its words. Any other is an action.
Styling, links and subgraphs say nothing about a flow and are passed over.
"""

import html
import json
import re
import sys
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from flowpilot.flows.files import FlowFile, Refused
from flowpilot.flows.models import Flow
from flowpilot.flows.outline import OutlineStep, outline
from flowpilot.flows.structure import MOST_NODES, MOST_OPTIONS, Fault, Node
from flowpilot.sessions.states import Outcome

RESERVED = {
    *(
        "end",
        "graph",
        "flowchart",
        "subgraph",
        "style",
        "linkstyle",
        "classdef",
        "class",
        "click",
        "call",
        "href",
    ),
    *("default", "direction", "interpolate", "tb", "td", "bt", "lr", "rl", "bot", "o", "x"),
}
PLAIN_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*")
COLOURS = {
    Outcome.RESOLVED: "fill:#d1fae5,stroke:#059669,color:#064e3b",
    Outcome.WORKAROUND: "fill:#fef3c7,stroke:#d97706,color:#78350f",
    Outcome.ESCALATED: "fill:#fee2e2,stroke:#dc2626,color:#7f1d1d",
    Outcome.UNRESOLVED: "fill:#e2e8f0,stroke:#64748b,color:#1e293b",
}
SAFE = " .,:?!'()/-_"
LIST_MARK = re.compile(r"\s*(?:\d+\.|-)")  # Mermaid refuses a text that looks like a list
SHAPES = {"question": ("{", "}"), "action": ("[", "]"), "outcome": ("([", "])"), "": ("[", "]")}

# Writing


def written(flow: Flow, structure: Node) -> str:
    steps = outline(structure)
    ids = _written_ids(steps)
    lines = ["---", f"title: {json.dumps(flow.name)}", "---", "flowchart TD"]
    for step in steps:
        start, end = SHAPES[step.type]
        mark = f":::{step.outcome}" if step.outcome else ""
        lines.append(f'    {ids[step.number]}{start}"{_escaped(step.title)}"{end}{mark}')
    for step in steps:
        for way in step.ways:
            if way.to is not None:
                label = f'|"{_escaped(way.label)}"|' if step.type == "question" else ""
                lines.append(f"    {ids[step.number]} -->{label} {ids[way.to]}")
    used = {step.outcome for step in steps}
    lines += [f"    classDef {outcome} {COLOURS[outcome]}" for outcome in Outcome if outcome in used]
    return "\n".join(lines) + "\n"


def _written_ids(steps: tuple[OutlineStep, ...]) -> dict[int, str]:
    plain = {
        step.number: step.id
        for step in steps
        if PLAIN_ID.fullmatch(step.id) and step.id.split("-")[0].lower() not in RESERVED
    }
    taken = set(plain.values())
    ids: dict[int, str] = {}
    given: set[str] = set()
    for step in steps:
        id_ = plain.get(step.number, "")
        if not id_ or id_ in given:
            id_ = f"step{step.number}"
            while id_ in taken:
                id_ += "_"
        ids[step.number] = id_
        taken.add(id_)
        given.add(id_)
    return ids


def _escaped(text: str) -> str:
    """As an entity goes whatever could mean something to Mermaid, to HTML or to Markdown."""
    mark = LIST_MARK.match(text)
    start = mark.end() if mark else 0
    return "".join(
        char if char.isalnum() or (char in SAFE and (char == " " or place >= start)) else f"#{ord(char)};"
        for place, char in enumerate(text)
    )


# Reading: first what the text says, line by line


@dataclass
class _Found:
    """A node as it is drawn."""

    id: str
    line: int
    title: str | None = None
    shape: str = ""
    classes: list[str] = field(default_factory=list)
    arrows: list[tuple[str, str]] = field(default_factory=list)  # label, id


HEADER = re.compile(r"\s*(?:flowchart(?:-elk)?|graph)(?:[ \t]+(?:TB|TD|BT|RL|LR|[<>^v]))?[ \t]*(?:;|\n|$)")
FRONT = re.compile(r"\s*---[ \t]*\n(.*?)\n---[ \t]*(?:\n|$)", re.DOTALL)
FRONT_TITLE = re.compile(r"^title:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
BLANK = re.compile(r"(?:[ \t\r\n;]|%%[^\n]*)+")
AND = re.compile(r"[ \t]*&[ \t]*")
SPACE = re.compile(r"[ \t]*")
PASSED_OVER = re.compile(r"(?:style|linkStyle|classDef|click|direction|accTitle|accDescr)\b[^\n]*")
SUBGRAPH = re.compile(r"(?:subgraph\b[^\n;]*|end\b(?=[ \t]*(?:[;\r\n]|%%|$)))")
CLASS = re.compile(r"class[ \t]+([^\s;]+(?:[ \t]*,[ \t]*[^\s;]+)*)[ \t]+([\w-]+)")
NODE_ID = re.compile(r"(?:\w|-(?![->.]))+")
MARK = re.compile(r":::([\w-]+)")
# Openings, longest first, with what may close each.
BRACKETS = {
    "(((": (")))",), "([": ("])",), "((": ("))",), "[[": ("]]",), "[(": (")]",), "{{": ("}}",),
    "[/": ("/]", "\\]"), "[\\": ("\\]", "/]"), "[": ("]",), "(": (")",), "{": ("}",), ">": ("]",),
}  # fmt: skip
QUOTED = re.compile(r'[ \t]*"([^"]*)"[ \t]*')
LINK = re.compile(r"<?(?:--+[->ox]|-\.+-[>ox]?|==+[=>ox]|~~~+)")
LABELLED = re.compile(
    r"<?(?:--|==|-\.)[ \t]*+(?P<label>\"[^\"]{0,2000}\"|[^\n]{1,400}?)[ \t]{0,20}(?:--+[->ox]|\.+-[>ox]?|==+[=>ox])"
)
LABEL = re.compile(r'[ \t]*\|[ \t]*("[^"]*"|[^|\n]*?)[ \t]*\|')
ENTITY = re.compile(r"[#&](#?\w+);")


MOST_ARROWS = MOST_NODES * MOST_OPTIONS


class _Syntax(Exception):
    pass


def read(text: str) -> FlowFile:
    """Raises Refused where it is no flowchart, or one with lines that cannot be read."""
    text = text.replace("\r\n", "\n")
    front = FRONT.match(text)
    title = FRONT_TITLE.search(front[1]) if front else None
    chart = _Chart(text, front.end() if front else 0)
    chart.read()
    if chart.faults:
        raise Refused(chart.faults)
    if not chart.nodes:
        raise Refused([Fault("", "The flowchart has no steps.")])
    if len(chart.nodes) > MOST_NODES:
        raise Refused([Fault("", f"A flow has at most {MOST_NODES} steps.")])
    structure, hints = _structure(list(chart.nodes.values()))
    return FlowFile(structure=structure, name=_yaml_text(title[1]) if title else "", hints=tuple(hints))


def _yaml_text(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return text.strip("'\"")
    return value if isinstance(value, str) else text


class _Chart:
    def __init__(self, text: str, start: int) -> None:
        self.text, self.at = text, start
        self.nodes: dict[str, _Found] = {}
        self.arrows = 0
        self.faults: list[Fault] = []
        self.breaks = [match.start() for match in re.finditer("\n", text)]

    def read(self) -> None:
        self._skip(BLANK)
        if not self._skip(HEADER):
            self._fault("a Mermaid flowchart begins with “flowchart TD”.")
            return
        while self._more() and len(self.faults) < 20:
            try:
                self._statement()
            except _Syntax as error:
                self._fault(str(error))
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end

    def _more(self) -> bool:
        self._skip(BLANK)
        return self.at < len(self.text)

    def _skip(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def _line(self) -> int:
        return bisect_right(self.breaks, self.at - 1) + 1

    def _fault(self, message: str) -> None:
        self.faults.append(Fault("", f"Line {self._line()}: {message}"))

    def _statement(self) -> None:
        if self._skip(PASSED_OVER) or self._skip(SUBGRAPH):
            return
        if found := self._skip(CLASS):
            for id_ in found[1].split(","):
                self._node(id_.strip()).classes.append(found[2])
            return
        sources = self._group()
        while (label := self._link()) is not None:
            targets = self._group()
            self.arrows += len(sources) * len(targets)
            if self.arrows > MOST_ARROWS:
                raise Refused(
                    [Fault("", f"Line {self._line()}: there are more than {MOST_ARROWS:,} arrows.")]
                )
            for source in sources:
                source.arrows += [(label, target.id) for target in targets]
            sources = targets
        self._skip(SPACE)
        if (
            self.at < len(self.text)
            and self.text[self.at] not in "\n;"
            and not self.text.startswith("%%", self.at)
        ):
            raise _Syntax(f"this is not understood: {self._rest()}")

    def _rest(self) -> str:
        return self.text[self.at : self.at + 40].split("\n")[0]

    def _node(self, id_: str) -> _Found:
        return self.nodes.setdefault(id_, _Found(id_, self._line()))

    def _group(self) -> list[_Found]:
        """One node, or several with & between them."""
        nodes = [self._drawn()]
        while self._skip(AND):
            nodes.append(self._drawn())
        return nodes

    def _drawn(self) -> _Found:
        self._skip(SPACE)
        id_ = self._skip(NODE_ID)
        if not id_:
            raise _Syntax(
                f"a step is expected here: {self._rest()}" if self._rest() else "a step is expected here."
            )
        node = self._node(id_[0])
        opening = next((opening for opening in BRACKETS if self.text.startswith(opening, self.at)), "")
        if opening:
            self.at += len(opening)
            node.title, node.shape = self._words(BRACKETS[opening]), opening
        while mark := self._skip(MARK):
            node.classes.append(mark[1])
        return node

    def _words(self, closings: tuple[str, ...]) -> str:
        if quoted := self._skip(QUOTED):
            closing = next((one for one in closings if self.text.startswith(one, self.at)), "")
            if not closing:
                raise _Syntax(f"“{closings[0]}” is missing after the text.")
            self.at += len(closing)
            return _plain(quoted[1], quoted=True)
        line_end = self.text.find("\n", self.at)
        line_end = len(self.text) if line_end < 0 else line_end
        ends = [(self.text.find(one, self.at, line_end), one) for one in closings]
        found = min(((end, one) for end, one in ends if end >= 0), default=None)
        if found is None:
            raise _Syntax(f"“{closings[0]}” is missing after the text.")
        words = self.text[self.at : found[0]]
        self.at = found[0] + len(found[1])
        return _plain(words)

    def _link(self) -> str | None:
        """The label of the arrow that follows, "" without one; None where none follows."""
        start = self.at
        self._skip(SPACE)
        if self._skip(LINK):
            label = self._skip(LABEL)
            return _label(label[1]) if label else ""
        if labelled := self._skip(LABELLED):
            return _label(labelled["label"])
        self.at = start
        return None


def _label(words: str) -> str:
    quoted = len(words) > 1 and words[0] == words[-1] == '"'
    return _plain(words[1:-1], quoted=True) if quoted else _plain(words)


def _plain(words: str, *, quoted: bool = False) -> str:
    """The text that Mermaid would show."""
    if quoted and len(words) > 1 and words[0] == words[-1] == "`":
        words = words[1:-1]
    words = re.sub(r"<br[ \t]*/?>|\n", " ", words)
    words = ENTITY.sub(_character, words)
    return words if quoted else words.strip()


def _character(found: re.Match[str]) -> str:
    code = found[1].removeprefix("#")
    if code.isascii() and code.isdigit():  # html.unescape would take some for those of an old code page
        return chr(int(code)) if len(code) < 8 and int(code) <= sys.maxunicode else found[0]
    shown = html.unescape(f"&{code};")
    return found[0] if shown.startswith("&") and len(shown) > 1 else shown


# … then what it means as a flow


def _structure(nodes: list[_Found]) -> tuple[Node, list[str]]:
    """The steps, all under the first, and what was guessed."""
    hints: list[str] = []
    made = {node.id: _made(node, hints) for node in nodes}
    first = _first(nodes)
    others = [made[node.id] for node in nodes if node is not first]
    return made[first.id] | ({"children": others} if others else {}), hints


def _made(node: _Found, hints: list[str]) -> Node:
    title = node.id if node.title is None else node.title
    step: Node = {"id": node.id, "type": "action", "title": title}
    outcome = next((name for name in node.classes if name in Outcome.values), "")
    if node.shape == "{" or len(node.arrows) > 1 or any(label for label, _ in node.arrows):
        step["type"] = "question"
        step["options"] = [{"label": label, "next": to} for label, to in node.arrows]
    elif node.arrows:
        step["next"] = node.arrows[0][1]
    else:
        step["type"] = "outcome"
        step["outcome"] = outcome or _guessed(title)
        if not outcome:
            label = Outcome(step["outcome"]).label.lower()
            hints.append(f"“{title[:100]}” is taken for the outcome {label}: no arrow leads on from it.")
    return step


def _guessed(title: str) -> str:
    words = title.lower()
    if "workaround" in words or "work around" in words:
        return Outcome.WORKAROUND
    if re.search(r"escalat|hand (it )?over|second line|vendor|specialist", words):
        return Outcome.ESCALATED
    if re.search(r"unresolved|unsolved|not (re)?solved|give up|no solution", words):
        return Outcome.UNRESOLVED
    return Outcome.RESOLVED


def _first(nodes: list[_Found]) -> _Found:
    """Of the node that stands first and those that no arrow leads to, the one from which most steps are reached."""
    led_to = {to for node in nodes for _, to in node.arrows}
    ahead = {node.id: [to for _, to in node.arrows] for node in nodes}
    starts = [nodes[0], *(node for node in nodes[1:] if node.id not in led_to)]
    return max(starts, key=lambda node: sum(1 for _ in _reached(node.id, ahead)))  # the earliest of equals


def _reached(start: str, ahead: dict[str, list[str]]) -> Iterator[str]:
    seen, waiting = {start}, [start]
    while waiting:
        id_ = waiting.pop()
        yield id_
        for to in ahead[id_]:
            if to not in seen:
                seen.add(to)
                waiting.append(to)
