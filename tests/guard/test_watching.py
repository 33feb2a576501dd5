import asyncio
import threading
from functools import partial

import psycopg
import pytest
from django.db import connection
from procrastinate.contrib.django.utils import connector_params

from flowpilot.models import Client
from flowpilot.tests.factories import ClientFactory
from operations.importing.copying import copy_rows
from resolutionflow.tenancy import account_scope, cross_account
from tests.guard import found, without_guard
from tests.guard.watching import Unpinned

SELECT = "SELECT name FROM flowpilot_client"
PINNED = SELECT + " WHERE account_id = %s"


def run(sql, params=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


@pytest.fixture
def refuses():
    """Calls what it is given, wants it refused, and takes the fault off the list that would fail this test."""

    def check(act, *args):
        with pytest.raises(Unpinned) as refusal:
            act(*args)
        assert found.pop() == str(refusal.value)
        return str(refusal.value)

    return check


def test_a_statement_pinned_to_the_account_in_scope_runs(account):
    ClientFactory(name="Fabrikam")
    assert run(PINNED, [account.id]) == [("Fabrikam",)]
    assert run(PINNED, [str(account.id)]) == [("Fabrikam",)]


def test_one_that_is_not_pinned_is_refused(account, refuses):
    assert refuses(run, SELECT) == f"flowpilot_client is not pinned to an account: {SELECT}"


def test_one_pinned_to_another_account_is_refused(account, other_account, refuses):
    assert refuses(run, PINNED, [other_account.id]).startswith("flowpilot_client: ")


def test_one_outside_of_a_scope_is_refused(other_account, refuses):
    assert refuses(run, PINNED, [other_account.id]).startswith("no account is in scope: ")


def test_a_query_that_was_made_in_a_scope_is_refused_after_it(other_account, refuses):
    with account_scope(other_account):
        clients = Client.objects.all()
    assert refuses(list, clients).startswith("no account is in scope: ")


def test_no_pin_is_needed_across_accounts(other_account):
    with cross_account():
        assert run(SELECT) == []


def test_every_row_of_an_insert_is_looked_at(account, other_account, refuses):
    rows = [Client(name=name, account=owner) for name, owner in [("A", account), ("B", other_account)]]
    insert = "INSERT INTO flowpilot_client (id, name, account_id) VALUES (%s, %s, %s), (%s, %s, %s)"
    values = [value for row in rows for value in (row.id, row.name, row.account_id)]
    assert refuses(run, insert, values).startswith("INSERT INTO flowpilot_client: ")
    one = "INSERT INTO flowpilot_client (id, name, account_id) VALUES (%s, %s, %s)"
    with connection.cursor() as cursor:
        refuses(cursor.executemany, one, [values[:3], values[3:]])


def test_psycopg_itself_is_no_way_around(account, refuses):
    with connection.cursor() as cursor:
        refuses(cursor.cursor.execute, SELECT)
        refuses(connection.connection.execute, SELECT)
        refuses(cursor.cursor.stream, SELECT)
        refuses(cursor.cursor.copy, f"COPY ({SELECT}) TO STDOUT")


def test_a_worker_of_the_queue_is_watched_too(account, refuses):
    async def ask():
        async with (
            await psycopg.AsyncConnection.connect(**connector_params()) as mine,
            mine.cursor() as cursor,
        ):
            await cursor.execute("SELECT count(*) FROM procrastinate_jobs")
            await cursor.execute(SELECT)

    assert refuses(asyncio.run, ask()).startswith("flowpilot_client is not pinned")


def test_tables_are_changed_by_migrations_only(account, refuses):
    assert refuses(run, "TRUNCATE flowpilot_client CASCADE").startswith("it changes tables: ")


def test_copy_is_for_one_function_only(account, refuses):
    with connection.cursor() as cursor:
        statement = "COPY flowpilot_client (id, account_id, name) FROM STDIN"
        assert refuses(cursor.copy, statement).startswith("COPY is for copy_rows() only: ")
    row = Client(name="Copied", account=account)
    copy_rows(Client, ["id", "account_id", "name"], [(row.id, row.account_id, row.name)])
    assert Client.objects.get().name == "Copied"


def test_that_function_too_copies_rows_of_the_account_in_scope_only(account, other_account, refuses):
    row = Client(name="Copied", account=other_account)
    copy = partial(copy_rows, Client, ["id", "account_id", "name"])
    assert refuses(copy, [(row.id, row.account_id, row.name)]).startswith("a row of another account: ")
    assert "COPY without account_id" in refuses(partial(copy_rows, Client, ["id", "name"]), [])


def test_it_watches_other_threads_too(db, refuses):
    faults = []

    def serve():
        try:
            with connection.cursor() as cursor:
                cursor.execute(SELECT)
        except Unpinned as fault:
            faults.append(fault)
        finally:
            connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()
    assert [str(fault) for fault in faults] == found
    found.clear()


def test_a_test_of_the_database_may_send_anything(account):
    with without_guard():
        assert run(SELECT) == []
