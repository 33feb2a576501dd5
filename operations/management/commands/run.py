import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connections

from operations.demo import DEMOS, PASSWORD
from operations.demo.msp import ticket_system
from resolutionflow.accounts.models import Account, User
from resolutionflow.database.cluster import Cluster, ClusterError
from resolutionflow.static_files import CollectedFiles
from resolutionflow.supervisor import GRACE_SECONDS, AlreadyRunning, RunNotes, Service, Supervisor, only_one

BAD_USE = 2
BACKLOG = 128
WORKERS, THREADS = 2, 4


class Command(BaseCommand):
    help = "Serves ResolutionFlow on this machine: database, migrations, demo, web server, worker, all kept running."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        port = os.environ.get("PORT") or "8000"
        parser.add_argument("--port", default=port, help="default: the variable PORT, else 8000")

    def handle(self, *, port: str, **options: Any) -> None:
        on_stop_signals(signal.default_int_handler)  # each of them interrupts the preparation
        threading.Thread(target=hang_up_with_terminal, daemon=True).start()
        try:
            with (
                only_one(settings.DATA_DIR) as notes,
                listening(port) as listener,
                database_for_this_run(settings.EMBEDDED_DATABASE, notes),
            ):
                self.serve(listener, notes)
        except KeyboardInterrupt:
            pass
        except AlreadyRunning as error:
            raise CommandError(str(error), returncode=BAD_USE) from error
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {error}".strip()) from error
        except (ClusterError, OSError) as error:
            raise CommandError(str(error)) from error
        self.say("Stopped.")

    def serve(self, listener: socket.socket, notes: RunNotes) -> None:
        """Returns when a stop signal came and everything that it started has ended."""
        port = listener.getsockname()[1]
        environment = serving_environment(port)
        self.prepare_database(notes, environment)
        self.collect_static_files(environment)
        services = [web_server(listener, environment), worker(environment)]
        if ticket_system.is_connected():
            if ticket_system.port_is_free():
                services.append(demo_ticket_system(environment))
            else:
                self.say(f"Port {ticket_system.PORT} is in use, so the demo has no ticket system of its own.")
        supervisor = Supervisor(services, settings.EMBEDDED_DATABASE, say=self.say)
        on_stop_signals(lambda *_: supervisor.ask_to_stop())
        notes.keep(address=f"http://localhost:{port}")
        threading.Thread(target=self.announce, args=[port, demo_logins()], daemon=True).start()
        supervisor.run()

    def prepare_database(self, notes: RunNotes, environment: dict[str, str]) -> None:
        self.say("Preparing the database …")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        # The note tells of a first start that was ended halfway.
        if notes.notes.get("demo_unfinished") or not Account.objects.exists():
            self.say("Loading the demo …")
            notes.keep(demo_unfinished=True)
            manage("load_demo", environment, "--verbosity=0")  # the logins are told at the end
            notes.keep(demo_unfinished=None)

    def collect_static_files(self, environment: dict[str, str]) -> None:
        collected = CollectedFiles(settings.STATIC_ROOT)
        if not collected.are_current():
            self.say("Collecting static files …")
            manage("collectstatic", environment, "--noinput", "--clear", "--verbosity=0")
            collected.mark_current()

    def announce(self, port: int, logins: list[tuple[str, str, str]]) -> None:
        """Says where to look once the web server really answers."""
        while not answers(port):
            time.sleep(0.1)
        lines = ["", f"ResolutionFlow is ready: http://localhost:{port}", ""]
        if logins:
            width = max(len(email) for _, email, _ in logins)
            lines.append("Demo logins:")
            lines += [f"  {email:<{width}}  {password}  ({whose})" for whose, email, password in logins]
            lines.append("")
        logs = settings.DATA_DIR / "log"
        lines.append(f"Requests are logged in {logs / 'web.log'}, jobs in {logs / 'worker.log'}.")
        lines.append("Mail is printed there too. Ctrl-C ends it.")
        self.say("\n".join(lines))

    def say(self, text: str) -> None:
        with suppress(OSError):  # the terminal may be gone; that is no reason to end in disorder
            self.stdout.write(text)
            self.stdout.flush()


def on_stop_signals(handler: Callable[..., Any] | signal.Handlers) -> None:
    signal.signal(signal.SIGINT, handler)
    signal.signal(signal.SIGTERM, handler)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, handler)


