import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandParser

from resolutionflow.accounts.models import Account, Role, User
from resolutionflow.management.refusing import Refused, needs_database, sentence_of


class Command(BaseCommand):
    help = "Makes a user of an account. createsuperuser makes a super admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--account", required=True, metavar="SLUG")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--name", help="Default: the part of the email before the @.")
        parser.add_argument(
            "--password",
            help="Asked for where none is given and a terminal is there; else the person sets one by mail.",
        )

    @needs_database()
    def handle(self, *args: Any, **options: Any) -> None:
        account = Account.objects.filter(slug=options["account"]).first()
        if account is None:
            raise Refused(f"There is no account with the slug {options['account']}.")
        email = options["email"].strip().lower()
        user = User(
            account=account,
            email=email,
            role=options["role"],
            name=(options["name"] or email.partition("@")[0]).strip()[:200],
        )
        try:
            user.full_clean(exclude=["password"])
            password = options["password"]
            if password is None and sys.stdin.isatty():
                password = _ask()
            if password is not None:
                validate_password(password, user)
        except ValidationError as error:
            raise Refused(sentence_of(error)) from None
        user.set_password(password)
        user.save()
        more = "" if password is not None else " A password can be set by mail: Forgot your password?"
        self.stdout.write(f"The {user.role_label.lower()} {user.email} is made.{more}")


def _ask() -> str:
    try:
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise Refused("The two passwords differ.")
    except (KeyboardInterrupt, EOFError):
        raise Refused("No password was given.") from None
    return password
