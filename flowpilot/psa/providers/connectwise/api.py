"""Calls of ConnectWise's API: sign-in, version, where the API is, and what a 404 means."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.views.decorators.debug import sensitive_variables

from flowpilot.psa.providers.connectwise import addresses
from flowpilot.psa.providers.connectwise.failures import endpoint_is_missing, failure, said
from flowpilot.psa.providers.errors import AuthFailed, Misconfigured, OutcomeUnknown, PsaError, Unavailable
from flowpilot.psa.providers.http import Answer, Http

VERSION = "2025.1"  # of the models that are read here; without a pin the newest ones would come
PAGE_SIZE = 1000
MOST_PAGES = 50

# Where a company's API was found to be; a codebase moves with each release of the cloud. By (site, company).
known_codebases: dict[tuple[str, str], str] = {}


@dataclass(frozen=True)
class Credentials:
    company_id: str
    public_key: str = field(repr=False)
    private_key: str = field(repr=False)
    client_id: str = field(repr=False)

    @property
    @sensitive_variables()
    def authorization(self) -> str:
        login = f"{self.company_id}+{self.public_key}:{self.private_key}"
        return "Basic " + b64encode(login.encode()).decode("ascii")


class Api:
    def __init__(self, http: Http, site: str, codebase: str | None, credentials: Credentials) -> None:
        self.http = http
        self.site = site
        self.credentials = credentials
        self._key = (addresses.api_site(site), credentials.company_id.lower())
        if codebase is not None:
            known_codebases.setdefault(self._key, codebase)

    @property
    def root(self) -> str:
        """Where the API is; asks for it where nobody has yet."""
        codebase = known_codebases.get(self._key)
        if codebase is None:
            self.discover()
            codebase = known_codebases[self._key]
        return addresses.api_root(self.site, codebase)

    def discover(self) -> str:
        """Finds the codebase anew; returns the company's name."""
        url = addresses.company_info(self.site, self.credentials.company_id)
        answer = self.http.exchange("GET", url, headers={"Accept": "application/json"}, writes=False)
        if answer.status == 404 and not addresses.is_cloud(self.site):
            known_codebases[self._key] = addresses.ON_PREMISE  # old servers do not tell
            return ""
        if answer.status != 200:
            raise failure(answer, writes=False)
        if answer.body.strip() == b"null":
            raise Misconfigured("There is no such company at this address.", code="UnknownCompany")
        info = said(answer)
        codebase = str(info.get("Codebase") or "")
        if addresses.CODEBASE.fullmatch(codebase) is None:
            raise Misconfigured("This does not answer like ConnectWise.", code="NoCodebase")
        known_codebases[self._key] = codebase
        return str(info.get("CompanyName") or "")

    def read(
        self, path: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The JSON of a GET. Raises a `PsaError` for everything else."""
        answer = self._call("GET", path, params=params, headers=headers)
        if answer.status == 404:
            self._raise_unless_moved(path, answer)
            answer = self._call("GET", path, params=params, headers=headers)
        if answer.status != 200:
            raise failure(answer, writes=False)
        value = answer.json()
        if value is None:
            raise Unavailable("It gave an answer that cannot be read.", code="BadAnswer", http_status=200)
        return value

    def rows(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """All rows of a list, page after page."""
        for page in range(1, MOST_PAGES + 1):
            paging = {"page": str(page), "pageSize": str(PAGE_SIZE)}
            rows = self._list(path, {**(params or {}), **paging})
            yield from rows
            if len(rows) < PAGE_SIZE:
                return
        raise Unavailable("The list is too long to be read.", code="TooManyRows")

    def rows_after(
        self, path: str, after: int, params: Mapping[str, str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """All rows of a list with a greater id. Raises where the server does not page this way: that is no "absent"."""
        for _ in range(MOST_PAGES):
            paging = {"pageId": str(after), "pageSize": str(PAGE_SIZE)}
            rows = self._list(path, {**(params or {}), **paging}, {"pagination-type": "forward-only"})
            yield from rows
            if len(rows) < PAGE_SIZE:
                return
            newest = max(row["id"] for row in rows)
            if newest <= after:
                raise Unavailable("It does not list what came after.", code="NotForwardOnly")
            after = newest
        raise Unavailable("The list is too long to be read.", code="TooManyRows")

    def write(self, method: str, path: str, body: str | None = None) -> Any:
        """ONE write. Its JSON; None where a 2xx has no readable body."""
        answer = self._call(method, path, body=body)
        if answer.status == 404:
            self._raise_unless_moved(path, answer)
            # It moved, so nothing was done; the next attempt goes to the new place.
            raise Unavailable(
                "Its address has changed; the new one was found.", code="Moved", http_status=404
            )
        if not 200 <= answer.status < 300:
            raise failure(answer, writes=True)
        return answer.json()

    def _list(
        self, path: str, params: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        rows = self.read(path, params, headers)
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and isinstance(row.get("id"), int) for row in rows
        ):
            raise Unavailable("It gave an answer that cannot be read.", code="BadAnswer", http_status=200)
        return rows

    @sensitive_variables()
    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> Answer:
        if not self.credentials.client_id:
            raise Misconfigured(
                "This installation has no client id of ConnectWise; its operator sets CONNECTWISE_CLIENT_ID.",
                code="NoClientId",
            )
        sent = {
            "Accept": f"application/vnd.connectwise.com+json; version={VERSION}",
            "Authorization": self.credentials.authorization,
            "clientId": self.credentials.client_id,
            **({"Content-Type": "application/json"} if body is not None else {}),
            **(headers or {}),
        }
        return self.http.exchange(
            method, self.root + path, headers=sent, writes=method != "GET", params=params, content=body
        )

    def _raise_unless_moved(self, path: str, answer: Answer) -> None:
        """Returns if the codebase has moved and is known now. In the cloud wrong keys get a 404 too.

        Nothing was done by the request that got the 404, so what goes wrong here says nothing of a write.
        """
        before = self.root
        if path != "/system/info":
            probe = self._call("GET", "/system/info")
            if probe.status == 200:
                raise self._not_found(answer)
            if probe.status != 404:
                raise failure(probe, writes=False)
        self.discover()
        if self.root != before:
            return
        error = AuthFailed if addresses.is_cloud(self.site) else Misconfigured
        raise error(str(said(answer).get("message") or ""), code="HTTP404", http_status=404)

    @staticmethod
    def _not_found(answer: Answer) -> PsaError:
        if said(answer).get("code") or endpoint_is_missing(answer):
            return failure(answer, writes=False)
        return Unavailable(
            "Something between here and it answered instead.", code="Intermediary", http_status=404
        )


def outcome_unknown(message: str) -> OutcomeUnknown:
    """A success that does not say what was made."""
    return OutcomeUnknown(message, code="NoId", http_status=200)
