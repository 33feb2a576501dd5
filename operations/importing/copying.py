"""The one place where rows reach a tenant table by COPY."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from psycopg import sql

from resolutionflow.tenancy.models import TenantModel


def copy_rows(model: type[TenantModel], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Writes new rows of one account, several times as fast as INSERT. `columns` are database columns and hold
    account_id: COPY passes by the manager that would add it. Raises Django's database errors."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
