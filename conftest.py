"""What every test may ask for. A test that touches tenant tables takes `account`, which is in scope then."""

import pytest

from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory, SuperAdminFactory, TeamAdminFactory, UserFactory


@pytest.fixture
def account(db):
    account = AccountFactory(name="Northgate IT", slug="northgate", time_zone="Europe/London")
    with account_scope(account):
        yield account


@pytest.fixture
def other_account(db):
    """Another MSP, not in scope."""
    return AccountFactory(name="Southgate IT", slug="southgate")


@pytest.fixture
def engineer(account):
    return UserFactory(account=account, email="engineer@northgate.example", name="Amira Haddad")


@pytest.fixture
def colleague(account):
    return UserFactory(account=account, email="colleague@northgate.example", name="Jonas Weber")


@pytest.fixture
def team_admin(account):
    return TeamAdminFactory(account=account, email="lead@northgate.example", name="Dana Whitfield")


@pytest.fixture
def stranger(other_account):
    """The team admin of another account."""
    return TeamAdminFactory(account=other_account, email="lead@southgate.example", name="Sam Stranger")


@pytest.fixture
def super_admin(db):
    return SuperAdminFactory(email="root@resolutionflow.example", name="Robin Root")
