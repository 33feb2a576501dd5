"""Files that are none to import from: one clear line, exit status 2, and nothing is written."""

import errno
import gzip
import json
import os
from pathlib import Path

import pytest
from django.db import connection

from flowpilot.models import Session
from operations.importing import running
from operations.importing.running import lock_key
from operations.tests.conftest import row
from resolutionflow.models import User

ROW = json.dumps(row()).encode() + b"\n"
CSV = b"external_id,engineer,started_at\nT-1,a@b.example,2026-03-10T09:00:00Z\n"
NO_TEXT = "{} is no text file."

FILES = {
    "empty": (b"", "{} is empty."),
    "blank lines": (b"\n \r\n\n", "{} is empty."),
    "byte order mark only": (b"\xef\xbb\xbf", "{} is empty."),
    "empty gzip": (gzip.compress(b""), "{} is empty."),
    "truncated gzip": (
        gzip.compress(ROW * 100)[:-10],
        "{} is a broken or cut off gzip file: it cannot be unpacked to its end.",
    ),
    "two bytes of gzip": (
        b"\x1f\x8b",
        "{} is a broken or cut off gzip file: it cannot be unpacked to its end.",
    ),
    "gzip with a bad checksum": (
        gzip.compress(ROW)[:-8] + b"\0" * 8,
        "{} is a broken or cut off gzip file: it cannot be unpacked to its end.",
    ),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, NO_TEXT),
    "binary in gzip": (gzip.compress(bytes(range(256)) * 20), NO_TEXT),
    "zeros": (b"\0" * 1000, NO_TEXT),
    "workbook": (
        b"PK\x03\x04" + b"\0" * 100,
        "{} is a zip archive or an Excel workbook. Save the sheet as CSV (UTF-8) or unpack the archive.",
    ),
    "UTF-16": ("external_id".encode("utf-16"), "{} is UTF-16 text. Save it as UTF-8."),
    "JSON list": (b"[" + ROW + b"]", "{} is no JSON Lines file: no line at its beginning is a JSON object."),
    "prose": (b"Dear all,\nhello\n", "{} has no column external_id, engineer, started_at."),
    "semicolons": (
        CSV.replace(b",", b";"),
        "{} has no column external_id, engineer, started_at. Columns have to be separated by commas.",
    ),
    "column missing": (b"external_id,started_at\n", "{} has no column engineer."),
    "column twice": (
        CSV.replace(b"started_at", b"started_at,engineer"),
        "The header names a column twice: engineer.",
    ),
    "column unknown": (
        CSV.replace(b"started_at", b"started_at,shoe size"),
        "{} has columns that mean nothing: shoe size. Known are external_id, engineer, flow, domain, client, "
        "problem_summary, status, outcome, confidence_tier, confidence, started_at, completed_at, step_count, "
        "psa_ticket_id, rating, comment, decisions, time_entries, notes_posted.",
    ),
    "header with an open quotation mark": (
        b'external_id,"engineer\n',
        "The header in line 1 cannot be read. The quotation marks of the line do not pair up.",
    ),
    "header that is no UTF-8": (
        b"external_id,engineer,gr\xfc\xdfe\n",
        "The header in line 1 cannot be read. The line is not UTF-8 text: it holds the byte 0xfc.",
    ),
}


@pytest.mark.parametrize(("content", "sentence"), FILES.values(), ids=FILES)
def test_a_file_that_is_none(import_file, tmp_path, content, sentence):
    path = tmp_path / "in.file"
    path.write_bytes(content)

    outcome = import_file(path)

    assert (outcome.status, outcome.err, outcome.out) == (2, sentence.format(path), "")
    assert not User.objects.exists()
    assert list(tmp_path.iterdir()) == [path]


