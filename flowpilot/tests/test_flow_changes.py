"""What changed between two structures, in words."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowpilot.flows.comparing import Detail, changes_between
from flowpilot.flows.library import starter_library
from flowpilot.flows.structure import nodes_of
from flowpilot.tests.structures import action, leaf, question, structures

SCRIPT = {"shell": "bash", "text": "ping {host}", "blanks": [{"name": "host", "label": "Host"}]}


def base():
    return question("ask", "fix", "end", children=[action("fix", "ask", help="Look."), leaf("end")])


def changed(change):
    """The words for what `change` does to the structure, by step."""
    after = deepcopy(base())
    change({node["id"]: node for node in nodes_of(after)})
    comparison = changes_between(base(), after)
    return {step.id: [detail.words for detail in step.details] for step in comparison.changed}


@pytest.mark.parametrize(
    ("id_", "fields", "words"),
    [
        ("ask", {"title": "New"}, "Title was “Ask”"),
        ("fix", {"help": ""}, "Help removed"),
        ("ask", {"help": "Now"}, "Help added"),
        ("fix", {"help": "Look again."}, "Help changed"),
        ("end", {"outcome": "escalated"}, "Outcome was Resolved, is Escalated"),
        ("fix", {"next": "end"}, "Goes on to “End”, not to “Ask”"),
        ("fix", {"next": "gone"}, "Goes on to no step, not to “Ask”"),
        ("fix", {"script": SCRIPT}, "Script added"),
    ],
)
def test_one_change_of_a_step(id_, fields, words):
    assert changed(lambda nodes: nodes[id_].update(fields)) == {id_: [words]}


def options(*pairs):
    return {"options": [{"label": label, "next": to} for label, to in pairs]}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (options(("1", "end"), ("2", "end")), ["Option “1” leads to “End”, not to “Fix”"]),
        (options(("1", "fix"), ("2", "end"), ("3", "ask")), ["Option “3” to “Ask” added"]),
        (options(("2", "end")), ["Option “1” to “Fix” removed"]),
        (options(("2", "end"), ("1", "fix")), ["Options in another order: “2”, “1”"]),
        (options(("Yes", "fix"), ("2", "end")), ["Option “1” is called “Yes”"]),
        (
            options(("Yes", "end"), ("2", "end")),
            ["Option “1” to “Fix” removed", "Option “Yes” to “End” added"],
        ),
    ],
)
def test_changed_answers(fields, words):
    assert changed(lambda nodes: nodes["ask"].update(fields)) == {"ask": words}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"shell": "powershell"}, ["Script was for Bash, is for PowerShell"]),
        ({"text": "ping -c1 {host}"}, ["Script changed"]),
        ({"blanks": []}, ["Script asks for nothing; asked for Host"]),
        ({"blanks": [{"name": "server", "label": "Host"}]}, ["Blanks of the script changed"]),
    ],
)
def test_changed_scripts(fields, words):
    before, after = (action("a", "end", script=dict(SCRIPT), children=[leaf("end")]) for _ in range(2))
    after["script"] |= fields
    (step,) = changes_between(before, after).changed
    assert [detail.words for detail in step.details] == words


def test_another_type_is_said_with_what_comes_and_goes():
    after = base()
    after["children"][0] = question("fix", "ask", "end", help="Look.")
    (step,) = changes_between(base(), after).changed
    assert [detail.words for detail in step.details] == [
        "Was an action, is a question",
        "What comes next to “Ask” removed",
        "Option “1” to “Ask” added",
        "Option “2” to “End” added",
    ]


def test_steps_that_come_and_go_are_told_whole():
    after = base() | options(("1", "new"), ("2", "end"))
    after["children"] = [action("new", "end", help="Do.", script=SCRIPT), leaf("end")]
    comparison = changes_between(base(), after)
    assert comparison.summary == "1 step changed, 1 step added, 1 step removed"
    (added,), (removed,) = comparison.added, comparison.removed
    assert added.details == (
        Detail("An action"),
        Detail("Goes on to “End”"),
        Detail("Help", after="Do."),
        Detail("Bash script", after="ping {host}"),
    )
    assert (removed.title, removed.number) == ("Fix", 2)
    assert not comparison.empty


def test_it_may_begin_elsewhere():
    comparison = changes_between(leaf("a"), action("b", "a", children=[leaf("a")]))
    assert comparison.start == Detail("It begins with “B”, not with “A”")


def test_where_a_step_stands_is_no_change():
    flat = base()
    nested = base()
    nested["children"] = [action("fix", "ask", help="Look.", children=[leaf("end")])]
    assert changes_between(flat, nested).empty
    assert changes_between(flat, nested).summary == "Nothing changed"


@pytest.mark.parametrize("flow", starter_library()[:5], ids=lambda flow: flow.slug)
def test_a_flow_is_no_different_from_itself(flow):
    assert changes_between(flow.structure, deepcopy(flow.structure)).empty


@given(structures(most=8), structures(most=8))
def test_the_other_way_round_what_came_is_what_goes(one, other):
    there, back = changes_between(one, other), changes_between(other, one)
    assert [step.id for step in there.added] == [step.id for step in back.removed]
    assert {step.id for step in there.changed} == {step.id for step in back.changed}


KEYS = ["id", "type", "options", "script", "children"]
json_values = st.recursive(
    st.none() | st.text(max_size=3),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
)


@given(json_values)
def test_any_json_is_compared(value):
    assert changes_between(value, value).empty
    changes_between(base(), value)
