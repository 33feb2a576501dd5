"""What every test may ask for. A test that touches tenant tables takes `account`, which is in scope then."""

from unittest import mock

import pytest
from hypothesis import HealthCheck, settings

from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory, SuperAdminFactory, TeamAdminFactory, UserFactory
from tests import emptying, guard

guard.install()
emptying.install()


@pytest.fixture(autouse=True)
def _every_statement_is_pinned():
    """A statement that could reach another account's rows raises; a test that swallowed the error fails here."""
    guard.found.clear()
    yield
    assert not guard.found, guard.found


# The same examples on every run, on every machine; how many is each test's own choice.
settings.register_profile(
    "tests",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("tests")


@pytest.fixture
def clock():
    """Sets the time for everybody who asks Django for it: `clock(datetime(2026, 3, 10, 9, tzinfo=UTC))`."""
    with mock.patch("django.utils.timezone.now") as now:

        def set_to(moment):
            now.return_value = moment
            return moment

        yield set_to


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
