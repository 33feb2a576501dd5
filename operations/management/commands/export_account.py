import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from operations.exporting import NotWritten, lines_of, write_file
from resolutionflow.accounts.models import Account, AuditEntry
from resolutionflow.management.refusing import Refused, needs_database


class Command(BaseCommand):
    help = (
        "Writes everything of one account as JSON lines, its engineers' stars and comments too: keep the file as you "
        "keep the database. Passwords, hashes of tokens and keys to ticket systems are left out. Exit status: 0 done, "
        "2 nothing written."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("file", metavar="FILE", help="- is standard output.")
        parser.add_argument("--overwrite", action="store_true", help="Replace a FILE that exists.")

    @needs_database()
    def handle(self, *args: Any, **options: Any) -> None:
        account = Account.objects.filter(slug=options["slug"]).first()
        if account is None:
            raise Refused(f"There is no account with the slug {options['slug']}.")
        try:
            rows, where = self._write(account, options["file"], overwrite=options["overwrite"])
        except NotWritten as error:
            raise Refused(str(error)) from None
        except Account.DoesNotExist:
            raise Refused(f"The account {account.slug} was deleted meanwhile.") from None
        except KeyboardInterrupt:
            self.stderr.write("Stopped before the end.")
            sys.exit(130)
        AuditEntry.record("account.exported", actor=None, account=account, object=account.slug, rows=rows)
        words = f"Exported {rows:,} rows of {account.slug}{where}."
        (self.stderr if options["file"] == "-" else self.stdout).write(words)

    def _write(self, account: Account, target: str, *, overwrite: bool) -> tuple[int, str]:
        lines = lines_of(account.id)
        if target != "-":
            path = Path(target)
            return write_file(path, lines, overwrite=overwrite), f" to {path}"
        rows = 0
        try:
            for line in lines:
                self.stdout.write(line, ending="")
                rows += 1
        except OSError as error:  # whoever reads the other end went away
            raise NotWritten(f"Standard output cannot be written: {error.strerror}.") from None
        return rows, ""
