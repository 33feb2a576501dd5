"""Flows as JSON and as Mermaid flowcharts, there and back, and what people and others may have written."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowpilot.flows import importing, json_files, mermaid
from flowpilot.flows.files import LARGEST, Refused, check_keepable, decoded
from flowpilot.flows.library import starter_library
from flowpilot.flows.structure import MOST_DEPTH, MOST_NODES, faults_of, nodes_of
from flowpilot.models import Domain, Flow
from flowpilot.tests.structures import HOSTILE, action, leaf, question, structures, texts

LIBRARY = starter_library()


def refused(text):
    with pytest.raises(Refused) as found:
        importing.read(text)
    return [str(fault) for fault in found.value.faults]


def shape(structure):
    """What a flowchart holds of a structure: the steps by title, each with its type, outcome and ways, ids aside."""
    nodes = list(nodes_of(structure))
    title = {node["id"]: node["title"] for node in nodes}
    return structure["title"], sorted(
        (
            node["title"],
            node["type"],
            node.get("outcome", ""),
            [(option["label"], title[option["next"]]) for option in node.get("options", [])],
            title.get(node.get("next", ""), ""),
        )
        for node in nodes
    )


def chart(*lines):
    return mermaid.read("flowchart TD\n" + "\n".join(lines))


def drawn(*lines):
    """The nodes of a flowchart by id, without their ids and children."""
    nodes = nodes_of(chart(*lines).structure)
    return {node["id"]: {k: v for k, v in node.items() if k not in ("id", "children")} for node in nodes}


# JSON


@pytest.mark.parametrize("flow", LIBRARY, ids=lambda flow: flow.slug)
def test_the_library_goes_through_json_unchanged(flow):
    made = Flow(name=flow.name, description=flow.description, kind=flow.kind, domain=Domain(name=flow.domain))
    file = importing.read(json_files.written(made, flow.structure))
    assert (file.name, file.description) == (flow.name, flow.description)
    assert (file.domain, file.kind) == (flow.domain, flow.kind)
    assert file.structure == flow.structure
    assert file.hints == ()


@settings(max_examples=50)
@given(structures(), texts(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_flow_goes_through_json_unchanged(structure, name, description):
    file = importing.read(json_files.written(Flow(name=name, description=description), structure))
    assert (file.name, file.description, file.domain, file.structure) == (name, description, "", structure)


def test_a_structure_alone_is_a_file_too():
    assert importing.read(json.dumps(leaf())).structure == leaf()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"name": "a",\n "structure": }', "Line 2, column 15: this is no JSON (Expecting value)."),
        ("[1]", "A flow is a JSON object: it begins with { and ends with }."),
        ('"text"', "A flow is a JSON object: it begins with { and ends with }."),
        ("{}", "The object has no “structure” that holds the steps."),
        ('{"structure": []}', "The object has no “structure” that holds the steps."),
        ('{"name": 7, "structure": {}}', "“name” must be a text."),
        ('{"name": "\\u0000", "structure": {}}', "“name” has characters that cannot be stored."),
        (
            '{"description": "\\ud800", "structure": {}}',
            "“description” has characters that cannot be stored.",
        ),
        ('{"kind": "magic", "structure": {}}', "“kind” must be one of troubleshooting, procedural."),
        (
            '{"structure": {"id": "a", "type": "outcome", "type": "action"}}',
            "This JSON cannot be read: “type” stands twice in the object with the id “a”.",
        ),
        ('{"structure": NaN}', "This JSON cannot be read: NaN is no number."),
        ('{"structure": ' + "[" * 100_000, "The JSON is nested too deeply."),
        ('{"structure": ' + '{"a":' * 100_000, "The JSON is nested too deeply."),
    ],
)
def test_what_is_no_flow_is_refused_with_its_place(text, fault):
    assert refused(text) == [fault]


def test_a_number_of_ten_thousand_digits_is_refused():
    (fault,) = refused('{"structure": ' + "1" * 10_000 + "}")
    assert fault.startswith("This JSON cannot be read: Exceeds the limit")


def test_what_a_flow_does_not_have_is_named():
    file = importing.read(json.dumps({"name": "A", "status": "published", "structure": leaf()}))
    assert file.hints == ("“status” is no part of a flow and is left out.",)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"id": ""}, "The id is missing."),
        ({"id": 7}, "The id is missing."),
        ({"id": "x" * 101}, "x" * 100 + ": The id has more than 100 characters."),
        ({"type": "loop"}, "ask: The type must be one of question, action, outcome."),
        ({"title": None}, "ask: “title” must be a text."),
        ({"options": "Yes"}, "ask: “options” must be a list."),
        (
            {"options": ["Yes"]},
            "ask: Option 1 must be an object with a label and what comes next, both texts.",
        ),
        (
            {"options": [{"label": 1}]},
            "ask: Option 1 must be an object with a label and what comes next, both texts.",
        ),
        ({"script": {"text": 1}}, "ask: A script has a shell and a text, both texts, and a list of blanks."),
        ({"help": "\0"}, "ask: A text has characters that cannot be stored."),
        ({"children": [5]}, "ask: A step must be an object."),
        ({"children": [leaf("ask")]}, "ask: Another step has this id already."),
    ],
)
def test_what_no_draft_can_hold_is_refused(change, fault):
    assert refused(json.dumps({"structure": question("ask", "a", "b") | change})) == [fault]


def test_what_can_be_mended_in_a_draft_is_kept():
    faulty = question("ask", "gone", children=[leaf("lost", title="", outcome="")], help="x" * 20_000)
    assert faults_of(faulty)
    assert importing.read(json.dumps({"structure": faulty})).structure == faulty


def test_a_draft_has_its_bounds():
    deep = leaf("end")
    for number in range(MOST_DEPTH):
        deep = action(f"n{number}", "end", children=[deep])
    with pytest.raises(Refused, match="nested at most 50 deep"):
        check_keepable(deep)
    with pytest.raises(Refused, match="at most 500 steps"):
        check_keepable(action("a", "b", children=[leaf(f"n{number}") for number in range(MOST_NODES)]))


def read_or_faults(text):
    try:
        return importing.read(text), None
    except Refused as error:
        return None, error.faults


KEYS = ["structure", "id", "type", "name", "options", "children", "script"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=20,
)


@given(json_values)
def test_any_json_is_read_or_refused(value):
    for text in (json.dumps(value), json.dumps({"structure": value})):
        file, faults = read_or_faults(text)
        assert file or faults


# Bytes


def test_bytes_are_text_in_utf_8():
    assert decoded("\ufeffé".encode()) == "é"
    with pytest.raises(Refused, match="Line 2: this is no UTF-8 text"):
        decoded(b"ok\n\xff")
    with pytest.raises(Refused, match="more than 2 MB"):
        decoded(b"x" * (LARGEST + 1))


# Mermaid, there and back


@pytest.mark.parametrize("flow", LIBRARY, ids=lambda flow: flow.slug)
def test_the_library_keeps_its_shape_through_mermaid(flow):
    file = importing.read(mermaid.written(Flow(name=flow.name), flow.structure))
    assert file.name == flow.name
    assert file.hints == ()
    assert faults_of(file.structure) == []
    assert shape(file.structure) == shape(flow.structure)
    before, after = ({node["id"] for node in nodes_of(one)} for one in (flow.structure, file.structure))
    assert {id_ for id_ in before - after if id_.split("-")[0] not in mermaid.RESERVED} == set()


@settings(max_examples=100)
@given(structures(), texts())
def test_any_structure_keeps_its_shape_through_mermaid(structure, name):
    file = importing.read(mermaid.written(Flow(name=name), structure))
    assert file.name == name
    assert shape(file.structure) == shape(structure)
    assert file.hints == ()


def test_what_it_looks_like():
    structure = question(
        "works", "end", "fix", children=[action("fix", "works", title='Say "<b>"; wait'), leaf("end")]
    )
    assert mermaid.written(Flow(name="Flow"), structure) == (
        '---\ntitle: "Flow"\n---\nflowchart TD\n'
        '    works{"Works"}\n'
        '    step2(["End"]):::resolved\n'
        '    fix["Say #34;#60;b#62;#34;#59; wait"]\n'
        '    works -->|"1"| step2\n'
        '    works -->|"2"| fix\n'
        "    fix --> works\n"
        "    classDef resolved fill:#d1fae5,stroke:#059669,color:#064e3b\n"
    )


def test_ids_that_mermaid_does_not_allow_are_replaced():
    structure = question("step2", "end-all", "a b", "x", children=[leaf("end-all"), leaf("a b"), leaf("x")])
    written = mermaid.written(Flow(name="Flow"), structure)
    assert '    step2{"' in written
    assert '    step2_(["End-All"])' in written
    assert '    step3(["A B"])' in written


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_gets_out_of_its_quotes(text):
    structure = question("ask", "a", "b", title=text, children=[leaf("a", title=text), leaf("b")])
    structure["options"][0]["label"] = text
    (line,) = [
        line
        for line in mermaid.written(Flow(name=text), structure).split("\n")
        if line.startswith("    ask{")
    ]
    assert line.count('"') == 2
    assert not set(line) & set("<>;`|&@%") - {";"}


# Mermaid, as people write it


def test_types_come_from_shapes_and_arrows():
    nodes = drawn(
        "start[Look at it] --> works{Does it work?}",
        "works -->|Yes| done([Solved])",
        "works -- No --> call[Escalate to the vendor]",
        "works -. Partly .-> around((Workaround in place))",
        "works == Never ==> lost[Not solved]",
    )
    assert nodes["start"] == {"type": "action", "title": "Look at it", "next": "works"}
    assert nodes["works"] == {
        "type": "question",
        "title": "Does it work?",
        "options": [
            {"label": "Yes", "next": "done"},
            {"label": "No", "next": "call"},
            {"label": "Partly", "next": "around"},
            {"label": "Never", "next": "lost"},
        ],
    }
    outcomes = [nodes[id_]["outcome"] for id_ in ("done", "call", "around", "lost")]
    assert outcomes == ["resolved", "escalated", "workaround", "unresolved"]


def test_a_guessed_outcome_is_told_and_a_class_says_it():
    file = chart(
        "a{Ask}", "a -->|1| b[Fine]", "a -->|2| c[Bad]:::escalated", "a -->|3| d[So]", "class d,c unresolved"
    )
    assert file.hints == ("“Fine” is taken for the outcome resolved: no arrow leads on from it.",)
    nodes = {node["id"]: node for node in nodes_of(file.structure)}
    assert (nodes["c"]["outcome"], nodes["d"]["outcome"]) == ("escalated", "unresolved")


@pytest.mark.parametrize(
    "line",
    [
        "a --> b", "a-->b", "a ---> b", "a --- b", "a -.-> b", "a ==> b", "a --o b", "a --x b", "a <--> b", "a ~~~ b",
        "a --> b;", "a-->b %% why", "a[A] --> b(B)", 'a["A"]-->b{{"B"}}', "a>A] --> b[/B/]", "a[[A]] --> b[(B)]",
        "a(((A))) --> b([B])", "a:::x --> b:::y", "  a   -->   b  ", "a[\\A\\] --> b[/B\\]",
    ],
)  # fmt: skip
def test_arrows_and_shapes_of_every_kind(line):
    nodes = drawn(line)
    assert list(nodes) == ["a", "b"]
    assert nodes["a"]["next"] == "b"
    assert nodes["a"]["title"].upper() == "A"


def test_chains_and_groups():
    nodes = drawn("a & b --> c --> d & e")
    assert nodes["a"]["next"] == nodes["b"]["next"] == "c"
    assert [option["next"] for option in nodes["c"]["options"]] == ["d", "e"]


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("[One<br/>two]", "One two"),
        ('["One\ntwo"]', "One two"),
        ('["#quot;Yes#quot; #amp; &lt;#35;9829;"]', '"Yes" & <#9829;'),
        ('["`**Bold**`"]', "**Bold**"),
        ("[#9829; &nonsense; #99999999;]", "♥ &nonsense; #99999999;"),
        ('["]"]', "]"),
    ],
)
def test_the_text_is_what_mermaid_shows(written, title):
    assert drawn(f"a{written}")["a"]["title"] == title


def test_styling_and_comments_are_passed_over():
    text = """
        ---
        title: Mail is late
        config:
          theme: dark
        ---
        %%{init: {"theme": "dark"}}%%
        graph LR;
        %% a comment
        subgraph one [First]
          direction TB
          a{Late?} -->|Yes| b[Resolved]
        end
        a -->|No| c[Resolved too]
        style a fill:#f9f,stroke:#333
        classDef x fill:#f9f
        linkStyle 0 stroke:red
        click a "https://example.com"
    """.replace("\n        ", "\n").lstrip()
    file = mermaid.read(text)
    assert file.name == "Mail is late"
    assert [node["title"] for node in nodes_of(file.structure)] == ["Late?", "Resolved", "Resolved too"]
    assert faults_of(file.structure) == []


def test_a_chart_in_a_fence_and_with_line_ends_of_windows():
    file = importing.read("```mermaid\r\nflowchart TD\r\n  a{A} -->|1| b[B]\r\n  a -->|2| c[C]\r\n```\r\n")
    assert faults_of(file.structure) == []


def test_it_begins_where_the_most_is_reached():
    assert chart("b[B] --> c[C]", "a[A] --> b").structure["id"] == "a"
    assert chart("a{A} -->|1| b[B]", "b --> a", "a -->|2| c[C]", "x[X] --> c").structure["id"] == "a"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("sequenceDiagram\n A->>B: x", "Line 1: a Mermaid flowchart begins with “flowchart TD”."),
        ("", "Line 1: a Mermaid flowchart begins with “flowchart TD”."),
        ("flowchart TD", "The flowchart has no steps."),
        ("flowchart TD\n a[Open", "Line 2: “]” is missing after the text."),
        ('flowchart TD\n a["Open', "Line 2: “]” is missing after the text."),
        ('flowchart TD\n\n a["Open" --> b', "Line 3: “]” is missing after the text."),
        ("flowchart TD\n a --> ", "Line 2: a step is expected here."),
        ("flowchart TD\n a --> b\n a -> c", "Line 3: this is not understood: -> c"),
        ("flowchart TD\n a@{ shape: rect }", "Line 2: this is not understood: @{ shape: rect }"),
        ("```\nflowchart TD\n ?!\n```", "Line 3: a step is expected here: ?!"),
    ],
)
def test_what_is_no_flowchart_is_refused_with_its_line(text, fault):
    assert refused(text) == [fault]


def test_several_faults_are_told_at_once():
    assert refused("flowchart TD\n a[x\n b --> \n c[y") == [
        "Line 2: “]” is missing after the text.",
        "Line 3: a step is expected here.",
        "Line 4: “]” is missing after the text.",
    ]


def test_too_many_steps_are_refused():
    assert refused("graph TD\n" + "\n".join(f"n{n} --> n{n + 1}" for n in range(500))) == [
        "A flow has at most 500 steps."
    ]


PARTS = [
    *(
        "a",
        "b",
        " ",
        "\n",
        "-->",
        "--",
        "-.",
        "==",
        "|",
        '"',
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "&",
        ";",
        ":::",
        "%%",
    ),
    *("end", "x\0", "class ", "#34;"),
]


@settings(max_examples=120)
@given(st.lists(st.sampled_from(PARTS), max_size=30))
def test_whatever_follows_the_header_is_read_or_refused(parts):
    file, faults = read_or_faults("flowchart TD\n" + "".join(parts))
    assert file or faults


@pytest.mark.parametrize(
    "text",
    [
        "flowchart TD\n" + "a -- " + " " * 300_000,
        "flowchart TD\n" + "a -- " + "x" * 300_000,
        "flowchart TD\n" + "a[" * 100_000,
        "flowchart TD\n" + 'a["' * 100_000,
        "flowchart TD\n" + "a --> " * 50_000,
        "flowchart TD\n" + "%%" * 200_000,
        "---\n" + "---x\n" * 100_000,
        "flowchart TD\n" + "-" * 300_000,
        "flowchart TD\n" + "a & " * 2_000 + "a --> " + "b & " * 2_000 + "b",
        "```" * 100_000,
        "{" * 500_000,
    ],
)
def test_long_nonsense_is_refused(text):
    """What needs time by the square of the length would take hours."""
    with pytest.raises(Refused):
        importing.read(text)
