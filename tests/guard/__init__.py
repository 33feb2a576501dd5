"""The third wall: a test fails when a statement touches a tenant table and is not pinned to the account in scope."""

from tests.guard.watching import found, install, without_guard

__all__ = ["found", "install", "without_guard"]
