"""The map of a flow: every step and every way out of it once, no boxes that overlap, no lines that cross."""

import copy
import json
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowpilot.flows.drawing import THICK, THIN, WIDTH, Notes, StepNote, WayNote, draw
from flowpilot.flows.library import starter_library
from flowpilot.flows.outline import outline
from flowpilot.flows.structure import faults_of, nexts_of, nodes_of
from flowpilot.flows.wrapping import width_of, wrapped
from flowpilot.tests.structures import action, leaf, question, structures

LIBRARY = starter_library()


def ways_of(structure):
    return sorted((node["id"], target) for node in nodes_of(structure) for target in nexts_of(node))


def check(structure):
    drawing = draw(structure)
    assert sorted(box.step.id for box in drawing.boxes) == sorted(node["id"] for node in nodes_of(structure))
    ids = {box.step.number: box.step.id for box in drawing.boxes}
    lines = [(ids[edge.source], ids[edge.target]) for edge in drawing.edges]
    tags = [(box.step.id, row.way.target) for box in drawing.boxes for row in box.rows if not row.way.goes_on]
    assert sorted(lines + tags) == ways_of(structure)
    check_boxes(drawing)
    return drawing


def check_boxes(drawing):
    columns = {}
    for box in drawing.boxes:
        columns.setdefault(box.x, []).append(box)
        assert 0 <= box.x <= drawing.width - WIDTH
        assert 0 <= box.y <= drawing.height - box.height
        for row in box.rows:
            assert 0 < row.y <= box.height - row.height
    for one, other in pairwise(sorted(columns)):
        assert one + WIDTH < other
    for boxes in columns.values():
        for above, below in pairwise(sorted(boxes, key=lambda box: box.y)):
            assert above.y + above.height < below.y


@pytest.mark.parametrize("flow", LIBRARY, ids=lambda flow: flow.slug)
def test_a_flow_of_the_library_is_drawn_whole(flow):
    check(flow.structure)


@settings(max_examples=70)
@given(structures())
def test_any_structure_is_drawn_whole(structure):
    assert faults_of(structure) == []
    assert check(structure) == draw(copy.deepcopy(structure))


def corners(path):
    """The points at which a line of straight pieces turns; its rounded corners made sharp."""
    points, numbers = (
        [],
        path.replace("M", " M ").replace("H", " H ").replace("V", " V ").replace("Q", " Q ").split(),
    )
    x = y = 0.0
    while numbers:
        command = numbers.pop(0)
        if command == "H":
            x = float(numbers.pop(0))
        elif command == "V":
            y = float(numbers.pop(0))
        elif command == "M":
            x, y = float(numbers.pop(0)), float(numbers.pop(0))
        else:
            points.append((float(numbers.pop(0)), float(numbers.pop(0))))
            x, y = float(numbers.pop(0)), float(numbers.pop(0))
            continue
        points.append((x, y))
    return points


def crossings(drawing):
    pieces = [
        (edge, one, other)
        for edge in drawing.edges
        for one, other in pairwise(corners(edge.path))
        if one != other
    ]
    level = [(edge, *sorted((a[0], b[0])), a[1]) for edge, a, b in pieces if a[1] == b[1]]
    upright = [(edge, *sorted((a[1], b[1])), a[0]) for edge, a, b in pieces if a[0] == b[0]]
    return [
        (one.path, other.path)
        for one, left, right, y in level
        for other, top, bottom, x in upright
        if one is not other and left < x < right and top < y < bottom
    ]


@settings(max_examples=50)
@given(structures())
def test_lines_never_cross(structure):
    assert crossings(draw(structure)) == []


@pytest.mark.parametrize("flow", LIBRARY, ids=lambda flow: flow.slug)
def test_lines_of_the_library_never_cross_nor_run_through_a_box(flow):
    drawing = draw(flow.structure)
    assert crossings(drawing) == []
    for edge in drawing.edges:
        for (x1, y1), (x2, y2) in pairwise(corners(edge.path)):
            for box in drawing.boxes:
                inside_x = box.x < max(x1, x2) and min(x1, x2) < box.x + WIDTH
                inside_y = box.y < max(y1, y2) and min(y1, y2) < box.y + box.height
                assert not (inside_x and inside_y), (edge, box.step.title)


def test_steps_without_a_question_stand_below_each_other_and_answers_go_right():
    structure = action(
        "a", "q", children=[question("q", "end", "fix", children=[leaf("end"), action("fix", "q")])]
    )
    first, ask, end, fix = draw(structure).boxes
    assert first.x == ask.x < end.x == fix.x
    assert first.y < ask.y
    assert end.y < fix.y
    assert [row.way.lead for row in ask.rows] == ["on", "on"]
    assert [(row.way.lead, row.way.to, row.goal.text) for row in fix.rows] == [("back", 2, "Q")]
    assert fix.caption == "2 · 2"
    assert end.caption == ""  # it stands level with its answer


def test_paths_that_join_name_the_step_by_its_number():
    structure = question("a", "b", "c", "c", children=[leaf("b"), leaf("c")])
    assert [(way.lead, way.to) for way in outline(structure)[0].ways] == [("on", 2), ("on", 3), ("join", 3)]
    assert outline(structure)[2].comes_from == ((1, "2"), (1, "3"))


