"""URLs with a query string."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from django.urls import reverse


def url_with(name: str, parameters: Mapping[str, Any], *args: Any) -> str:
    """The URL of a route with these parameters; a list is repeated, None and "" are left out."""
    query = QueryDict(mutable=True)
    for key, value in parameters.items():
        query.setlist(
            key, [str(v) for v in (value if isinstance(value, list) else [value]) if v not in (None, "")]
        )
    path = reverse(name, args=args)
    return f"{path}?{query.urlencode()}" if any(query.lists()) and query.urlencode() else path
