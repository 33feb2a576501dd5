"""How a command says no."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management.base import CommandError
from django.db import InterfaceError, OperationalError, ProgrammingError
from psycopg.errors import UndefinedTable


class Refused(CommandError):
    """Bad use, and nothing was changed: one clear line, exit status 2."""

    def __init__(self, *args: Any, returncode: int = 2, **kwargs: Any) -> None:
        super().__init__(*args, returncode=returncode, **kwargs)


@contextmanager
def needs_database() -> Iterator[None]:
    """Around what asks the database first: one that is away, or has no tables yet, is said in one line."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise Refused(f"The database does not answer: {str(error).partition(chr(10))[0]}") from error
    except ProgrammingError as error:
        if not isinstance(error.__cause__, UndefinedTable):
            raise
        raise Refused("The database has no tables yet. Run manage.py migrate first.") from error


def sentence_of(error: ValidationError) -> str:
    """All messages of a model's validation in one line, each after the name of its field."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(
        message if name == NON_FIELD_ERRORS else f"{name}: {message}"
        for name, messages in error.message_dict.items()
        for message in messages
    )