def test_a_step_stands_where_the_fewest_answers_lead():
    late = question("late", "end", "stop", children=[])
    structure = question("a", "late", "end", children=[late, leaf("end"), leaf("stop")])
    end = next(step for step in outline(structure) if step.id == "end")
    assert (end.parent, end.via, end.depth) == (1, "2", 1)


def test_a_faulty_structure_is_drawn_as_far_as_it_goes():
    structure = question(
        "a", "gone", "b", children=[leaf("b"), leaf("lost"), {"id": "a", "title": 7}, 5, "x"]
    )
    drawing = draw(structure)
    assert [(box.step.id, box.step.loose, box.caption) for box in drawing.boxes] == [
        ("a", False, ""),
        ("b", False, ""),
        ("lost", True, "No path leads here"),
        ("a", True, "No path leads here"),
    ]
    assert [row.goal and row.goal.text for row in drawing.boxes[0].rows] == ["leads nowhere", None]
    assert drawing.boxes[3].step.name == "Untitled step"
    check_boxes(drawing)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "type", "title", "next", "options", "children", "script", "label"]),
            inner | st.sampled_from(["question", "action", "outcome", "a", "b"]),
        )
    ),
    max_leaves=30,
)


@given(json_values)
def test_any_json_value_is_drawn(value):
    check_boxes(draw(value))


def test_notes_are_painted_on():
    structure = action("a", "q", children=[question("q", "end", "a", children=[leaf("end")])])
    notes = Notes(
        steps={"q": StepNote(lines=("120 visits", "4.2 % left here"), tone="bad")},
        ways={("q", "1"): WayNote(suffix="84", share=1.0), ("a", ""): WayNote(suffix="120", share=0.5)},
    )
    plain, drawing = draw(structure), draw(structure, notes)
    ask = drawing.boxes[1]
    assert [line.text for line in ask.notes] == ["120 visits", "4.2 % left here"]
    assert ask.note.tone == "bad"
    assert ask.height > plain.boxes[1].height
    assert [row.note.suffix for row in ask.rows] == ["84", ""]
    follows, on = drawing.edges
    assert (follows.thickness, follows.suffix.text) == ((THIN + THICK) / 2, "120")
    assert on.thickness == THICK
    assert {edge.thickness for edge in plain.edges} == {THIN}


def test_five_hundred_steps_are_drawn_whatever_their_shape():
    def bush(id_, depth):
        if not depth:
            return leaf(id_)
        below = [f"{id_}.{count}" for count in range(2)]
        return question(id_, *below, children=[bush(child, depth - 1) for child in below])

    chain = action(
        "c0", "c1", children=[action(f"c{n}", f"c{n + 1}") for n in range(1, 499)] + [leaf("c499")]
    )
    ladder = question(
        "l0",
        "l1",
        "end",
        children=[*(question(f"l{n}", f"l{n + 1}", "l0") for n in range(1, 498)), leaf("l498"), leaf("end")],
    )
    for structure in (bush("b", 8), chain, ladder):
        drawing = draw(structure)
        assert len(drawing.boxes) == sum(1 for _ in nodes_of(structure))


def test_a_structure_far_too_deep_is_drawn_too():
    node = leaf("n3000")
    for number in range(2999, 0, -1):
        node = question(f"n{number}", f"n{number + 1}", children=[node])
    assert len(draw(node).boxes) == 3000


def test_text_is_broken_to_the_width():
    lines = wrapped("Can the user sign in to the web mail at home and in the office?", 13, 150, 3)
    assert len(lines) == 3
    assert all(width_of(line, 13) <= 150 for line in lines)
    assert " ".join(lines) == "Can the user sign in to the web mail at home and in the office?"
    assert wrapped("word " * 50, 13, 150, 2)[1].endswith("…")
    assert wrapped("", 13, 150, 2) == ()


@given(st.text(), st.integers(1, 5))
def test_no_line_is_wider_than_its_room(text, most):
    lines = wrapped(text, 13, 120, most)
    assert len(lines) <= most
    assert all(width_of(line, 13) <= 120 for line in lines)


def test_boxes_do_not_overlap_at_all():
    """The columns of `check_boxes` taken away: each box against each other one, of one large flow."""
    flow = max(LIBRARY, key=lambda flow: len(json.dumps(flow.structure)))
    for one, other in combinations(draw(flow.structure).boxes, 2):
        apart_x = one.x + WIDTH < other.x or other.x + WIDTH < one.x
        apart_y = one.y + one.height < other.y or other.y + other.height < one.y
        assert apart_x or apart_y


def test_an_address_breaks_at_its_joints_and_nothing_of_it_is_lost():
    address = "https://portal.example.com/devices/overview?tenant=0123456789"
    lines = wrapped(address, 13, 150, 9)
    assert "".join(lines) == address
    assert all(line[-1] in "/?=.:" for line in lines[:-1])
    assert all(width_of(line, 13) <= 150 for line in lines)
    assert len(wrapped("a/" + "b" * 30, 13, 150, 9)) == 2  # not after two letters


def test_wide_capitals_stay_in_the_box():
    assert len(wrapped("Щ" * 30, 13, 150, 9)) >= 4  # where a font has them 15 px wide
