"""A second process that works on the database of this one: Python's work on one core leaves the others idle."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread

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
    Thread(target=_end_with_parent, daemon=True).start()
    django.setup()
    connection.settings_dict["NAME"] = database  # tests have one of their own


def _end_with_parent() -> None:
    """It would wait for work for ever. What it has begun is rolled back or goes on at the next load."""
    if (parent := parent_process()) is not None:
        wait([parent.sentinel])
        os._exit(1)
