"""What people see while the database is away: a page that says so, instead of an error."""

import logging
import sys
from collections.abc import Callable
from typing import Any

import psycopg
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.cache import add_never_cache_headers

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 10
DETAIL = "The database is not available at the moment. Please try again shortly."

# PostgreSQL's codes for "no connection" (class 08), "too many connections" and "shutting down, starting up".
# Other operational errors (a deadlock, a statement that took too long, a full disk) are errors of the request.
CONNECTION_CLASS = "08"
UNAVAILABLE_CODES = {"53300", "57P01", "57P02", "57P03"}


def is_unavailable(error: BaseException | None) -> bool:
    """Whether `error` means that the database cannot be reached, rather than that a query is wrong."""
    if isinstance(error, InterfaceError | psycopg.InterfaceError):
        return True
    if not isinstance(error, OperationalError | psycopg.OperationalError):
        return False
    # Django keeps psycopg's error as the cause. Failing to connect at all has no code.
    code = getattr(error if isinstance(error, psycopg.Error) else error.__cause__, "sqlstate", None)
    return code is None or code.startswith(CONNECTION_CLASS) or code in UNAVAILABLE_CODES


class DatabaseUnavailableMiddleware:
    """Answers 503 where the database was out of reach, in a view or in any middleware below this one.

    An error in a middleware never comes up to here: Django has made a 500 of it by then, and tells the error only by
    its signal. So the signal leaves a mark on the request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        got_request_exception.connect(mark_unavailable, dispatch_uid="database unavailable")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if getattr(request, "database_unavailable", False):
            return unavailable(request)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not is_unavailable(exception):
            return None
        logger.error("The database is not available: %s", exception, extra={"path": request.path})
        return unavailable(request)


def mark_unavailable(request: HttpRequest | None = None, **kwargs: Any) -> None:
    if request is not None and is_unavailable(sys.exc_info()[1]):
        request.database_unavailable = True  # type: ignore[attr-defined]


def unavailable(request: HttpRequest) -> HttpResponse:
    """A 503 in the form the client reads: JSON under /api/, a fragment for htmx, a page otherwise. Needs no query."""
    response: HttpResponse
    if request.path.startswith("/api/"):
        response = JsonResponse({"detail": DETAIL}, status=503)
    else:
        template = "_503.html" if request.headers.get("HX-Request") else "503.html"
        content = render_to_string(
            template, {"detail": DETAIL, "stylesheet": stylesheet(), "path": request.path}
        )
        response = HttpResponse(content, status=503)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    add_never_cache_headers(response)
    return response


def stylesheet() -> str | None:
    """The URL of the product's stylesheet; None where the static files were not collected."""
    try:
        return static("css/app.css")
    except ValueError:  # the manifest does not know it
        return None
