"""ConnectWise's JSON as our own types. Read leniently: new fields come without notice, old ones may be empty."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flowpilot.psa.providers.base import Option, StatusOption, Ticket
from flowpilot.psa.providers.connectwise.rendering import member_ref

Row = Mapping[str, Any]


def part(row: Row, name: str) -> Row:
    """A reference, such as a ticket's board; empty where there is none."""
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def ref_of(row: Row, name: str) -> str:
    return str(part(row, name).get("id") or "")


def text_of(row: Row, name: str) -> str:
    return str(row.get(name) or "")


def moment_of(row: Row, *names: str) -> datetime | None:
    for name in names:
        try:
            at = datetime.fromisoformat(text_of(row, name))
        except ValueError:
            continue
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return None


def ticket(row: Row, url: str, *, time_allowed: bool = True) -> Ticket:
    return Ticket(
        ref=str(row["id"]),
        summary=text_of(row, "summary"),
        board=text_of(part(row, "board"), "name"),
        status=text_of(part(row, "status"), "name"),
        status_ref=ref_of(row, "status"),
        closed=bool(row.get("closedFlag")),
        time_allowed=time_allowed,
        merged_into=ref_of(row, "mergedParentTicket") or None,
        url=url,
        company=text_of(part(row, "company"), "name"),
        company_ref=ref_of(row, "company"),
        board_ref=ref_of(row, "board"),
    )


def status(row: Row) -> StatusOption:
    return StatusOption(
        ref=str(row["id"]),
        name=text_of(row, "name"),
        closed=bool(row.get("closedStatus")),
        inactive=bool(row.get("inactive")),
        time_allowed=not row.get("timeEntryNotAllowed"),
    )


def member(row: Row) -> Option:
    login = text_of(row, "identifier")
    name = f"{text_of(row, 'firstName')} {text_of(row, 'lastName')}".strip()
    return Option(
        ref=member_ref(row["id"], login),
        name=name or login,
        inactive=bool(row.get("inactiveFlag")),
        login=login,
        email=text_of(row, "officeEmail") or text_of(row, "primaryEmail"),
    )


def option(row: Row) -> Option:
    """A work type, work role or location."""
    locations = row.get("locationIds")
    return Option(
        ref=str(row["id"]),
        name=text_of(row, "name"),
        inactive=bool(row.get("inactiveFlag")),
        locations=tuple(str(id) for id in locations) if isinstance(locations, list) else (),
    )
