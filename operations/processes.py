"""A second process that works on the database of this one: Python's work on one core leaves the others idle."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import django
from django.db import connection


def second_process() -> ProcessPoolExecutor:
    """Runs what is submitted, functions of modules with arguments that can be pickled, one after the other.

    It sees what is committed only. Fresh, not forked: a connection of this process must not be shared.
    """
    return ProcessPoolExecutor(
        1,
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(str(connection.settings_dict["NAME"]),),
    )


def _begin(database: str) -> None:
    django.setup()
    connection.settings_dict["NAME"] = database  # tests have one of their own
