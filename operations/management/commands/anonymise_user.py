from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from operations.anonymising import Kept, Plan, anonymise
from resolutionflow.accounts.models import User
from resolutionflow.management.refusing import Refused, needs_database

UNTOUCHED = "What people wrote in sessions, ratings and flows is not touched."


class Command(BaseCommand):
    help = (
        'Makes name and email of a leaver "Former engineer N" and deactivates the person; sessions and figures stay. '
        "There is no way back. Without --apply it only says what it would do. Exit status: 0 done, 2 nothing changed."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--apply", action="store_true", help="Do it.")

    @needs_database()
    def handle(self, *args: Any, **options: Any) -> None:
        email, apply = options["email"].strip().lower(), options["apply"]
        user = User.objects.filter(email=email).first()
        if user is None:
            raise Refused(
                f"There is no user with the email {email}. Nobody has it any more who is anonymised already."
            )
        if user.is_anonymised:
            self.stdout.write(f"{email} is anonymised already.")
            return
        try:
            plan = anonymise(email, at=timezone.now(), apply=apply)
        except Kept as error:
            raise Refused(str(error)) from None
        except User.DoesNotExist:
            raise Refused(f"{email} was changed meanwhile. Run the command again.") from None
        self._report(email, plan, apply=apply)

    def _report(self, email: str, plan: Plan, *, apply: bool) -> None:
        done = "" if apply else "would be "
        self.stdout.write(f"{email} {'is now' if apply else 'would become'} {plan.name}, {plan.email}.")
        if plan.was_active:
            self.stdout.write(f"The person was active and {'is' if apply else 'would be'} deactivated.")
        self.stdout.write(f"API tokens {done}revoked: {plan.tokens}. Logins {done}deleted: {plan.logins}.")
        self.stdout.write(f"Entries of audit trail and back office log {done}rewritten: {plan.texts}.")
        if plan.namesake:
            self.stdout.write(
                "Somebody else in the account has the same name: it stays in texts, the email does not."
            )
        self.stdout.write(UNTOUCHED)
        if not apply:
            self.stdout.write("Nothing was changed. Add --apply to do it; there is no way back.")
