import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from resolutionflow.database.cluster import Cluster, ClusterError

NOT_RUNNING = 3


class Command(BaseCommand):
    help = "Starts, stops or looks at the embedded PostgreSQL. Status ends with 0 if it is running, 3 if not."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status"])

    def handle(self, *, action: str, **options: Any) -> None:
        cluster: Cluster | None = settings.EMBEDDED_DATABASE
        if cluster is None:
            raise CommandError("DATABASE_URL is set, so there is no embedded database here.", returncode=2)
        try:
            if action == "start":
                cluster.ensure_running()
                self.stdout.write(f"The embedded database is running, its data is in {cluster.data}.")
            elif action == "stop":
                stopped = cluster.stop()
                self.stdout.write(f"The embedded database {'is stopped' if stopped else 'was not running'}.")
            else:
                status = cluster.status()
                words = {
                    "running": "running",
                    "stopped": "stopped",
                    "busy": "starting, stopping or recovering",
                }
                self.stdout.write(f"The embedded database is {words[status]}.")
                sys.exit(0 if status == "running" else NOT_RUNNING)
        except ClusterError as error:
            raise CommandError(str(error)) from error
