import sys
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from tqdm import tqdm

from operations.importing.faults import Unusable
from operations.importing.running import Import, Options, prepare
from resolutionflow.accounts.models import Account
from resolutionflow.management.refusing import Refused, needs_database

AGAIN = "Run the same command again to go on."


class Command(BaseCommand):
    help = (
        "Imports sessions from FILE, plain or gzip, into an account. Importing the same file again changes nothing. "
        "Exit status: 0 done, 2 nothing done, 3 done but for the rows in FILE.rejected.csv."
    )
    requires_system_checks: list[str] = []  # they look at every URL, which takes longer than a small import

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--account", required=True, metavar="SLUG")
        parser.add_argument(
            "--format",
            choices=["jsonl", "csv", "servicenow"],
            help="Default: jsonl or csv, by the file's first character; servicenow with --mapping.",
        )
        parser.add_argument(
            "--mapping",
            type=Path,
            metavar="FILE",
            help="TOML file saying what the columns of an event log mean.",
        )
        parser.add_argument("--create-flows", action="store_true", help="Make flows that are new as drafts.")
        parser.add_argument(
            "--until", metavar="DATE", help="Leave out what opened after this day (YYYY-MM-DD)."
        )
        parser.add_argument(
            "--shift-to-now",
            action="store_true",
            help="Move all times by whole weeks so that the newest are of today.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Write nothing; say what would become of each row."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("format", "mapping", "create_flows", "shift_to_now", "dry_run")
        choices = Options(**{name: options[name] for name in names}, until=_date(options["until"]))
        with needs_database():
            account = Account.objects.filter(slug=options["account"]).first()
        if account is None:
            raise Refused(f"There is no account with the slug {options['account']}.")
        try:
            job = prepare(account, options["file"], choices, now=timezone.now())
            self._run(job)
        except Unusable as error:
            raise Refused(str(error)) from None
        self._report(job)
        if job.summary.rejected or job.broke_off:
            sys.exit(3)

    def _run(self, job: Import) -> None:
        bar = tqdm(
            total=job.source.size,
            unit="B",
            unit_scale=True,
            file=sys.stderr,
            disable=not sys.stderr.isatty(),
        )
        with bar:
            try:
                job.run(lambda position: bar.update(position - bar.n))
            except KeyboardInterrupt:
                bar.close()
                self.stderr.write(f"Stopped. {job.summary} This much is kept. {AGAIN}")
                sys.exit(130)
            except (OperationalError, InterfaceError) as error:
                bar.close()
                self.stderr.write(
                    f"The database went away: {_first_line(error)} {job.summary} This much is kept. {AGAIN}"
                )
                sys.exit(3 if job.summary.created or job.summary.updated else 2)
            except OSError as error:  # a full disk, say
                bar.close()
                self.stderr.write(
                    f"The rejected rows cannot be written: {error}. {job.summary} This much is kept. {AGAIN}"
                )
                sys.exit(3)

    def _report(self, job: Import) -> None:
        if job.options.dry_run:
            for row in job.rejected:
                self.stderr.write(f"Line {row.line}: {row.reason}")
            if more := job.summary.rejected - len(job.rejected):
                self.stderr.write(f"… and {more} more.")
            self.stdout.write(f"Dry run, nothing was written. {job.summary}")
            return
        self.stdout.write(str(job.summary))
        if job.broke_off:
            self.stderr.write(f"The file could not be read to its end: {job.broke_off}. {AGAIN}")
        if job.summary.rejected and job.rejected_file:
            self.stderr.write(
                f"The rejected rows and what is wrong with each are in {job.rejected_file.path}."
            )


def _date(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value is not None else None
    except ValueError:
        raise Refused(f"--until: {value} is no date such as 2016-05-31.") from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
