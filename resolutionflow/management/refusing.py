"""How a command says no."""

from typing import Any

from django.core.management.base import CommandError


class Refused(CommandError):
    """Bad use, and nothing was changed: one clear line, exit status 2."""

    def __init__(self, *args: Any, returncode: int = 2, **kwargs: Any) -> None:
        super().__init__(*args, returncode=returncode, **kwargs)
