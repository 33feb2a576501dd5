"""Changes of published flows: an option that engineers keep adding by hand, a step that nobody needs."""

from datetime import UTC, datetime, timedelta

import pytest

from flowpilot.analysis.enhancing import without_step
from flowpilot.analysis.running import analyse
from flowpilot.analysis.tests.telling import FIRST, decision, decisions, drawn, told
from flowpilot.flows.structure import faults_of, nodes_of
from flowpilot.models import FlowProposal
from flowpilot.tests.factories import FlowFactory, FlowVersionFactory, SessionFactory, StepFactory

NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
STRUCTURE = {
    "id": "shows",
    "type": "question",
    "title": "What does the printer show?",
    "options": [{"label": "Offline", "next": "cable"}, {"label": "Paper jam", "next": "jam"}],
    "children": [
        {"id": "cable", "type": "action", "title": "Plug the cable in again", "next": "test-page"},
        {"id": "jam", "type": "action", "title": "Remove the paper", "next": "test-page"},
        {"id": "test-page", "type": "action", "title": "Print a test page", "next": "solved"},
        {"id": "solved", "type": "outcome", "outcome": "resolved", "title": "Solved"},
    ],
}
TONER = [
    ["replaced toner > prints"],
    ["Checked toner level > empty", "Replaced the toner > ok"],
    ["looked at toner level > 0 %", "replace toner cartridge > prints again"],
]


@pytest.fixture
def flow(account):
    flow = FlowFactory(name="Printer does not print")
    flow.current_version = FlowVersionFactory(flow=flow, structure=STRUCTURE)
    flow.save()
    return flow


def left(flow, steps, *, at="shows", hours=0, **more):
    """A session that left the flow at a node and went on by itself."""
    node = next(node for node in nodes_of(STRUCTURE) if node["id"] == at)
    away = decision("left", node["title"], "Went on without the flow", node_id=at, left_flow="guided")
    own = decisions([*steps, "printed test page > fine"])
    facts = {"flow": flow, "flow_version": flow.current_version, "confidence_tier": "exploring"}
    return told("Printer prints nothing", "", [], decisions=[away, *own], hours=hours, **facts | more)


def leave(flow, start=0):
    return [left(flow, steps, hours=start + n) for n, steps in enumerate(TONER)]


def test_an_option_that_engineers_keep_adding_by_hand_is_proposed(account, flow):
    sessions = leave(flow)
    SessionFactory(flow=flow, decisions=[decision(1, "?", "Offline", node_id="shows")])  # came by and stayed
    assert analyse(account, NOW).filed.new == 1
    proposal = FlowProposal.objects.get()
    assert (proposal.kind, proposal.target_flow, proposal.status) == ("enhancement", flow, "pending")
    assert proposal.title == "Printer does not print: add an option to “What does the printer show?”"
    assert faults_of(proposal.structure) == []
    assert [option["label"] for option in proposal.structure["options"]] == [
        "Offline",
        "Paper jam",
        "Something else: check toner level",
    ]
    assert drawn(proposal.structure).split("Something else: check toner level → ")[1] == (
        "Check toner level (What came of it: empty.)\n  Replace toner\n  Solved"
    )
    before = {node["id"]: node for node in nodes_of(STRUCTURE)}
    after = {node["id"]: node for node in nodes_of(proposal.structure)}
    assert all(after[id_] == node for id_, node in before.items() if id_ != "shows")
    change = proposal.evidence["change"]
    assert (change["kind"], change["node_id"], change["n"], change["of"]) == ("missing_option", "shows", 3, 4)
    assert (change["title"], change["label"]) == (STRUCTURE["title"], "Something else: check toner level")
    assert 0 < change["lower"] < 0.75 < change["upper"] <= 1
    assert proposal.evidence["sessions"] == [str(session.id) for session in sessions]


def test_one_pending_proposal_a_change_that_follows_the_flow(account, flow):
    leave(flow)
    analyse(account, NOW)
    leave(flow, 5)
    analyse(account, NOW)
    before = FlowProposal.objects.get()
    assert len(before.evidence["sessions"]) == 6
    newer = STRUCTURE | {"title": "What is on its display?"}
    flow.current_version = FlowVersionFactory(flow=flow, structure=newer, number=2)
    flow.save()
    assert analyse(account, NOW).filed.updated == 1
    after = FlowProposal.objects.get()
    assert (after.id, after.structure["title"]) == (before.id, "What is on its display?")
    assert analyse(account, NOW).filed.updated == 0


def test_other_ways_from_the_same_step_are_other_problems(account, flow):
    leave(flow)
    for n, steps in enumerate([["reinstalled driver > ok"], ["driver reinstalled > ok"]]):
        left(flow, steps, hours=10 + n)
    analyse(account, NOW)
    assert len(FlowProposal.objects.get().evidence["sessions"]) == 3


@pytest.mark.parametrize("away", ["an action", "archived", "gone"])
def test_where_there_is_no_place_for_an_option_it_is_a_problem_without_a_flow(account, flow, away):
    if away == "archived":
        flow.status = "archived"
    elif away == "gone":
        other = STRUCTURE | {"id": "display"}
        flow.current_version = FlowVersionFactory(flow=flow, structure=other, number=2)
    flow.save()
    for n, steps in enumerate(TONER):
        left(flow, steps, at="cable" if away == "an action" else "shows", hours=n)
    analyse(account, NOW)
    proposal = FlowProposal.objects.get()
    assert (proposal.kind, proposal.target_flow) == ("new_flow", None)


