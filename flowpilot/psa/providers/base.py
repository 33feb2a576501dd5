"""What every ticket system looks like to the rest of the product. No Django, no I/O.

A ref is a ticket system's own name for one of its things, as a string. Only the provider that gave it can read it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, Protocol, Self, TypeVar

Item = TypeVar("Item")


class Kind(StrEnum):
    """What a push delivers; the values are those of `PsaPush.Kind`."""

    NOTE = "note"
    TIME_ENTRY = "time_entry"
    STATUS = "status"


class Visibility(StrEnum):
    """Who reads a note: only the MSP, the customer too, or both as the ticket's resolution."""

    INTERNAL = "internal"
    CUSTOMER = "customer"
    RESOLUTION = "resolution"


class Billing(StrEnum):
    """How a time entry is charged; DEFAULT leaves it to the ticket system."""

    DEFAULT = "default"
    BILLABLE = "billable"
    DO_NOT_BILL = "do_not_bill"
    NO_CHARGE = "no_charge"


class NoteFormat(StrEnum):
    PLAIN = "plain"
    MARKDOWN = "markdown"
    HTML = "html"


class StatusScope(StrEnum):
    """Whether a status belongs to the ticket's board or is valid for all tickets."""

    BOARD = "board"
    GLOBAL = "global"


@dataclass(frozen=True)
class Capabilities:
    """What a ticket system can do and wants. `preview` means: never tried against a live one, and pages say so."""

    name: str
    note_format: NoteFormat
    max_note_len: int  # characters of one note, its marker included; longer text goes in parts
    title_required: bool
    time_needs_role: bool
    status_scope: StatusScope
    fuses_ops: bool  # one call can carry note, time and status at once
    note_marker_field: str
    time_marker_field: str
    can_delete: bool
    visibilities: tuple[Visibility, ...]
    preview: bool = False


# What is to be done on a ticket.


@dataclass(frozen=True)
class AddNote:
    """author: the ref of a member, None for the connection's own user. notify: mail the people on the ticket."""

    ticket: str
    text: str
    visibility: Visibility = Visibility.INTERNAL
    author: str | None = None
    title: str | None = None
    notify: bool = False

    kind = Kind.NOTE


@dataclass(frozen=True)
class LogTime:
    """Times are aware; hours > 0 is what is charged, which need not be the span between them."""

    ticket: str
    member: str
    start_utc: datetime
    end_utc: datetime
    hours: Decimal
    notes: str = ""
    visibility: Visibility = Visibility.INTERNAL
    work_type: str | None = None
    work_role: str | None = None
    location: str | None = None
    billing: Billing = Billing.DEFAULT

    kind = Kind.TIME_ENTRY


@dataclass(frozen=True)
class SetStatus:
    """only_if_current: the ref of the status that the ticket must still have; another one raises `StatusMoved`."""

    ticket: str
    status: str
    only_if_current: str | None = None

    kind = Kind.STATUS


Op = AddNote | LogTime | SetStatus


@dataclass(frozen=True)
class WireRequest:
    """One HTTP write as it will be sent, byte for byte. It is rendered once, stored, and never changed.

    body: JSON as text, since a JSON column keeps neither the order of keys nor how a number was written.
    text: what people will read in the ticket; a preview shows exactly this.
    match: what else `send` and `find` have to know, such as the member and start of a time entry.
    """

    kind: Kind
    method: str
    path: str
    body: str
    ticket: str
    marker: str
    text: str = ""
    match: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"kind": self.kind.value, "match": dict(self.match)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(**(dict(stored) | {"kind": Kind(stored["kind"]), "match": dict(stored["match"])}))


@dataclass(frozen=True)
class Receipt:
    """What the ticket system holds now. at: when it says that it was made. remark: what is odd about it, for people."""

    external_id: str
    url: str = ""
    at: datetime | None = None
    remark: str = ""


@dataclass(frozen=True)
class Watermark:
    """The newest note or time entry on the ticket before the first attempt; "" if there was none."""

    newest: str = ""

    def as_json(self) -> dict[str, str]:
        return {"newest": self.newest}

    @classmethod
    def from_json(cls, stored: Mapping[str, str]) -> Self:
        return cls(newest=stored["newest"])


# What a ticket system tells.


@dataclass(frozen=True)
class ConnectionInfo:
    """base_url: where the API was found; version and company are for people."""

    base_url: str
    version: str = ""
    company: str = ""


@dataclass(frozen=True)
class Ticket:
    """merged_into: the ref of the ticket that took this one over, None if there is none.

    time_allowed is told by `get_ticket`; a search assumes it, since it would have to ask for every board.
    """

    ref: str
    summary: str
    board: str
    status: str
    status_ref: str
    closed: bool
    time_allowed: bool
    merged_into: str | None
    url: str
    company: str
    company_ref: str
    board_ref: str = ""


@dataclass(frozen=True)
class StatusOption:
    ref: str
    name: str
    closed: bool = False
    inactive: bool = False
    time_allowed: bool = True


@dataclass(frozen=True)
class Option:
    """A member, work type, work role or location to choose.

    login and email are told of members. locations: where a work role is valid, empty for everywhere.
    """

    ref: str
    name: str
    inactive: bool = False
    login: str = ""
    email: str = ""
    locations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page(Generic[Item]):
    items: Sequence[Item]
    number: int
    has_next: bool


class PsaProvider(Protocol):
    """A ticket system. Whatever goes wrong is a `PsaError`; nothing retries by itself.

    Reads raise kinds of error whose `sent` says nothing of a write; only that of `send` counts.
    """

    key: str
    caps: Capabilities

    def check(self) -> ConnectionInfo:
        """Signs in and finds the API's address anew; the way to test a connection."""
        ...

    def get_ticket(self, ref: str) -> Ticket: ...

    def search_tickets(self, q: str, page: int = 1, size: int = 25) -> Page[Ticket]:
        """Newest first; `q` is a number or words, "" for all."""
        ...

    def ticket_url(self, ref: str) -> str:
        """Where people open the ticket; "" if that cannot be told. No I/O."""
        ...

    def list_statuses(self, ticket: Ticket) -> list[StatusOption]: ...

    def list_members(self) -> list[Option]: ...

    def list_work_types(self) -> list[Option]: ...

    def list_work_roles(self) -> list[Option]: ...

    def list_locations(self) -> list[Option]: ...

    def render(self, op: Op, marker: str) -> WireRequest:
        """The request that does it: pure, no I/O, the same for the same arguments. Raises `Invalid`."""
        ...

    def watermark(self, wire: WireRequest) -> Watermark:
        """What `find` needs to know from before the first attempt. Raises `TicketMerged` too."""
        ...

    def send(self, wire: WireRequest) -> Receipt:
        """ONE HTTP write. A status also takes a look before and, where the answer leaves doubt, after it."""
        ...

    def find(self, wire: WireRequest, since: Watermark) -> list[Receipt]:
        """What of it the ticket system holds, oldest first; [] means absent. Raises if it cannot tell. Reads only."""
        ...

    def delete(self, wire: WireRequest, external_id: str) -> None:
        """Takes a double away, where `caps.can_delete`."""
        ...

    def close(self) -> None: ...
