import pytest
from django.db import connection

from resolutionflow.jobs.tests.rehearsal import Wire


@pytest.fixture
def committed(transactional_db):
    """For tests with a worker in a process of its own. Django does not empty the tables of the queue afterwards."""
    yield
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers CASCADE"
        )


@pytest.fixture
def wire(committed):
    wire = Wire()
    yield wire
    wire.cut()
