"""Comma-separated values with the field names of the JSON Lines format."""

import pytest

from flowpilot.models import PsaActivityLog, Session
from flowpilot.tests.factories import FlowFactory
from ratings.models import SessionRating, StepRating

HEADER = "external_id,engineer,status,outcome,started_at,completed_at"
GOOD = "{},a@b.example,resolved,resolved,2026-03-10T09:00:00Z,2026-03-10T09:20:00Z"


@pytest.fixture
def import_lines(import_file, tmp_path):
    def run(*lines):
        path = tmp_path / "in.csv"
        path.write_text("".join(f"{line}\r\n" for line in lines))
        return import_file(path)

    return run


def test_every_column_arrives_and_empty_cells_are_null(import_lines):
    FlowFactory(name="VPN")
    outcome = import_lines(
        f"{HEADER},flow,confidence,step_count,rating,comment,decisions,time_entries,notes_posted,client",
        GOOD.format("1") + ',VPN,0.5,3,4,"So, ""fine""\r\nreally",'
        '"[{""node_id"": ""root"", ""at"": ""2026-03-10T09:01:00Z"", ""helpful"": false}]",'
        '"[{""hours"": 1.25, ""at"": ""2026-03-10T09:30:00Z""}]","[{""at"": ""2026-03-10T09:31:00Z""}]",',
        GOOD.format("2") + ",,,,,,,,,",
    )

    assert outcome.counts == (2, 2, 0, 0, 0, 0)
    first, second = Session.objects.order_by("external_id")
    assert (first.flow.name, first.confidence, first.step_count, first.client) == ("VPN", 0.5, 3, None)
    assert SessionRating.objects.get().comment == 'So, "fine"\r\nreally'
    assert StepRating.objects.get().was_helpful is False
    assert [str(entry.hours_logged) for entry in PsaActivityLog.objects.order_by("created_at")] == [
        "1.25",
        "None",
    ]
    assert (second.flow, second.confidence, second.step_count, second.decisions) == (None, None, 0, [])


def test_columns_may_stand_in_any_order(import_lines):
    assert import_lines("started_at, external_id ,engineer", "2026-03-10T09:00:00Z,1,a@b.example").status == 0


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("2,a@b.example", "The line has 2 cells, the header has 6."),
        ("2", "The line has 1 cell, the header has 6."),
        (GOOD.format("2") + ",", "The line has 7 cells, the header has 6."),
        (GOOD.format('"2'), "The quotation marks of the line do not pair up."),
        (GOOD.format('"2" x'), "The quotation marks of the line do not pair up."),
        (GOOD.format("2").replace("T09:20:00Z", "T08:00:00Z"), "completed_at is before started_at."),
        (GOOD.format("2\0"), "The line holds a NUL byte."),
    ],
)
def test_a_bad_line_costs_itself_only(import_lines, reasons, line, sentence):
    outcome = import_lines(HEADER, GOOD.format("1"), line, "", GOOD.format("3"), GOOD.format('"4"'))

    assert (outcome.status, outcome.counts) == (3, (4, 3, 0, 0, 1, 0))
    assert reasons("in.csv") == [(3, sentence)]


@pytest.mark.parametrize(
    ("column", "cell", "sentence"),
    [
        ("rating", "2.5", "rating has to be a whole number from 1 to 5."),
        ("rating", "five", "rating has to be a whole number from 1 to 5."),
        ("rating", "９", "rating has to be a whole number from 1 to 5."),
        ("step_count", "-1", "step_count has to be a whole number from 0 to 2147483647."),
        ("confidence", "nan", "confidence has to be a number from 0 to 1."),
        ("confidence", "high", "confidence has to be a number from 0 to 1."),
        ("decisions", "root", "decisions is no JSON: Expecting value at character 1."),
        ("decisions", "7", "decisions has to be a list."),
        ("time_entries", "[7]", "Time entry 1 has to be an object."),
    ],
)
def test_a_bad_cell(import_lines, reasons, column, cell, sentence):
    outcome = import_lines(f"{HEADER},{column}", f"{GOOD.format('1')},{cell}")

    assert outcome.status == 3
    assert reasons("in.csv") == [(2, sentence)]
