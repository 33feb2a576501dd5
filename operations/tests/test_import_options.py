"""--until, --shift-to-now, --dry-run, and an import that is stopped half way."""

import re
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import OperationalError

from flowpilot.models import Client, Domain, Flow, PsaActivityLog, Session, Step
from operations.importing import running
from operations.importing.writing import Writer
from operations.tests.conftest import row
from ratings.models import SessionRating, StepRating
from resolutionflow.models import Account, User

NOW = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)  # a Tuesday


def opened(external_id, at, minutes=20, **changes):
    end = f"{at[:14]}{minutes:02}:00Z"
    return row(external_id=external_id, started_at=at, completed_at=end, **changes)


@pytest.fixture
def at_noon(monkeypatch):
    monkeypatch.setattr("operations.management.commands.import_sessions.timezone.now", lambda: NOW)


def test_until_is_a_day_of_the_accounts_zone(import_rows, account):
    account.time_zone = "America/New_York"  # five hours behind in winter
    account.save()

    outcome = import_rows(
        opened("in", "2026-02-01T04:00:00Z"),
        opened("out", "2026-02-01T05:00:00Z"),
        options=["--until=2026-01-31"],
    )

    assert outcome.counts == (2, 1, 0, 0, 0, 1)
    assert Session.objects.get().external_id == "in"


def test_shift_to_now(import_rows, account, at_noon):
    rows = [
        opened("old", "2026-03-03T09:00:00Z"),
        opened("ends later", "2026-03-10T11:50:00Z", minutes=59) | {"completed_at": "2026-03-10T12:00:01Z"},
        opened("opens later", "2026-03-10T12:30:00Z", minutes=40),
    ]

    outcome = import_rows(*rows, options=["--shift-to-now"])

    assert outcome.counts == (3, 2, 0, 0, 0, 1)
    old, late = Session.objects.order_by("started_at")
    assert old.started_at == datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
    assert (late.started_at, late.status) == (datetime(2026, 11, 10, 11, 50, tzinfo=UTC), "active")
    account.refresh_from_db()
    assert account.import_shift == {"weeks": 35, "at": "2026-11-10T12:00:00+00:00"}


def test_the_second_import_uses_the_shift_of_the_first(import_rows, monkeypatch, at_noon):
    rows = [opened("1", "2026-03-10T09:00:00Z"), opened("newest", "2026-03-10T12:00:00Z")]
    import_rows(*rows, options=["--shift-to-now"])
    monkeypatch.setattr(
        "operations.management.commands.import_sessions.timezone.now",
        lambda: datetime(2027, 1, 1, tzinfo=UTC),
    )

    outcome = import_rows(*rows, opened("2", "2026-03-11T09:00:00Z"), options=["--shift-to-now"])

    assert outcome.counts == (3, 0, 2, 0, 0, 1)


def test_the_shift_is_reckoned_from_what_until_leaves_in(import_rows, account, at_noon):
    rows = [opened("1", "2026-03-10T12:00:00Z"), opened("2", "2026-08-10T12:00:00Z")]

    outcome = import_rows(*rows, options=["--shift-to-now", "--until=2026-03-31"])

    assert outcome.counts == (2, 1, 0, 0, 0, 1)
    account.refresh_from_db()
    assert account.import_shift["weeks"] == 35