def hang_up_with_terminal() -> None:
    """Waits for the terminal to go away. The kernel tells only its first process, which may be make and deaf to it."""
    if sys.stdin and sys.stdin.isatty() and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        terminal = select.poll()
        terminal.register(sys.stdin, 0)
        if any(event & select.POLLHUP for _, event in terminal.poll()):
            os.kill(os.getpid(), signal.SIGHUP)


@contextmanager
def listening(port: str) -> Iterator[socket.socket]:
    """The socket the web server serves from. It is ours, so that the port stays ours while the web server restarts."""
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise CommandError(f"PORT must be a number from 1 to 65535, not “{port}”.", returncode=BAD_USE)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", int(port)))
            listener.listen(BACKLOG)
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            other = int(port) % 65535 + 1
            message = f"Port {port} cannot be used ({reason}). Choose another one: make run PORT={other}"
            raise CommandError(message, returncode=BAD_USE) from error
        yield listener


@contextmanager
def database_for_this_run(cluster: Cluster | None, notes: RunNotes) -> Iterator[None]:
    """The embedded database runs inside; it ends with us if it was not running before."""
    if cluster is None:
        yield
        return
    # The note is from a run that was killed.
    ours = not cluster.is_alive() or bool(notes.notes.get("started_database"))
    notes.keep(started_database=ours or None)
    try:
        cluster.ensure_running()
        yield
    finally:
        on_stop_signals(signal.SIG_IGN)
        connections.close_all()
        if ours:
            cluster.stop()
        notes.keep(started_database=None, address=None)


def serving_environment(port: int) -> dict[str, str]:
    """Variables for what serves: as in production, but for TLS, whatever the development `.env` says."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "resolutionflow.settings",
        "DEBUG": "false",
        "HTTPS": "false",
        "DATABASE_POOL": "true",
        "BASE_URL": f"http://localhost:{port}",
        "ALLOWED_HOSTS": ",".join(settings.ALLOWED_HOSTS or ["localhost", "127.0.0.1"]),
        "PYTHONUNBUFFERED": "1",
        # The demo's ticket system is on this machine, and the client id that it wants is anybody's.
        "PSA_INTERNAL_HOSTS": ",".join(settings.PSA_INTERNAL_HOSTS or ["127.0.0.1"]),
        "CONNECTWISE_CLIENT_ID": settings.CONNECTWISE_CLIENT_ID or "00000000-0000-0000-0000-000000000000",
    }


def web_server(listener: socket.socket, environment: dict[str, str]) -> Service:
    command = [
        *[sys.executable, "-m", "gunicorn", "resolutionflow.wsgi", f"--chdir={settings.BASE_DIR}"],
        *[f"--bind=fd://{listener.fileno()}", "--no-control-socket", "--log-level=warning"],
        *["--worker-class=gthread", f"--workers={WORKERS}", f"--threads={THREADS}", "--graceful-timeout=5"],
    ]
    log = settings.DATA_DIR / "log" / "web.log"
    return Service("web", command, environment, log, pass_fds=[listener.fileno()])


def worker(environment: dict[str, str]) -> Service:
    """Runs the jobs. Told to stop, it ends before the supervisor's patience does."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker", f"--grace={GRACE_SECONDS - 2}"]
    log = settings.DATA_DIR / "log" / "worker.log"
    return Service("worker", command, environment, log, tells_plain_lines=False)


def demo_ticket_system(environment: dict[str, str]) -> Service:
    """What stands in for the demo MSP's ticket system. Only where the demo is."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo_ticket_system"]
    return Service("tickets", command, environment, settings.DATA_DIR / "log" / "tickets.log")


def manage(command: str, environment: dict[str, str], *arguments: str) -> None:
    """Runs a command with the web server's settings; CommandError if it fails."""
    program = [sys.executable, str(settings.BASE_DIR / "manage.py"), command, *arguments]
    # In a session of its own: Ctrl-C reaches only us, and we end it.
    done = subprocess.run(  # noqa: S603
        program, env=environment, check=False, stdin=subprocess.DEVNULL, start_new_session=True
    )
    if done.returncode:
        raise CommandError(f"manage.py {command} ended with status {done.returncode}.")


def demo_logins() -> list[tuple[str, str, str]]:
    """(whose login, email, password) of the demo's people that exist in this database."""
    logins = [(f"{demo.name}, {login.role}", login.email) for demo in DEMOS for login in demo.logins]
    existing = set(
        User.objects.filter(email__in=[email for _, email in logins]).values_list("email", flat=True)
    )
    connections.close_all()
    return [(whose, email, PASSWORD) for whose, email in logins if email in existing]


def answers(port: int) -> bool:
    """Whether a web server answers there at all, be it with an error."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True
