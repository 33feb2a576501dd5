"""What an author does to a structure: each act alone, and any row of acts on any structure."""

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowpilot.flows.editor import changes
from flowpilot.flows.editor.changes import Refused
from flowpilot.flows.editor.outline import Outline
from flowpilot.flows.editor.tree import Link, Tree
from flowpilot.flows.library import starter_library
from flowpilot.flows.structure import MOST_NODES, MOST_OPTIONS, faults_of, nodes_of


def leaf(id="solved", **more):
    return {"id": id, "type": "outcome", "outcome": "resolved", "title": id.title()} | more


def action(id, next, **more):
    return {"id": id, "type": "action", "title": id.title(), "next": next} | more


def question(id, *nexts, children=(), **more):
    options = [{"label": f"Answer {n}", "next": target} for n, target in enumerate(nexts, 1)]
    return {
        "id": id,
        "type": "question",
        "title": id.title(),
        "options": options,
        "children": [*children],
    } | more


def row_of_actions():
    """first → second → third → solved."""
    return action("first", "second", children=[action("second", "third"), action("third", "solved"), leaf()])


def fork():
    """works: Answer 1 → solved, Answer 2 → reset → works, Answer 3 → handed."""
    return question(
        "works",
        "solved",
        "reset",
        "handed",
        children=[leaf(), action("reset", "works"), leaf("handed", outcome="escalated")],
    )


def nexts(structure):
    return {str(link): target for link, target in Tree(structure).links()}


def order(structure):
    return [row.id for row in Outline(structure).rows]


def ids(structure):
    return [node["id"] for node in nodes_of(structure)]


def test_a_step_is_rewritten_where_it_stands():
    structure = fork()
    changed = changes.rewrite(
        structure, "reset", lambda node: {"type": "action", "title": "Restart", "next": "solved"}
    )
    assert changed.words == "Changed “Restart”"
    assert Tree(changed.structure).nodes["reset"] == action("reset", "solved", title="Restart")
    assert structure == fork()


def test_the_type_takes_along_where_the_step_led():
    made = changes.set_type(row_of_actions(), "second", "question").structure
    assert Tree(made).nodes["second"]["options"] == [
        {"label": "Yes", "next": "third"},
        {"label": "No", "next": ""},
    ]
    back = changes.set_type(made, "second", "action").structure
    assert back == row_of_actions()
    assert changes.set_type(fork(), "reset", "outcome").structure["children"][1] == leaf("reset")


def test_what_hangs_below_a_question_stays_when_it_becomes_an_outcome():
    inner = question("inner", "solved", "solved", children=[leaf()])
    made = changes.set_type(action("first", "inner", children=[inner]), "inner", "outcome").structure
    assert ids(made) == ["first", "inner", "solved"]
    assert "children" not in Tree(made).nodes["inner"]


def test_a_new_step_stands_behind_an_action_and_leads_on():
    changed = changes.add(row_of_actions(), "second", "action")
    new = changed.step
    assert order(changed.structure) == ["first", "second", new, "third", "solved"]
    assert Tree(changed.structure).nodes[new] == {"id": new, "type": "action", "title": "", "next": "third"}


def test_a_new_step_of_a_question_stands_behind_an_answer_that_is_open_or_new():
    structure = fork()
    structure["options"][1]["next"] = ""
    changed = changes.add(structure, "works", "outcome")
    assert nexts(changed.structure)["1:works"] == changed.step
    further = changes.add(changed.structure, "works", "outcome")
    assert further.structure["options"][3] == {"label": "Option 4", "next": further.step}


def test_a_new_step_of_an_outcome_stands_before_it():
    changed = changes.add(fork(), "solved", "action")
    assert nexts(changed.structure)["0:works"] == changed.step
    assert nexts(changed.structure)[f":{changed.step}"] == "solved"
    alone = changes.add(leaf(), "solved", "action")
    assert faults_of(alone.structure)[0].message == "The title is missing."
    assert ids(alone.structure) == [alone.step, "solved"]


def test_a_step_is_put_between_an_answer_and_what_it_led_to():
    changed = changes.add_behind(fork(), Link("works", 2))
    assert nexts(changed.structure)["2:works"] == changed.step
    assert nexts(changed.structure)[f":{changed.step}"] == "handed"


def test_a_copied_action_follows_the_first_and_a_copied_outcome_has_an_answer_of_its_own():
    changed = changes.duplicate(row_of_actions(), "second")
    assert order(changed.structure) == ["first", "second", changed.step, "third", "solved"]
    assert Tree(changed.structure).nodes[changed.step]["title"] == "Second (copy)"
    changed = changes.duplicate(fork(), "handed")
    assert changed.structure["options"][3] == {"label": "Answer 3 2", "next": changed.step}


