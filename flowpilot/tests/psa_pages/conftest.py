"""An account that is connected to the stand-in over real HTTP, with an engineer who is a member there."""

from datetime import timedelta

import pytest
from django.core.cache import cache

from flowpilot.psa import sealing
from flowpilot.psa.stand_in.connectwise import ConnectWiseStandIn
from flowpilot.psa.stand_in.server import serving
from flowpilot.sessions import starting
from flowpilot.tests.factories import PsaConnectionFactory, PsaMemberFactory
from flowpilot.tests.psa_pages.keys import AMIRA, KEYS
from flowpilot.tests.runner.posting import NOW


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW + timedelta(minutes=11))
    cache.clear()


@pytest.fixture
def stand_in():
    return ConnectWiseStandIn()


@pytest.fixture
def address(stand_in):
    with serving(stand_in) as url:
        yield url


@pytest.fixture
def connection(account, address):
    return PsaConnectionFactory(base_url=address, credentials=sealing.seal(KEYS))


@pytest.fixture
def member(connection, engineer):
    return PsaMemberFactory(
        connection=connection, user=engineer, external_id=AMIRA, login="ahaddad", work_role="21", location="1"
    )


@pytest.fixture
def session(engineer):
    """On the stand-in's ticket 5001 since eleven minutes."""
    return starting.start(engineer, problem_summary="No network", psa_ticket_id="5001", now=NOW)


@pytest.fixture
def browser(client, engineer):
    client.force_login(engineer)
    return client


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client
