"""One HTTP exchange with a ticket system: explicit time-outs, no redirects, no retries but of connecting, bounded.

What is logged of an exchange: method, path, status, milliseconds. Never a query, a header, a body or an answer.
Error reports show the variables of frames, and those of the libraries below hold headers and bodies: no error leads
there.
"""

import json
import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from django.views.decorators.debug import sensitive_variables

from flowpilot.psa.providers.addresses import AddressGuard
from flowpilot.psa.providers.errors import Misconfigured, OutcomeUnknown, PsaError, Unavailable

logger = logging.getLogger("flowpilot.psa")

TIMEOUT = httpx.Timeout(connect=5, read=30, write=10, pool=5)
LONGEST_ANSWER = 60.0  # seconds for the whole body, which a server could let drip for ever
LARGEST_ANSWER = 8_000_000  # bytes
LONGEST_WAIT = 6 * 3600.0  # seconds; whatever Retry-After says

# These end before a byte of the request is sent.
BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
NOT_A_REQUEST = (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError)


def new_client() -> httpx.Client:
    return httpx.Client(
        timeout=TIMEOUT, transport=httpx.HTTPTransport(retries=1), trust_env=False, follow_redirects=False
    )


@dataclass(frozen=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes

    def json(self) -> Any:
        """None where the body is no JSON: proxies answer in HTML."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def retry_after(self) -> float | None:
        """Seconds; the header may also name a moment."""
        value = self.headers.get("retry-after", "").strip()
        if not value:
            return None
        try:
            seconds = float(value) if value.isascii() and value.isdecimal() else _seconds_until(value)
        except (ValueError, TypeError):
            return None
        return min(max(seconds, 0.0), LONGEST_WAIT)


class Http:
    """Exchanges of one provider; `writes` tells how an exchange that breaks off is to be understood."""

    def __init__(self, provider: str, client: httpx.Client | None, internal_hosts: Collection[str]) -> None:
        self.provider = provider
        self._client = client or new_client()
        self._owned = client is None
        self._internal_hosts = internal_hosts

    def close(self) -> None:
        if self._owned:
            self._client.close()

    @sensitive_variables()
    def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        writes: bool,
        params: Mapping[str, str] | None = None,
        content: str | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, whatever its status. Raises `Unavailable`, `Misconfigured`, and of a write `OutcomeUnknown`."""
        started = time.monotonic()
        outcome: int | str = "failed"
        path = ""
        try:
            request = self._client.build_request(
                method,
                url,
                headers=dict(headers),
                params=params,
                content=content.encode() if content is not None else None,
                data=form,
                extensions={"trace": AddressGuard(self._internal_hosts)},
            )
            path = request.url.path
            # Given to `send`, and not left to the client: a client that somebody hands in may follow redirects.
            response = self._client.send(request, stream=True, follow_redirects=False)
            try:
                outcome = response.status_code
                return Answer(response.status_code, response.headers, self._body(response, started))
            finally:
                response.close()
        except NOT_A_REQUEST as error:
            outcome = type(error).__name__
            raise Misconfigured(code=outcome) from None
        except BEFORE_SENDING as error:
            outcome = type(error).__name__
            raise Unavailable(_reason(error), code=outcome) from None
        except httpx.HTTPError as error:
            outcome = type(error).__name__
            failure: type[PsaError] = OutcomeUnknown if writes else Unavailable
            raise failure(code=outcome) from None
        except PsaError as error:
            outcome = error.code
            raise error.with_traceback(None) from None
        finally:
            logger.info(
                "%s %s %s %s",
                self.provider,
                method,
                path,
                outcome,
                extra={"milliseconds": round((time.monotonic() - started) * 1000, 1)},
            )

    def _body(self, response: httpx.Response, started: float) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise httpx.ReadError("The answer is too large")
            if time.monotonic() - started > LONGEST_ANSWER:
                raise httpx.ReadTimeout("The answer takes too long")
        return bytes(body)


def _reason(error: httpx.HTTPError) -> str:
    return "Its certificate cannot be verified." if "CERTIFICATE_VERIFY" in str(error) else ""


def _seconds_until(moment: str) -> float:
    at = parsedate_to_datetime(moment)
    return (at - datetime.now(UTC)).total_seconds() if at.tzinfo else 0.0
