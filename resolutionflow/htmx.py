from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from resolutionflow.accounts.scoping import AccountRequest


def wants_panel(request: AccountRequest) -> bool:
    """Whether htmx is going to swap the answer in; a restored history entry needs the whole page."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def page_or_panel(
    request: AccountRequest, page: str, panel: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Same URL, same context: the panel for an htmx swap, the page for everyone else."""
    response = render(request, panel if wants_panel(request) else page, context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request"])
    return response
