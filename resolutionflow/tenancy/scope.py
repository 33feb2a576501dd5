"""Which account is in scope: a context variable, so neither a thread nor a coroutine leaks it to the next request."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol
from uuid import UUID


class NoAccountInScope(RuntimeError):
    """A tenant table was asked for without an account in scope: a fault of the program, never of its user."""


class HasId(Protocol):
    id: UUID


class _CrossAccount:
    pass


_CROSS_ACCOUNT = _CrossAccount()
_scope: ContextVar[UUID | _CrossAccount | None] = ContextVar("account_scope", default=None)


@contextmanager
def account_scope(account: HasId | UUID) -> Iterator[None]:
    """Everything inside reads and writes this account's rows only."""
    token = _scope.set(account if isinstance(account, UUID) else account.id)
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def cross_account() -> Iterator[None]:
    """Everything inside sees all accounts: migrations and reports for super admins. Each use is a review question."""
    token = _scope.set(_CROSS_ACCOUNT)
    try:
        yield
    finally:
        _scope.reset(token)


def current_account_id() -> UUID | None:
    """The id of the account in scope; None inside `cross_account()`; raises NoAccountInScope outside of both."""
    scope = _scope.get()
    if scope is None:
        raise NoAccountInScope("A tenant table was asked for outside of account_scope(account).")
    return None if isinstance(scope, _CrossAccount) else scope
