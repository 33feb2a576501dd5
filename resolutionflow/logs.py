"""Logs as JSON: one object a line, and one line a request."""

import json
import logging
import re
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse

logger = logging.getLogger("resolutionflow.requests")

# What every record has by itself; whatever else it carries was given by `extra`.
STANDARD_ATTRIBUTES = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Django's own `extra`: a request object prints its query string, and the status stands in our request line.
DJANGO_ATTRIBUTES = {"request", "server_time", "status_code", "params", "sql"}

# A request id from a proxy is taken over if it is one; anything else could forge log lines.
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)

# Parts of a path, by their names in the URL patterns, that open something: a password reset's key for one.
SECRET_PARTS = ["key", "token"]


class JsonFormatter(logging.Formatter):
    """time (UTC), level, logger, message, the exception's traceback if there is one, and the record's `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        for name, value in vars(record).items():
            if name not in STANDARD_ATTRIBUTES and name not in DJANGO_ATTRIBUTES:
                entry.setdefault(name, value)
        request_id = getattr(getattr(record, "request", None), "id", None)
        if request_id is not None:
            entry.setdefault("request_id", request_id)
        return json.dumps(entry, default=str, ensure_ascii=False)


class RequestLogMiddleware:
    """Logs each request's method, path (never the query, which may hold secrets), status, time and who it was.

    Sets X-Request-ID on the answer and `request.id`, taken from the request's header where a proxy has set a sound one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        request.id = request_id  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        path = path_without_secrets(request)
        context: dict[str, object] = {
            "method": request.method,
            "path": path,
            "status": response.status_code,
            "milliseconds": round((time.perf_counter() - started) * 1000, 1),
            "request_id": request_id,
        }
        # Only a user that the view has looked up: logging makes no query of its own.
        user = getattr(request, "_cached_user", None)
        account = getattr(request, "account", None)
        if user is not None and user.pk is not None:
            context["user_id"] = str(user.pk)
        account_id = account.pk if account is not None else getattr(user, "account_id", None)
        if account_id is not None:
            context["account_id"] = str(account_id)
        logger.info("%s %s %s", request.method, path, response.status_code, extra=context)
        return response


def path_without_secrets(request: HttpRequest) -> str:
    """The path, with a dash for the parts that SECRET_PARTS names."""
    path = request.path
    for name in SECRET_PARTS:
        value = request.resolver_match.kwargs.get(name) if request.resolver_match else None
        if value:
            path = path.replace(str(value), "-")
    return path
