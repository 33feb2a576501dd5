from types import SimpleNamespace

import pytest

from analytics.tests.made_up import cast_of
from resolutionflow.tenancy import account_scope


@pytest.fixture
def cast(account, other_account):
    """Engineers, clients and flows of both accounts, the same names in each."""
    with account_scope(other_account):
        other = cast_of(other_account)
    return SimpleNamespace(here=cast_of(account), other=other)
