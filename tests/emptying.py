"""Empties the database after a test that committed, and takes it away after the last one.

Django truncates every table and makes permissions and content types anew: 0.2 to 1 second, for each test of a browser.
To delete the few rows of a test takes some milliseconds, and what migrations made stays.
"""

from django.apps import apps
from django.db import connection
from django.db.backends.postgresql.creation import DatabaseCreation
from django.test import TransactionTestCase

from tests.guard import without_guard

MADE_BY_MIGRATIONS = {"contenttypes", "auth"}
# Its triggers change one of its tables when rows of another one go.
QUEUE = (
    *("procrastinate_periodic_defers", "procrastinate_events"),
    *("procrastinate_jobs", "procrastinate_workers"),
)


def install() -> None:
    TransactionTestCase._fixture_teardown = lambda case: empty_database()
    DatabaseCreation._destroy_test_db = drop


def drop(creation: DatabaseCreation, name: str, verbosity: int) -> None:
    """Also where a thread of the last test's server has not closed its connection yet."""
    with creation._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {creation.connection.ops.quote_name(name)} WITH (FORCE)")


def empty_database() -> None:
    """Deletes every row of every model. Keys between tables are looked at when a statement ends: one does for all."""
    tables = sorted(
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label not in MADE_BY_MIGRATIONS | {"procrastinate"} and model._meta.managed
    )
    *others, last = (f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables)
    parts = ", ".join(f"part_{number} AS ({delete})" for number, delete in enumerate(others))
    with without_guard(), connection.cursor() as cursor:
        for table in QUEUE:
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute(f"WITH {parts} {last}")
