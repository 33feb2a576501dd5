"""Lists of the JSON API: pages of a keyset walk, told as {items, next, count}."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from ninja import Field, Schema

from resolutionflow.api import ACCOUNT

LONGEST, USUAL = 200, 50
COUNTED = 10_000  # up to here a list says how many there are


class ListQuery(Schema):
    """What every list takes. The types are for the docs: a form checks them, with words of its own."""

    limit: str | None = Field(
        None,
        description=f"How many items a page has at most; {USUAL} if nothing is said.",
        json_schema_extra={"anyOf": [{"type": "integer", "minimum": 1, "maximum": LONGEST}]},
    )
    after: str | None = Field(
        None, description="Where a page begins; stands in `next`, and is not to be made up."
    )
    account: str | None = Field(None, description=ACCOUNT)


NEXT = Field(description="The address of the next page; null on the last one.")
COUNT = Field(description=f"How many items all pages have; null above {COUNTED:,}.")


class ListForm(forms.Form):
    """Reads `limit` and `after`; `place` reads the latter, and raises django's ValidationError for a made-up one."""

    limit = forms.IntegerField(required=False, min_value=1, max_value=LONGEST)
    after = forms.CharField(required=False, strip=False)

    def __init__(self, data: QueryDict, *, place: Callable[[str], Any]) -> None:
        super().__init__(data)
        self.place = place

    @property
    def size(self) -> int:
        size: int | None = self.cleaned_data["limit"]
        return size or USUAL

    def clean_after(self) -> Any:
        after = self.cleaned_data["after"]
        return self.place(after) if after else None


def listed(
    request: HttpRequest, items: Iterable[Any], *, after: object | None, rows: QuerySet
) -> dict[str, Any]:
    """The answer. after: the place of the last item, if there are more; rows: the whole list, to be counted."""
    count = rows.order_by()[: COUNTED + 1].count()
    following = None
    if after is not None:
        kept = [(name, value) for name, values in request.GET.lists() if name != "after" for value in values]
        following = request.build_absolute_uri(f"{request.path}?{urlencode([*kept, ('after', str(after))])}")
    return {"items": list(items), "next": following, "count": count if count <= COUNTED else None}
