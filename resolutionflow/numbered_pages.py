"""Short lists by page number, as the settings have them. Long ones that grow meanwhile are paged by paging.py."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import InvalidPage, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

PER_PAGE = 50


@dataclass(frozen=True)
class NumberedPage:
    """Rows in order, and what components/pagination.html needs. `total` counts the rows of all pages; `words` is ""
    where the page holds all there are."""

    rows: list[Any]
    total: int
    words: str
    previous_href: str
    next_href: str


def numbered_page(request: HttpRequest, rows: QuerySet, plural: str) -> NumberedPage:
    """The page of these rows that the query string asks for, the first where it asks for none.

    Raises Http404 for a page that the list does not have. The links keep every other parameter.
    """
    try:
        page = Paginator(rows, PER_PAGE).page(request.GET.get("page") or 1)
    except InvalidPage:
        raise Http404("No such page of the list") from None

    def href(number: int) -> str:
        query = request.GET.copy()
        query["page"] = str(number)
        return f"{request.path}?{query.urlencode()}"

    return NumberedPage(
        list(page),
        page.paginator.count,
        f"{page.start_index():,} – {page.end_index():,} of {page.paginator.count:,} {plural}"
        if page.has_other_pages()
        else "",
        href(page.previous_page_number()) if page.has_previous() else "",
        href(page.next_page_number()) if page.has_next() else "",
    )
