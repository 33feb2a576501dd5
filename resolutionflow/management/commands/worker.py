import asyncio
import logging
import sys
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException
from procrastinate.psycopg_connector import PsycopgConnector

logger = logging.getLogger("resolutionflow.worker")

PATIENCE = 10  # seconds that a statement of the queue waits for the database


class Command(BaseCommand):
    help = "Runs jobs until it is told to stop. Several may run; each job is done by one of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=2, help="jobs at the same time (default: 2)")
        parser.add_argument(
            "--grace",
            type=float,
            default=8,
            help="seconds that running jobs get when it is told to stop (default: 8)",
        )

    def handle(self, *, concurrency: int, grace: float, **options: Any) -> None:
        try:
            connection.ensure_connection()  # starts the embedded database where it is not running
            connection.close()
            asyncio.run(work(concurrency=concurrency, shutdown_graceful_timeout=grace))
        except (ConnectorException, DatabaseError, psycopg.Error) as error:
            logger.error("The worker ends: the database cannot be reached (%s)", str(error).strip())
            sys.exit(1)
        except asyncio.CancelledError:
            sys.exit(1)


async def work(**options: Any) -> None:
    """Returns after a stop signal. Raises, so that a supervisor begins anew, when the worker lost track of a job."""
    connector = PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=4, timeout=PATIENCE)
    with app.replace_connector(connector):
        async with app.open_async():
            worker = asyncio.create_task(app.run_worker_async(**options))

            def lost_track(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
                # A job's end could not be written down. While this worker lives, the job would count as running.
                logger.error("The worker ends: %s", context["message"], exc_info=context.get("exception"))
                if not worker.cancelling():
                    worker.cancel()

            asyncio.get_running_loop().set_exception_handler(lost_track)
            await worker
