"""Bad rows: each is rejected with a sentence that says what to do, and never stops the rest."""

import json
from datetime import timedelta

import pytest

from flowpilot.models import Session
from operations.tests.conftest import row

STATUSES = "abandoned, active, escalated, requesting_escalation, resolved, unresolved"
DECISION = {"node_id": "root", "answer": "Yes", "at": "2026-03-10T09:05:00Z"}
NO_TIME = "started_at is no time such as 2026-01-31T09:30:00+01:00."
STEPS = "step_count has to be a whole number from 0 to 2147483647."
STARS = "rating has to be a whole number from 1 to 5."
SHARE = "confidence has to be a number from 0 to 1."
HOURS = "Time entry 1: hours has to be between 0.01 and 9999.99."

FIELDS = [
    ({"external_id": None}, "external_id is missing."),
    ({"external_id": "  "}, "external_id is missing."),
    ({"external_id": 7}, "external_id has to be text."),
    ({"external_id": "x" * 201}, "external_id is longer than 200 characters."),
    ({"engineer": None}, "engineer is missing."),
    ({"engineer": "Amira"}, "engineer is no email address."),
    ({"engineer": ["a@b.example"]}, "engineer has to be text."),
    (
        {"flow": "No such flow"},
        "There is no flow with the name No such flow. With --create-flows it is made as a draft.",
    ),
    ({"flow": {"name": "VPN"}}, "flow has to be text."),
    ({"flow": "x" * 301}, "flow is longer than 300 characters."),
    ({"domain": "x" * 201}, "domain is longer than 200 characters."),
    ({"client": 5}, "client has to be text."),
    ({"client": "Bak\0ery"}, "client holds a NUL character."),
    ({"problem_summary": "x" * 501}, "problem_summary is longer than 500 characters."),
    ({"problem_summary": "half \ud83e"}, "problem_summary holds half of a character (a lone surrogate)."),
    ({"status": "done"}, f"status has to be one of {STATUSES}."),
    ({"status": True}, "status has to be text."),
    ({"outcome": "fixed"}, "outcome has to be one of escalated, resolved, unresolved, workaround."),
    (
        {"outcome": "escalated"},
        "A session with the status resolved has the outcome resolved or workaround, not escalated.",
    ),
    (
        {"outcome": None},
        "A session with the status resolved has the outcome resolved or workaround, but none is given.",
    ),
    ({"status": "active"}, "A session with the status active has no outcome, not resolved."),
    ({"status": "active", "outcome": None}, "A session with the status active has no completed_at."),
    ({"completed_at": None}, "A session with the status resolved needs completed_at."),
    ({"confidence_tier": "expert"}, "confidence_tier has to be one of discovery, exploring, guided."),
    ({"confidence": 1.01}, SHARE),
    ({"confidence": -0.1}, SHARE),
    ({"confidence": "0.5"}, SHARE),
    ({"confidence": True}, SHARE),
    ({"started_at": None}, "started_at is missing."),
    ({"started_at": "2026-03-10T09:00:00"}, "started_at has no offset from UTC, such as Z or +01:00."),
    ({"started_at": "2026-03-10"}, "started_at has no offset from UTC, such as Z or +01:00."),
    ({"started_at": "10/3/2026 09:00"}, NO_TIME),
    ({"started_at": "0000-01-01T00:00:00Z"}, NO_TIME),
    ({"started_at": "2026-02-30T00:00:00Z"}, NO_TIME),
    ({"started_at": "9999-12-31T23:59:59-14:00"}, NO_TIME),
    ({"started_at": 1773133200}, "started_at has to be text such as 2026-01-31T09:30:00+01:00."),
    ({"started_at": "1969-12-31T23:59:59Z"}, "started_at is not between the years 1970 and 2100."),
    ({"completed_at": "9999-01-01T00:00:00Z"}, "completed_at is not between the years 1970 and 2100."),
    ({"completed_at": "2026-03-10T08:59:59Z"}, "completed_at is before started_at."),
    (
        {"started_at": "1970-01-01T00:00:00Z", "completed_at": "2099-01-01T00:00:00Z"},
        "The session lasts longer than 68 years.",
    ),
    ({"step_count": -1}, STEPS),
    ({"step_count": 1.0}, STEPS),
    ({"step_count": 2**31}, STEPS),
    ({"psa_ticket_id": 4711}, "psa_ticket_id has to be text."),
    ({"psa_ticket_id": "x" * 101}, "psa_ticket_id is longer than 100 characters."),
    ({"rating": 0}, STARS),
    ({"rating": 6}, STARS),
    ({"rating": 2.5}, STARS),
    ({"rating": True}, STARS),
    ({"rating": "5"}, STARS),
    (
        {"status": "active", "outcome": None, "completed_at": None, "rating": 3},
        "Only a completed session can have a rating.",
    ),
    ({"comment": "Nice"}, "A comment needs a rating."),
    ({"rating": 3, "comment": "x" * 501}, "comment is longer than 500 characters."),
    ({"decisions": {}}, "decisions has to be a list."),
    ({"decisions": "root"}, "decisions has to be a list."),
    ({"decisions": [DECISION, "root"]}, "Decision 2 has to be an object."),
    ({"decisions": [DECISION] * 5001}, "decisions has more than 5,000 entries."),
    ({"decisions": [DECISION | {"at": None}]}, "Decision 1: at is missing."),
    (
        {"decisions": [DECISION | {"at": "2026-03-10T09:05"}]},
        "Decision 1: at has no offset from UTC, such as Z or +01:00.",
    ),
    ({"decisions": [DECISION | {"node_id": 5}]}, "Decision 1: node_id has to be text."),
    (
        {"decisions": [DECISION | {"node_id": "x" * 101}]},
        "Decision 1: node_id is longer than 100 characters.",
    ),
    ({"decisions": [DECISION | {"title": "x" * 301}]}, "Decision 1: title is longer than 300 characters."),
    ({"decisions": [DECISION | {"note": "\0"}]}, "Decision 1: note holds a NUL character."),
    ({"decisions": [DECISION | {"helpful": 1}]}, "Decision 1: helpful has to be true or false."),
    (
        {"decisions": [DECISION | {"helpful": True}]},
        "A decision can be helpful only in a session with a flow.",
    ),
    ({"decisions": [DECISION | {"node_id": None, "helpful": True}]}, "Decision 1: helpful needs a node_id."),
    ({"decisions": [DECISION | {"options": []}]}, "Decision 1: There is no field options."),
    ({"time_entries": 2}, "time_entries has to be a list."),
    ({"time_entries": [{"hours": 1}]}, "Time entry 1: at is missing."),
    ({"time_entries": [{"hours": -1, "at": DECISION["at"]}]}, HOURS),
    ({"time_entries": [{"hours": 0.001, "at": DECISION["at"]}]}, HOURS),
    ({"time_entries": [{"hours": 1e300, "at": DECISION["at"]}]}, HOURS),
    ({"time_entries": [{"hours": "1", "at": DECISION["at"]}]}, "Time entry 1: hours has to be a number."),
    ({"notes_posted": [{}]}, "Note 1: at is missing."),
    ({"notes_posted": [[]]}, "Note 1 has to be an object."),
    ({"outcom": "resolved"}, "There is no field outcom."),
]

