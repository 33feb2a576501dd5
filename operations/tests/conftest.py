"""Runs the import as an operator does and returns what they see."""

import io
import json
from dataclasses import dataclass

import pytest
from django.core.management import CommandError, call_command


@dataclass
class Outcome:
    status: int
    out: str
    err: str

    @property
    def counts(self):
        """(read, created, unchanged, updated, rejected, left out) of the summary."""
        words = self.out.replace(".", "").split()
        return tuple(int(word) for word in words if word.isdigit())


@pytest.fixture
def import_file(account):
    def run(path, *options, slug="northgate"):
        out, err = io.StringIO(), io.StringIO()
        try:
            call_command("import_sessions", str(path), f"--account={slug}", *options, stdout=out, stderr=err)
        except CommandError as refused:
            return Outcome(refused.returncode, out.getvalue(), str(refused))
        except SystemExit as stop:
            return Outcome(stop.code, out.getvalue(), err.getvalue())
        return Outcome(0, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def import_rows(import_file, tmp_path):
    """Imports the given rows as JSON Lines; a row is a dict or the text of a line."""

    def run(*rows, options=()):
        path = tmp_path / "sessions.jsonl"
        path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
        return import_file(path, *options)

    return run


@pytest.fixture
def reasons(tmp_path):
    """The (line, reason) pairs of the rejected rows of the last `import_rows`."""

    def read(name="sessions.jsonl"):
        import csv

        with (tmp_path / f"{name}.rejected.csv").open(newline="") as file:
            return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]

    return read


def row(**changes):
    """A resolved session of twenty minutes; keyword arguments change or add fields."""
    return {
        "external_id": "T-1",
        "engineer": "amira@northgate.example",
        "problem_summary": "No mail",
        "status": "resolved",
        "outcome": "resolved",
        "started_at": "2026-03-10T09:00:00+00:00",
        "completed_at": "2026-03-10T09:20:00+00:00",
    } | changes
