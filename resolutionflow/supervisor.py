"""Keeps the web server, and whatever is added to its list, and the embedded database running."""

import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Any

from resolutionflow.database.cluster import Cluster, ClusterError

POLL_SECONDS = 0.2
GRACE_SECONDS = 10  # between asking a child to end and ending it
LONGEST_PAUSE = 30.0  # seconds
STEADY_SECONDS = 60  # who lived this long begins again with the shortest pause
LOG_BYTES = 10_000_000


class AlreadyRunning(Exception):
    """Another supervisor has this data folder; the text says where it serves."""


@dataclass
class Restarts:
    """When something that died may start again: after a pause that grows while it keeps dying soon."""

    shortest_pause: float = 1.0
    pause: float = 0.0
    started: float = float("-inf")
    due: float = float("-inf")

    def begin(self, now: float) -> None:
        self.started = now

    def died(self, now: float) -> float:
        """Sets when it is due; returns the pause until then in seconds."""
        steady = now - self.started >= STEADY_SECONDS
        self.pause = self.shortest_pause if steady or not self.pause else min(self.pause * 2, LONGEST_PAUSE)
        self.due = now + self.pause
        return self.pause


@dataclass
class Service:
    """A program to keep running. Its output goes to `log` line by line, what matters of it to the terminal too.

    tells_plain_lines: whether lines that are no JSON matter. Mail that is printed in place of being sent does not.
    """

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    log: Path
    pass_fds: Sequence[int] = ()
    tells_plain_lines: bool = True
    process: subprocess.Popen[str] | None = field(default=None, init=False)
    reader: threading.Thread | None = field(default=None, init=False)

    def start(self, say: Callable[[str], None]) -> int:
        """Starts it in a process group of its own and returns the group's id."""
        self.process = subprocess.Popen(  # noqa: S603
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=self.pass_fds,
            start_new_session=True,  # Ctrl-C in the terminal reaches the supervisor only
            text=True,
            errors="replace",
        )
        self.reader = threading.Thread(target=self._read, args=[self.process.stdout, say], daemon=True)
        self.reader.start()
        return self.process.pid

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_end(self) -> None:
        if self.process is not None and self.is_alive():
            self.process.terminate()

    def end(self) -> int | None:
        """Ends the whole group, what the program left behind included. Returns its id, None if there was none."""
        process, self.process = self.process, None
        if process is None:
            return None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if self.reader is not None:
            self.reader.join(timeout=1)
        return process.pid

    def _read(self, output: IO[str], say: Callable[[str], None]) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.log.touch(mode=0o600)  # mail that is not sent stands there, with links that open a login
        handler = RotatingFileHandler(self.log, maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8")
        with output:
            for line in output:
                handler.emit(logging.makeLogRecord({"msg": line.rstrip("\n")}))
                shown = for_people(line, plain=self.tells_plain_lines)
                if shown is not None:
                    say(f"{self.name} | {shown}")
        handler.close()


@dataclass
class Supervisor:
    """`run` starts the services and restarts what dies, the database included, until it is told to stop.

    database: the embedded one, already running, or None. It is left running at the end.
    """

    services: Sequence[Service]
    database: Cluster | None = None
    say: Callable[[str], None] = print
    shortest_pause: float = 1.0
    stops_asked: int = 0

    def __post_init__(self) -> None:
        self._restarts = {service.name: Restarts(self.shortest_pause) for service in self.services}
        self._database_restarts = Restarts(self.shortest_pause)
        self._database_seen = True
        self._guard: subprocess.Popen[str] | None = None

    def run(self) -> None:
        """Returns when everything it started has ended."""
        try:
            while not self.stops_asked:
                self.tend(time.monotonic())
                time.sleep(POLL_SECONDS)
        finally:
            self.stop()

    def ask_to_stop(self) -> None:
        """For signal handlers: the first time ends gently, the second at once."""
        self.stops_asked += 1

    def tend(self, now: float) -> None:
        """One look at everything: notes what died, starts what is due. `now` is monotonic, in seconds."""
        if self.database is not None:
            self._tend_database(self.database, now)
        for service in self.services:
            self._tend_service(service, now)

    def stop(self) -> None:
        """Ends the services, gently at first."""
        for service in self.services:
            service.ask_to_end()
        deadline = time.monotonic() + GRACE_SECONDS
        while any(service.is_alive() for service in self.services):
            if self.stops_asked > 1 or time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS / 4)
        for service in self.services:
            self._tell_guard("-", service.end())
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait()

    def _tend_service(self, service: Service, now: float) -> None:
        restarts = self._restarts[service.name]
        if service.is_alive():
            return
        if service.process is not None:
            status = service.process.returncode
            self._tell_guard("-", service.end())
            pause = restarts.died(now)
            self.say(f"{service.name} | ended with status {status}, starting again in {pause:.0f} s")
        if now >= restarts.due:
            restarts.begin(now)
            self._tell_guard("+", service.start(self.say))

    def _tend_database(self, database: Cluster, now: float) -> None:
        restarts = self._database_restarts
        if database.is_alive():
            self._database_seen = True
            return
        if self._database_seen:
            self._database_seen = False
            self.say(f"database | ended, starting again in {restarts.died(now):.0f} s")
        if now >= restarts.due:
            restarts.begin(now)
            try:
                database.ensure_running()
                self.say("database | running again")
            except ClusterError as error:
                restarts.died(now)
                self.say(f"database | {error}")

    def _tell_guard(self, change: str, group: int | None) -> None:
        if group is None:
            return
        if self._guard is None:
            self._guard = subprocess.Popen(
                [sys.executable, "-m", "resolutionflow.guard"],
                cwd=Path(__file__).resolve().parent.parent,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                text=True,
                bufsize=1,
            )
        with suppress(OSError):
            print(f"{change}{group}", file=self._guard.stdin)


def for_people(line: str, *, plain: bool = True) -> str | None:
    """A line of output as the terminal shows it: plain lines as they are, of our JSON only warnings and worse."""
    line = line.rstrip()
    try:
        entry = json.loads(line)
        level = logging.getLevelNamesMapping()[entry["level"]]
    except (ValueError, TypeError, KeyError):
        return line or None if plain else None
    # Django logs each 4xx and 503 that it answers; only with an exception is it news.
    expected = entry.get("logger") == "django.request" and "exception" not in entry
    if level < logging.WARNING or expected:
        return None
    reason = str(entry.get("exception", "")).strip().rpartition("\n")[2]
    message = str(entry.get("message")).partition("\n")[0]
    return f"{entry['level'].lower()}: {message}" + (f" – {reason}" if reason else "")


class RunNotes:
    """What a supervisor leaves for the next one in its lock file, kept when it is killed."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.notes = read_notes(file)

    def keep(self, **notes: Any) -> None:
        """Adds notes; None removes one."""
        self.notes = {name: value for name, value in (self.notes | notes).items() if value is not None}
        self._file.seek(0)
        self._file.truncate()
        json.dump(self.notes, self._file)
        self._file.flush()


@contextmanager
def only_one(data_dir: Path) -> Iterator[RunNotes]:
    """Holds the data folder's lock, which ends with the process at the latest. AlreadyRunning if another has it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            where = read_notes(file).get("address")
            raise AlreadyRunning(
                f"ResolutionFlow is already running here{f' at {where}' if where else ''}."
            ) from None
        yield RunNotes(file)


def read_notes(file: IO[str]) -> dict[str, Any]:
    file.seek(0)
    try:
        notes = json.load(file)
    except ValueError:
        return {}
    return notes if isinstance(notes, dict) else {}
