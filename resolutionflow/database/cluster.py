"""The embedded PostgreSQL: a server of the project's own, for development and small installations."""

import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import sql

from resolutionflow.database.binaries import (
    MAJOR_VERSION,
    ServerUser,
    copied_programs,
    installed_programs,
)

ROOT_HOME = Path("/var/lib/resolutionflow-dev")
DATABASE = ROLE = "resolutionflow"
SUPERUSER = "postgres"
PORT = 5432  # only part of the socket's name: nothing listens on the network
LONGEST_SOCKET_PATH = 100  # bytes; Linux allows 107, macOS 103
POLL_SECONDS = 0.05
LARGEST_LOG = 5_000_000  # bytes

# Passed at each start, so that a change here reaches clusters that exist. Durability stays as PostgreSQL ships it.
SERVER_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "1",
    # Statements and the values of violated keys are customers' data and stay out of the log.
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}

# libpq prefers these to the password file, and they speak of some other server.
FOREIGN_VARIABLES = ["PGPASSWORD", "PGSERVICE", "PGOPTIONS"]


class ClusterError(Exception):
    """The embedded database cannot be used; the text says why and what helps."""


class Cluster:
    """One PostgreSQL server with its files in `home`, reached through a socket in a folder only its user may enter.

    Whether a server lives is never read from a process id, which may be stale or in use again: a server holds a
    lock on the file `alive` as long as any of its processes runs (it inherits the locked file), and it is ready when
    a real connection with its password succeeds.
    """

    # Whether a new database connection may start the server. manage.py and the tests switch it on; the web server
    # does not, it answers 503 until the supervisor has brought the database back.
    autostart = False

    def __init__(self, home: Path, *, run_as_other_user: bool = False) -> None:
        """`run_as_other_user`: the current user is root, the server gets an unprivileged one."""
        self.home = home
        self.run_as_other_user = run_as_other_user
        self.data = home / "data"
        self.log = home / "log" / "server.log"
        self.password_file = home / "password"
        self.socket_folder = self._choose_socket_folder()
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def for_project(cls, base_dir: Path, data_dir: Path) -> "Cluster":
        """The cluster of the checkout `base_dir`: in `data_dir`, or for root in a folder that other users can reach.

        Touches nothing, so that settings may call it.
        """
        data_dir = (base_dir / data_dir).resolve()
        if os.geteuid() != 0:
            return cls(data_dir / "postgres")
        return cls(ROOT_HOME / _short_hash(data_dir), run_as_other_user=True)

    def connection_settings(self) -> dict[str, Any]:
        """The entry for Django's DATABASES. It stays right whether or not the server runs or exists yet."""
        for name in FOREIGN_VARIABLES:
            os.environ.pop(name, None)
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": DATABASE,
            "USER": ROLE,
            "HOST": str(self.socket_folder),
            "PORT": str(PORT),
            "OPTIONS": {"passfile": str(self.password_file), "require_auth": "scram-sha-256"},
        }

    def ensure_running(self, *, timeout: float = 60) -> None:
        """Returns when the server answers, having started (and the first time made) it if need be.

        Several processes may call it at once. ClusterError if it does not answer within `timeout` seconds.
        """
        if self.answers():
            return
        try:
            self._make_home()
            with self._lock():
                if not self.answers():
                    self._make_data()
                    self._start(deadline=time.monotonic() + timeout)
                    self._make_database()
        except (OSError, LookupError, psycopg.Error) as error:
            raise ClusterError(f"The embedded PostgreSQL cannot be used: {error}") from error

    def stop(self, *, timeout: float = 60) -> bool:
        """Ends the server, connections included, and waits for it. Returns whether one was running."""
        if not self.is_alive():
            return False
        deadline = time.monotonic() + timeout
        signalled = False
        with self._lock():
            while self.is_alive():
                if not signalled:
                    signalled = self._interrupt()
                if time.monotonic() > deadline:
                    raise ClusterError(
                        f"The embedded PostgreSQL did not stop within {timeout:.0f} s, see {self.log}"
                    )
                time.sleep(POLL_SECONDS)
        return True

    def status(self) -> str:
        """`running`, `stopped`, or `busy` while it starts, stops or recovers."""
        if self.answers():
            return "running"
        return "busy" if self.is_alive() else "stopped"

    def answers(self) -> bool:
        """Whether the project's role can connect to the project's database."""
        try:
            self._connect(ROLE, DATABASE).close()
        except psycopg.Error:
            return False
        return True

    def is_alive(self) -> bool:
        """Whether any process of the server exists. Cheap: it looks at a lock, not at the server."""
        if self._process is not None:
            self._process.poll()  # reaps a child that ended
        try:
            with (self.home / "alive").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False

    def erase(self) -> None:
        """Stops the server and removes every file of it, all data included."""
        self.stop()
        for folder in [self.home, self.socket_folder]:
            if folder.exists():
                shutil.rmtree(folder)

    # Making

    def _make_home(self) -> None:
        if self.run_as_other_user:
            for folder in [ROOT_HOME, self.home]:
                _make_folder(folder, mode=0o755)
        else:
            self.home.parent.mkdir(parents=True, exist_ok=True)
            _make_folder(self.home, mode=0o700)

    def _make_data(self) -> None:
        """initdb, in a folder that gets its name when it is complete: a start that is killed leaves no half cluster."""
        version_file = self.data / "PG_VERSION"
        if version_file.exists():
            found = version_file.read_text().strip()
            if found != MAJOR_VERSION:
                raise ClusterError(
                    f"{self.data} is of PostgreSQL {found}, the installed programs are {MAJOR_VERSION}."
                )
            if not self.password_file.exists():
                raise ClusterError(f"{self.password_file} is gone, and with it the way into {self.data}.")
            return
        password = secrets.token_urlsafe(32)
        unfinished = self.home / "unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        self._make_server_folder(unfinished)
        self._make_server_folder(self.log.parent)
        # In the format of libpq's passfile, so that settings need not know the password.
        descriptor = os.open(self.password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"*:*:*:*:{password}\n")
        with tempfile.NamedTemporaryFile("w", dir=self.home) as password_for_initdb:
            password_for_initdb.write(password)
            password_for_initdb.flush()
            self._give_to_server_user(Path(password_for_initdb.name))
            command: list[str | Path] = [
                self._programs() / "initdb",
                f"--pgdata={unfinished}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_for_initdb.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
            ]
            done = subprocess.run(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
                **self._as_server_user(),
            )
        if done.returncode:
            raise ClusterError(f"initdb failed:\n{done.stdout.strip()}")
        unfinished.rename(self.data)

    def _make_database(self) -> None:
        """The project's role and database, where they are missing. The role may create databases, for the tests."""
        password = self.password_file.read_text().strip().rpartition(":")[2]
        with self._connect(SUPERUSER, "postgres") as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                create = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}")
                connection.execute(create.format(sql.Identifier(ROLE), password))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(DATABASE), sql.Identifier(ROLE)
                    )
                )

    # Starting and stopping

    def _start(self, *, deadline: float) -> None:
        """Returns when the superuser can connect. Call it under the lock."""
        process = None
        while not self._answers_superuser():
            if process is None:
                process = self._launch_unless_alive()
            elif process.poll() is not None:
                raise ClusterError(f"The embedded PostgreSQL ended at its start:\n{self._end_of_log()}")
            if time.monotonic() > deadline:
                raise ClusterError(f"The embedded PostgreSQL does not answer:\n{self._end_of_log()}")
            time.sleep(POLL_SECONDS)

    def _launch_unless_alive(self) -> subprocess.Popen[bytes] | None:
        """Starts the server; None while an earlier one still has a process (starting, recovering or ending)."""
        with (self.home / "alive").open("ab") as alive:
            try:
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None
            # No process of a server is left. PostgreSQL itself would believe a process that got the old one's id.
            self._make_server_folder(self.log.parent)
            self._make_socket_folder()
            for left_over in [self.data / "postmaster.pid", *self.socket_folder.glob(".s.PGSQL.*")]:
                left_over.unlink(missing_ok=True)
            settings = SERVER_SETTINGS | {"unix_socket_directories": f'"{self.socket_folder}"'}
            command: list[str | Path] = [self._programs() / "postgres", "-D", self.data]
            for name, value in settings.items():
                command += ["-c", f"{name}={value}"]
            with self._open_log() as log:
                self._process = subprocess.Popen(  # noqa: S603
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[alive.fileno()],  # the server and all its processes keep the lock
                    start_new_session=True,  # Ctrl-C in the terminal is not for it
                    **self._as_server_user(),
                )
        return self._process

    def _interrupt(self) -> bool:
        """Asks the server for a fast shutdown; False if it cannot be reached safely yet."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            return True
        try:
            with self._connect(SUPERUSER, "postgres") as connection:
                # From the server that answered, so its own and current; the file itself may be a dead server's.
                row = connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone()
        except psycopg.Error:
            return False
        if row:
            os.kill(int(row[0].split()[0]), signal.SIGINT)
        return bool(row)

    def _answers_superuser(self) -> bool:
        try:
            self._connect(SUPERUSER, "postgres").close()
        except psycopg.Error:
            return False
        return True

    def _connect(self, user: str, database: str) -> psycopg.Connection:
        options = self.connection_settings()["OPTIONS"]
        return psycopg.connect(
            host=str(self.socket_folder),
            port=PORT,
            user=user,
            dbname=database,
            connect_timeout=5,
            application_name="resolutionflow start and stop",
            autocommit=True,
            **options,
        )

    # Files and users

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """One process at a time starts or stops; others wait for their turn."""
        with (self.home / "lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _choose_socket_folder(self) -> Path:
        """In `home`, unless that path is too long for a socket or has a comma, which libpq takes for two hosts."""
        folder = self.home / "socket"
        path = os.fsencode(folder / f".s.PGSQL.{PORT}")
        if len(path) <= LONGEST_SOCKET_PATH and b"," not in path:
            return folder
        return Path("/tmp") / f"resolutionflow-{os.geteuid()}-{_short_hash(self.home)}"  # noqa: S108 - owner is checked

    def _make_socket_folder(self) -> None:
        self._make_server_folder(self.socket_folder)
        found = self.socket_folder.lstat()
        owner = self._server_user().uid if self.run_as_other_user else os.geteuid()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
            raise ClusterError(
                f"{self.socket_folder} belongs to somebody else or is open to others: remove it."
            )

    def _make_server_folder(self, folder: Path) -> None:
        """A folder for the server's user alone; an existing one stays as it is."""
        if _make_folder(folder, mode=0o700):
            self._give_to_server_user(folder)

    def _give_to_server_user(self, path: Path) -> None:
        if self.run_as_other_user:
            user = self._server_user()
            os.chown(path, user.uid, user.gid, follow_symlinks=False)

    def _open_log(self) -> IO[bytes]:
        """The server's log for appending; an old and large one begins anew."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        file = os.fdopen(os.open(self.log, flags, 0o600), "ab")
        if os.fstat(file.fileno()).st_size > LARGEST_LOG:
            file.truncate(0)
        return file

    def _end_of_log(self) -> str:
        with suppress(OSError):
            lines = self.log.read_text(errors="replace").splitlines()[-5:]
            return "\n".join([*lines, f"({self.log})"])
        return f"({self.log} is missing)"

    def _programs(self) -> Path:
        return copied_programs(self.home) if self.run_as_other_user else installed_programs()

    def _server_user(self) -> ServerUser:
        # Whoever owns the data; a better candidate that was installed since could not read them.
        return ServerUser.owner_of(self.data) if self.data.exists() else ServerUser.unprivileged()

    def _as_server_user(self) -> Mapping[str, Any]:
        """Arguments for subprocess: who runs it, and an environment without another server's variables."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))
        }
        arguments: dict[str, Any] = {"cwd": "/", "env": environment | {"LC_ALL": "C"}}
        if self.run_as_other_user:
            user = self._server_user()
            arguments |= {"user": user.uid, "group": user.gid, "extra_groups": []}
        return arguments


def _make_folder(folder: Path, *, mode: int) -> bool:
    """Makes it with exactly this mode, whatever the umask. False if it exists: then its mode is left alone."""
    try:
        folder.mkdir(mode=mode)
    except FileExistsError:
        return False
    folder.chmod(mode)
    return True


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