def test_a_dry_run_says_the_same_and_writes_nothing(import_rows, account, tmp_path, at_noon):
    import_rows(opened("known", "2026-03-10T09:00:00Z"))
    before = [list(model.objects.values()) for model in (Account, Client, Domain, Flow, Session, Step, User)]
    rows = [
        opened("known", "2026-03-10T09:00:00Z"),
        opened(
            "new",
            "2026-03-10T09:00:00Z",
            flow="VPN",
            domain="Network",
            client="Bakery",
            engineer="new@b.example",
            rating=3,
            decisions=[{"node_id": "n", "at": "2026-03-10T09:00:00Z", "helpful": True}],
            notes_posted=[{"at": "2026-03-10T09:00:00Z"}],
        ),
        opened("bad", "2026-03-10T09:00:00Z", rating=9),
        opened("newest", "2026-03-10T12:00:00Z"),
    ]
    options = ["--create-flows", "--shift-to-now"]

    dry = import_rows(*rows, options=[*options, "--dry-run"])

    assert (dry.status, dry.counts) == (3, (4, 2, 0, 1, 1, 0))
    assert dry.out.startswith("Dry run, nothing was written. Read 4 = ")
    assert dry.err == "Line 3: rating has to be a whole number from 1 to 5.\n"
    assert [
        list(model.objects.values()) for model in (Account, Client, Domain, Flow, Session, Step, User)
    ] == before
    assert not any(model.objects.exists() for model in (SessionRating, StepRating, PsaActivityLog))
    assert [path.name for path in tmp_path.iterdir()] == ["sessions.jsonl"]
    assert import_rows(*rows, options=options).counts == dry.counts


@pytest.mark.parametrize(
    ("stop", "status", "says"),
    [
        (KeyboardInterrupt, 130, "Stopped. "),
        (
            OperationalError("server closed the connection\nmore"),
            3,
            "The database went away: server closed the connection ",
        ),
    ],
)
def test_an_import_that_is_stopped_keeps_what_is_done_and_goes_on_when_run_again(
    import_rows, monkeypatch, stop, status, says
):
    monkeypatch.setattr(running, "BATCH", 2)
    write, batches = Writer.write, []

    def stop_at_the_second(self, batch):
        batches.append(batch)
        if len(batches) == 2:
            raise stop
        return write(self, batch)

    rows = [opened(str(number), "2026-03-10T09:00:00Z") for number in range(5)]
    with monkeypatch.context() as patch:
        patch.setattr(Writer, "write", stop_at_the_second)
        outcome = import_rows(*rows)

    assert (outcome.status, outcome.out) == (status, "")
    assert outcome.err == (
        f"{says}Read 2 = created 2 + unchanged 0 + updated 0 + rejected 0 + left out 0. This much is kept. "
        "Run the same command again to go on.\n"
    )
    assert Session.objects.count() == 2
    assert import_rows(*rows).counts == (5, 3, 2, 0, 0, 0)


def test_a_file_that_breaks_while_it_is_read_keeps_what_was_read(import_rows, monkeypatch):
    lines = running.Source.lines

    def break_after_the_first(self):
        yield next(lines(self))
        raise OSError("Input/output error")

    monkeypatch.setattr(running.Source, "lines", break_after_the_first)
    outcome = import_rows(row(external_id="1"), row(external_id="2"))

    assert (outcome.status, outcome.counts) == (3, (1, 1, 0, 0, 0, 0))
    assert outcome.err == (
        "The file could not be read to its end: Input/output error. Run the same command again to go on.\n"
    )


def test_no_number_of_rows_takes_more_queries_a_batch(import_rows, django_assert_max_num_queries):
    def rows(number):
        return [
            row(
                external_id=str(n),
                engineer=f"e{n % 9}@b.example",
                client=f"C{n % 7}",
                flow=f"F{n % 5}",
                rating=4,
            )
            for n in range(number)
        ]

    with django_assert_max_num_queries(50):
        assert import_rows(*rows(400), options=["--create-flows"]).counts == (400, 400, 0, 0, 0, 0)
    with django_assert_max_num_queries(25):
        assert import_rows(*rows(400)).counts == (400, 0, 400, 0, 0, 0)


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit):
        call_command("import_sessions", "--help")

    shown = capsys.readouterr().out
    options = {
        "--account",
        "--format",
        "--mapping",
        "--create-flows",
        "--until",
        "--shift-to-now",
        "--dry-run",
    }
    assert options <= set(re.findall(r"--[a-z-]+", shown))
