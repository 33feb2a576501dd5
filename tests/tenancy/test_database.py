"""The second wall: the database itself refuses a link between two accounts, whoever writes it."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from resolutionflow.tenancy.models import OwnerForeignKey, TenantRelation
from resolutionflow.tenancy.schema import keep_schema, tenant_models
from tests.guard import without_guard
from tests.isolation import houses

RELATIONS = [
    pytest.param(model, field, id=f"{model._meta.model_name}.{field.name}")
    for model in tenant_models()
    for field in model._meta.local_fields
    if isinstance(field, TenantRelation | OwnerForeignKey)
]
MODELS = [pytest.param(model, id=model._meta.model_name) for model in tenant_models()]


@pytest.fixture
def north(db):
    return houses.build("NORTHMARK", now=timezone.now())


@pytest.fixture
def south(db):
    return houses.build("SOUTHMARK", now=timezone.now())


@pytest.fixture(autouse=True)
def _no_guard():
    with without_guard():
        yield


def run(statement, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else cursor.rowcount


def keys(table, kinds):
    """(definition, whether it is valid) of the table's constraints of these kinds."""
    return run(
        "SELECT pg_get_constraintdef(oid), convalidated FROM pg_constraint "
        "WHERE conrelid = %s::regclass AND contype = ANY(%s) ORDER BY 1",
        [table, list(kinds)],
    )


def unique_indexes(table):
    return [
        definition
        for (definition,) in run(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass AND indisunique",
            [table],
        )
    ]


@pytest.mark.parametrize(("model", "field"), RELATIONS)
def test_a_row_cannot_point_into_another_account(model, field, north, south):
    name = field.related_model._meta.model_name
    row, target = north.rows[model._meta.model_name], south.rows[name]
    table, column = model._meta.db_table, field.column
    statement = f'UPDATE "{table}" SET "{column}" = %s WHERE account_id = %s AND id = %s'
    with pytest.raises(IntegrityError, match="foreign key"), transaction.atomic():
        run(statement, [target.pk, north.account.id, row.pk])
    own = north.rows[name]
    assert run(statement, [own.pk, north.account.id, row.pk]) == 1


@pytest.mark.parametrize(("model", "field"), RELATIONS)
def test_nor_can_it_move_to_another_account_with_what_it_points_to(model, field, north, south):
    row, table = north.rows[model._meta.model_name], model._meta.db_table
    run(
        f'UPDATE "{table}" SET "{field.column}" = %s WHERE id = %s',
        [north.rows[field.related_model._meta.model_name].pk, row.pk],
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        run(f'UPDATE "{table}" SET account_id = %s WHERE id = %s', [south.account.id, row.pk])


def test_the_relations_of_later_models_are_covered_by_themselves():
    assert len(RELATIONS) >= 14


@pytest.mark.parametrize("model", MODELS)
def test_keys_carry_the_account(model, db):
    table = model._meta.db_table
    assert keys(table, "p") == [("PRIMARY KEY (id, account_id)", True)]
    uniques = [index for index in unique_indexes(table) if "(id, account_id)" not in index]
    assert [index for index in uniques if "(account_id, " not in index] == []
    for field in model._meta.local_fields:
        if isinstance(field, TenantRelation | OwnerForeignKey):
            target = field.related_model._meta.db_table
            key = f"FOREIGN KEY (account_id, {field.column}) REFERENCES {target}(account_id, id) DEFERRABLE"
            assert (key, True) in keys(table, "f")


@pytest.mark.parametrize("model", MODELS)
def test_the_account_is_never_null(model, db):
    columns = run(
        "SELECT attnotnull FROM pg_attribute WHERE attrelid = %s::regclass AND attname = 'account_id'",
        [model._meta.db_table],
    )
    assert columns == [(True,)]


def test_the_database_needs_no_extension(db):
    assert run("SELECT extname FROM pg_extension") == [("plpgsql",)]


def test_a_schema_that_is_right_is_left_alone(db):
    assert keep_schema(connection) == []


def test_a_lost_foreign_key_comes_back_on_a_table_with_rows(north):
    run("ALTER TABLE flowpilot_session DROP CONSTRAINT flowpilot_session_flow_id_tenant")
    done = keep_schema(connection)
    assert [statement.split(" (account_id")[0] for statement in done] == [
        'ALTER TABLE "flowpilot_session" ADD CONSTRAINT "flowpilot_session_flow_id_tenant" FOREIGN KEY',
        'ALTER TABLE "flowpilot_session" VALIDATE CONSTRAINT "flowpilot_session_flow_id_tenant"',
    ]
    assert keep_schema(connection) == []


def test_a_foreign_key_that_was_not_validated_is(north):
    run("ALTER TABLE flowpilot_step DROP CONSTRAINT flowpilot_step_flow_id_tenant")
    run(
        "ALTER TABLE flowpilot_step ADD CONSTRAINT flowpilot_step_flow_id_tenant "
        "FOREIGN KEY (account_id, flow_id) REFERENCES flowpilot_flow (account_id, id) NOT VALID"
    )
    assert keep_schema(connection) == [
        'ALTER TABLE "flowpilot_step" VALIDATE CONSTRAINT "flowpilot_step_flow_id_tenant"'
    ]


@pytest.mark.django_db(transaction=True)
def test_an_interrupted_run_is_taken_up_again():
    """Outside of a transaction, as after a migration: the key as Django made it, and an index that was not finished."""
    houses.build("NORTHMARK", now=timezone.now())
    houses.build("SOUTHMARK", now=timezone.now())
    drop = "ALTER TABLE ratings_steprating DROP CONSTRAINT ratings_steprating_pkey"
    run(f"{drop}, ADD CONSTRAINT ratings_steprating_pkey PRIMARY KEY (id)")
    with pytest.raises(IntegrityError):  # of two rows with the same key; the index stays behind, invalid
        run("CREATE UNIQUE INDEX CONCURRENTLY ratings_steprating_pkey_account ON ratings_steprating ((1))")
    done = keep_schema(connection)
    assert [statement.split(" ratings")[0].split(' "')[0] for statement in done] == [
        "DROP INDEX IF EXISTS",
        "CREATE UNIQUE INDEX CONCURRENTLY",
        "ALTER TABLE",
    ]
    assert keys("ratings_steprating", "p") == [("PRIMARY KEY (id, account_id)", True)]
    assert keep_schema(connection) == []
