import sys
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.utils import timezone
from tqdm import tqdm

from operations.demo import DEMOS, PASSWORD, Demo
from operations.importing.faults import Unusable
from operations.processes import second_process
from resolutionflow.management.refusing import Refused, needs_database


class Command(BaseCommand):
    help = "Loads the demo accounts, an invented MSP and a real incident log, with people to sign in as."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--reset", action="store_true", help="Delete the demo accounts first and load them anew."
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
        there = {demo.slug: demo.account() for demo in DEMOS}  # refuses before anything is changed
        missing = [
            demo for demo in DEMOS if (account := there[demo.slug]) is None or not demo.is_loaded(account)
        ]
        if not missing and not reset:
            self.stdout.write("The demo is loaded already. --reset loads it anew.")
            return
        if settings.HTTPS and not password:
            raise Refused(
                "Everybody knows the demo's password: where HTTPS is on, name another one with --password PASSWORD."
            )
        password_hash = make_password(password or PASSWORD)  # once: it takes its time on purpose
        summaries = self._load_all(DEMOS if reset else missing, reset, password_hash)
        if quiet:
            return
        for summary in summaries:
            self.stdout.write(summary)
        for demo in DEMOS:
            for login in demo.logins:
                known = PASSWORD if password is None else "(the password that you gave)"
                self.stdout.write(f"{demo.name}, {login.role}: {login.email}  {known}")

    def _load_all(self, demos: Sequence[Demo], reset: bool, password_hash: str) -> list[str]:
        """The first one here, the others beside it; all here in a transaction, of which a process sees nothing."""
        now = timezone.now()
        here, beside = demos[:1], demos[1:]
        if connection.in_atomic_block or not beside:
            return [self._load_here(demo, reset, password_hash, now) for demo in demos]
        with second_process() as process:
            coming = [process.submit(_load, demo, reset, password_hash, now) for demo in beside]
            done = [self._load_here(demo, reset, password_hash, now) for demo in here]
            try:
                return done + [summary.result() for summary in coming]
            except BrokenProcessPool:
                names = " and ".join(demo.name for demo in beside)
                raise Refused(
                    f"The process that loads {names} was ended. Load the demo again with --reset."
                ) from None

    def _load_here(self, demo: Demo, reset: bool, password_hash: str, now: datetime) -> str:
        with tqdm(desc=demo.name, file=sys.stderr, disable=not sys.stderr.isatty(), unit_scale=True) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            return _load(demo, reset, password_hash, now, progress)


def _load(
    demo: Demo,
    reset: bool,
    password_hash: str,
    now: datetime,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> str:
    if reset:
        demo.remove()
    return demo.load(password_hash=password_hash, now=now, progress=progress)
