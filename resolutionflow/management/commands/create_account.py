from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandParser

from resolutionflow.accounts.models import Account
from resolutionflow.management.refusing import Refused, needs_database, sentence_of


class Command(BaseCommand):
    help = "Makes an account: one MSP with its own users and data."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument(
            "--slug", required=True, help="Short name for commands and addresses, such as acme."
        )
        parser.add_argument(
            "--timezone", default="UTC", metavar="ZONE", help="IANA zone such as Europe/Berlin. Default: UTC."
        )

    @needs_database()
    def handle(self, *args: Any, **options: Any) -> None:
        account = Account(
            name=options["name"].strip(), slug=options["slug"].strip(), time_zone=options["timezone"].strip()
        )
        try:
            account.full_clean()
        except ValidationError as error:
            raise Refused(sentence_of(error)) from None
        account.save()
        self.stdout.write(f"The account {account.slug} is made.")
