from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from flowpilot.sessions.idle import close_idle_sessions
from resolutionflow.figures import counted


class Command(BaseCommand):
    help = "Closes the sessions that nobody worked in for their account's idle limit, as the hourly job does."

    def handle(self, **options: Any) -> None:
        closed = close_idle_sessions(timezone.now())
        self.stdout.write(f"Closed {counted(closed, 'idle session')}.")
