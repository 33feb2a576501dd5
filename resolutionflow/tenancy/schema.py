"""What the database keeps of tenancy, made after each migration: a link between two accounts is impossible.

On every tenant table: PRIMARY KEY (id, account_id), unique keys led by account_id, FOREIGN KEY (account_id, x_id) for
each relation to a tenant table or to the owning user. The work is idempotent and made for live tables: unique indexes
are built concurrently, foreign keys are added NOT VALID and validated afterwards.
"""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from resolutionflow.tenancy.models import OwnerForeignKey, TenantModel, TenantRelation

CONSTRAINTS = """
    select c.conrelid::regclass::text, c.conname, c.contype, c.convalidated,
           (select array_agg(a.attname::text order by k.position)
              from unnest(c.conkey) with ordinality k (number, position)
              join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number)
      from pg_constraint c
     where c.contype in ('p', 'u', 'f') and c.conrelid = any(%s::regclass[])
"""


@dataclass(frozen=True)
class Constraint:
    table: str
    name: str
    kind: str  # p, u or f as in pg_constraint.contype
    valid: bool
    columns: list[str]


def tenant_models() -> list[type[TenantModel]]:
    return [model for model in apps.get_models() if issubclass(model, TenantModel)]


def keep_schema(connection: BaseDatabaseWrapper) -> list[str]:
    """Brings the tenant tables that exist to the state above; returns the statements that were needed."""
    done: list[str] = []
    with connection.cursor() as cursor:

        def run(statement: str) -> None:
            cursor.execute(statement)
            done.append(statement)

        tables = set(connection.introspection.table_names(cursor))
        kept = [model for model in tenant_models() if model._meta.db_table in tables]
        if not kept:
            return done
        cursor.execute(CONSTRAINTS, [[model._meta.db_table for model in kept]])
        constraints = [Constraint(*row) for row in cursor.fetchall()]
        concurrently = "" if connection.in_atomic_block else "CONCURRENTLY "
        for constraint in constraints:
            if constraint.kind in "pu" and "account_id" not in constraint.columns:
                _lead_by_account(run, constraint, concurrently)
        for model in kept:
            present = {
                column.name
                for column in connection.introspection.get_table_description(cursor, model._meta.db_table)
            }
            for field in model._meta.local_fields:
                if isinstance(field, TenantRelation | OwnerForeignKey) and field.column in present:
                    _refer_within_account(run, model, field, constraints)
    return done


def _lead_by_account(run: Any, constraint: Constraint, concurrently: str) -> None:
    key = constraint.kind == "p"
    columns = [*constraint.columns, "account_id"] if key else ["account_id", *constraint.columns]
    index = f"{constraint.name}_account"
    listed = ", ".join(f'"{column}"' for column in columns)
    run(f'DROP INDEX IF EXISTS "{index}"')  # what an interrupted concurrent build leaves behind is invalid
    run(f'CREATE UNIQUE INDEX {concurrently}"{index}" ON "{constraint.table}" ({listed})')
    run(
        f'ALTER TABLE "{constraint.table}" DROP CONSTRAINT "{constraint.name}", '
        f'ADD CONSTRAINT "{constraint.name}" {"PRIMARY KEY" if key else "UNIQUE"} USING INDEX "{index}"'
    )


def _refer_within_account(
    run: Any, model: type[TenantModel], field: models.ForeignKey, constraints: list[Constraint]
) -> None:
    table, columns = model._meta.db_table, ["account_id", field.column]
    found = [c for c in constraints if c.table == table and c.kind == "f" and c.columns == columns]
    name = found[0].name if found else f"{table}_{field.column}_tenant"[:63]
    if not found:
        run(
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY (account_id, "{field.column}") '
            f'REFERENCES "{field.related_model._meta.db_table}" (account_id, id) '
            "DEFERRABLE INITIALLY IMMEDIATE NOT VALID"
        )
    if not found or not found[0].valid:
        run(f'ALTER TABLE "{table}" VALIDATE CONSTRAINT "{name}"')
