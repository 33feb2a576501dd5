"""The mapping file: replaced by one's own, and refused with one clear line where it is wrong."""

from datetime import UTC, datetime

import pytest

from flowpilot.models import Flow, Session
from operations.importing.mapping import SHIPPED, read_mapping

OWN = """
date_format = "%Y-%m-%d"
time_format = "%H:%M:%S"
time_zone = "Europe/Berlin"
missing = ["", "n/a"]

[columns]
external_id = "ID"
started_at = "Opened"
completed_at = "Closed"
engineer = ["Owner", "Closed by"]

[texts]
engineer = "Nobody"
problem_summary = "{Kind}: {Short text}."

[[outcomes]]
outcome = "workaround"
column = "Result"
equals = "bypassed"

[[outcomes]]
outcome = "resolved"

[[tiers]]
tier = "exploring"
column = "Result"
equals = "fixed"
flow = "{Kind}"

[[tiers]]
tier = "discovery"
"""
LOG = """ID,Opened,Closed,Owner,Closed by,Kind,Short text,Result
1,2026-07-01 09:00:00,2026-07-01 10:30:00,n/a,Kim,VPN,Down,bypassed
2,2026-01-01 09:00:00,2026-01-01 09:00:00,,n/a,,Slow,fixed
3,2026-01-01 09:00:00,2026-01-01 09:00:00,Ann,,Mail,,fixed
"""


@pytest.fixture
def import_with(import_file, tmp_path):
    def run(mapping, *options):
        (tmp_path / "own.toml").write_text(mapping)
        (tmp_path / "log.csv").write_text(LOG)
        return import_file(tmp_path / "log.csv", f"--mapping={tmp_path}/own.toml", *options)

    return run


def test_an_own_mapping(import_with):
    outcome = import_with(OWN, "--create-flows")

    assert outcome.counts == (3, 3, 0, 0, 0, 0)
    one, two, three = Session.objects.order_by("external_id")
    assert (one.outcome, one.confidence_tier, one.user.name) == ("workaround", "discovery", "Kim")
    assert one.started_at == datetime(2026, 7, 1, 7, 0, tzinfo=UTC)  # two hours ahead in summer
    assert (one.problem_summary, one.domain, one.client, one.psa_ticket_id) == (
        "VPN: Down.",
        None,
        None,
        None,
    )
    assert (two.outcome, two.confidence_tier, two.flow, two.user.name) == (
        "resolved",
        "discovery",
        None,
        "Nobody",
    )
    assert (two.started_at, two.problem_summary) == (datetime(2026, 1, 1, 8, 0, tzinfo=UTC), "Slow.")
    assert (three.flow.name, three.confidence_tier, three.problem_summary) == ("Mail", "exploring", "Mail.")
    assert one.decisions == []


def test_a_mapping_makes_flows_only_if_it_says_so(import_with):
    assert import_with(OWN).counts == (3, 2, 0, 0, 1, 0)
    assert not Flow.objects.exists()
    assert import_with(f"create_flows = true\n{OWN}").counts == (3, 1, 2, 0, 0, 0)


def test_the_shipped_mapping_makes_flows():
    assert read_mapping(SHIPPED).create_flows is True


FAULTS = [
    ("x = [", "cannot be read: Invalid value (at end of document)."),
    ("", "is wrong: There has to be a table [columns]."),
    ("colums = 1", "is wrong: There is no key colums; known are create_flows, missing, date_format, time_format, "
     "time_zone, columns, texts, outcomes, tiers."),
    (OWN.replace('external_id = "ID"', ""), "is wrong: [columns] has no external_id."),
    (OWN.replace('external_id = "ID"', "external_id = 5"), "is wrong: columns.external_id has to be text of at most 300 characters."),  # noqa: E501
    (OWN.replace('external_id = "ID"', "external_id = []"), "is wrong: columns.external_id is an empty list."),
    (OWN.replace('external_id = "ID"', 'external_id = "ID"\ndecision = "State"'), "is wrong: [columns] needs decision and decision_at together."),  # noqa: E501
    (OWN.replace('engineer = "Nobody"', ""), "is wrong: [texts] needs engineer, of at most 200 characters."),
    (OWN.replace('"%Y-%m-%d"', '"%Q"'), "is wrong: date_format is no format of Python's strptime."),
    (OWN.replace('"%Y-%m-%d"', '"%Y %m"'), "is wrong: date_format has to be a format without blanks."),
    (OWN.replace("Europe/Berlin", "Mars/Base"), "is wrong: time_zone: there is no zone Mars/Base."),
    (f"create_flows = 1\n{OWN}", "is wrong: create_flows has to be true or false."),
    (OWN.replace('"workaround"', '"fixed"'), "is wrong: [[outcomes]] 1 needs outcome, one of escalated, resolved, unresolved, workaround."),  # noqa: E501
    (OWN.replace('equals = "bypassed"', ""), "is wrong: [[outcomes]] 1 needs column with either equals or above, or none of them."),  # noqa: E501
    (OWN.replace('equals = "bypassed"', 'above = "3"'), "is wrong: above in [[outcomes]] 1 has to be a number."),
    (OWN.replace('outcome = "resolved"', 'outcome = "resolved"\ncolumn = "Result"\nequals = "x"'),
     "is wrong: The last [[outcomes]] has to fit always: without column and flow."),
    (OWN.replace('[[tiers]]\ntier = "discovery"', ""), "is wrong: The last [[tiers]] has to fit always: without column and flow."),  # noqa: E501
]  # fmt: skip


@pytest.mark.parametrize(("mapping", "sentence"), FAULTS, ids=[sentence[:60] for _, sentence in FAULTS])
def test_a_mapping_that_is_wrong(import_with, tmp_path, mapping, sentence):
    outcome = import_with(mapping)

    assert (outcome.status, outcome.err) == (2, f"The mapping {tmp_path}/own.toml {sentence}")
    assert not Session.objects.exists()


def test_a_mapping_that_is_not_there(import_file, tmp_path):
    (tmp_path / "log.csv").write_text(LOG)

    outcome = import_file(tmp_path / "log.csv", f"--mapping={tmp_path}/none.toml")

    assert (outcome.status, outcome.err) == (2, f"There is no mapping file {tmp_path}/none.toml.")


def test_a_mapping_that_is_no_text(import_file, tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "own.toml").write_bytes(b"\xff\xfe\0")

    outcome = import_file(tmp_path / "log.csv", f"--mapping={tmp_path}/own.toml")

    assert outcome.status == 2
    assert outcome.err.startswith(f"The mapping {tmp_path}/own.toml cannot be read: ")


def test_a_mapping_goes_with_a_log_only(import_with):
    outcome = import_with(OWN, "--format=csv")

    assert (outcome.status, outcome.err) == (2, "--mapping goes with --format servicenow only.")
