"""The demo: an invented MSP with all that the product knows, and a real incident log. Each is an account of its own."""

from operations.demo.demos import DEMOS, PASSWORD, Demo, Login

__all__ = ["DEMOS", "PASSWORD", "Demo", "Login"]
