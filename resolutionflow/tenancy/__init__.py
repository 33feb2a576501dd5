"""One account never sees a row of another one.

`scope` says which account is in scope, `models` holds the base classes that keep to it, `backend` pins what Django
builds from keys alone, `schema` makes the database refuse links between accounts, `checks` refuses models that break
the rules. `tests/guard` fails a test whose statement is not pinned to the account in scope, `tests/isolation` visits
every route as everybody.
"""

from resolutionflow.tenancy.scope import (
    NoAccountInScope,
    account_scope,
    cross_account,
    current_account_id,
)

__all__ = ["NoAccountInScope", "account_scope", "cross_account", "current_account_id"]
