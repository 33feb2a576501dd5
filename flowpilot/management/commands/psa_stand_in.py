import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from flowpilot.psa.stand_in.connectwise import ConnectWiseStandIn
from flowpilot.psa.stand_in.seed import COMPANY_ID, PRIVATE_KEY, PUBLIC_KEY
from flowpilot.psa.stand_in.server import serving


class Command(BaseCommand):
    help = "Serves a stand-in for ConnectWise on loopback, for the demo and for tries. It forgets all at its end."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=0, help="default: any that is free")

    def handle(self, *, port: int, **options: Any) -> None:
        if not 0 <= port <= 65535:
            raise CommandError("The port must be a number up to 65535.", returncode=2)
        asked = threading.Event()
        for name in [signal.SIGTERM, signal.SIGINT]:
            signal.signal(name, lambda *_: asked.set())
        try:
            with serving(ConnectWiseStandIn(), port) as url:
                self.stdout.write(f"ConnectWise's stand-in serves {url}")
                self.stdout.write(f"Company {COMPANY_ID}, public key {PUBLIC_KEY}, private key {PRIVATE_KEY}")
                self.stdout.write("Stop it with Ctrl-C.")
                self.stdout.flush()
                asked.wait()
        except OSError as error:
            raise CommandError(f"The port {port} cannot be used: {error.strerror}.", returncode=2) from error
