from contextlib import closing
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from flowpilot.psa.connections import current_connection, provider_of
from flowpilot.psa.providers.connectwise import ConnectWise
from flowpilot.psa.providers.errors import PsaError
from flowpilot.psa.sealing import CannotOpen
from flowpilot.psa.verifying import Verification
from resolutionflow.accounts.models import Account, AuditEntry
from resolutionflow.management.refusing import Refused, needs_database
from resolutionflow.tenancy import account_scope


class Command(BaseCommand):
    help = (
        "Asks an account's ConnectWise what only a live one can tell, and prints what it finds. Reads only, unless "
        "--apply is given: then it makes notes and time entries on the ticket and deletes them again. Exit status: 0 "
        "done, 2 not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", metavar="SLUG", required=True)
        parser.add_argument(
            "--ticket", metavar="ID", required=True, help="One that nobody minds being changed."
        )
        parser.add_argument(
            "--apply", action="store_true", help="Write to the ticket as well: for a sandbox."
        )

    @needs_database()
    def handle(self, *args: Any, **options: Any) -> None:
        account = Account.objects.filter(slug=options["account"]).first()
        if account is None:
            raise Refused(f"There is no account with the slug {options['account']}.")
        with account_scope(account):
            connection = current_connection()
            if connection is None:
                raise Refused(f"{account.slug} has no ticket system connected.")
            try:
                with closing(provider_of(connection)) as provider:
                    if not isinstance(provider, ConnectWise):
                        raise Refused(f"{connection} has no open questions: this command is for ConnectWise.")
                    if options["apply"]:
                        detail = {"ticket": options["ticket"]}
                        AuditEntry.record(
                            "psa.verified", actor=None, account=account, object=str(connection), **detail
                        )
                    found = Verification(
                        provider, connection, options["ticket"], options["apply"], timezone.now()
                    )
                    for finding in found.findings():
                        self.stdout.write(f"{finding.question}\n    {finding.answer}")
            except CannotOpen as error:
                raise Refused(str(error)) from None
            except PsaError as error:
                raise Refused(error.words) from None
