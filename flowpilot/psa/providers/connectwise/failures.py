"""What an answer that is no success means."""

import re
from collections.abc import Mapping
from typing import Any

from flowpilot.psa.providers.errors import (
    AuthFailed,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    Misconfigured,
    OutcomeUnknown,
    PsaError,
    RateLimited,
    TicketNotFound,
    TimeNotAllowed,
    Unavailable,
)
from flowpilot.psa.providers.http import Answer

SOON = re.compile(r"try again in (\d{1,5}) seconds", re.IGNORECASE)
NO_TIME = re.compile(r"cannot add time|time entr(y|ies) (is|are) not allowed")
# A body that it could not read, although it says 500. Every other 500 may have been carried out.
UNREADABLE = "error converting value"
NO_ENDPOINT = "the endpoint does not exist"
NO_TLS = "ssl is required"
BY_STATUS: Mapping[int, type[PsaError]] = {
    401: AuthFailed,
    403: Forbidden,
    405: Misconfigured,
    409: Conflict,
    415: Misconfigured,
    429: RateLimited,
}


def said(answer: Answer) -> Mapping[str, Any]:
    body = answer.json()
    return body if isinstance(body, dict) else {}


def failure(answer: Answer, *, writes: bool) -> PsaError:
    """The error for an answer outside 2xx. What a 404 means takes another look, see `Api`."""
    body = said(answer)
    message = str(body.get("message") or "")
    code = str(body.get("code") or body.get("error") or f"HTTP{answer.status}")[:60]
    errors = _field_errors(body)
    texts = " ".join([message, *(error.message for error in errors)]).lower()
    return _kind(answer.status, code, texts, writes=writes)(
        message,
        code=code,
        http_status=answer.status,
        field_errors=errors,
        retry_after=answer.retry_after if answer.retry_after is not None else _seconds_in(message),
    )


def _kind(status: int, code: str, texts: str, *, writes: bool) -> type[PsaError]:
    if NO_TLS in texts:
        return Misconfigured
    if status == 404:
        return TicketNotFound if code == "NotFound" else Misconfigured
    if status == 408 or status >= 500:
        if UNREADABLE in texts:
            return Invalid
        return OutcomeUnknown if writes else Unavailable
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status < 400:  # a redirect, which is not followed
        return Misconfigured
    return TimeNotAllowed if NO_TIME.search(texts) else Invalid


def endpoint_is_missing(answer: Answer) -> bool:
    return NO_ENDPOINT in str(said(answer).get("message") or "").lower()


def _field_errors(body: Mapping[str, Any]) -> list[FieldError]:
    errors = body.get("errors")
    return [
        FieldError(
            field=str(error.get("field") or "")[:100],
            message=str(error.get("message") or "")[:300],
            code=str(error.get("code") or "")[:60],
        )
        for error in (errors[:20] if isinstance(errors, list) else [])
        if isinstance(error, dict)
    ]


def _seconds_in(message: str) -> float | None:
    found = SOON.search(message)
    return float(found[1]) if found else None
