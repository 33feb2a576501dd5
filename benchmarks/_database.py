"""A database of a benchmark's own, on the server that the settings name: made, migrated, and dropped at the end."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def own_database(name: str) -> Iterator[None]:
    """Inside, Django's connection leads to <configured name>_bench_<name>, empty; a leftover is replaced."""
    settings = connection.settings_dict
    configured = settings["NAME"]
    settings.setdefault("TEST", {})["NAME"] = f"{configured}_bench_{name}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(configured, verbosity=0)
