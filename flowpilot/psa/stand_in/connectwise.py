"""ConnectWise, standing in: sign-in, addresses, lists with conditions and paging. Writes are in `connectwise_writes`.

It knows the client by nothing but what the vendor documents, and refuses rather than guesses.
"""

import base64
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from flowpilot.psa.stand_in.conditions import BadCondition, parse, value_of
from flowpilot.psa.stand_in.connectwise_writes import Switches, Writes
from flowpilot.psa.stand_in.faults import Fault
from flowpilot.psa.stand_in.refusals import no_endpoint, not_found, refusal, refused
from flowpilot.psa.stand_in.seed import (
    COMPANY_ID,
    COMPANY_NAME,
    PRIVATE_KEY,
    PUBLIC_KEY,
    Seed,
    Tables,
    seed,
)
from flowpilot.psa.stand_in.wsgi import Answer, Clock, Refused, Request, StandIn, system_clock

ROOT = re.compile(r"/(v[0-9A-Za-z_]+/)apis/3\.0(/.*)")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
ALIAS = "v4_6_release/"
LONGEST_ADDRESS = 2000
TIMEOUT = "A timeout has occured. Please try again."  # so in the original

# What conditions and orderBy may name.
COMMON = {"id": int}
NAMED = {**COMMON, "name": str, "inactiveFlag": bool}
FIELDS: dict[str, dict[str, type]] = {
    "tickets": {
        **COMMON,
        "summary": str,
        "closedFlag": bool,
        "board/id": int,
        "board/name": str,
        "status/id": int,
        "status/name": str,
        "company/id": int,
        "company/name": str,
        "company/identifier": str,
    },
    "notes": {**COMMON, "text": str, "dateCreated": datetime},
    "entries": {
        **COMMON,
        "chargeToId": int,
        "chargeToType": str,
        "member/id": int,
        "member/identifier": str,
        "timeStart": datetime,
        "timeEnd": datetime,
        "actualHours": float,
        "internalNotes": str,
    },
    "statuses": {**COMMON, "name": str, "inactive": bool},
    "members": {**COMMON, "identifier": str, "officeEmail": str, "inactiveFlag": bool},
    "options": NAMED,
    "callbacks": {**COMMON, "url": str, "description": str},
}


