"""A flow of the team admin's, and two who write it."""

import pytest
from django.test import Client as Browser

from flowpilot.flows import publishing
from flowpilot.tests.factories import STARTED_AT
from resolutionflow.tests.factories import TeamAdminFactory


@pytest.fixture
def flow(team_admin):
    return publishing.create(name="Mail does not arrive", user=team_admin, now=STARTED_AT)


@pytest.fixture
def author(client, team_admin):
    client.force_login(team_admin)
    return client


@pytest.fixture
def second(account):
    browser = Browser()
    browser.force_login(TeamAdminFactory(account=account, name="Noor Haddad"))
    return browser
