from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from flowpilot.psa.delivery import accounts_with_work, deliver
from flowpilot.psa.sweep import accounts_with_work as accounts_to_sweep
from flowpilot.psa.sweep import sweep
from resolutionflow.accounts.models import Account
from resolutionflow.management.refusing import Refused, needs_database


class Command(BaseCommand):
    help = (
        "Sends what is due to the ticket systems, looks up what is uncertain and looks for doubles, as the worker does "
        "every minute. Any number of them may run at the same time. Exit status: 0 done, 2 nothing done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", metavar="SLUG", help="Only this account.")

    @needs_database()
    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        to_deliver, to_sweep = accounts_with_work(now), accounts_to_sweep(now)
        if options["account"]:
            account = Account.objects.filter(slug=options["account"]).first()
            if account is None:
                raise Refused(f"There is no account with the slug {options['account']}.")
            to_deliver = [id for id in to_deliver if id == account.id]
            to_sweep = [id for id in to_sweep if id == account.id]
        taken = 0
        for account_id in to_deliver:
            more = True
            while more:
                worked = deliver(account_id)
                taken, more = taken + worked.taken, worked.more
        swept = sum(sweep(account_id) for account_id in to_sweep)
        pushes = f"{taken:,} push{'' if taken == 1 else 'es'}"
        self.stdout.write(f"Sent or looked up {pushes}, looked for doubles of {swept:,}.")
