"""A run that is killed anywhere, or that meets another one, loses nothing and doubles nothing."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.db import connection, connections

from flowpilot.analysis import filing, running
from flowpilot.analysis.running import analyse
from flowpilot.analysis.tests.telling import ONEDRIVE, SPOOLER, VPN, tell
from flowpilot.models import FlowProposal, Problem, ProblemSession, Session
from flowpilot.tests.factories import DomainFactory
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory

NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
STORIES = [story for three in zip(SPOOLER, ONEDRIVE, VPN, strict=False) for story in three]


@pytest.fixture
def account(transactional_db):
    account = AccountFactory(name="Northgate IT", slug="northgate")
    with account_scope(account):
        tell(STORIES, domain=DomainFactory(name="Desktop"))
        yield account


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(running, "BATCH", 5)
    monkeypatch.setattr(filing, "AT_ONCE", 2)


def whats_there():
    """Each proposal with the sessions behind it; every session is read and about one problem."""
    found = {}
    for proposal in FlowProposal.objects.all():
        assert proposal.title not in found
        found[proposal.title] = len(proposal.evidence["sessions"])
    assert not Session.objects.filter(analysed_at=None).exists()
    assert ProblemSession.objects.count() == len(STORIES)
    assert sum(Problem.objects.values_list("session_count", flat=True)) == len(STORIES)
    return found


ALL = {
    "Printer not printing, jobs stuck in queue": 4,
    "OneDrive not syncing": 4,
    "VPN error 809 from home": 4,
}


PARENTS = []


def killed_at_write(account, number):
    """Analyses in a process of its own, which is killed before the given write, from 1 on; False if it had fewer."""
    child = os.fork()
    if child == 0:
        try:
            PARENTS.append(connection.connection)  # not to be used here, nor closed
            connection.connection = None
            writes = 0

            def count(execute, sql, params, many, context):
                nonlocal writes
                writes += sql.startswith(("INSERT", "UPDATE", "DELETE"))
                if writes == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return execute(sql, params, many, context)

            with connection.execute_wrapper(count):
                analyse(account, NOW)
            os._exit(0)
        finally:
            os._exit(2)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def half_done():
    """Whether a session is marked as read that is about no problem, or the other way round."""
    read = set(Session.objects.exclude(analysed_at=None).values_list("id", flat=True))
    return read ^ set(ProblemSession.objects.values_list("session_id", flat=True))


@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_killed_before_each_of_its_writes_it_goes_on_where_it_stopped(account, small_batches):
    assert killed_at_write(account, 1)
    assert not half_done()
    kills = 1
    # Each next run gets one write further, then again only one: none may count on having been the first.
    while killed_at_write(account, 1 + kills % 8):
        kills += 1
        assert not half_done()
        assert kills < 100
    assert kills > 4
    assert whats_there() == ALL
    analyse(account, NOW)
    assert whats_there() == ALL


@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
@pytest.mark.parametrize("write", [2, 3, 4, 6, 9, 12])
def test_killed_once_at_any_point_the_next_run_makes_it_whole(account, small_batches, write):
    assert killed_at_write(account, write)
    assert not half_done()
    analyse(account, NOW)
    assert whats_there() == ALL


def test_two_workers_at_once(account, small_batches):
    start = Barrier(2)

    def work(_):
        with account_scope(account):
            start.wait()
            done = analyse(account, NOW)
            connections.close_all()
            return done

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(work, range(2)))
    assert sum(done.read for done in both) == len(STORIES)
    assert sum(done.filed.new for done in both) == 3
    assert whats_there() == ALL


def test_what_another_worker_did_between_two_batches_counts(account, small_batches):
    kept = running._Kept(account)
    assert running._read_batch(account, NOW, kept) == (5, 5)
    analyse(account, NOW, batches=1)
    while running._read_batch(account, NOW, kept)[0]:
        pass
    analyse(account, NOW)
    assert whats_there() == ALL
