from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from resolutionflow.database.cluster import Cluster, ClusterError
from resolutionflow.supervisor import AlreadyRunning, only_one


class Command(BaseCommand):
    help = "Erases the embedded database with everything in it, so that the next start begins anew."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--apply", action="store_true", help="do it; without this it only says what would go"
        )

    def handle(self, *, apply: bool, **options: Any) -> None:
        cluster: Cluster | None = settings.EMBEDDED_DATABASE
        if cluster is None:
            raise CommandError(
                "DATABASE_URL is set: nothing is erased in a database of your own.", returncode=2
            )
        if not apply:
            self.stdout.write(f"Would erase {cluster.home} with all data. Add --apply to do it.")
            return
        try:
            with only_one(settings.DATA_DIR):
                cluster.erase()
        except AlreadyRunning as error:
            raise CommandError(f"{error} Stop it first.", returncode=2) from error
        except (ClusterError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("The embedded database is erased. `make run` begins anew.")
