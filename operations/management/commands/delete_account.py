from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError
from psycopg.errors import DeadlockDetected

from operations.importing.faults import Unusable
from operations.importing.running import alone
from operations.removing import remove_account, rows_of
from resolutionflow.accounts.models import Account
from resolutionflow.management.refusing import Refused, needs_database


class Command(BaseCommand):
    help = (
        "Deletes an account with everything in it: users, sessions, flows. There is no way back; export_account keeps "
        "a copy. Without --apply it only says what would go. Exit status: 0 done, 2 nothing deleted."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--apply", action="store_true", help="Do it.")

    @needs_database()
    def handle(self, *args: Any, **options: Any) -> None:
        account = Account.objects.filter(slug=options["slug"]).first()
        if account is None:
            raise Refused(f"There is no account with the slug {options['slug']}.")
        if not options["apply"]:
            self.stdout.write(f"Would delete the account {account.slug} ({account.name}) with:")
            for name, count in rows_of(account).items():
                self.stdout.write(f"{count:>12,} {name}")
            self.stdout.write("Nothing was deleted. Add --apply to do it; there is no way back.")
            return
        self._delete(account)
        self.stdout.write(f"The account {account.slug} is deleted, with everything in it.")

    def _delete(self, account: Account) -> None:
        try:
            with alone(account):
                remove_account(account)
        except Unusable as error:
            raise Refused(str(error)) from None
        except Account.DoesNotExist:
            raise Refused(f"The account {account.slug} was deleted meanwhile.") from None
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
            raise Refused(
                "Somebody was writing into the account just then, so nothing was deleted. Run the command again."
            ) from None
