"""Everything of one account as JSON lines: for a hand-over, and for safe keeping."""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.utils.duration import duration_iso_string

from flowpilot.models import PsaConnection
from resolutionflow.accounts.models import Account, ApiToken, AuditEntry, User
from resolutionflow.tenancy import account_scope
from resolutionflow.tenancy.schema import tenant_models

AT_ONCE = 500  # rows: decisions make some of them long
SECRETS = {User: {"password"}, ApiToken: {"hash"}, PsaConnection: {"credentials"}}


class NotWritten(Exception):
    """The file cannot be written; the sentence is for the operator."""


def lines_of(account_id: UUID) -> Iterator[str]:
    """One JSON object a line, with `model` and all fields of a row: the account, its users, their tokens and addresses,
    every tenant table, the audit trail. Passwords, the hashes of tokens and the keys to ticket systems are left out.

    All of it is of one moment, whatever is written meanwhile. Raises Account.DoesNotExist.
    """
    with transaction.atomic(), account_scope(account_id):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        Account.objects.get(id=account_id)
        for rows in _tables(account_id):
            yield from _lines(rows)


def _tables(account_id: UUID) -> Iterator[QuerySet[Any]]:
    yield Account.objects.filter(id=account_id)
    yield User.objects.filter(account=account_id)
    yield ApiToken.objects.filter(user__account=account_id)
    yield EmailAddress.objects.filter(user__account=account_id)
    for model in tenant_models():
        yield model.objects.all()
    yield AuditEntry.objects.filter(account=account_id)


def _lines(rows: QuerySet[Any]) -> Iterator[str]:
    model: type[Model] = rows.model
    left_out = SECRETS.get(model, set())
    names = [field.attname for field in model._meta.concrete_fields if field.attname not in left_out]
    for values in rows.order_by("pk").values_list(*names).iterator(chunk_size=AT_ONCE):
        row = {"model": model._meta.label_lower} | dict(zip(names, values, strict=True))
        yield json.dumps(row, default=_as_json, allow_nan=False) + "\n"


def _as_json(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration_iso_string(value)
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise TypeError(f"{type(value)} cannot be exported.")


def check_target(path: Path, *, overwrite: bool) -> None:
    """Raises NotWritten for what is no place for a new file."""
    if path.is_dir() or (path.exists() and not path.is_file()):
        raise NotWritten(f"{path} is no ordinary file. - writes to standard output.")
    if path.exists() and not overwrite:
        raise NotWritten(f"{path} exists already. --overwrite replaces it.")
    if not path.parent.is_dir():
        raise NotWritten(f"There is no folder {path.parent}.")


def write_file(path: Path, lines: Iterable[str], *, overwrite: bool) -> int:
    """Writes the lines and returns their number. The file is there when it is complete and not before; only its
    owner can read it. Raises NotWritten, and leaves nothing behind then."""
    check_target(path, overwrite=overwrite)
    try:
        # mode 600
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise NotWritten(f"{path} cannot be written: {error.strerror}.") from None
    written = 0
    try:
        with os.fdopen(handle, "w", encoding="ascii", newline="\n") as file:
            for line in lines:
                file.write(line)
                written += 1
            file.flush()
            os.fsync(file.fileno())
        check_target(path, overwrite=overwrite)  # somebody else may have made it meanwhile
        Path(name).replace(path)
    except OSError as error:
        raise NotWritten(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()
    return written
