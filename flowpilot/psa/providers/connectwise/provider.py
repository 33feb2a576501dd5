"""ConnectWise PSA behind the interface of `base`."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx
from django.views.decorators.debug import sensitive_variables

from flowpilot.psa.providers.addresses import site_of
from flowpilot.psa.providers.base import (
    ConnectionInfo,
    Kind,
    Op,
    Option,
    Page,
    Receipt,
    StatusOption,
    Ticket,
    Watermark,
    WireRequest,
)
from flowpilot.psa.providers.connectwise import addresses, conditions, reading, rendering
from flowpilot.psa.providers.connectwise.api import Api, Credentials, outcome_unknown
from flowpilot.psa.providers.errors import (
    Invalid,
    Misconfigured,
    OutcomeUnknown,
    PsaError,
    StatusMoved,
    TicketMerged,
    TicketNotFound,
    Unavailable,
)
from flowpilot.psa.providers.http import Http
from flowpilot.psa.providers.markers import MARKER, has_marker

TICKET_FIELDS = "id,summary,board,status,closedFlag,company,mergedParentTicket"
MOST_MERGES = 5  # a ticket that was merged into one that was merged, and so on


class ConnectWise:
    key = "connectwise"
    caps = rendering.CAPS

    @sensitive_variables()
    def __init__(
        self,
        *,
        base_url: str,
        credentials: Mapping[str, str],
        client_id: str,
        internal_hosts: Collection[str] = (),
        http: httpx.Client | None = None,
    ) -> None:
        """base_url: the company's address, or the API's as `check` has found it."""
        login = Credentials(
            company_id=credentials["company_id"],
            public_key=credentials["public_key"],
            private_key=credentials["private_key"],
            client_id=client_id,
        )
        site = site_of(base_url, internal_hosts)
        http_ = Http(self.key, http, internal_hosts)
        self._api = Api(http_, site, addresses.codebase_in(base_url), login)
        self._statuses: dict[str, list[StatusOption]] = {}

    def close(self) -> None:
        self._api.http.close()

    @property
    def api(self) -> Api:
        """For questions that go beyond the interface, such as those of `psa_verify`."""
        return self._api

    # What is there.

    def check(self) -> ConnectionInfo:
        company = self._api.discover()
        info = self._api.read("/system/info")
        version = reading.text_of(info, "version") if isinstance(info, dict) else ""
        if not version:
            raise Misconfigured("This does not answer like ConnectWise.", code="NoVersion")
        return ConnectionInfo(base_url=self._api.root, version=version, company=company)

    def get_ticket(self, ref: str) -> Ticket:
        row = self._ticket_row(ref)
        ticket = reading.ticket(row, self.ticket_url(ref))
        current = [s for s in self.list_statuses(ticket) if s.ref == ticket.status_ref]
        allowed = all(status.time_allowed for status in current)
        return reading.ticket(row, ticket.url, time_allowed=allowed)

    def search_tickets(self, q: str, page: int = 1, size: int = 25) -> Page[Ticket]:
        params = {"orderBy": "id desc", "fields": TICKET_FIELDS, "page": str(page), "pageSize": str(size)}
        found = conditions.search(q)
        if found:
            params["conditions"] = found
        rows = self._api.read("/service/tickets", params)
        if not isinstance(rows, list):
            raise Unavailable("It gave an answer that cannot be read.", code="BadAnswer")
        tickets = [
            reading.ticket(row, self.ticket_url(str(row["id"])))
            for row in rows
            if isinstance(row, dict) and "id" in row
        ]
        return Page(items=tickets, number=page, has_next=len(rows) >= size)

    def ticket_url(self, ref: str) -> str:
        return addresses.ticket_page(self._api.site, self._api.credentials.company_id, ref)

    def list_statuses(self, ticket: Ticket) -> list[StatusOption]:
        board = ticket.board_ref
        if board not in self._statuses:
            rows = self._api.rows(f"/service/boards/{rendering.number(board, 'board')}/statuses")
            self._statuses[board] = [reading.status(row) for row in rows]
        return self._statuses[board]

    def list_members(self) -> list[Option]:
        return [reading.member(row) for row in self._api.rows("/system/members")]

    def list_work_types(self) -> list[Option]:
        return [reading.option(row) for row in self._api.rows("/time/workTypes")]

    def list_work_roles(self) -> list[Option]:
        return [reading.option(row) for row in self._api.rows("/time/workRoles")]

    def list_locations(self) -> list[Option]:
        return [reading.option(row) for row in self._api.rows("/system/locations")]

    # What is sent.

    def render(self, op: Op, marker: str) -> WireRequest:
        return rendering.render(op, marker)

    def watermark(self, wire: WireRequest) -> Watermark:
        """Raises `TicketMerged` too: nothing should be sent to a ticket that another one took over."""
        merged_into = reading.ref_of(self._ticket_row(wire.ticket), "mergedParentTicket")
        if merged_into:
            raise TicketMerged(f"It was merged into {merged_into}.", code="Merged")
        if wire.kind is Kind.STATUS:
            return Watermark()
        params = {"orderBy": "id desc", "pageSize": "1", "page": "1"}
        if wire.kind is Kind.TIME_ENTRY:
            params["conditions"] = conditions.of_ticket(wire.ticket)
        rows = self._api.read(_list_of(wire.kind, wire.ticket), params)
        try:
            return Watermark(newest=str(int(rows[0]["id"])) if rows else "")
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable("It gave an answer that cannot be read.", code="BadAnswer") from error

    def send(self, wire: WireRequest) -> Receipt:
        if wire.kind is Kind.STATUS:
            return self._set_status(wire)
        row = self._api.write(wire.method, wire.path, wire.body)
        if not isinstance(row, dict) or not isinstance(row.get("id"), int) or row["id"] < 1:
            raise outcome_unknown("It answered without saying what was made.")
        return self._receipt(wire, row)

    def find(self, wire: WireRequest, since: Watermark) -> list[Receipt]:
        if wire.kind is Kind.STATUS:
            row = self._ticket_row(wire.ticket)
            is_set = reading.ref_of(row, "status") == wire.match["status"]
            return [self._receipt(wire, row)] if is_set else []
        ref = wire.ticket
        for _ in range(MOST_MERGES):
            found = self._find_on(ref, wire, int(since.newest or 0))
            if found:
                return [self._receipt(wire, row) for row in sorted(found, key=lambda row: int(row["id"]))]
            ref = reading.ref_of(self._ticket_row(ref), "mergedParentTicket")
            if not ref:
                return []
        raise Unavailable("The ticket was merged too many times to follow.", code="TooManyMerges")

    def delete(self, wire: WireRequest, external_id: str) -> None:
        if wire.kind is Kind.STATUS:
            raise Invalid("A status cannot be taken away.", code="NotDeletable")
        row_id = rendering.number(external_id, "id")
        try:
            self._api.write("DELETE", f"{_list_of(wire.kind, wire.ticket)}/{row_id}")
        except TicketNotFound:
            return  # gone already

    # The parts of it.

    def _ticket_row(self, ref: str) -> reading.Row:
        row = self._api.read(f"/service/tickets/{rendering.number(ref, 'ticket')}")
        if not isinstance(row, dict) or "id" not in row:
            raise Unavailable("It gave an answer that cannot be read.", code="BadAnswer")
        return row

    def _set_status(self, wire: WireRequest) -> Receipt:
        """Skips what is so already, leaves alone what somebody moved meanwhile, and believes no 200 by itself."""
        wanted, expected = wire.match["status"], wire.match.get("only_if_current")
        row = self._ticket_row(wire.ticket)
        current = reading.ref_of(row, "status")
        if current == wanted:
            return self._receipt(wire, row)
        if expected is not None and current != expected:
            now = reading.text_of(reading.part(row, "status"), "name")
            raise StatusMoved(f"It is “{now}” now." if now else "", code="StatusMoved")
        answer = self._api.write(wire.method, wire.path, wire.body)
        if isinstance(answer, dict) and reading.ref_of(answer, "status") == wanted:
            return self._receipt(wire, answer)
        try:
            row = self._ticket_row(wire.ticket)
        except PsaError as error:
            raise OutcomeUnknown(error.message, code=error.code, http_status=error.http_status) from error
        if reading.ref_of(row, "status") != wanted:
            raise Invalid("It accepted the status and did not change it.", code="NotChanged", http_status=200)
        return self._receipt(wire, row)

    def _find_on(self, ref: str, wire: WireRequest, after: int) -> list[reading.Row]:
        if wire.kind is Kind.NOTE:
            rows = self._api.rows_after(_list_of(Kind.NOTE, ref), after)
            return _marked(rows, "text", wire.marker) or self._in_all_notes(ref, wire.marker)
        params = {"conditions": conditions.of_ticket(ref)}
        entries = list(self._api.rows_after("/time/entries", after, params))
        return _marked(entries, "internalNotes", wire.marker) or [
            entry for entry in entries if _is_same_time(entry, wire)
        ]

    def _in_all_notes(self, ref: str, marker: str) -> list[reading.Row]:
        """Another list of the ticket's notes, in case the first one leaves some out. Old servers do not have it."""
        try:
            rows = list(self._api.rows(f"/service/tickets/{ref}/allNotes"))
        except Misconfigured as error:
            if error.http_status in {404, 405}:
                return []
            raise
        notes = [row for row in rows if reading.text_of(row, "noteType") == "TicketNote"]
        return _marked(notes, "text", marker)

    def _receipt(self, wire: WireRequest, row: reading.Row) -> Receipt:
        remark = ""
        if wire.kind is Kind.TIME_ENTRY:
            start = reading.moment_of(row, "timeStart")
            if start is not None and rendering.moment(start) != wire.match["start"]:
                remark = f"ConnectWise keeps {start:%-d %b %Y, %H:%M} UTC as its start: look at the time entry there."
            elif not has_marker(reading.text_of(row, "internalNotes"), wire.marker):
                remark = "It was recognised by member, start and hours; its mark is missing."
        return Receipt(
            external_id=str(row["id"]),
            url=self.ticket_url(wire.ticket),
            at=reading.moment_of(row, "dateCreated", "dateEntered")
            or reading.moment_of(reading.part(row, "_info"), "dateEntered", "lastUpdated"),
            remark=remark,
        )


def _list_of(kind: Kind, ref: str) -> str:
    return f"/service/tickets/{ref}/notes" if kind is Kind.NOTE else "/time/entries"


def _marked(rows: Iterable[reading.Row], field: str, marker: str) -> list[reading.Row]:
    return [row for row in rows if has_marker(reading.text_of(row, field), marker)]


def _is_same_time(entry: Mapping[str, Any], wire: WireRequest) -> bool:
    """Whether an entry without any marker is ours all the same: internal notes can be edited or emptied."""
    start = reading.moment_of(entry, "timeStart")
    try:
        hours = Decimal(str(entry.get("actualHours")))
    except InvalidOperation:
        return False
    return (
        MARKER.search(reading.text_of(entry, "internalNotes")) is None
        and reading.ref_of(entry, "member") == wire.match["member"]
        and start is not None
        and rendering.moment(start) == wire.match["start"]
        and hours == Decimal(wire.match["hours"])
    )