class ConnectWiseStandIn(StandIn):
    """seed: fills the tables at the start and at each reset."""

    def __init__(
        self, *, clock: Clock = system_clock, seed: Seed = seed, switches: Switches | None = None
    ) -> None:
        super().__init__(clock=clock)
        self._seed = seed
        self._first_switches = switches or Switches()
        self.reset()

    def reset(self) -> None:
        super().reset()
        self.codebase, self.private_key = "v2025_1/", PRIVATE_KEY
        self.switches = Switches(**vars(self._first_switches))
        self.tables = Tables()
        self._seed(self.tables)
        self.writes = Writes(self.tables, self.ledger, self.clock, self.switches)

    def seed_more(self, tickets: list[dict[str, Any]]) -> None:
        for ticket in tickets:
            self.tables.add_ticket(**ticket)

    def switch(self, name: str, on: bool) -> None:
        if name not in vars(self.switches):
            raise ValueError(f"There is no switch {name!r}")
        setattr(self.switches, name, on)

    def route(self, path: str) -> str:
        found = ROOT.fullmatch(path)
        return found[2] if found else path

    def fault_answer(self, fault: Fault, request: Request) -> Answer:
        soon = f"Too many requests. Please try again in {fault.retry_after} seconds."
        if fault.name == "404_endpoint":
            if fault.moved_to:
                self.codebase = fault.moved_to
            return no_endpoint()
        if fault.name == "429":
            body = {"error": "ConnectWiseAPI", "message": soon}
            return Answer(429, body, {"Retry-After": str(fault.retry_after)})
        if fault.name == "503_html":
            page = b"<html><body><h1>503 Service Unavailable</h1></body></html>"
            return Answer(503, page, content_type="text/html")
        if fault.name == "reject":
            return refusal(fault.field, "It is not accepted.", "object")
        return {
            "401": Answer(401, {"code": "Unauthorized", "message": "UserNotAuthenticated", "errors": None}),
            "403": Answer(403, {"code": "Security", "message": "You do not have security permission."}),
            "409": Answer(409, {"code": "Conflict", "message": "The record is possibly in use."}),
        }.get(fault.name, Answer(500, {"code": "ConnectWiseApi", "message": TIMEOUT, "errors": None}))

    def handle(self, request: Request) -> Answer:
        company = re.fullmatch(r"/login/companyinfo/([^/]*)", request.path)
        if company and request.method == "GET":
            return self._company(company[1])
        found = ROOT.fullmatch(request.path)
        if found is None or found[1] not in {self.codebase, ALIAS}:
            return no_endpoint()
        if self.switches.needs_api_prefix and not request.host.startswith("api-"):
            return Answer(403, {"code": "Security", "message": "SSL is required.", "errors": None})
        self._sign_in(request)
        if sum(len(name) + len(value) + 2 for name, value in request.query.items()) > LONGEST_ADDRESS:
            return Answer(414, {"code": "ConnectWiseApi", "message": "The address is too long."})
        for method, pattern, view in self._routes():
            match = re.fullmatch(pattern, found[2])
            if match and method == request.method:
                return view(request, *(int(id) for id in match.groups()))
        return no_endpoint()

    def _company(self, name: str) -> Answer:
        if name.lower() != COMPANY_ID:
            return Answer(200, None)
        info = {"CompanyName": COMPANY_NAME, "Codebase": self.codebase, "VersionCode": "v2025.1"}
        return Answer(200, info | {"VersionNumber": "v2025.1.0", "CompanyID": COMPANY_ID, "IsCloud": "True"})

    def _sign_in(self, request: Request) -> None:
        login = f"{COMPANY_ID}+{PUBLIC_KEY}:{self.private_key}".encode()
        expected = "Basic " + base64.b64encode(login).decode()
        if request.headers.get("authorization") != expected:
            raise Refused(Answer(401, {"code": "ConnectWiseApi", "message": "UserNotAuthenticated"}))
        if GUID.fullmatch(request.headers.get("clientid", "")) is None:
            raise Refused(Answer(401, {"code": "ConnectWiseApi", "message": "The clientId is missing."}))

    def _routes(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        id, tables, writes = r"([1-9][0-9]{0,9})", self.tables, self.writes
        ticket = f"/service/tickets/{id}"
        return [
            ("GET", "/system/info", self._info),
            ("GET", "/service/tickets", lambda r: self._list(r, "tickets", self._tickets())),
            ("GET", "/service/tickets/count", lambda r: self._count(r, "tickets", self._tickets())),
            ("POST", "/service/tickets/search", self._search),
            ("GET", ticket, lambda r, t: self._one(r, writes.put_ticket(writes.ticket(t)))),
            ("PATCH", ticket, writes.patch_ticket),
            ("GET", f"{ticket}/notes", lambda r, t: self._list(r, "notes", writes.notes_of(t))),
            ("POST", f"{ticket}/notes", writes.add_note),
            ("GET", f"{ticket}/notes/{id}", lambda r, t, n: self._one(r, writes.note(t, n))),
            ("DELETE", f"{ticket}/notes/{id}", writes.delete_note),
            ("GET", f"{ticket}/allNotes", self._all_notes),
            ("GET", f"{ticket}/timeentries", lambda r, t: self._list(r, "entries", writes.entries_of(t))),
            ("GET", f"/service/boards/{id}/statuses", self._statuses),
            (
                "GET",
                "/time/entries",
                lambda r: self._list(r, "entries", map(writes.put_entry, tables.entries.values())),
            ),
            ("POST", "/time/entries", writes.add_entry),
            ("GET", f"/time/entries/{id}", lambda r, e: self._one(r, writes.entry(e))),
            ("DELETE", f"/time/entries/{id}", writes.delete_entry),
            ("GET", "/time/workTypes", lambda r: self._list(r, "options", tables.work_types.values())),
            ("GET", "/time/workRoles", lambda r: self._list(r, "options", tables.work_roles.values())),
            ("GET", "/system/locations", lambda r: self._list(r, "options", tables.locations.values())),
            ("GET", "/system/members", lambda r: self._list(r, "members", tables.members.values())),
            ("GET", "/system/callbacks", lambda r: self._list(r, "callbacks", tables.callbacks.values())),
            ("POST", "/system/callbacks", writes.add_callback),
        ]

    def _info(self, request: Request) -> Answer:
        info = {"version": "v2025.1.0", "isCloud": True, "cloudRegion": "EU", "licenseBits": []}
        return Answer(200, info | {"serverTimeZone": "Greenwich Standard Time"})

    def _tickets(self) -> list[dict[str, Any]]:
        return [self.writes.put_ticket(row) for row in self.tables.tickets.values()]

    def _statuses(self, request: Request, board: int) -> Answer:
        if board not in self.tables.boards:
            raise not_found(f"Board {board} not found")
        rows = [row for row in self.tables.statuses.values() if row["board"] == board]
        return self._list(request, "statuses", rows)

    def _all_notes(self, request: Request, ticket: int) -> Answer:
        if self.switches.all_notes_missing:
            return no_endpoint()
        notes = [{**row, "noteType": "TicketNote"} for row in self.writes.notes_of(ticket)]
        notes += [
            {"id": entry["id"], "noteType": "TimeEntryNote", "text": entry["notes"]}
            for entry in self.writes.entries_of(ticket)
        ]
        return self._list(request, "notes", notes)

    def _search(self, request: Request) -> Answer:
        body = request.json()
        if not isinstance(body, dict):
            return refusal("conditions", "The body must be an object.", "search")
        query = {**request.query, **{name: str(value) for name, value in body.items()}}
        return self._list(Request(**{**vars(request), "query": query}), "tickets", self._tickets())

    def _count(self, request: Request, fields: str, rows: Iterable[dict[str, Any]]) -> Answer:
        return Answer(200, {"count": len(self._filtered(request, fields, rows))})

    def _one(self, request: Request, row: dict[str, Any]) -> Answer:
        return Answer(200, _only(row, request.query.get("fields", "")))

    def _filtered(
        self, request: Request, fields: str, rows: Iterable[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        conditions = request.query.get("conditions", "")
        try:
            holds = parse(conditions, FIELDS[fields]) if conditions.strip() else lambda row: True
        except BadCondition as error:
            raise refused(400, "ApiFindCondition", f"The condition cannot be read: {error}") from error
        found = sorted((row for row in rows if holds(row)), key=lambda row: int(row["id"]))
        return found[: max(len(found) - request.hide_newest, 0)]

    def _list(self, request: Request, fields: str, rows: Iterable[dict[str, Any]]) -> Answer:
        found = self._filtered(request, fields, rows)
        size = _whole(request, "pageSize", 25)
        if not 1 <= size <= 1000:
            raise refused(400, "InvalidObject", "pageSize must be between 1 and 1000")
        address = f"http://{request.headers.get('host', '')}{request.path}"
        if request.headers.get("pagination-type") == "forward-only":
            if "orderBy" in request.query:
                raise refused(400, "InvalidObject", "orderBy is not supported with forward-only")
            after = _whole(request, "pageId", 0)
            later = [row for row in found if row["id"] > after]
            page, more = later[:size], len(later) > size
            link = f'<{address}?pageId={page[-1]["id"]}&pageSize={size}>; rel="next"' if more else ""
        else:
            found = self._ordered(found, request.query.get("orderBy", ""), fields)
            number = _whole(request, "page", 1)
            last = max(-(-len(found) // size), 1)
            page = found[(number - 1) * size : number * size]
            pages = {"first": 1, "prev": number - 1, "next": number + 1, "last": last}
            link = ", ".join(
                f'<{address}?page={to}&pageSize={size}>; rel="{rel}"'
                for rel, to in pages.items()
                if 1 <= to <= last and not (rel == "first" and number == 1)
            )
        only = [_only(row, request.query.get("fields", "")) for row in page]
        return Answer(200, only, {"Link": link, "api-current-version": "2025.1"})

    @staticmethod
    def _ordered(rows: list[dict[str, Any]], order: str, fields: str) -> list[dict[str, Any]]:
        for part in reversed([part for part in order.split(",") if part.strip()]):
            name, _, direction = part.strip().partition(" ")
            kind = FIELDS[fields].get(name)
            if kind is None or direction.strip().lower() not in {"", "asc", "desc"}:
                raise refused(400, "InvalidObject", f"Cannot order by {part.strip()!r}")
            rows = sorted(
                rows,
                key=lambda row: (
                    value_of(row, name, kind) is not None,
                    value_of(row, name, kind) or _least(kind),
                ),
                reverse=direction.strip().lower() == "desc",
            )
        return rows


def _least(kind: type) -> Any:
    """What is sorted in the place of nothing."""
    return datetime.min.replace(tzinfo=UTC) if kind is datetime else kind()


def _whole(request: Request, name: str, default: int) -> int:
    value = request.query.get(name, str(default))
    if not (value.isascii() and value.isdecimal()):
        raise refused(400, "InvalidObject", f"{name} must be a number")
    return int(value)


def _only(row: dict[str, Any], fields: str) -> dict[str, Any]:
    names = {name.strip().partition("/")[0] for name in fields.split(",") if name.strip()}
    return {name: value for name, value in row.items() if name in names} if names else row
