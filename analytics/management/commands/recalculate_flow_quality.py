from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from analytics.flow_quality import recalculate
from resolutionflow.accounts.models import Account
from resolutionflow.figures import counted
from resolutionflow.management.refusing import Refused, needs_database


class Command(BaseCommand):
    help = "Writes the stored figures of the flows: usage, last use, success rate, quality score. Safe at any time."

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
            done = recalculate(account, now=now)
            self.stdout.write(f"{account.slug}: {counted(done.flows, 'flow')}, {len(done.changed)} changed.")
            for name, changes in done.changed:
                self.stdout.write(f"  {name}: {', '.join(changes)}")
