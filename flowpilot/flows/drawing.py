"""The map of a flow: from its structure to places of boxes and lines, which templates/flows/_map.html writes as SVG.

It reads from the top left. Steps that follow each other without a question stand below each other; each answer that
leads on goes one column to the right. What an answer leads to stands below everything that the answers before it lead
to, so no two lines ever cross, whatever the flow. A way to a step that stands elsewhere (paths that join, loops back)
ends in a tag with that step's number, and names it: lines across a map of a hundred steps could not be followed.

Figures are painted on by `Notes`:

    draw(structure, Notes(
        steps={"web-mail": StepNote(lines=("120 visits", "4.2 % left here"), tone="bad")},
        ways={("web-mail", "Yes"): WayNote(suffix="84", share=0.7)},   # an answer; ("reset", "") after an action
    ))

`tone` is good, watch, bad or "" and colours the edge of the box; say it in `lines` too. `lines` are short, about 34
characters; what does not fit on the box's width ends in …. `suffix` is a small figure at the end of the answer, `share`
(0 to 1) makes its line as much wider. Both also stand in the outline.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from flowpilot.flows.outline import OutlineStep, Way, outline
from flowpilot.flows.wrapping import width_of, wrapped

WIDTH = 264  # of every box
GAP = 128  # between columns
BELOW = 20  # between boxes that stand in a column but not in a row of steps
FOLLOW = 26  # from a step to the one that follows it
MARGIN = 16
ANCHOR = 23  # where a line comes into a box: the middle of the first line of its title
CAPTION = 20  # above a box that stands far from its answer

TITLE, LABEL, SMALL = 13.0, 12.5, 11.5  # sizes of text; app.css says the same
TITLE_LINE, LABEL_LINE, SMALL_LINE = 18, 17, 16
PAD = 12
TITLE_X = 44  # right of the number
LONGEST_TITLE, LONGEST_LABEL = 6, 4  # in lines

STUB, TAG = 12, 30  # the line to a tag, and the tag
LANES = STUB + TAG + 6  # where the lanes of lines that go down begin, right of a box
LANE = 8
CORNER = 8
THIN, THICK = 1.5, 6.5

Tone = Literal["good", "watch", "bad", ""]


@dataclass(frozen=True)
class StepNote:
    """Small figures below the title of a step."""

    lines: tuple[str, ...] = ()
    tone: Tone = ""


@dataclass(frozen=True)
class WayNote:
    """A small figure beside an answer, and how wide its line is, as a share of the widest."""

    suffix: str = ""
    share: float = 0.0

    @property
    def thickness(self) -> float:
        return round(THIN + (THICK - THIN) * min(1.0, max(0.0, self.share)), 2)


@dataclass(frozen=True)
class Notes:
    """What is painted on the map: by the id of the step, and by that id and the label of the answer."""

    steps: Mapping[str, StepNote] = field(default_factory=dict)
    ways: Mapping[tuple[str, str], WayNote] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """A line of text; `y` is that of its base line, from the top of the box or the row."""

    y: float
    text: str


@dataclass(frozen=True)
class Row:
    """One way out of a step. `goal` says where it leads, unless a line does."""

    way: Way
    note: WayNote
    y: float  # from the top of the box
    height: float
    lines: tuple[Line, ...]
    goal: Line | None

    @property
    def half(self) -> float:
        return self.height / 2

    @property
    def middle(self) -> float:
        return self.y + self.half


@dataclass(frozen=True)
class Box:
    """A step with its place. `rows` are its answers; an action has one only if a tag ends it."""

    step: OutlineStep
    note: StepNote
    x: float
    y: float
    height: float
    title: tuple[Line, ...]
    notes: tuple[Line, ...]
    mark_y: float  # of the outcome's word
    rows: tuple[Row, ...]
    ways: tuple[tuple[Way, WayNote], ...] = ()  # every way out with its note, for the outline
    caption: str = ""  # the answer that leads here, where it is far away
    width: int = WIDTH


@dataclass(frozen=True)
class Edge:
    """The line from an answer, or from an action, to the box that it leads on to."""

    source: int
    target: int
    way: Way
    path: str
    thickness: float = THIN
    suffix: Line | None = None  # beside a line between two steps that follow each other
    suffix_x: float = 0


@dataclass(frozen=True)
class Drawing:
    width: float
    height: float
    boxes: tuple[Box, ...]  # in reading order
    edges: tuple[Edge, ...]


def draw(structure: object, notes: Notes | None = None) -> Drawing:
    """The map of a structure, faulty or not: each step once, each way out of it once, no boxes that overlap.

    Takes any JSON value and raises nothing; the same structure gives the same map.
    """
    steps = outline(structure)
    notes = notes or Notes()
    cards = [_card(step, notes) for step in steps]
    runs = _runs(steps, cards)
    places = _places(runs)
    boxes = [replace(card, **places[card.step.number]) for card in cards]
    edges = tuple(edge for box in boxes for edge in _edges(box, boxes))
    return Drawing(
        width=max((box.x + WIDTH for box in boxes), default=0) + LANES + MARGIN,
        height=max((box.y + box.height for box in boxes), default=0) + MARGIN,
        boxes=tuple(boxes),
        edges=edges,
    )


# The boxes


def _card(step: OutlineStep, notes: Notes) -> Box:
    """The step with its texts laid out, at no place yet."""
    note = notes.steps.get(step.id, StepNote())
    room = WIDTH - TITLE_X - PAD - (20 if step.script else 0)
    y = float(PAD)
    title = _lines(wrapped(step.name, TITLE, room, LONGEST_TITLE), y, TITLE_LINE)
    y += TITLE_LINE * max(1, len(title)) + 4
    mark_y = y
    if step.type == "outcome":
        y += TITLE_LINE
    figures = [wrapped(text, SMALL, WIDTH - TITLE_X - PAD, 1) for text in note.lines]
    small = _lines([line for lines in figures for line in lines], y, SMALL_LINE)
    y += SMALL_LINE * len(small) + PAD - 4
    rows: list[Row] = []
    ways = tuple((way, notes.ways.get((step.id, way.label), WayNote())) for way in step.ways)
    for way, beside in ways:
        if step.type == "question" or not way.goes_on:
            rows.append(_row(way, beside, y))
            y += rows[-1].height
    return Box(step, note, 0, 0, y + (4 if rows else 0), title, small, mark_y, tuple(rows), ways)


def _row(way: Way, note: WayNote, y: float) -> Row:
    room = WIDTH - 2 * PAD - (width_of(note.suffix, SMALL) + 8 if note.suffix else 0)
    lines = _lines(wrapped(way.label, LABEL, room, LONGEST_LABEL), 6, LABEL_LINE)
    height = 12.0 + LABEL_LINE * len(lines)
    goal = None
    if not way.goes_on:
        words = "leads nowhere" if way.to is None else way.name
        goal = Line(6 + LABEL_LINE * len(lines) + 11, wrapped(words, SMALL, WIDTH - 2 * PAD - 17, 1)[0])
        height += SMALL_LINE
    return Row(way, note, y, height, lines, goal)


def _lines(texts: Sequence[str], y: float, line: int) -> tuple[Line, ...]:
    return tuple(Line(round(y + line * (index + 0.74), 1), text) for index, text in enumerate(texts))


# Their places


@dataclass
class _Run:
    """Steps that stand below each other, and what hangs on the answers of the last one.

    `tops` and `bottoms` are the outline of all of it by column, from the run's own on, measured from its top.
    """

    numbers: list[int] = field(default_factory=list)
    offsets: list[float] = field(default_factory=list)
    height: float = 0
    below: list[tuple[float, "_Run", str]] = field(default_factory=list)  # height of the answer, run, caption
    shifts: list[tuple[float, bool]] = field(
        default_factory=list
    )  # of each: place, whether far from its answer
    tops: list[float] = field(default_factory=list)
    bottoms: list[float] = field(default_factory=list)
    loose: bool = False


def _runs(steps: Sequence[OutlineStep], cards: Sequence[Box]) -> list[_Run]:
    """The runs in reading order, each measured and its outline known."""
    runs: list[_Run] = []
    of: dict[int, _Run] = {}
    for step, card in zip(steps, cards, strict=True):
        parent = steps[step.parent - 1] if step.parent else None
        if parent and parent.type == "action":
            run = of[parent.number]
            run.height += FOLLOW
        else:
            run = _Run(loose=parent is None and step.loose)
            runs.append(run)
            if parent:
                above = of[parent.number]
                row = next(
                    row
                    for row in cards[parent.number - 1].rows
                    if row.way.to == step.number and row.way.goes_on
                )
                caption = wrapped(f"{parent.number} · {row.way.label}", SMALL, WIDTH, 1)[0]
                above.below.append((above.offsets[-1] + row.middle, run, caption))
        run.numbers.append(step.number)
        run.offsets.append(run.height)
        run.height += card.height
        of[step.number] = run
    for run in reversed(runs):
        _measure(run)
    return runs


def _measure(run: _Run) -> None:
    run.tops, run.bottoms = [0.0], [run.height]
    for answer, below, _ in run.below:
        pairs = zip(run.bottoms[1:], below.tops, strict=False)
        free = max((bottom + BELOW - top for bottom, top in pairs), default=float("-inf"))
        level = answer - ANCHOR
        far = level < free
        y = free + CAPTION if far else level
        run.shifts.append((y, far))
        known = len(run.tops) - 1
        run.tops += [y + top for top in below.tops[known:]]
        run.bottoms[1 : 1 + len(below.bottoms)] = [y + bottom for bottom in below.bottoms]


def _places(runs: Sequence[_Run]) -> dict[int, dict[str, Any]]:
    """Place and caption of each step."""
    places: dict[int, dict[str, Any]] = {}
    hung = {id(below) for run in runs for _, below, _ in run.below}
    top = float(MARGIN)
    for root in runs:
        if id(root) in hung:
            continue
        top += CAPTION if root.loose else 0
        waiting = [(root, float(MARGIN), top, "No path leads here" if root.loose else "")]
        while waiting:
            run, x, y, caption = waiting.pop()
            for number, offset in zip(run.numbers, run.offsets, strict=True):
                places[number] = {"x": x, "y": y + offset, "caption": "" if offset else caption}
            for (_, below, words), (shift, far) in zip(run.below, run.shifts, strict=True):
                waiting.append((below, x + WIDTH + GAP, y + shift, words if far else ""))
        top += max(root.bottoms) + BELOW
    return places


# The lines


def _edges(box: Box, boxes: Sequence[Box]) -> Iterator[Edge]:
    """The lines out of a box. Of those that go down, the one of the lowest answer turns first: so they nest."""
    if box.step.type == "action":
        yield from (_following(box, boxes, way, note) for way, note in box.ways if way.goes_on)
        return
    rows = [row for row in box.rows if row.way.goes_on]
    ends = {row: boxes[_number(row.way) - 1].y + ANCHOR for row in rows}
    down = [row for row in rows if ends[row] > box.y + row.middle + 0.5]
    room = GAP - LANES - 3 * CORNER
    lane = min(float(LANE), room / max(1, len(down)))
    start = box.x + WIDTH
    for row in rows:
        here, end = box.y + row.middle, ends[row]
        if row in down:
            turn = start + LANES + lane * (len(down) - 1 - down.index(row))
            corner = min(float(CORNER), (end - here) / 2)
            path = (
                f"M{_n(start)} {_n(here)}H{_n(turn - corner)}Q{_n(turn)} {_n(here)} {_n(turn)} {_n(here + corner)}"
                f"V{_n(end - corner)}Q{_n(turn)} {_n(end)} {_n(turn + corner)} {_n(end)}H{_n(start + GAP)}"
            )
        else:
            path = f"M{_n(start)} {_n(here)}H{_n(start + GAP)}"
        yield Edge(box.step.number, _number(row.way), row.way, path, row.note.thickness)


def _following(box: Box, boxes: Sequence[Box], way: Way, note: WayNote) -> Edge:
    x, bottom, end = box.x + 25, box.y + box.height, boxes[_number(way) - 1].y
    suffix = Line((bottom + end) / 2 + 4, note.suffix) if note.suffix else None
    path = f"M{_n(x)} {_n(bottom)}V{_n(end)}"
    return Edge(box.step.number, _number(way), way, path, note.thickness, suffix, x + 12)


def _number(way: Way) -> int:
    assert way.to is not None  # noqa: S101 - of a way that goes on
    return way.to


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
