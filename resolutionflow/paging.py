"""Keyset paging: a page is found by the row it starts behind, however far down the list it lies.

`page_of` walks both ways through what is ordered by time, `page_behind` forward through a list of any order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable, OrderBy

NO_SUCH_PAGE = "This page does not exist. Go back to the first one."


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
        raise ValidationError(NO_SUCH_PAGE)

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.id}"


@dataclass(frozen=True)
class Page:
    """Rows in order, and the cursors of the pages beside it; None where the list ends."""

    rows: list[Any]
    before: Cursor | None
    after: Cursor | None


def page_of(
    rows: QuerySet,
    field: str,
    size: int,
    *,
    before: Cursor | None,
    after: Cursor | None,
    oldest_first: bool = False,
) -> Page:
    """The `size` rows behind `after`, or those ahead of `before`, or the first ones; newest `field` first, then id."""
    upwards = oldest_first != bool(before)
    if cursor := before or after:
        rows = rows.filter(_beyond(field, cursor, "gt" if upwards else "lt"))
    found = list(rows.order_by(*((field, "id") if upwards else (f"-{field}", "-id")))[: size + 1])
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


def key_names(rows: QuerySet) -> list[str]:
    """What `page_behind` annotates: the values that the rows are ordered by."""
    return [f"key_{number}" for number, _ in enumerate(_keys(rows))]


def place_of(row: Mapping[str, Any], rows: QuerySet) -> str:
    """Where a row that `page_behind` gave stands. Signed, so that nobody makes one up; good for this order only."""
    values = [row[name] for name in key_names(rows)]
    plain = [value if isinstance(value, int | float | None) else str(value) for value in values]
    return signing.dumps(plain, salt=_salt(rows))


def read_place(text: str, rows: QuerySet) -> list[Any]:
    """Raises ValidationError for anything that `place_of` did not write for this order."""
    try:
        values: list[Any] = signing.loads(text, salt=_salt(rows))
    except signing.BadSignature:
        raise ValidationError(NO_SUCH_PAGE) from None
    return values


def page_behind(rows: QuerySet, place: list[Any] | None) -> QuerySet:
    """The rows behind the place, in their own order, which ends with the id and has nulls last."""
    keys = dict(zip(key_names(rows), _keys(rows), strict=True))
    rows = rows.annotate(**{name: expression for name, (expression, _) in keys.items()})
    if place is None:
        return rows
    behind, same = Q(pk__in=[]), Q()
    for value, (key, (_, descending)) in zip(place, keys.items(), strict=True):
        if value is None:
            same &= Q(**{f"{key}__isnull": True})
            continue
        further = Q(**{f"{key}__{'lt' if descending else 'gt'}": value}) | Q(**{f"{key}__isnull": True})
        behind |= same & further
        same &= Q(**{key: value})
    return rows.filter(behind)


def _keys(rows: QuerySet) -> list[tuple[Combinable, bool]]:
    """What the rows are ordered by, and whether downwards."""
    keys: list[tuple[Combinable, bool]] = []
    for part in rows.query.order_by:
        if isinstance(part, str):
            keys.append((F(part.removeprefix("-")), part.startswith("-")))
        elif isinstance(part, OrderBy):
            keys.append((part.expression, part.descending))
        else:
            keys.append((part, False))
    return keys


def _salt(rows: QuerySet) -> str:
    return f"paging.{rows.query.order_by!r}"
