import pytest
from django.db import OperationalError, ProgrammingError, connection

from resolutionflow.management.refusing import Refused, needs_database


def test_a_database_that_is_away_is_said_in_one_line():
    with pytest.raises(Refused) as refused, needs_database():
        raise OperationalError("connection refused\nIs the server running?")
    assert str(refused.value) == "The database does not answer: connection refused"
    assert refused.value.returncode == 2


def test_a_database_without_tables_says_what_to_run(db):
    with (
        pytest.raises(Refused, match=r"Run manage\.py migrate first"),
        needs_database(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT 1 FROM no_such_table")


def test_a_fault_of_the_program_stays_one(db):
    with pytest.raises(ProgrammingError), needs_database(), connection.cursor() as cursor:
        cursor.execute("SELECT no_such_column")
