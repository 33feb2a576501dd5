"""Texts as people compare them: case and accents do not count, in the database and in Python alike."""

import re
import unicodedata

from django.db import models
from django.db.models import F, Func
from django.db.models.expressions import Combinable
from django.db.models.functions import Collate

NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def folded(text: Combinable) -> Func:
    """A text for comparing: compatibility forms taken apart, accents left out, in small letters."""
    return Func(
        text,
        template=r"lower(regexp_replace(normalize(%(expressions)s, NFKD), '[\u0300-\u036f]', '', 'g'))",
        output_field=models.TextField(),
    )


def by_name() -> tuple[Combinable, Combinable]:
    """For `order_by` of rows with a name that people look for in a list: the same on every machine, whatever the
    collation of its database. Of equals the older one first. The ties of figures are another thing: docs/metrics.md."""
    return Collate(folded(F("name")), "C"), F("id")


def fold(text: str) -> str:
    """As `folded`, in Python; letter by letter, so that places in a text can be told."""
    if text.isascii():  # most are, and many are asked for
        return text.lower()
    return NOT_ASCII.sub(lambda found: fold_letter(found[0]), text).lower()


def fold_letter(letter: str) -> str:
    """One letter folded, which may be none or several."""
    parts = unicodedata.normalize("NFKD", letter)
    return "".join(part for part in parts if not "\u0300" <= part <= "\u036f").lower()
