import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from flowpilot.psa.stand_in.connectwise import ConnectWiseStandIn
from flowpilot.psa.stand_in.server import serving
from operations.demo.msp import ticket_system
from resolutionflow.management.refusing import Refused, needs_database


class Command(BaseCommand):
    help = "Serves the demo MSP's ticket system on loopback; make run does it by itself. It forgets all at its end."
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        asked = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: asked.set())
        with needs_database():
            if not ticket_system.is_connected():
                raise Refused("The demo is not loaded here, or is not connected to its ticket system.")
            stand_in = ConnectWiseStandIn(seed=ticket_system.fill)
        with serving(stand_in, ticket_system.PORT):
            asked.wait()
