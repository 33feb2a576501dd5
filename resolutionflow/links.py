"""URLs with a query string."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse


def url_with(name: str, parameters: Mapping[str, Any], *args: Any) -> str:
    """The URL of a route with these parameters; a list is repeated, None and "" are left out."""
    pairs = [
        (key, str(one))
        for key, value in parameters.items()
        for one in (value if isinstance(value, list) else [value])
        if one not in (None, "")
    ]
    path = reverse(name, args=args)
    return f"{path}?{urlencode(pairs)}" if pairs else path
