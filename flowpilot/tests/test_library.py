"""The starter library: thirty flows that hold by the rules and are long enough to be of use."""

import re

import pytest

from flowpilot.flows.library import starter_library
from flowpilot.flows.structure import faults_of, nodes_of
from flowpilot.models import Flow

FLOWS = starter_library()
DOMAINS = {
    "Active Directory": 4,
    "Backup": 3,
    "Endpoints": 5,
    "Microsoft 365": 5,
    "Network": 4,
    "Printing": 3,
    "Telephony": 3,
    "VPN": 3,
}


def steps_of(flow):
    """What an engineer does or answers; outcomes are where a flow ends."""
    return [node for node in nodes_of(flow.structure) if node["type"] != "outcome"]


def test_thirty_flows_in_eight_domains():
    assert {domain: [f.domain for f in FLOWS].count(domain) for domain in DOMAINS} == DOMAINS
    assert len(FLOWS) == 30
    assert len({flow.name.lower() for flow in FLOWS}) == 30


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.slug)
def test_a_flow_may_be_published_as_it_is(flow):
    assert [str(fault) for fault in faults_of(flow.structure)] == []
    assert flow.kind in Flow.Kind.values
    assert len(flow.name) <= 300
    assert flow.description


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.slug)
def test_a_flow_leads_somewhere_good_and_knows_when_to_stop(flow):
    outcomes = {node["outcome"] for node in nodes_of(flow.structure) if node["type"] == "outcome"}
    assert outcomes & {"resolved", "workaround"}
    assert outcomes & {"escalated", "unresolved"}


def test_flows_are_long_enough_to_be_worth_copying():
    lengths = {flow.slug: len(steps_of(flow)) for flow in FLOWS}
    assert {slug: length for slug, length in lengths.items() if length < 8} == {}
    assert sum(length >= 20 for length in lengths.values()) >= 8


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.slug)
def test_texts_are_texts(flow):
    for node in nodes_of(flow.structure):
        for text in (node["title"], re.sub(r"(?s)```.*?```|`[^`]*`", "", node.get("help", ""))):
            assert not re.search(r"</?[a-z]+[^>]*>|!\[|javascript:", text, re.IGNORECASE), node["id"]
        if node["type"] == "question":
            assert node["title"].endswith("?"), node["id"]
            assert all(len(option["label"]) <= 80 for option in node["options"]), node["id"]
