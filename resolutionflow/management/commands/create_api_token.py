from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from resolutionflow.accounts.models import ApiToken, User
from resolutionflow.management.refusing import Refused, needs_database


class Command(BaseCommand):
    help = "Prints a new token for the JSON API, alone on standard output. It cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--name", default="command line", metavar="LABEL", help="What the token is for.")

    @needs_database()
    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].strip().lower()).first()
        if user is None:
            raise Refused(f"There is no user with the email {options['email']}.")
        if not user.is_active:
            raise Refused(f"{user.email} is not active.")
        label = options["name"].strip()
        if not 0 < len(label) <= 100:
            raise Refused("The label has to have 1 to 100 characters.")
        _, secret = ApiToken.issue(user, label)
        self.stdout.write(secret)
