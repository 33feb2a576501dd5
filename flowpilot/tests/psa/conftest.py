import logging

import pytest

from flowpilot.tests.psa import standing_in

# What must stand in no record: keys, what is made of them, and what an engineer wrote.
NOTE = "Rebooted the mailbox of Mrs Okafor"
SECRETS = ["standInPrivateKey", "c3RhbmRJb", "bm9ydGhnYXRl", "standInClientSecret", "11111111-2222", "Okafor"]


@pytest.fixture
def stand_in():
    """ConnectWise, standing in, served on a free port."""
    with standing_in.connectwise() as served:
        yield served


@pytest.fixture
def halo():
    """HaloPSA, standing in, served on a free port."""
    with standing_in.halo() as served:
        yield served


@pytest.fixture
def quiet_logs(caplog):
    """Every record of the test, of the libraries too, is read for secrets at its end."""
    caplog.set_level(logging.DEBUG)
    yield caplog
    for record in caplog.get_records("call"):
        told = f"{record.getMessage()} {vars(record)} {caplog.handler.format(record)}"
        assert not [secret for secret in SECRETS if secret in told], told
