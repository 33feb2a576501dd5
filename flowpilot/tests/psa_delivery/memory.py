"""A ticket system in memory, behind the interface of `providers.base`, whose next answers a test chooses."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from flowpilot.psa.providers.base import (
    Capabilities,
    ConnectionInfo,
    NoteFormat,
    Page,
    Receipt,
    StatusScope,
    Ticket,
    Visibility,
    Watermark,
    WireRequest,
)
from flowpilot.psa.providers.errors import OutcomeUnknown, StatusMoved, TicketNotFound
from flowpilot.psa.providers.texts import with_marker

CAPS = Capabilities(
    name="Memory",
    note_format=NoteFormat.PLAIN,
    max_note_len=200,
    title_required=False,
    time_needs_role=False,
    status_scope=StatusScope.GLOBAL,
    fuses_ops=False,
    note_marker_field="text",
    time_marker_field="notes",
    can_delete=True,
    visibilities=tuple(Visibility),
)


class Clock:
    def __init__(self, at=datetime(2026, 3, 10, 12, 0, tzinfo=UTC)):
        self.at = at

    def __call__(self):
        return self.at

    def move(self, **by):
        self.at += timedelta(**by)


@dataclass
class Commit:
    id: int
    wire: WireRequest


@dataclass
class Memory:
    """`faults`, `read_faults` and `find_faults` are what the next sends, readings of a ticket and look-ups do: an error
    to raise, something to call first, "lost_answer" (committed, not said), or a timedelta (committed so much later, not
    said); None is none."""

    clock: Clock
    key: str = "memory"
    caps: Capabilities = CAPS
    tickets: dict = field(default_factory=dict)
    commits: list = field(default_factory=list)
    faults: deque = field(default_factory=deque)
    read_faults: deque = field(default_factory=deque)
    find_faults: deque = field(default_factory=deque)
    sends: int = 0
    finds: int = 0
    closed: int = 0
    _late: list = field(default_factory=list)

    def ticket(self, ref, **facts):
        known = {
            "ref": ref,
            "summary": "Printer",
            "board": "1",
            "board_ref": "1",
            "status": "New",
            "status_ref": "1",
            "closed": False,
            "time_allowed": True,
            "merged_into": None,
            "url": "",
            "company": "",
            "company_ref": "",
        }
        self.tickets[ref] = Ticket(**(known | facts))

    def close(self):
        self.closed += 1

    def check(self):
        return ConnectionInfo("memory")

    def get_ticket(self, ref):
        self._next(self.read_faults)
        if ref not in self.tickets:
            raise TicketNotFound(f"Ticket {ref} not found")
        return self.tickets[ref]

    def search_tickets(self, q, page=1, size=25):
        return Page([], 1, False)

    def ticket_url(self, ref):
        return ""

    def list_statuses(self, ticket):
        return []

    list_members = list_work_types = list_work_roles = list_locations = lambda self: []

    def render(self, op, marker):
        text = {"note": "text", "time_entry": "notes"}.get(op.kind.value)
        words = with_marker(getattr(op, text), marker) if text else ""
        match = {"status": op.status, "seen": op.only_if_current or ""} if op.kind == "status" else {}
        return WireRequest(op.kind, "POST", f"/{op.ticket}", "{}", op.ticket, marker, words, match)

    def watermark(self, wire):
        return Watermark(str(len(self.commits)))

    def send(self, wire):
        self.sends += 1
        self._arrive()
        fault = self.faults.popleft() if self.faults else None
        if isinstance(fault, timedelta):
            self._late.append((self.clock() + fault, wire))
            raise OutcomeUnknown
        if isinstance(fault, BaseException):
            raise fault
        if callable(fault):
            fault()
        commit = self._commit(wire)
        if fault == "lost_answer":
            raise OutcomeUnknown
        return Receipt(str(commit.id), url=f"https://psa.example/{commit.id}")

    def find(self, wire, since):
        self.finds += 1
        self._next(self.find_faults)
        self._arrive()
        if wire.kind == "status":
            there = self.tickets[wire.ticket].status_ref == wire.match["status"]
            return [Receipt(wire.match["status"])] if there else []
        return [Receipt(str(c.id)) for c in self.of(wire.marker) if c.id > int(since.newest or 0)]

    def delete(self, wire, external_id):
        self.commits = [commit for commit in self.commits if str(commit.id) != external_id]

    def of(self, marker):
        return [commit for commit in self.commits if commit.wire.marker == marker]

    def _next(self, faults):
        fault = faults.popleft() if faults else None
        if fault is not None:
            raise fault

    def _arrive(self):
        for due, wire in list(self._late):
            if due <= self.clock():
                self._late.remove((due, wire))
                self._commit(wire)

    def _commit(self, wire):
        if wire.kind == "status":
            ticket = self.tickets[wire.ticket]
            if wire.match["seen"] and ticket.status_ref not in (wire.match["seen"], wire.match["status"]):
                raise StatusMoved("It is in progress.")
            self.ticket(wire.ticket, status_ref=wire.match["status"])
        commit = Commit(len(self.commits) + 1, wire)
        self.commits.append(commit)
        return commit