def test_what_led_to_a_deleted_step_leads_elsewhere_or_nowhere():
    changed = changes.delete(row_of_actions(), "second", instead="third")
    assert order(changed.structure) == ["first", "third", "solved"]
    changed = changes.delete(row_of_actions(), "second")
    assert nexts(changed.structure)[":first"] == ""
    assert ids(changed.structure) == ["first", "third", "solved"]


def test_a_branch_goes_with_its_step_but_for_what_others_lead_to():
    inner = question("inner", "lost", "solved", children=[leaf("lost")])
    structure = question("works", "inner", "solved", children=[inner, leaf()])
    changed = changes.delete(structure, "inner", branch=True)
    assert ids(changed.structure) == ["works", "solved"]
    assert changed.words == "Deleted “Inner” and 1 behind it"


def test_the_flow_keeps_a_first_step():
    assert ids(changes.delete(row_of_actions(), "first").structure) == ["second", "third", "solved"]
    with pytest.raises(Refused, match="keeps its first step"):
        changes.delete(leaf(), "solved")


def test_an_action_changes_places_with_its_neighbour():
    structure = row_of_actions()
    assert order(changes.shift(structure, "third", -1).structure) == ["first", "third", "second", "solved"]
    assert order(changes.shift(structure, "first", 1).structure) == ["second", "first", "third", "solved"]
    up = changes.shift(structure, "second", -1).structure
    assert order(up) == ["second", "first", "third", "solved"]
    assert faults_of(up) == []
    with pytest.raises(Refused):
        changes.shift(structure, "first", -1)
    with pytest.raises(Refused, match="Only an action"):
        changes.shift(structure, "solved", -1)


def test_two_actions_in_a_circle_stay_one():
    structure = question("q", "a", "solved", children=[action("a", "b"), action("b", "a"), leaf()])
    made = changes.shift(structure, "b", -1).structure
    assert nexts(made) == {"0:q": "b", "1:q": "solved", ":a": "b", ":b": "a"}


def test_a_step_behind_an_answer_moves_with_the_answer():
    made = changes.shift(fork(), "handed", -1).structure
    assert [option["next"] for option in made["options"]] == ["solved", "handed", "reset"]
    with pytest.raises(Refused, match="first option already"):
        changes.shift(fork(), "solved", -1)


def test_an_action_is_moved_out_of_its_row():
    made = changes.move(row_of_actions(), "first", Link("third")).structure
    assert order(made) == ["second", "third", "first", "solved"]
    assert faults_of(made) == []


def test_a_branch_changes_places_with_another():
    made = changes.move(fork(), "handed", Link("works", 0)).structure
    assert [option["next"] for option in made["options"]] == ["handed", "reset", "solved"]
    structure = question("a", "b", "x", children=[question("b", "c", "x"), action("c", "x"), leaf("x")])
    with pytest.raises(Refused, match="behind this step itself"):
        changes.move(structure, "b", Link("c"))


def test_answers_are_added_moved_copied_and_deleted():
    assert changes.add_option(fork(), "works").structure["options"][3] == {"label": "", "next": ""}
    made = changes.shift_option(fork(), "works", 2, -1)
    assert [option["label"] for option in made.structure["options"]] == ["Answer 1", "Answer 3", "Answer 2"]
    assert made.cursor == "option-2-up"
    made = changes.duplicate_option(fork(), "works", 0).structure
    assert made["options"][1] == {"label": "Answer 1 2", "next": "solved"}
    made = changes.delete_option(fork(), "works", 1).structure
    assert [option["next"] for option in made["options"]] == ["solved", "handed"]
    for option in (-1, 3):
        with pytest.raises(Refused):
            changes.delete_option(fork(), "works", option)
    full = question("q", *["solved"] * MOST_OPTIONS, children=[leaf()])
    with pytest.raises(Refused, match="at most 30"):
        changes.add_option(full, "q")


def test_scripts_and_blanks():
    structure = changes.add_script(row_of_actions(), "second").structure
    structure = changes.add_blank(structure, "second", "user_name").structure
    script = Tree(structure).nodes["second"]["script"]
    assert script["blanks"] == [{"name": "user_name", "label": "User name", "secret": False}]
    structure = changes.delete_blank(structure, "second", 0).structure
    assert Tree(structure).nodes["second"]["script"]["blanks"] == []
    assert changes.delete_script(structure, "second").structure == row_of_actions()


def test_a_flow_holds_no_more_than_it_may():
    steps = [action(f"s{n}", f"s{n + 1}") for n in range(1, MOST_NODES)]
    structure = action("s0", "s1", children=[*steps[:-1], leaf(f"s{MOST_NODES - 1}")])
    assert faults_of(structure) == []
    for act in (changes.add, lambda structure, step, _: changes.duplicate(structure, step)):
        with pytest.raises(Refused, match="at most 500 steps"):
            act(structure, "s3", "action")