LINES = [
    ("{", "The line is no JSON: Expecting property name enclosed in double quotes at character 2."),
    ("[]", "The line has to be a JSON object."),
    ("null", "The line has to be a JSON object."),
    ("[" * 100_000, "The line is nested too deeply."),
    ('{"confidence": NaN}', "The line holds a number that is none or is too long."),
    (f'{{"rating": {"9" * 5000}}}', "The line holds a number that is none or is too long."),
    (json.dumps(row(comment="x" * (1 << 20))), "The line is longer than 1 MiB."),
    ('{"external_id": "a\0b"}', "The line holds a NUL byte."),
]


@pytest.mark.parametrize(("change", "sentence"), FIELDS, ids=[sentence[:50] for _, sentence in FIELDS])
def test_a_bad_field_rejects_its_row_only(import_rows, reasons, change, sentence):
    outcome = import_rows(
        row(external_id="before"), row(external_id="bad") | change, row(external_id="after")
    )

    assert (outcome.status, outcome.counts) == (3, (3, 2, 0, 0, 1, 0))
    assert reasons() == [(2, sentence)]
    assert set(Session.objects.values_list("external_id", flat=True)) == {"before", "after"}


@pytest.mark.parametrize(("line", "sentence"), LINES, ids=[sentence[:40] for _, sentence in LINES])
def test_a_bad_line_rejects_itself_only(import_rows, reasons, line, sentence):
    outcome = import_rows(row(external_id="before"), line, "", row(external_id="after"))

    assert (outcome.status, outcome.counts) == (3, (3, 2, 0, 0, 1, 0))
    assert reasons() == [(2, sentence)]


