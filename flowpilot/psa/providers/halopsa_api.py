"""Calls of HaloPSA's API: a token by client credentials, kept in memory and renewed once where it is refused."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.views.decorators.debug import sensitive_variables

from flowpilot.psa.providers.errors import (
    AuthFailed,
    Conflict,
    Forbidden,
    Invalid,
    Misconfigured,
    OutcomeUnknown,
    PsaError,
    RateLimited,
    TicketNotFound,
    Unavailable,
)
from flowpilot.psa.providers.http import Answer, Http

SPARE_SECONDS = 60  # a token is renewed so long before it ends
BY_STATUS: Mapping[int, type[PsaError]] = {
    401: AuthFailed,
    403: Forbidden,
    405: Misconfigured,
    409: Conflict,
    415: Misconfigured,
    429: RateLimited,
}


class HaloApi:
    @sensitive_variables()
    def __init__(self, http: Http, site: str, credentials: Mapping[str, str]) -> None:
        self.http = http
        self.site = site
        self._credentials = dict(credentials)
        self._token = ""
        self._token_ends = 0.0

    def read(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        value = self._call("GET", path, params=params).json()
        if value is None:
            raise Unavailable("It gave an answer that cannot be read.", code="BadAnswer", http_status=200)
        return value

    def write(self, method: str, path: str, body: str | None = None) -> Any:
        """ONE write: what a 401 answers was not carried out, so sending it again with a new token is no second one."""
        return self._call(method, path, body=body).json()

    def _call(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: str | None = None
    ) -> Answer:
        answer = self._with_token(method, path, params, body)
        if answer.status == 401:
            self._token = ""
            answer = self._with_token(method, path, params, body)
        if 200 <= answer.status < 300:
            return answer
        raise failure(answer, writes=method != "GET")

    @sensitive_variables()
    def _with_token(
        self, method: str, path: str, params: Mapping[str, str] | None, body: str | None
    ) -> Answer:
        if not self._token or time.monotonic() >= self._token_ends:
            self._sign_in()
        headers = {"Accept": "application/json", "Authorization": f"Bearer {self._token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = f"{self.site}/api/{path}"
        return self.http.exchange(
            method, url, headers=headers, writes=method != "GET", params=params, content=body
        )

    @sensitive_variables()
    def _sign_in(self) -> None:
        """Takes the place of sign-in from the answer only where it is at the very same host: it gets the secret."""
        json_only = {"Accept": "application/json"}
        info = self.http.exchange("GET", f"{self.site}/api/authinfo", headers=json_only, writes=False)
        if info.status != 200:
            raise failure(info, writes=False)
        value = info.json()
        auth_url = str(value.get("auth_url") or "") if isinstance(value, dict) else ""
        if not _same_host(auth_url, self.site):
            raise Misconfigured(
                "Its sign-in is at another host, which is not supported.", code="ForeignSignIn"
            )
        answer = self.http.exchange(
            "POST",
            f"{auth_url.rstrip('/')}/token",
            headers=json_only,
            writes=False,
            params={"tenant": self._credentials["tenant"]},
            form={
                "grant_type": "client_credentials",
                "client_id": self._credentials["client_id"],
                "client_secret": self._credentials["client_secret"],
                "scope": "all",
            },
        )
        if answer.status in {400, 401, 403}:
            raise AuthFailed(code="NoToken", http_status=answer.status)
        if answer.status != 200:
            raise failure(answer, writes=False)
        token = answer.json()
        if not isinstance(token, dict) or not isinstance(token.get("access_token"), str):
            raise Misconfigured("This does not answer like HaloPSA.", code="NoToken")
        seconds = token.get("expires_in")
        lasts = float(seconds) if isinstance(seconds, int | float) else 0.0
        self._token = token["access_token"]
        self._token_ends = time.monotonic() + max(lasts - SPARE_SECONDS, 0.0)


def failure(answer: Answer, *, writes: bool) -> PsaError:
    value = answer.json()
    said = value if isinstance(value, dict) else {}
    status = answer.status
    if status == 404:
        kind: type[PsaError] = TicketNotFound if said else Misconfigured
    elif status == 408 or status >= 500:
        kind = OutcomeUnknown if writes else Unavailable
    elif status < 400:
        kind = Misconfigured
    else:
        kind = BY_STATUS.get(status, Invalid)
    message = str(said.get("Message") or said.get("message") or said.get("error") or "")
    return kind(message, code=f"HTTP{status}", http_status=status, retry_after=answer.retry_after)


def _same_host(url: str, site: str) -> bool:
    try:
        found, own = urlsplit(url), urlsplit(site)
    except ValueError:
        return False
    return (found.scheme, found.netloc.lower()) == (own.scheme, own.netloc.lower())
