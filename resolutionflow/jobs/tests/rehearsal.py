"""Jobs for tests, and a real worker process that knows them, reached over a wire that a test can cut."""

import os
import select
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from resolutionflow.jobs import job

WORKER = """
import django
django.setup()
import resolutionflow.jobs.tests.rehearsal
from django.core.management import call_command
call_command("worker", "--grace=5")
"""


@job("rehearsal.note", "Rehearsal")
def note(path: str, seconds: int) -> None:
    """Writes down that it began, takes its time or waits for a file to go, and writes down that it ended."""
    with Path(path).open("a") as file:
        print("begun", file=file, flush=True)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and Path(f"{path}.wait").exists():
            time.sleep(0.05)
        print("ended", file=file, flush=True)


@job("rehearsal.fail", "Rehearsal of a failure")
def fail() -> None:
    raise ValueError("no luck with postgres://root:hunter2@db/main\nDETAIL: a row")


def wait_for(what, seconds=30):
    """Waits until `what()` is true; fails the test if it never is."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def worker_program() -> tuple[list[str], dict[str, str]]:
    return [sys.executable, "-c", WORKER], os.environ | {
        "DJANGO_SETTINGS_MODULE": "resolutionflow.settings_test",
        "PYTHONPATH": str(settings.BASE_DIR),
    }


class Wire:
    """Forwards to the tests' database. `cut` ends all connections and refuses new ones until `mend`."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self.info = connection.connection.info
        self.listener, self.port = None, 0
        self.sockets: list[socket.socket] = []
        self.mend()

    @property
    def url(self) -> str:
        info = self.info
        person = f"{quote(info.user)}:{quote(info.password)}"
        return f"postgres://{person}@127.0.0.1:{self.port}/{info.dbname}"

    def mend(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=[self.listener], daemon=True).start()

    def cut(self) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in self.sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.sockets.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here = listener.accept()[0]
                there = self._database()
                self.sockets += [here, there]
                threading.Thread(target=_forward, args=[here, there], daemon=True).start()

    def _database(self) -> socket.socket:
        if not self.info.host.startswith("/"):
            return socket.create_connection((self.info.host, self.info.port))
        there = socket.socket(socket.AF_UNIX)
        there.connect(f"{self.info.host}/.s.PGSQL.{self.info.port}")
        return there


def _forward(here: socket.socket, there: socket.socket) -> None:
    other = {here: there, there: here}
    with suppress(OSError), here, there:
        while True:
            for end in select.select([here, there], [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                other[end].sendall(data)