def test_a_servicenow_log_without_the_columns_of_the_mapping(import_file, tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(CSV)

    outcome = import_file(path, "--format=servicenow")

    assert (outcome.status, outcome.err) == (
        2,
        f"{path} has no column assigned_to, category, closed_at, incident_state, knowledge, location, number, "
        "opened_at, reassignment_count, reopen_count, resolved_at, resolved_by, subcategory, sys_updated_at, "
        "u_symptom, which the mapping names.",
    )


def test_a_path_that_leads_to_no_file(import_file, tmp_path):
    assert import_file(tmp_path / "none.csv").err == f"There is no file {tmp_path}/none.csv."
    assert import_file(tmp_path).err == f"{tmp_path} is a folder, not a file."
    os.mkfifo(tmp_path / "pipe")
    assert import_file(tmp_path / "pipe").err == f"{tmp_path}/pipe is not a plain file."


def test_an_unknown_account(import_file, tmp_path):
    outcome = import_file(tmp_path / "none.csv", slug="eastgate")

    assert (outcome.status, outcome.err) == (2, "There is no account with the slug eastgate.")


@pytest.mark.parametrize("date", ["31/5/2016", "2016-02-30", "soon"])
def test_a_bad_until(import_file, tmp_path, date):
    path = tmp_path / "in.jsonl"
    path.write_bytes(ROW)

    outcome = import_file(path, f"--until={date}")

    assert (outcome.status, outcome.err) == (2, f"--until: {date} is no date such as 2016-05-31.")


@pytest.mark.parametrize("content", [ROW, gzip.compress(ROW), b"\xef\xbb\xbf" + ROW.replace(b"\n", b"\r\n")])
def test_gzip_is_told_by_content_not_by_name(import_file, tmp_path, content):
    path = tmp_path / "sessions.dat"
    path.write_bytes(content)

    assert import_file(path).counts == (1, 1, 0, 0, 0, 0)


def test_a_name_may_be_odd(import_file, tmp_path):
    path = tmp_path / "ein paar 'Zeilen' 🥐.jsonl"
    path.write_bytes(ROW)

    assert import_file(path).status == 0


@pytest.fixture
def read_only_file(tmp_path):
    """A file in a folder that nobody is to write to; root could, and has to leave it alone as well."""
    folder = tmp_path / "given"
    folder.mkdir()
    (folder / "in.jsonl").write_bytes(ROW + b"{\n")
    folder.chmod(0o555)
    yield folder / "in.jsonl"
    folder.chmod(0o755)


def test_rejected_rows_go_to_the_current_folder_where_that_of_the_file_is_read_only(
    import_file, read_only_file, tmp_path, monkeypatch
):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    outcome = import_file(read_only_file)

    rejected = tmp_path / "here" / "in.jsonl.rejected.csv"
    assert outcome.err == f"The rejected rows and what is wrong with each are in {rejected}.\n"
    assert rejected.read_text().startswith("line,reason,row,account\n2,")
    assert list(read_only_file.parent.iterdir()) == [read_only_file]


def test_nothing_is_written_where_rejected_rows_have_no_place(import_file, read_only_file, monkeypatch):
    monkeypatch.chdir(read_only_file.parent)

    outcome = import_file(read_only_file)

    place = read_only_file.parent / "in.jsonl.rejected.csv"
    assert (outcome.status, outcome.err) == (
        2,
        f"Rejected rows can be written neither to {place} nor to {place}.",
    )
    assert not Session.objects.exists()


def test_two_imports_into_one_account_do_not_meet(import_file, account, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "WAIT_FOR_LOCK", 0)
    path = tmp_path / "in.jsonl"
    path.write_bytes(ROW)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [lock_key(account)])
        outcome = import_file(path)
        cursor.execute("SELECT pg_advisory_unlock_all()")  # the server notices a close only a moment later
    other.close()
    assert (outcome.status, outcome.err) == (2, "An import into this account is running.")

    assert import_file(path).status == 0


def test_a_file_that_cannot_be_opened(import_file, tmp_path, monkeypatch):
    path = tmp_path / "in.jsonl"
    path.write_bytes(ROW)
    opens = Path.open

    def refuse(self, *args, **kwargs):  # by mode bits nothing is refused to root
        if self == path:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opens(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    assert import_file(path).err == f"{path} cannot be read: Permission denied."
