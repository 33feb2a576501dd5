"""The rules of a flow's structure, each broken alone, and whatever else a file may hold."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowpilot.flows.structure import MOST_DEPTH, MOST_NODES, faults_of, nexts_of, nodes_of

SCRIPT = {
    "shell": "powershell",
    "text": "Get-ADUser {user} | ForEach-Object { $_.Name }",
    "blanks": [{"name": "user", "label": "Sign-in name", "secret": False}],
}


def leaf(id="solved", **more):
    return {"id": id, "type": "outcome", "outcome": "resolved", "title": "Solved"} | more


def question(id, *nexts, children=(), **more):
    options = [{"label": f"Answer {n}", "next": target} for n, target in enumerate(nexts)]
    return {
        "id": id,
        "type": "question",
        "title": "Does it work?",
        "options": options,
        "children": [*children],
    } | more


def action(id, next, **more):
    return {"id": id, "type": "action", "title": "Do this", "next": next} | more


def valid():
    return question(
        "works",
        "solved",
        "reset",
        children=[action("reset", "works", script=deepcopy(SCRIPT), help="**Ask** first."), leaf()],
    )


def said(structure):
    return [str(fault) for fault in faults_of(structure)]


def test_a_flow_may_loop_back_while_an_outcome_stays_reachable():
    assert said(valid()) == []


def test_a_single_outcome_is_a_flow():
    assert said(leaf()) == []


def test_nodes_come_in_the_order_in_which_they_are_written():
    inner = question("b", "c", "a", children=[leaf("c")])
    structure = question("a", "b", "d", children=[inner, leaf("d")])
    assert [node["id"] for node in nodes_of(structure)] == ["a", "b", "c", "d"]
    assert [nexts_of(node) for node in nodes_of(structure)] == [["b", "d"], ["c", "a"], [], []]


BROKEN = [
    ({"type": None}, "works: The type must be one of question, action, outcome."),
    ({"type": ["question"]}, "works: The type must be one of question, action, outcome."),
    ({"title": " "}, "works: The title is missing."),
    ({"title": "x" * 301}, "works: The title has more than 300 characters."),
    ({"title": "a\0b"}, "works: The title has characters that cannot be stored."),
    ({"help": 5}, "works: The help is missing."),
    ({"next": "solved"}, "works: A step of the type question has no “next”."),
    ({"options": None}, "works: A question has 2 to 30 options."),
    ({"children": {}}, "works: The children must be a list."),
    ({"children": [None]}, "works: A step must be an object."),
]


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_a_fault_of_a_step_is_named_with_its_id(change, message):
    assert message in said(valid() | change)


def test_ids_are_there_and_stand_once():
    assert "The id is missing." in said(leaf(id=""))
    assert "The id is missing." in said(leaf(id=7))
    twice = question("works", "solved", "solved", children=[leaf(), leaf()])
    assert said(twice) == ["solved: Another step has this id already."]


def test_options_have_labels_of_their_own_that_lead_somewhere():
    structure = valid()
    structure["options"] = [
        {"label": "Yes", "next": "solved"},
        {"label": "Yes", "next": "nowhere"},
        {"label": ""},
        5,
    ]
    assert said(structure)[:5] == [
        "works: Option 2 has the label of another one.",
        "works: The label of option 3 is missing.",
        "works: What comes next after option 3 is missing.",
        "works: Option 4 must have a label and what comes next, and nothing else.",
        "works: Option 2 leads to a step that does not exist: nowhere",
    ]


def test_an_action_says_what_comes_next():
    assert said(action("a", "")) == [
        "a: What comes next is missing.",
        "a: No path leads from here to an outcome.",
    ]
    assert "a: The step leads to a step that does not exist: b" in said(action("a", "b"))


def test_an_outcome_is_a_leaf_with_a_known_outcome():
    assert "solved: The outcome must be one of resolved, workaround, escalated, unresolved." in said(
        leaf(outcome="fine")
    )
    assert "solved: An outcome is a leaf: it has no children." in said(leaf(children=[leaf("b")]))


def test_what_no_path_reaches_and_what_leads_nowhere_is_named():
    structure = question("a", "loop", "end", children=[action("loop", "loop"), leaf("end"), leaf("lost")])
    assert said(structure) == [
        "loop: No path leads from here to an outcome.",
        "lost: No path leads here from the first step.",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shell": "perl"}, "The shell of a script must be one of powershell, cmd, bash."),
        ({"text": ""}, "The text of the script is missing."),
        ({"blanks": {}}, "The blanks of a script must be a list of at most 30."),
        (
            {"blanks": [{"name": "User", "label": "x"}]},
            "Blank 1: the name must be a lower-case word, such as user.",
        ),
        (
            {"blanks": [{"name": "server", "label": "x"}]},
            "Blank 1: it does not stand in the script; write {server} there.",
        ),
        ({"blanks": [{"name": "user"}]}, "Blank 1: the label is missing."),
        (
            {"blanks": [{"name": "user", "label": "x", "secret": 1}]},
            "Blank 1: whether it is secret must be true or false.",
        ),
        ({"blanks": SCRIPT["blanks"] * 2}, "Blank 2: another one has the name user."),
        ({"run": True}, "A script has a shell, a text and blanks, and nothing else."),
    ],
)
def test_a_fault_of_a_script_is_named(change, message):
    structure = valid()
    structure["children"][0]["script"] |= change
    assert said(structure) == [f"reset: {message}"]


def chain(length):
    """A structure whose steps are nested as deep as they are many."""
    node = leaf(f"n{length}")
    for number in range(length - 1, 0, -1):
        node = action(f"n{number}", f"n{number + 1}", children=[node])
    return node


def test_depth_and_size_have_their_bounds():
    assert said(chain(MOST_DEPTH)) == []
    assert f"n{MOST_DEPTH}: Steps are nested at most {MOST_DEPTH} deep." in said(chain(MOST_DEPTH + 1))
    steps = [action(f"n{number}", f"n{number + 1}") for number in range(1, MOST_NODES - 1)]
    flat = action("n0", "n1", children=[*steps, leaf(f"n{MOST_NODES - 1}")])
    assert said(flat) == []
    flat["children"].append(leaf("more"))
    assert f"A flow has at most {MOST_NODES} steps." in said(flat)


def test_a_structure_far_too_deep_is_a_fault_and_no_error():
    assert f"n{MOST_DEPTH}: Steps are nested at most {MOST_DEPTH} deep." in said(chain(20_000))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "type",
                    "title",
                    "next",
                    "options",
                    "children",
                    "script",
                    "label",
                    "blanks",
                    "name",
                    "x",
                ]
            ),
            inner | st.sampled_from(["question", "action", "outcome", "a", "b"]),
            max_size=6,
        )
    ),
    max_leaves=30,
)


@given(json_values)
def test_whatever_comes_in_is_a_list_of_faults_that_can_be_shown(value):
    for fault in faults_of(value):
        assert str(fault).encode()


@given(st.data())
def test_what_has_no_fault_can_be_walked_to_an_outcome(data):
    ids = [f"n{number}" for number in range(data.draw(st.integers(2, 12)))]
    target = st.sampled_from(ids)
    nodes = [
        data.draw(
            st.builds(leaf, st.just(id_))
            | st.builds(action, st.just(id_), target)
            | st.builds(question, st.just(id_), target, target)
        )
        for id_ in ids[1:]
    ]
    structure = question(ids[0], data.draw(target), data.draw(target), children=nodes)
    by_id = {node["id"]: node for node in nodes_of(structure)}

    def ends(id_, steps):
        return any(by_id[at]["type"] == "outcome" for at in within(id_, steps))

    def within(id_, steps):
        seen = {id_}
        for _ in range(steps):
            seen |= {target for at in seen for target in nexts_of(by_id[at])}
        return seen

    reached = within(ids[0], len(ids))
    sound = reached == set(ids) and all(ends(id_, len(ids)) for id_ in ids)
    assert (faults_of(structure) == []) == sound
