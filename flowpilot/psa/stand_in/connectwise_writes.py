"""What can be written to the stand-in for ConnectWise, and how its tickets, notes and time entries are put out."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from flowpilot.psa.stand_in.ledger import Ledger
from flowpilot.psa.stand_in.refusals import invalid, not_found, refused
from flowpilot.psa.stand_in.seed import API_MEMBER, Rows, Tables
from flowpilot.psa.stand_in.wsgi import Answer, Clock, Request

Row = dict[str, Any]
# No milliseconds, no brackets.
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
VISIBLE_FLAGS = ("detailDescriptionFlag", "internalAnalysisFlag", "resolutionFlag")
BILLING = {"Billable", "DoNotBill", "NoCharge", "NoDefault"}
LONGEST_DESCRIPTION = 100
CURRENT_STATUS = "Cannot add time on the current status"


@dataclass
class Switches:
    """Where servers differ, or where nobody has tried yet."""

    newlines_become_spaces: bool = False
    foreign_status_accepted: bool = False
    all_notes_missing: bool = False
    needs_api_prefix: bool = False


class Writes:
    def __init__(self, tables: Tables, ledger: Ledger, clock: Clock, switches: Switches) -> None:
        self.tables = tables
        self.ledger = ledger
        self.clock = clock
        self.switches = switches

    # Rows as they are put out.

    def ticket(self, id: int) -> Row:
        if id not in self.tables.tickets:
            raise not_found(f"Ticket {id} not found")
        return self.tables.tickets[id]

    def put_ticket(self, row: Row) -> Row:
        tables = self.tables
        parent = row["merged_into"]
        return {
            "id": row["id"],
            "summary": row["summary"],
            "board": _reference(tables.boards, row["board"]),
            "status": _reference(tables.statuses, row["status"]),
            "company": dict(tables.companies[row["company"]]),
            "closedFlag": tables.statuses[row["status"]]["closedStatus"],
            "mergedParentTicket": {"id": parent, "summary": tables.tickets[parent]["summary"]}
            if parent
            else None,
            "_info": {"lastUpdated": self._now()},
        }

    def put_entry(self, row: Row) -> Row:
        tables = self.tables
        location = row["locationId"]
        return row | {
            "member": self._member(row["member"]),
            "workType": _reference(tables.work_types, row["workType"]),
            "workRole": _reference(tables.work_roles, row["workRole"]),
            "location": _reference(tables.locations, location),
        }

    def notes_of(self, ticket: int) -> list[Row]:
        self.ticket(ticket)
        return [row for row in self.tables.notes.values() if row["ticketId"] == ticket]

    def entries_of(self, ticket: int) -> list[Row]:
        self.ticket(ticket)
        return [row for row in self.entries() if row["chargeToId"] == ticket]

    def entries(self) -> list[Row]:
        return [self.put_entry(row) for row in self.tables.entries.values()]

    def note(self, ticket: int, id: int) -> Row:
        for row in self.notes_of(ticket):
            if row["id"] == id:
                return row
        raise not_found(f"Note {id} not found")

    def entry(self, id: int) -> Row:
        if id not in self.tables.entries:
            raise not_found(f"TimeEntry {id} not found")
        return self.put_entry(self.tables.entries[id])

    # Writes.

    def add_note(self, request: Request, ticket: int) -> Answer:
        self.ticket(ticket)
        body = _object(request, "serviceNote")
        text = body.get("text")
        if not isinstance(text, str) or not text.strip():
            raise invalid("text", "The text field is required.", "serviceNote", "MissingRequiredField")
        if not any(body.get(flag) is True for flag in VISIBLE_FLAGS):
            raise invalid(VISIBLE_FLAGS[0], "One of the flags is required.", "serviceNote")
        member = body.get("member")
        author = self._member_named(member, "serviceNote") if member else API_MEMBER
        row = {
            "id": self.tables.next_id("notes"),
            "ticketId": ticket,
            "text": self._stored(text),
            **{flag: body.get(flag) is True for flag in VISIBLE_FLAGS},
            "member": self._member(author),
            "createdBy": self.tables.members[author]["identifier"],
            "dateCreated": self._now(),
            "_info": {"lastUpdated": self._now(), "updatedBy": "resolutionflow"},
        }
        self.tables.notes[row["id"]] = row
        self.ledger.commit(self.clock(), "note", row["id"], ticket, text)
        return Answer(201, row)

    def delete_note(self, request: Request, ticket: int, id: int) -> Answer:
        self.note(ticket, id)
        del self.tables.notes[id]
        return Answer(204)

    def add_entry(self, request: Request) -> Answer:
        body = _object(request, "timeEntry")
        start = _moment(body, "timeStart", required=True)
        end = _moment(body, "timeEnd") or start
        if start is None or end is None or end < start:
            raise invalid("timeEnd", "The end must not be before the start.", "timeEntry")
        if body.get("chargeToType") != "ServiceTicket":
            raise invalid("chargeToType", "Only ServiceTicket is known here.", "timeEntry")
        ticket = self.ticket(_id(body.get("chargeToId")))
        if self.tables.statuses[ticket["status"]]["timeEntryNotAllowed"]:
            raise invalid("chargeToId", CURRENT_STATUS, "timeEntry")
        row = self._entry_row(body, ticket["id"], start, end)
        self.tables.entries[row["id"]] = row
        text = f"{row['notes']} {row['internalNotes']}"
        self.ledger.commit(
            self.clock(), "time_entry", row["id"], ticket["id"], text, hours=row["actualHours"]
        )
        return Answer(201, self.put_entry(row))

    def _entry_row(self, body: Row, ticket: int, start: datetime, end: datetime) -> Row:
        tables = self.tables
        member = self._member_named(body.get("member") or {"id": API_MEMBER}, "timeEntry")
        location = body.get("locationId") or tables.members[member]["location"]
        if location not in tables.locations:
            raise invalid("locationId", f"Location {location} not found", "timeEntry", "NotFound")
        role: int = _id_of(body.get("workRole")) or tables.members[member]["role"]
        if role not in tables.work_roles or tables.work_roles[role]["inactiveFlag"]:
            raise invalid("workRole", f"Work Role {role} not found", "timeEntry", "NotFound")
        if location not in tables.work_roles[role]["locationIds"]:
            message = "The default Work Role is not valid for the selected location"
            raise invalid("workRole", message, "timeEntry")
        work_type = _id_of(body.get("workType")) or 31
        if work_type not in tables.work_types or tables.work_types[work_type]["inactiveFlag"]:
            raise invalid("workType", f"Work Type {work_type} not found", "timeEntry", "NotFound")
        if body.get("billableOption", "NoDefault") not in BILLING:
            raise invalid("billableOption", "It is not one of the options.", "timeEntry")
        span = round(Decimal((end - start).total_seconds()) / 3600, 2)
        hours = body.get("actualHours", float(span))
        if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours <= 24:
            raise invalid("actualHours", "It must be more than 0 and at most 24.", "timeEntry", "OutOfRange")
        return {
            "id": tables.next_id("entries"),
            "chargeToId": ticket,
            "chargeToType": "ServiceTicket",
            "member": member,
            "timeStart": body["timeStart"],
            "timeEnd": body.get("timeEnd"),
            "actualHours": hours,
            "hoursDeduct": body.get("hoursDeduct"),
            "workType": work_type,
            "workRole": role,
            "locationId": location,
            "billableOption": body.get("billableOption", "Billable"),
            "notes": self._stored(str(body.get("notes") or "")),
            "internalNotes": self._stored(str(body.get("internalNotes") or "")),
            "status": "Open",
            "dateEntered": self._now(),
            "_info": {"lastUpdated": self._now(), "dateEntered": self._now()},
        }

    def delete_entry(self, request: Request, id: int) -> Answer:
        self.entry(id)
        del self.tables.entries[id]
        return Answer(204)

    def patch_ticket(self, request: Request, id: int) -> Answer:
        ticket = self.ticket(id)
        operations = request.json()
        if not isinstance(operations, list) or not all(isinstance(op, dict) for op in operations):
            raise refused(400, "InvalidObject", "The body must be an array of operations")
        for operation in operations:
            path = operation.get("path")
            if operation.get("op") not in {"add", "replace", "remove"}:
                raise invalid("op", "It must be add, replace or remove.", "patchOperation")
            if isinstance(path, str) and path.startswith("status/"):
                continue  # answered with 200 although nothing changes, as the original does
            if path != "status" or operation["op"] == "remove":
                raise invalid("path", f"{path!r} cannot be changed", "patchOperation")
            self._set_status(ticket, _id_of(operation.get("value")))
        return Answer(200, self.put_ticket(ticket))

    def _set_status(self, ticket: Row, status: int) -> None:
        known = self.tables.statuses.get(status)
        if known is None or (known["board"] != ticket["board"] and not self.switches.foreign_status_accepted):
            message = f"Service Status not found for Service Board {ticket['board']}"
            raise invalid("status", message, "ticket", "NotFound")
        if known["inactive"]:
            raise invalid("status", "The status is inactive.", "ticket")
        changed = ticket["status"] != status
        ticket["status"] = status
        self.ledger.commit(self.clock(), "status", ticket["id"], ticket["id"], status=status, changed=changed)

    def add_callback(self, request: Request) -> Answer:
        body = _object(request, "callbackEntry")
        url = str(body.get("url") or "")
        if not url.startswith("https://"):
            raise invalid("url", "Invalid URL", "callbackEntry")
        if len(str(body.get("description") or "")) > LONGEST_DESCRIPTION:
            raise invalid("description", "It has more than 100 characters.", "callbackEntry", "OutOfRange")
        if any(row["url"] == url for row in self.tables.callbacks.values()):
            raise invalid("url", "There is such a callback already.", "callbackEntry", "ObjectExists")
        names = ("description", "url", "objectId", "type", "level", "inactiveFlag")
        row: Row = {"id": self.tables.next_id("callbacks")} | {name: body.get(name) for name in names}
        self.tables.callbacks[row["id"]] = row
        return Answer(201, row)

    # The parts of it.

    def _now(self) -> str:
        return self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")

    def _stored(self, text: str) -> str:
        return re.sub(r"[\n\r\f]+", " ", text) if self.switches.newlines_become_spaces else text

    def _member(self, id: int) -> Row:
        row = self.tables.members[id]
        name = f"{row['firstName']} {row['lastName']}"
        return {"id": id, "identifier": row["identifier"], "name": name}

    def _member_named(self, given: object, resource: str) -> int:
        """By id or login; never by an email."""
        if isinstance(given, dict):
            for id, row in self.tables.members.items():
                named = (
                    given.get("id") == id if "id" in given else given.get("identifier") == row["identifier"]
                )
                if named and not row["inactiveFlag"]:
                    return id
        raise invalid("member", "Member not found", resource, "NotFound")


def _reference(rows: Rows, id: int) -> Row:
    return {"id": id, "name": rows[id]["name"]}


def _object(request: Request, resource: str) -> Row:
    body = request.json()
    if not isinstance(body, dict):
        raise refused(400, "InvalidObject", f"{resource} object is invalid")
    return body


def _id(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _id_of(reference: object) -> int:
    """0 where it names none."""
    return _id(reference.get("id")) if isinstance(reference, dict) else 0


def _moment(body: Row, name: str, *, required: bool = False) -> datetime | None:
    value = body.get(name)
    if value is None:
        if required:
            message = f"The {name} field is required."
            raise invalid(name, message, "timeEntry", "MissingRequiredField")
        return None
    if not isinstance(value, str) or MOMENT.fullmatch(value) is None:
        raise invalid(name, "It must be like 2026-01-05T14:00:00Z.", "timeEntry")
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise invalid(name, "There is no such moment.", "timeEntry") from error
