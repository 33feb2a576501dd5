import io
import os
import subprocess
import sys

import pytest

from resolutionflow import guard
from resolutionflow.supervisor import AlreadyRunning, Restarts, Service, Supervisor, for_people, only_one

WAIT_FOR_EVER = "import signal; print('up', flush=True); signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
GONE = "print('no luck', flush=True); raise SystemExit(7)"


class Terminal:
    """Collects what is said, and lets a test wait for a word."""

    def __init__(self):
        self.reader, self.writer = os.pipe()
        self.said = []

    def __call__(self, text):
        self.said.append(text)
        os.write(self.writer, f"{text}\n".encode())

    def wait_for(self, text):
        with os.fdopen(os.dup(self.reader), buffering=1) as lines:
            for line in lines:
                if text in line:
                    return


@pytest.fixture
def terminal():
    terminal = Terminal()
    yield terminal
    os.close(terminal.reader)
    os.close(terminal.writer)


@pytest.fixture
def supervise(tmp_path, terminal):
    supervisors = []

    def supervise(program):
        service = Service("web", [sys.executable, "-c", program], os.environ, tmp_path / "log" / "web.log")
        supervisors.append(Supervisor([service], say=terminal))
        return supervisors[-1], service

    yield supervise
    for supervisor in supervisors:
        supervisor.ask_to_stop()
        supervisor.ask_to_stop()
        supervisor.stop()


def test_the_pause_grows_until_something_lives_long():
    restarts = Restarts(shortest_pause=1)
    restarts.begin(0)
    assert [restarts.died(1) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert restarts.due == 31
    restarts.begin(31)
    assert restarts.died(31 + 60) == 1


def test_what_dies_starts_again_after_the_pause(supervise, terminal, tmp_path):
    supervisor, service = supervise(GONE)
    supervisor.tend(now=100)
    service.process.wait()
    supervisor.tend(now=100.5)
    assert service.process is None
    assert terminal.said == ["web | no luck", "web | ended with status 7, starting again in 1 s"]
    supervisor.tend(now=101.4)
    assert service.process is None
    supervisor.tend(now=101.5)
    assert service.process is not None
    service.process.wait()
    supervisor.tend(now=102)
    assert terminal.said[-1] == "web | ended with status 7, starting again in 2 s"
    assert (tmp_path / "log" / "web.log").read_text() == "no luck\nno luck\n"


def test_what_lives_is_left_alone_and_ends_at_the_stop(supervise, terminal):
    supervisor, service = supervise(WAIT_FOR_EVER)
    supervisor.tend(now=0)
    process = service.process
    terminal.wait_for("up")
    supervisor.tend(now=1)
    assert service.process is process
    supervisor.stop()
    assert process.returncode == -15


def test_a_second_request_to_stop_ends_what_is_deaf(supervise, terminal):
    supervisor, service = supervise(DEAF)
    supervisor.tend(now=0)
    process = service.process
    terminal.wait_for("up")
    supervisor.ask_to_stop()
    supervisor.ask_to_stop()
    supervisor.run()
    assert process.returncode == -9


def test_the_guard_ends_the_groups_that_are_left():
    def child():
        return subprocess.Popen(
            [sys.executable, "-c", WAIT_FOR_EVER], stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    with child() as left, child() as ended:
        for process in [left, ended]:
            assert process.stdout.readline() == "up\n"
        guard.tell([ended.pid], guard.signal.SIGKILL)
        ended.wait()
        # Reaps as init would: the guard's own children are nobody's here.
        waiting = subprocess.Popen(
            [sys.executable, "-m", "resolutionflow.guard"], stdin=subprocess.PIPE, text=True
        )
        waiting.stdin.write(f"+{left.pid}\n+{ended.pid}\n-{ended.pid}\n")
        waiting.stdin.close()
        assert left.wait() == -15
        assert waiting.wait() == 0


def test_only_one_at_a_time_and_the_next_reads_the_notes(tmp_path):
    with only_one(tmp_path) as notes:
        notes.keep(address="http://localhost:8000", started_database=True)
        with (
            pytest.raises(AlreadyRunning, match="already running here at http://localhost:8000"),
            only_one(tmp_path),
        ):
            pass
    with only_one(tmp_path) as notes:
        assert notes.notes == {"address": "http://localhost:8000", "started_database": True}
        notes.keep(address=None)
    with only_one(tmp_path) as notes:
        assert notes.notes == {"started_database": True}


def test_notes_that_cannot_be_read_are_no_notes(tmp_path):
    (tmp_path / "run.lock").write_text("not JSON")
    with only_one(tmp_path) as notes:
        assert notes.notes == {}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain text\n", "plain text"),
        ("\n", None),
        ('{"level": "INFO", "message": "GET / 200"}\n', None),
        ('{"level": "WARNING", "logger": "django.request", "message": "Not Found: /x"}\n', None),
        ('{"level": "ERROR", "logger": "django.request", "message": "Service Unavailable: /x"}\n', None),
        ('{"level": "WARNING", "logger": "jobs", "message": "late\\nby far"}\n', "warning: late"),
        ('{"level": "ERROR", "message": "bad", "exception": "Traceback\\nE: why"}\n', "error: bad – E: why"),
        ('{"other": "JSON"}\n', '{"other": "JSON"}'),
        ("[1]\n", "[1]"),
    ],
)
def test_the_terminal_shows_what_matters(line, shown):
    assert for_people(line) == shown


def test_the_guard_without_groups_just_ends():
    guard.main(io.StringIO(""))


def test_what_is_no_json_may_be_for_the_log_only():
    assert for_people("Subject: Your week", plain=False) is None
    error = '{"level": "ERROR", "message": "no luck", "exception": "Trace\\nOSError: gone\\n    "}'
    assert for_people(error, plain=False) == "error: no luck – OSError: gone"
