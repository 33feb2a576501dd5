"""The demo: a real incident log as one account, with people to sign in as."""

from operations.demo.logins import DEMO_LOGINS

__all__ = ["DEMO_LOGINS"]
