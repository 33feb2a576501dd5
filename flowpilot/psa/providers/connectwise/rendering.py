"""What is sent to ConnectWise: pure functions from what is to be done to the request, the same bytes every time."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from flowpilot.psa.providers.base import (
    AddNote,
    Billing,
    Capabilities,
    LogTime,
    NoteFormat,
    Op,
    SetStatus,
    StatusScope,
    Visibility,
    WireRequest,
)
from flowpilot.psa.providers.errors import FieldError, Invalid, TicketNotFound
from flowpilot.psa.providers.texts import clean, with_marker

# No length of a note is documented; users report 4,000 for time entries.
CAPS = Capabilities(
    name="ConnectWise PSA",
    note_format=NoteFormat.PLAIN,
    max_note_len=4000,
    title_required=False,
    time_needs_role=True,
    status_scope=StatusScope.BOARD,
    fuses_ops=False,
    note_marker_field="text",
    time_marker_field="internalNotes",
    can_delete=True,
    visibilities=(Visibility.INTERNAL, Visibility.CUSTOMER, Visibility.RESOLUTION),
)

NUMBER = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
# Milliseconds and brackets are refused in a body.
MOMENT = "%Y-%m-%dT%H:%M:%SZ"
MOST_HOURS = Decimal(24)
BILLING = {
    Billing.BILLABLE: "Billable",
    Billing.DO_NOT_BILL: "DoNotBill",
    Billing.NO_CHARGE: "NoCharge",
}


def render(op: Op, marker: str) -> WireRequest:
    ticket = number(op.ticket, "ticket")
    if isinstance(op, AddNote):
        return _note(op, ticket, marker)
    if isinstance(op, LogTime):
        return _time_entry(op, ticket, marker)
    return _status(op, ticket, marker)


def number(ref: str, what: str) -> int:
    """A ref as ConnectWise's id. A ticket that is no number cannot be there."""
    if NUMBER.fullmatch(ref) is None:
        if what == "ticket":
            raise TicketNotFound("A ticket is a number there.", code="NoNumber")
        raise Invalid(code="NoNumber", field_errors=[FieldError(what, "It is no number.")])
    return int(ref)


def member_ref(row_id: object, login: object) -> str:
    """Like 12/jdoe: notes want a member's login, time entries the id."""
    return f"{row_id}/{login}"


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime(MOMENT)


def _note(op: AddNote, ticket: int, marker: str) -> WireRequest:
    if not clean(op.text):
        raise _invalid("text", "The note is empty.")
    text = with_marker(op.text, marker)
    if len(text) > CAPS.max_note_len:
        raise _invalid("text", f"The note has more than {CAPS.max_note_len} characters.")
    body: dict[str, Any] = {
        "text": text,
        "detailDescriptionFlag": op.visibility == Visibility.CUSTOMER,
        "internalAnalysisFlag": op.visibility == Visibility.INTERNAL,
        "resolutionFlag": op.visibility == Visibility.RESOLUTION,
        "processNotifications": op.notify,
        "customerUpdatedFlag": False,
    }
    if op.author is not None:
        body["member"] = {"identifier": op.author.partition("/")[2] or op.author}
    return _wire(op, ticket, marker, "POST", f"/service/tickets/{ticket}/notes", body, text=text)


def _time_entry(op: LogTime, ticket: int, marker: str) -> WireRequest:
    span = op.end_utc - op.start_utc
    hours = op.hours.quantize(Decimal("0.01"))
    if not Decimal(0) < hours <= MOST_HOURS:
        raise _invalid("hours", "A time entry takes more than 0 and at most 24 hours.")
    # What ConnectWise charges is the span less what is deducted.
    deduct = (Decimal(span.total_seconds()) / 3600).quantize(Decimal("0.01")) - hours
    if deduct < 0:
        raise _invalid("hours", "There are more hours than lie between start and end.")
    notes = clean(op.notes)
    if len(notes) > CAPS.max_note_len:
        raise _invalid("notes", f"The notes have more than {CAPS.max_note_len} characters.")
    member = number(op.member.partition("/")[0], "member")
    start = moment(op.start_utc)
    body: dict[str, Any] = {
        "chargeToId": ticket,
        "chargeToType": "ServiceTicket",
        "member": {"id": member},
        "timeStart": start,
        "timeEnd": moment(op.end_utc),
        "actualHours": float(hours),
        **({"hoursDeduct": float(deduct)} if deduct else {}),
        **({"workType": {"id": number(op.work_type, "work type")}} if op.work_type else {}),
        **({"workRole": {"id": number(op.work_role, "work role")}} if op.work_role else {}),
        **({"locationId": number(op.location, "location")} if op.location else {}),
        **({"billableOption": BILLING[op.billing]} if op.billing in BILLING else {}),
        "notes": notes,
        "internalNotes": f"Ref {marker}",
        "addToDetailDescriptionFlag": bool(notes) and op.visibility == Visibility.CUSTOMER,
        "addToInternalAnalysisFlag": bool(notes) and op.visibility == Visibility.INTERNAL,
        "addToResolutionFlag": bool(notes) and op.visibility == Visibility.RESOLUTION,
        "emailResourceFlag": False,
        "emailContactFlag": False,
        "emailCcFlag": False,
    }
    match = {"member": str(member), "start": start, "hours": str(hours)}
    return _wire(op, ticket, marker, "POST", "/time/entries", body, text=notes, match=match)


def _status(op: SetStatus, ticket: int, marker: str) -> WireRequest:
    status = number(op.status, "status")
    # The whole reference: a path such as status/id may be answered with 200 and change nothing.
    body = [{"op": "replace", "path": "status", "value": {"id": status}}]
    match = {"status": str(status)}
    if op.only_if_current is not None:
        match["only_if_current"] = str(number(op.only_if_current, "status"))
    return _wire(op, ticket, marker, "PATCH", f"/service/tickets/{ticket}", body, match=match)


def _wire(
    op: Op,
    ticket: int,
    marker: str,
    method: str,
    path: str,
    body: object,
    *,
    text: str = "",
    match: dict[str, str] | None = None,
) -> WireRequest:
    return WireRequest(
        kind=op.kind,
        method=method,
        path=path,
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        ticket=str(ticket),
        marker=marker,
        text=text,
        match=match or {},
    )


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(code="NotRendered", field_errors=[FieldError(field, message)])