def walked(flow, *ids, at=FIRST):
    path = [decision(n, id_, "Offline" if id_ == "shows" else "", node_id=id_) for n, id_ in enumerate(ids)]
    facts = {"flow": flow, "flow_version": flow.current_version, "confidence_tier": "guided"}
    return SessionFactory(started_at=at, decisions=path, **facts)


def test_a_step_that_is_always_passed_over_is_to_go(account, flow):
    for _ in range(11):
        walked(flow, "shows", "test-page")
    walked(flow, "shows", "cable", "test-page")
    walked(flow, "shows")  # ended before it
    for _ in range(30):
        walked(flow, "shows", "cable", "test-page", at=NOW - timedelta(days=91))
    analyse(account, NOW)
    proposal = FlowProposal.objects.get()
    assert proposal.title == "Printer does not print: drop “Plug the cable in again”"
    assert faults_of(proposal.structure) == []
    assert "cable" not in {node["id"] for node in nodes_of(proposal.structure)}
    assert proposal.structure["options"][0] == {"label": "Offline", "next": "test-page"}
    change = proposal.evidence["change"]
    assert (change["kind"], change["node_id"], change["n"], change["of"]) == (
        "skipped_step",
        "cable",
        11,
        12,
    )
    assert len(proposal.evidence["sessions"]) == 11
    assert (analyse(account, NOW).filed.updated, FlowProposal.objects.count()) == (0, 1)
    walked(flow, "shows", "test-page")
    assert (analyse(account, NOW).filed.updated, FlowProposal.objects.count()) == (1, 1)


def chain(*nodes):
    """A structure of these nodes, each (id, type, where its answers or it lead to)."""
    made = []
    for id_, type_, *nexts in nodes:
        node = {"id": id_, "type": type_, "title": id_}
        if type_ == "question":
            node["options"] = [{"label": next_, "next": next_} for next_ in nexts]
        elif type_ == "action":
            node["next"] = nexts[0]
        else:
            node |= {"type": "outcome", "outcome": type_}
        made.append(node)
    root, *children = made
    return root | {"children": children}


@pytest.mark.parametrize(
    ("dropped", "structure", "reads"),
    [
        # Between two actions, and before an action.
        ("b", chain(("a", "action", "b"), ("b", "action", "c"), ("c", "resolved")), True),
        (
            "b",
            chain(("a", "question", "b", "d"), ("b", "action", "c"), ("c", "action", "d"), ("d", "resolved")),
            True,
        ),
        # What the dropped step brought is asked for behind it.
        ("b", chain(("a", "action", "b"), ("b", "action", "c"), ("c", "question", "d", "a"), ("d", "resolved")), False),
        # The same question is asked after another step too.
        (
            "b",
            chain(
                ("a", "action", "b"), ("b", "action", "c"), ("c", "question", "d", "e"), ("e", "action", "c"),
                ("d", "resolved"),
            ),
            True,
        ),
        # An answer would solve the problem by itself; handing over needs no further act.
        ("b", chain(("a", "question", "b", "d"), ("b", "action", "c"), ("c", "resolved"), ("d", "escalated")), False),
        ("b", chain(("a", "question", "b", "d"), ("b", "action", "c"), ("c", "escalated"), ("d", "resolved")), True),
        # Both answers would lead to the same.
        ("b", chain(("a", "question", "b", "c"), ("b", "action", "c"), ("c", "action", "d"), ("d", "resolved")), False),
    ],
)  # fmt: skip
def test_a_step_goes_only_where_the_rest_still_reads(dropped, structure, reads):
    assert faults_of(structure) == []
    without = without_step(structure, dropped)
    assert (without is not None) is reads
    assert without is None or faults_of(without) == []


def test_a_step_that_nearly_nobody_finds_helpful_is_to_go(account, flow):
    StepFactory(flow=flow, node_id="jam", title="Remove the paper", helpful_yes=1, helpful_no=14)
    StepFactory(flow=flow, node_id="cable", title="Plug the cable in again", helpful_yes=5, helpful_no=7)
    StepFactory(flow=flow, node_id="shows", title="?", helpful_no=40)  # a question cannot go by itself
    StepFactory(flow=flow, node_id="gone", title="Gone", helpful_no=40)
    analyse(account, NOW)
    proposal = FlowProposal.objects.get()
    change = proposal.evidence["change"]
    assert (change["kind"], change["node_id"], change["n"], change["of"]) == ("disliked_step", "jam", 14, 15)
    assert change["engineers"] == 0  # nobody's thumbs are rows here, only the counts of the step
    assert proposal.summary == "Of 15 thumbs on “Remove the paper”, 14 say that it does not help."


def test_a_rejected_drop_comes_back_when_its_evidence_has_doubled(account, flow):
    step = StepFactory(flow=flow, node_id="jam", title="Remove the paper", helpful_no=12)
    analyse(account, NOW)
    rejected = FlowProposal.objects.get()
    rejected.status, rejected.reviewed_at = "rejected", NOW
    rejected.save()
    for thumbs, pending in [(23, 0), (24, 1), (25, 1)]:
        step.helpful_no = thumbs
        step.save()
        analyse(account, NOW)
        assert FlowProposal.objects.filter(status="pending").count() == pending
    back = FlowProposal.objects.get(status="pending")
    assert back.evidence["returned"] == {"proposal_id": str(rejected.id), "sessions_before": 12}
    assert back.evidence["change"]["n"] == 25
