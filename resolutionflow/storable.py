"""Texts that PostgreSQL can keep, and those that people can see."""

import re
from collections.abc import Iterator
from unicodedata import category

from django.core.exceptions import ValidationError
from django.db import models

UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # NUL, and halves of a surrogate pair


def visible(text: str) -> bool:
    """Whether there is anything to see in it: a character that is neither blank, nor of control or format."""
    return any(category(char)[0] not in "CZ" for char in text)


class Named(models.Model):
    """A row whose name can be seen, whoever gives it: forms, files, the API and the back office."""

    name: models.CharField

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        if self.name and not visible(self.name):
            raise ValidationError(
                {"name": "Give a name that can be seen: this one has only invisible characters."}
            )


def texts_of(value: object) -> Iterator[str]:
    """Every text of a JSON value, keys too, in no order."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            waiting += part
