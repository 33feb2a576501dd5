from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from flowpilot.analysis.running import analyse
from resolutionflow.accounts.models import Account
from resolutionflow.figures import counted
from resolutionflow.management.refusing import Refused, needs_database


class Command(BaseCommand):
    help = (
        "Reads the resolved sessions that no flow guided and files proposals of flows for what they have in common, as "
        "the periodic job does. Safe at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", metavar="SLUG", help="Only this account. Default: all.")

    @needs_database()
    def handle(self, *args: Any, **options: Any) -> None:
        accounts = Account.objects.order_by("slug")
        if slug := options["account"]:
            accounts = accounts.filter(slug=slug)
            if not accounts:
                raise Refused(f"There is no account with the slug {slug}.")
        now = timezone.now()
        for account in accounts:
            done = analyse(account, now)
            self.stdout.write(
                f"{account.slug}: read {counted(done.read, 'session')}, filed {counted(done.filed.new, 'proposal')}, "
                f"updated {done.filed.updated}."
            )
