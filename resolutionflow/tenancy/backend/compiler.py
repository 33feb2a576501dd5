"""UPDATE and DELETE that Django builds from ids alone (delete(), SET NULL, bulk_update) get the account in scope."""

from typing import Any

from django.db.backends.postgresql import compiler
from django.db.backends.postgresql.compiler import (  # noqa: F401 - Django looks all of them up in this module
    SQLAggregateCompiler,
    SQLCompiler,
    SQLInsertCompiler,
)
from django.db.models.sql import Query
from django.db.models.sql.where import AND

from resolutionflow.tenancy.models import TenantModel
from resolutionflow.tenancy.scope import current_account_id


def _pin(query: Query) -> None:
    if query.model is None or not issubclass(query.model, TenantModel):
        return
    account_id = current_account_id()
    if account_id is not None:
        account: Any = query.model._meta.get_field("account")
        column = account.get_col(query.get_initial_alias())
        query.where.add(account.get_lookup("exact")(column, account_id), AND)


class SQLDeleteCompiler(compiler.SQLDeleteCompiler):
    def _as_sql(self, query: Query) -> Any:
        query = query.clone()
        _pin(query)
        return super()._as_sql(query)  # type: ignore[misc]


class SQLUpdateCompiler(compiler.SQLUpdateCompiler):
    def pre_sql_setup(self, *args: Any) -> Any:
        super().pre_sql_setup(*args)
        _pin(self.query)
