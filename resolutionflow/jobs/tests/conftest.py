import pytest

from resolutionflow.jobs.tests.rehearsal import Wire


@pytest.fixture
def wire(transactional_db):
    wire = Wire()
    yield wire
    wire.cut()
