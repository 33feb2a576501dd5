"""Keyset paging, newest first: a page is found by the row it starts behind, however far down the list it lies."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet


@dataclass(frozen=True)
class Cursor:
    """The place of one row: its time and its id."""

    at: datetime
    id: UUID

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Raises ValidationError for anything that `__str__` did not write."""
        at, _, id_ = text.partition("_")
        try:
            moment = datetime.fromisoformat(at)
            if moment.tzinfo is not None:
                return cls(moment.astimezone(UTC), UUID(id_))
        except (ValueError, OverflowError):
            pass
        raise ValidationError("This page does not exist. Go back to the first one.")

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.id}"


@dataclass(frozen=True)
class Page:
    """Rows in order, and the cursors of the pages beside it; None where the list ends."""

    rows: list[Any]
    before: Cursor | None
    after: Cursor | None


def page_of(rows: QuerySet, field: str, size: int, *, before: Cursor | None, after: Cursor | None) -> Page:
    """The `size` rows behind `after`, or those ahead of `before`, or the first ones; newest `field` first, then id."""
    order = [f"-{field}", "-id"]
    if before:
        rows = rows.filter(_beyond(field, before, "gt"))
        order = [field, "id"]
    elif after:
        rows = rows.filter(_beyond(field, after, "lt"))
    found = list(rows.order_by(*order)[: size + 1])
    more, found = len(found) > size, found[:size]
    if before:
        found.reverse()
    if not found:
        return Page([], None, None)
    first = Cursor(getattr(found[0], field), found[0].id)
    last = Cursor(getattr(found[-1], field), found[-1].id)
    return Page(
        found,
        first if (more if before else after is not None) else None,
        last if (more if not before else True) else None,
    )


def _beyond(field: str, cursor: Cursor, side: str) -> Q:
    # The bound stands outside of the "or": an index can go straight to it, however deep the page.
    bound = Q(**{f"{field}__{side}e": cursor.at})
    return bound & (Q(**{f"{field}__{side}": cursor.at}) | Q(**{f"id__{side}": cursor.id}))
