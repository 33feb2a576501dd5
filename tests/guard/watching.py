"""Puts the guard between the tests and the database: on psycopg itself, so that no road leads past it – not a cursor of
a server thread, not `cursor.copy`, not a connection of its own."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from types import CodeType
from typing import Any
from uuid import UUID

import psycopg
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.postgresql.introspection import DatabaseIntrospection
from django.db.backends.postgresql.operations import DatabaseOperations
from psycopg import sql

from resolutionflow.tenancy import NoAccountInScope, current_account_id
from resolutionflow.tenancy.schema import keep_schema, tenant_models
from tests.guard.statements import MARK, judge

CURSORS = (psycopg.Cursor, psycopg.ServerCursor, psycopg.AsyncCursor, psycopg.AsyncServerCursor)
METHODS = ("execute", "executemany", "stream", "copy")

# What changes tables, or asks for a table's columns: migrations, and the flush after a transactional test.
OF_TABLES = {
    function.__code__
    for function in (
        BaseDatabaseSchemaEditor.execute,
        DatabaseIntrospection.get_table_description,
        DatabaseOperations.execute_sql_flush,
        keep_schema,
    )
}

found: list[str] = []  # also what the program swallowed, or what happened in another thread
_off: ContextVar[bool] = ContextVar("guard_off", default=False)


class Unpinned(Exception):
    """A statement could have reached the rows of another account."""


@contextmanager
def without_guard() -> Iterator[None]:
    """For tests of the database itself, which send it what the program never may."""
    token = _off.set(True)
    try:
        yield
    finally:
        _off.reset(token)


def install() -> None:
    for cursor in CURSORS:
        for name in METHODS:
            if name in vars(cursor):
                setattr(cursor, name, _watched(vars(cursor)[name], name))


def _watched(method: Callable, name: str) -> Callable:
    @wraps(method)
    def watched(cursor: Any, statement: Any, params: Any = None, *args: Any, **kwargs: Any) -> Any:
        text = _text(statement, cursor)
        rows = params if name == "executemany" and params is not None else [params]
        rows = list(rows) if name == "executemany" else rows
        for row in rows:
            if fault := fault_of(text, row):
                found.append(fault)
                raise Unpinned(fault)
        given = rows if name == "executemany" else params
        result = method(cursor, statement, given, *args, **kwargs)
        return (
            _checked_copy(result, text) if isinstance(cursor, psycopg.Cursor) and name == "copy" else result
        )

    return watched


def _text(statement: Any, cursor: Any) -> str:
    if isinstance(statement, sql.Composable):
        return statement.as_string(cursor)
    return statement.decode() if isinstance(statement, bytes) else statement


@cache
def _tables() -> tuple[frozenset[str], re.Pattern]:
    names = frozenset(model._meta.db_table for model in tenant_models())
    return names, re.compile(rf"\b({'|'.join(sorted(names))})\b", re.IGNORECASE)


def fault_of(text: str, params: Sequence | Mapping | None) -> str | None:
    """Why the statement may not run in the present scope; None if it may."""
    tables, mentions = _tables()
    if _off.get() or not mentions.search(text):
        return None
    if _called_from(OF_TABLES):
        return None
    verdict = judge(text, tables, parameters=params is not None)
    faults = list(verdict.faults)
    try:
        account_id = current_account_id()
    except NoAccountInScope:
        faults.insert(0, "no account is in scope")
    else:
        if account_id is None and not verdict.defines and verdict.copies is None:
            return None  # inside cross_account()
        faults += [what for what, pins in verdict.needs if not _is_one(pins, account_id, params)]
    if verdict.defines:
        faults.append("it changes tables")
    if verdict.copies is not None and not _called_from({_copy_rows()}):
        faults.append("COPY is for copy_rows() only")
    if verdict.copies is not None and "account_id" not in verdict.copies:
        faults.append("COPY without account_id")
    return f"{'; '.join(faults)}: {text}" if faults else None


def _is_one(pins: frozenset[str], account_id: UUID | None, params: Any) -> bool:
    return any(all(str(value) == str(account_id) for value in _values(pin, params)) for pin in pins)


def _values(pin: str, params: Any) -> list[Any]:
    if not pin.startswith(MARK):
        return [pin]
    name = pin.removeprefix(MARK)
    value = params[name] if isinstance(params, Mapping) else params[int(name)]
    value = getattr(value, "obj", value)
    return value if isinstance(value, list) else [value]


@cache
def _copy_rows() -> CodeType:
    from operations.importing.copying import copy_rows

    return copy_rows.__code__


def _called_from(codes: set[CodeType]) -> bool:
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code in codes:
            return True
        frame = frame.f_back
    return False


@contextmanager
def _checked_copy(copying: Any, text: str) -> Iterator[Any]:
    """Each row of a COPY into a tenant table is looked at: it has to carry the account in scope."""
    tables, mentions = _tables()
    columns = judge(text, tables, parameters=False).copies if mentions.search(text) else None
    with copying as copy:
        if columns and not _off.get():
            copy.write_row = _checked_rows(copy.write_row, columns.index("account_id"), text)
        yield copy


def _checked_rows(write_row: Callable, position: int, text: str) -> Callable:
    def checked(row: Sequence[Any]) -> None:
        account_id = current_account_id()
        if account_id is not None and str(row[position]) != str(account_id):
            found.append(f"a row of another account: {text}")
            raise Unpinned(found[-1])
        write_row(row)

    return checked
