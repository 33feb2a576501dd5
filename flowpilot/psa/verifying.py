"""What only a live ConnectWise can tell, asked of one ticket: the open questions of the design, with what was found.

Without `apply` it only reads. With it, notes and time entries are made on the ticket and deleted again, and its status
is changed and set back: for a sandbox.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from flowpilot.psa.models import PsaConnection, PsaMember
from flowpilot.psa.providers.base import StatusOption, Ticket
from flowpilot.psa.providers.connectwise import ConnectWise
from flowpilot.psa.providers.connectwise.rendering import moment, number
from flowpilot.psa.providers.errors import PsaError
from flowpilot.psa.providers.markers import new_marker

LONG = 4001  # one more than users report as the most for a time entry
FORMATTED = "First line\nSecond line with **bold** and <b>markup</b>"
NEEDS_APPLY = "not asked; it takes --apply"
NO_MEMBER = "not asked; no engineer is mapped to a member yet"
NOT_HERE = "cannot be asked for; watch the attempts in the ledger, uncertain ones above all"


@dataclass(frozen=True)
class Finding:
    question: str
    answer: str


@dataclass
class Verification:
    """Walks the questions; what it made is deleted at the end, whatever happens in between."""

    provider: ConnectWise
    connection: PsaConnection
    ref: str
    apply: bool
    now: datetime
    _made: list[str] = field(default_factory=list)

    def findings(self) -> Iterator[Finding]:
        """Raises PsaError where the connection or the ticket cannot be read at all."""
        info = self.provider.check()
        ticket = self.provider.get_ticket(self.ref)
        yield Finding("Which version is it?", f"{info.version}, {self._zone()}")
        yield Finding("Which ticket?", f"{ticket.ref}: {ticket.summary} ({ticket.status})")
        notes = f"/service/tickets/{number(self.ref, 'ticket')}/notes"
        text = {"conditions": "text contains 'ResolutionFlow'"}
        yield Finding("Can notes be asked for by their text?", self._said(lambda: self._read(notes, text)))
        yield Finding(
            "Is there a list of all notes?", self._said(lambda: self._read(notes[:-5] + "allNotes"))
        )
        guid = {"conditions": f"mobileGuid = '{uuid4()}'"}
        yield Finding(
            "Can time entries be asked for by mobileGuid?",
            self._said(lambda: self._read("/time/entries", guid)),
        )
        statuses = self.provider.list_statuses(ticket)
        closed_to_time = [status for status in statuses if not status.time_allowed and not status.inactive]
        yield Finding(
            "Which statuses of its board forbid time entries?",
            ", ".join(status.name for status in closed_to_time) or "none",
        )
        try:
            for question, ask in self._writes(ticket, notes, closed_to_time):
                yield Finding(question, ask() if self.apply else NEEDS_APPLY)
        finally:
            yield from self._clean_up()
        yield Finding("How long can a request that timed out still be carried out?", NOT_HERE)
        yield Finding("Is a request ever answered with 429 and carried out?", NOT_HERE)

    def _writes(
        self, ticket: Ticket, notes: str, closed_to_time: list[StatusOption]
    ) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "Are newlines and markup of a note kept?", lambda: self._kept(notes, FORMATTED)
        yield f"May a note have {LONG:,} characters?", lambda: self._kept(notes, "x" * LONG)
        yield "Is mobileGuid kept with a time entry?", self._guid
        yield "May two time entries overlap?", lambda: self._said(self._post_time)
        yield (
            "What does a status that forbids time entries say to one?",
            lambda: self._time_on(ticket, closed_to_time),
        )
        yield "Does a ticket take the status of another board?", lambda: self._foreign_status(ticket)

    def _zone(self) -> str:
        info = self._read("/system/info")
        return str(info.get("serverTimeZone") or "no time zone told") if isinstance(info, Mapping) else ""

    def _read(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        return self.provider.api.read(path, params)

    def _said(self, ask: Callable[[], Any]) -> str:
        try:
            answer = ask()
        except PsaError as error:
            return _refusal(error)
        if isinstance(answer, str):
            return answer  # why it was not asked
        return f"yes ({len(answer)} found)" if isinstance(answer, list) else "yes"

    def _kept(self, notes: str, text: str) -> str:
        text = f"{text}\n\nRef {new_marker()}"
        body = {
            "text": text,
            "internalAnalysisFlag": True,
            "detailDescriptionFlag": False,
            "resolutionFlag": False,
            "processNotifications": False,
        }
        try:
            path = f"{notes}/{self._post(notes, body)}"
            stored = str(self._read(path).get("text") or "")
        except PsaError as error:
            return _refusal(error)
        if stored == text:
            return "yes, to the letter"
        return f"no: {len(text):,} characters came back as {len(stored):,}, beginning {stored[:60]!r}"

    def _post(self, path: str, body: Mapping[str, Any]) -> int:
        row = self.provider.api.write("POST", path, json.dumps(body))
        row_id = int(row["id"])
        self._made.append(f"{path}/{row_id}")
        return row_id

    def _post_time(self, **more: str) -> int | str:
        member = PsaMember.objects.filter(connection=self.connection).order_by("id").first()
        if member is None:
            return NO_MEMBER
        end = self.now - timedelta(days=1)
        role = member.work_role or self.connection.defaults.get("work_role")
        location = member.location or self.connection.defaults.get("location")
        body = {
            "chargeToId": number(self.ref, "ticket"),
            "chargeToType": "ServiceTicket",
            "member": {"id": number(member.external_id.partition("/")[0], "member")},
            "timeStart": moment(end - timedelta(minutes=15)),
            "timeEnd": moment(end),
            "actualHours": 0.25,
            "notes": "A test of ResolutionFlow, deleted again.",
            "internalNotes": f"Ref {new_marker()}",
            "emailResourceFlag": False,
            "emailContactFlag": False,
            "emailCcFlag": False,
            **({"workRole": {"id": number(role, "work role")}} if role else {}),
            **({"locationId": number(location, "location")} if location else {}),
            **more,
        }
        return self._post("/time/entries", body)

    def _guid(self) -> str:
        guid = str(uuid4())
        try:
            row_id = self._post_time(mobileGuid=guid)
            if isinstance(row_id, str):
                return row_id
            stored = self._read(f"/time/entries/{row_id}").get("mobileGuid")
            found = self._said(lambda: self._read("/time/entries", {"conditions": f"mobileGuid = '{guid}'"}))
        except PsaError as error:
            return _refusal(error)
        kept = "yes" if str(stored or "").lower() == guid else f"no, it came back as {stored!r}"
        return f"{kept}; asked for by it: {found}"

    def _time_on(self, ticket: Ticket, closed_to_time: list[StatusOption]) -> str:
        if not closed_to_time:
            return "not asked; its board has no such status"
        return self._with_status(ticket, closed_to_time[0].ref, lambda: self._said(self._post_time))

    def _foreign_status(self, ticket: Ticket) -> str:
        """The list of boards is not part of the interface, and some keys may not see it."""
        try:
            boards = [str(row["id"]) for row in self.provider.api.rows("/service/boards")]
            others = [board for board in boards if board != ticket.board_ref]
            rows = [row for board in others[:5] for row in self._read(f"/service/boards/{board}/statuses")]
        except PsaError as error:
            return _refusal(error)
        if not rows:
            return "not asked; there is no other board with a status"
        return self._with_status(ticket, str(rows[0]["id"]), lambda: "yes, it took it")

    def _with_status(self, ticket: Ticket, ref: str, ask: Callable[[], str]) -> str:
        try:
            self._set_status(ref)
        except PsaError as error:
            return _refusal(error)
        try:
            return ask()
        finally:
            self._set_status(ticket.status_ref)

    def _set_status(self, ref: str) -> None:
        body = [{"op": "replace", "path": "status", "value": {"id": number(ref, "status")}}]
        self.provider.api.write("PATCH", f"/service/tickets/{number(self.ref, 'ticket')}", json.dumps(body))

    def _clean_up(self) -> Iterator[Finding]:
        for path in reversed(self._made):
            try:
                self.provider.api.write("DELETE", path)
            except PsaError as error:
                yield Finding(f"Could {path} be deleted again?", f"{_refusal(error)}. Delete it by hand.")


def _refusal(error: PsaError) -> str:
    errors = "; ".join(str(fault) for fault in error.field_errors)
    said = " ".join(filter(None, [error.message, errors]))
    return f"no: {type(error).__name__}, HTTP {error.http_status or 'none'}, code {error.code}" + (
        f", “{said}”" if said else ""
    )