def test_new_steps_below_a_deep_one_are_hung_beside_it():
    structure = leaf("end")
    for n in range(49, 0, -1):
        structure = question(f"q{n}", structure["id"], "end", children=[structure])
    assert faults_of(structure) == []
    changed = changes.add_behind(structure, Link("q49", 0))
    made = changes.rewrite(
        changed.structure, changed.step, lambda node: {"type": "action", "title": "New", "next": "end"}
    ).structure
    assert faults_of(made) == []


GARBAGE = [
    None,
    5,
    "text",
    [],
    {},
    {"id": 7, "type": [], "children": [None, {"options": 5}, {"id": "a"}, {"id": "a"}]},
]


@pytest.mark.parametrize("value", GARBAGE, ids=str)
def test_anything_can_be_opened(value):
    tree = Tree(value)
    assert len(tree.nodes) == len(list(nodes_of(tree.root)))
    assert Tree(tree.root).root == tree.root
    assert Outline(value).rows


@pytest.mark.parametrize("flow", starter_library(), ids=lambda flow: flow.slug)
def test_what_is_opened_is_not_changed_by_that(flow):
    assert Tree(flow.structure).root == flow.structure
    outline = Outline(flow.structure)
    assert sorted(order(flow.structure)) == sorted(ids(flow.structure))
    assert all(row.reached for row in outline.rows)


# Any structure, any acts


@st.composite
def structures(draw):
    """Valid ones: every step leads on to a later one, or sometimes back; the last is an outcome."""
    count = draw(st.integers(1, 8))
    names = [f"n{number}" for number in range(count)]
    nodes = []
    for number, name in enumerate(names[:-1]):
        if draw(st.booleans()):
            node = action(name, names[number + 1])
        else:
            others = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3))
            node = question(name, names[number + 1], *others)
            del node["children"]
        nodes.append(node)
    nodes.append(leaf(names[-1]))
    for number in range(count - 1, 0, -1):
        homes = [node for node in nodes[:number] if node["type"] != "outcome"]
        draw(st.sampled_from(homes)).setdefault("children", []).append(nodes[number])
    return nodes[0]


@st.composite
def acts(draw, structure):
    """An act on the structure, and whether it may take steps away or add some."""
    names = ids(structure)
    step, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
    number = draw(st.integers(0, 3))
    kind = draw(st.sampled_from(["question", "action", "outcome"]))
    by = draw(st.sampled_from([-1, 1]))
    option = draw(st.none() | st.integers(0, 3))
    return draw(
        st.sampled_from(
            [
                ("same", lambda: changes.shift(structure, step, by)),
                ("same", lambda: changes.move(structure, step, Link(other, option))),
                ("same", lambda: changes.set_type(structure, step, kind)),
                ("same", lambda: changes.shift_option(structure, step, number, by)),
                ("same", lambda: changes.delete_option(structure, step, number)),
                ("same", lambda: changes.add_option(structure, step)),
                ("more", lambda: changes.add(structure, step, kind)),
                ("more", lambda: changes.duplicate(structure, step)),
                ("more", lambda: changes.add_behind(structure, Link(other, option))),
                ("less", lambda: changes.delete(structure, step, instead=other, branch=by > 0)),
            ]
        )
    )


@settings(max_examples=80)
@given(st.data())
def test_no_act_loses_a_step_or_doubles_an_id(data):
    structure = data.draw(structures())
    assert faults_of(structure) == []
    for _ in range(6):
        before = deepcopy(structure)
        effect, act = data.draw(acts(structure))
        try:
            changed = act()
        except Refused:
            continue
        finally:
            assert structure == before
        found = ids(changed.structure)
        assert len(found) == len(set(found))
        assert changed.step in found
        if effect == "same":
            assert set(found) == set(ids(before))
        elif effect == "more":
            assert set(found) == {*ids(before), changed.step}
        else:
            assert set(found) < set(ids(before))
        assert sorted(order(changed.structure)) == sorted(found)
        assert not [fault for fault in faults_of(changed.structure) if "id" in fault.message.split()]
        structure = changed.structure


@settings(max_examples=80)
@given(st.data())
def test_moving_and_reordering_actions_keeps_a_valid_flow_reachable(data):
    structure = data.draw(structures())
    actions = [node["id"] for node in nodes_of(structure) if node["type"] == "action"]
    if not actions:
        return
    step, by = data.draw(st.sampled_from(actions)), data.draw(st.sampled_from([-1, 1]))
    try:
        made = changes.shift(structure, step, by).structure
    except Refused:
        return
    assert [
        fault for fault in faults_of(made) if fault.message == "No path leads here from the first step."
    ] == []
