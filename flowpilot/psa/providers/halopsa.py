"""HaloPSA behind the interface of `base`: notes, time and status. A preview: no live one was tried."""

import html
import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
from django.views.decorators.debug import sensitive_variables

from flowpilot.psa.providers.addresses import site_of
from flowpilot.psa.providers.base import (
    AddNote,
    Capabilities,
    ConnectionInfo,
    Kind,
    LogTime,
    NoteFormat,
    Op,
    Option,
    Page,
    Receipt,
    StatusOption,
    StatusScope,
    Ticket,
    Visibility,
    Watermark,
    WireRequest,
)
from flowpilot.psa.providers.errors import (
    FieldError,
    Invalid,
    OutcomeUnknown,
    PsaError,
    StatusMoved,
    TicketNotFound,
    Unavailable,
)
from flowpilot.psa.providers.halopsa_api import HaloApi
from flowpilot.psa.providers.http import Http
from flowpilot.psa.providers.markers import has_marker
from flowpilot.psa.providers.texts import clean, with_marker

NUMBER = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
MOST_HOURS = Decimal(24)
MOST_ACTIONS = 5000  # of a ticket


class HaloPsa:
    key = "halopsa"
    caps = Capabilities(
        name="HaloPSA",
        note_format=NoteFormat.HTML,
        max_note_len=4000,
        title_required=False,
        time_needs_role=False,
        status_scope=StatusScope.GLOBAL,
        fuses_ops=True,
        note_marker_field="note",
        time_marker_field="note",
        can_delete=True,
        visibilities=(Visibility.INTERNAL, Visibility.CUSTOMER),
        preview=True,
    )

    @sensitive_variables()
    def __init__(
        self,
        *,
        base_url: str,
        credentials: Mapping[str, str],
        internal_hosts: Collection[str] = (),
        http: httpx.Client | None = None,
    ) -> None:
        self._site = site_of(base_url, internal_hosts)
        self._api = HaloApi(Http(self.key, http, internal_hosts), self._site, credentials)

    def close(self) -> None:
        self._api.http.close()

    def check(self) -> ConnectionInfo:
        self._statuses()
        return ConnectionInfo(base_url=self._site)

    def get_ticket(self, ref: str) -> Ticket:
        return self._ticket(self._row(ref), {status["id"]: status for status in self._statuses()})

    def search_tickets(self, q: str, page: int = 1, size: int = 25) -> Page[Ticket]:
        params = {"search": clean(q)[:100], "pageinate": "true", "page_size": str(size), "page_no": str(page)}
        rows = self._rows(self._api.read("Tickets", params), "tickets")
        statuses = {status["id"]: status for status in self._statuses()} if rows else {}
        items = [self._ticket(row, statuses) for row in rows]
        return Page(items=items, number=page, has_next=len(rows) >= size)

    def ticket_url(self, ref: str) -> str:
        return f"{self._site}/tickets?id={quote(ref, safe='')}"

    def list_statuses(self, ticket: Ticket) -> list[StatusOption]:
        return [StatusOption(ref=str(row["id"]), name=str(row.get("name") or "")) for row in self._statuses()]

    def list_members(self) -> list[Option]:
        rows = self._rows(self._api.read("Agent"), "agents")
        return [
            Option(
                ref=str(row["id"]),
                name=str(row.get("name") or ""),
                inactive=bool(row.get("isdisabled")),
                email=str(row.get("email") or ""),
            )
            for row in rows
        ]

    def list_work_types(self) -> list[Option]:
        return []

    def list_work_roles(self) -> list[Option]:
        return []

    def list_locations(self) -> list[Option]:
        return []

    def render(self, op: Op, marker: str) -> WireRequest:
        """Each is an action of its own: one that carries all three could only be sent again as a whole."""
        ticket = _number(op.ticket, "ticket")
        action: dict[str, Any] = {"ticket_id": ticket, "hiddenfromuser": True, "sendemail": False}
        match: dict[str, str] = {}
        if isinstance(op, AddNote):
            if op.visibility not in self.caps.visibilities or not clean(op.text):
                raise _invalid("text", "The note is empty or for nobody that HaloPSA knows.")
            said = op.text
            hidden = op.visibility is Visibility.INTERNAL
            action |= {"outcome": "Note", "hiddenfromuser": hidden, "sendemail": op.notify}
            if op.author is not None:
                action["who_agentid"] = _number(op.author, "member")
        elif isinstance(op, LogTime):
            hours = op.hours.quantize(Decimal("0.01"))
            if not Decimal(0) < hours <= MOST_HOURS:
                raise _invalid("hours", "A time entry takes more than 0 and at most 24 hours.")
            said = op.notes
            action |= {"outcome": "Time", "hiddenfromuser": op.visibility is Visibility.INTERNAL}
            action |= {"timetaken": float(hours), "who_agentid": _number(op.member, "member")}
            action["datetime"] = op.start_utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        else:
            said = ""
            match = {"status": str(_number(op.status, "status"))}
            if op.only_if_current is not None:
                match["only_if_current"] = op.only_if_current
            action |= {"outcome": "Status", "new_status": int(op.status)}
        text = with_marker(said, marker)
        if len(text) > self.caps.max_note_len:
            raise _invalid("text", f"The text has more than {self.caps.max_note_len} characters.")
        action |= {"note": text, "note_html": html.escape(text).replace("\n", "<br>")}
        body = json.dumps([action], ensure_ascii=False, separators=(",", ":"))
        return WireRequest(op.kind, "POST", "Actions", body, str(ticket), marker, text, match)

    def watermark(self, wire: WireRequest) -> Watermark:
        ids = [row["id"] for row in self._actions(wire.ticket)]
        return Watermark(newest=str(max(ids)) if ids else "")

    def send(self, wire: WireRequest) -> Receipt:
        if wire.kind is not Kind.STATUS:
            return self._receipt(wire, self._write(wire))
        wanted, expected = wire.match["status"], wire.match.get("only_if_current")
        current = str(self._row(wire.ticket).get("status_id"))
        if current == wanted:
            return Receipt(external_id=wire.ticket, url=self.ticket_url(wire.ticket))
        if expected is not None and current != expected:
            raise StatusMoved(code="StatusMoved")
        receipt = self._receipt(wire, self._write(wire))
        try:
            now = str(self._row(wire.ticket).get("status_id"))
        except PsaError as error:
            raise OutcomeUnknown(error.message, code=error.code, http_status=error.http_status) from error
        if now != wanted:
            raise Invalid("It accepted the status and did not change it.", code="NotChanged", http_status=200)
        return receipt

    def find(self, wire: WireRequest, since: Watermark) -> list[Receipt]:
        after = int(since.newest or 0)
        found = [row for row in self._actions(wire.ticket) if row["id"] > after and _has(row, wire.marker)]
        if not found and wire.kind is Kind.STATUS:
            row = self._row(wire.ticket)
            found = [row] if str(row.get("status_id")) == wire.match["status"] else []
        return [self._receipt(wire, row) for row in sorted(found, key=lambda row: int(row["id"]))]

    def delete(self, wire: WireRequest, external_id: str) -> None:
        if wire.kind is Kind.STATUS:
            raise Invalid("A status cannot be taken away.", code="NotDeletable")
        try:
            self._api.write("DELETE", f"Actions/{_number(external_id, 'id')}")
        except TicketNotFound:
            return  # gone already

    # The parts of it.

    def _write(self, wire: WireRequest) -> dict[str, Any]:
        value = self._api.write(wire.method, wire.path, wire.body)
        made = value if isinstance(value, list) else [value]
        for row in made:
            if isinstance(row, dict) and isinstance(row.get("id"), int) and row["id"] > 0:
                return row
        raise OutcomeUnknown("It answered without saying what was made.", code="NoId", http_status=200)

    def _row(self, ref: str) -> dict[str, Any]:
        row = self._api.read(f"Tickets/{_number(ref, 'ticket')}")
        if not isinstance(row, dict) or not isinstance(row.get("id"), int):
            raise Unavailable("It gave an answer that cannot be read.", code="BadAnswer")
        return row

    def _actions(self, ref: str) -> list[dict[str, Any]]:
        """Raises where it does not list all of them: that a marker is missing would be a guess."""
        params = {"ticket_id": str(_number(ref, "ticket")), "excludesys": "true", "count": str(MOST_ACTIONS)}
        value = self._api.read("Actions", params)
        rows = self._rows(value, "actions")
        whole = value.get("record_count") if isinstance(value, dict) else None
        if len(rows) >= MOST_ACTIONS or (isinstance(whole, int) and whole > len(rows)):
            raise Unavailable("The ticket has too many actions to be read.", code="TooManyRows")
        return rows

    def _statuses(self) -> list[dict[str, Any]]:
        return self._rows(self._api.read("Status"), "statuses")

    @staticmethod
    def _rows(value: object, name: str) -> list[dict[str, Any]]:
        rows = value.get(name) if isinstance(value, dict) else value
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and isinstance(row.get("id"), int) for row in rows
        ):
            raise Unavailable("It gave an answer that cannot be read.", code="BadAnswer")
        return rows

    def _ticket(self, row: Mapping[str, Any], statuses: Mapping[int, Mapping[str, Any]]) -> Ticket:
        status = statuses.get(row.get("status_id", 0), {})
        ref = str(row["id"])
        return Ticket(
            ref=ref,
            summary=str(row.get("summary") or ""),
            board=str(row.get("team") or ""),
            status=str(status.get("name") or ""),
            status_ref=str(row.get("status_id") or ""),
            closed=bool(row.get("hasbeenclosed")),
            time_allowed=True,
            merged_into=str(row.get("merged_into_id") or "") or None,
            url=self.ticket_url(ref),
            company=str(row.get("client_name") or ""),
            company_ref=str(row.get("client_id") or ""),
        )

    def _receipt(self, wire: WireRequest, row: Mapping[str, Any]) -> Receipt:
        try:
            at = datetime.fromisoformat(str(row.get("datetime")))
        except ValueError:
            at = None
        if at is not None and at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return Receipt(external_id=str(row["id"]), url=self.ticket_url(wire.ticket), at=at)


def _has(row: Mapping[str, Any], marker: str) -> bool:
    return any(has_marker(str(row.get(name) or ""), marker) for name in ("note", "note_html"))


def _number(ref: str, what: str) -> int:
    if NUMBER.fullmatch(ref) is None:
        if what == "ticket":
            raise TicketNotFound("A ticket is a number there.", code="NoNumber")
        raise _invalid(what, "It is no number.")
    return int(ref)


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(code="NotRendered", field_errors=[FieldError(field, message)])
