"""What `check --deploy` says of the settings beyond Django's own checks."""

import re
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

# No wildcard of ALLOWED_HOSTS, and no path: links are put after it.
ADDRESS = re.compile(r"https?://[^\s/*.][^\s/*]*")


def base_url_names_a_host(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    if ADDRESS.fullmatch(settings.BASE_URL):
        return []
    hint = "Set it to where people reach the product, such as https://help.example.com."
    return [
        checks.Warning(
            f"BASE_URL is “{settings.BASE_URL}”: links in mail lead nowhere.", hint, id="settings.W001"
        )
    ]
