import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from tqdm import tqdm

from operations.demo import DEMO_LOGINS
from operations.demo.loading import demo_account, is_loaded, load_demo, remove_demo
from operations.demo.logins import PASSWORD
from operations.importing.faults import Unusable
from resolutionflow.management.refusing import Refused, needs_database


class Command(BaseCommand):
    help = "Loads the demo account: a real incident log, moved to the present, with people to sign in as."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--reset", action="store_true", help="Delete the demo account first and load it anew."
        )
        parser.add_argument("--password", help="Of the demo logins; needed where HTTPS is on.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with needs_database():
                self._load(
                    reset=options["reset"], password=options["password"], quiet=not options["verbosity"]
                )
        except Unusable as error:
            raise Refused(str(error)) from None

    def _load(self, *, reset: bool, password: str | None, quiet: bool) -> None:
        account = demo_account()
        if account and not reset and is_loaded(account):
            self.stdout.write("The demo is loaded already. --reset loads it anew.")
            return
        if settings.HTTPS and not password:
            raise Refused(
                "Everybody knows the demo's password: where HTTPS is on, name another one with --password PASSWORD."
            )
        if reset:
            remove_demo()
        with tqdm(unit="B", unit_scale=True, file=sys.stderr, disable=not sys.stderr.isatty()) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            summary = load_demo(password=password or PASSWORD, now=timezone.now(), progress=progress)
        if quiet:
            return
        self.stdout.write(str(summary))
        for role, email, known in DEMO_LOGINS:
            self.stdout.write(
                f"{role}: {email}  {known if password is None else '(the password that you gave)'}"
            )