def test_bytes_that_are_no_text_reject_their_line(import_file, tmp_path, reasons):
    path = tmp_path / "sessions.jsonl"
    good = json.dumps(row()).encode()
    path.write_bytes(b"\xef\xbb\xbf" + good + b"\r\n" + good.replace(b"No mail", b"No \xe4rger") + b"\r\n")

    assert import_file(path).counts == (2, 1, 0, 0, 1, 0)
    assert reasons() == [(2, "The line is not UTF-8 text: it holds the byte 0xe4.")]


def test_an_external_id_counts_once_a_file(import_rows, reasons, monkeypatch):
    monkeypatch.setattr("operations.importing.running.BATCH", 2)  # the second one comes in another batch
    rows = [row(external_id=id) for id in ("A", "A", "B", "C", "A")]

    for counts in [(5, 3, 0, 0, 2, 0), (5, 0, 3, 0, 2, 0)]:
        assert import_rows(*rows).counts == counts
        assert reasons() == [(2, "A is in line 1 already."), (5, "A is in line 1 already.")]


def test_the_rejected_file_holds_the_rows_as_plain_text(import_rows, tmp_path):
    import_rows(row(), '=HYPERLINK("http://x")')

    assert (tmp_path / "sessions.jsonl.rejected.csv").read_text() == (
        "line,reason,row,account\n"
        '2,The line is no JSON: Expecting value at character 1.,"\'=HYPERLINK(""http://x"")",northgate\n'
    )


def test_the_rejected_file_goes_when_nothing_is_rejected_any_more(import_rows, tmp_path):
    assert import_rows(row(), "{").status == 3
    assert (tmp_path / "sessions.jsonl.rejected.csv").exists()

    assert import_rows(row()).status == 0
    assert not (tmp_path / "sessions.jsonl.rejected.csv").exists()


def test_what_only_the_database_refuses_is_found_and_rejected(import_rows, reasons, monkeypatch):
    monkeypatch.setattr("operations.importing.records.LONGEST_DURATION", timedelta.max)
    long = {"started_at": "1970-01-01T00:00:00Z", "completed_at": "2099-01-01T00:00:00Z"}

    outcome = import_rows(
        row(external_id="1"), row(external_id="2") | long, row(external_id="3", client="Bakery")
    )

    assert outcome.counts == (3, 2, 0, 0, 1, 0)
    assert reasons() == [(2, "The database refused the row: integer out of range.")]
    assert Session.objects.get(external_id="3").client.name == "Bakery"


def test_rows_rejected_for_another_account_are_kept(import_rows, import_file, tmp_path, other_account):
    assert import_rows(row(), "{").status == 3
    (tmp_path / "sessions.jsonl").write_text(json.dumps(row(engineer="sam@southgate.example")) + "\n")

    assert import_file(tmp_path / "sessions.jsonl", slug="southgate").status == 0
    assert (tmp_path / "sessions.jsonl.rejected.csv").exists()


def test_long_rows_are_written_before_they_fill_the_memory(import_rows, monkeypatch):
    monkeypatch.setattr("operations.importing.running.HEAVY", 1)  # so that every row ends its batch

    assert import_rows(*(row(external_id=f"T-{n}") for n in range(3))).counts[:2] == (3, 3)
    assert Session.objects.count() == 3
