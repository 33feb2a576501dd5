"""How a command says no."""

from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management.base import CommandError


class Refused(CommandError):
    """Bad use, and nothing was changed: one clear line, exit status 2."""

    def __init__(self, *args: Any, returncode: int = 2, **kwargs: Any) -> None:
        super().__init__(*args, returncode=returncode, **kwargs)


def sentence_of(error: ValidationError) -> str:
    """All messages of a model's validation in one line, each after the name of its field."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(
        message if name == NON_FIELD_ERRORS else f"{name}: {message}"
        for name, messages in error.message_dict.items()
        for message in messages
    )
