"""What can go wrong with a ticket system, each kind with what it says of the write and in words for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

MESSAGE_LENGTH = 500


class Sent(StrEnum):
    """Whether a write took place. The delivery engine decides by this and `retry_after`, never by an HTTP status."""

    NOT_SENT = "not_sent"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class FieldError:
    field: str
    message: str
    code: str = ""

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class PsaError(Exception):
    """code: short and stable, for logs. message: the ticket system's own words, which may quote what was sent: never
    log it. retry_after: seconds that it asks to wait. words: what happened and what to do, for people.
    """

    sent: ClassVar[Sent]
    what: ClassVar[str]

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "",
        http_status: int | None = None,
        field_errors: Sequence[FieldError] = (),
        retry_after: float | None = None,
    ) -> None:
        self.code = code or type(self).__name__
        self.message = message[:MESSAGE_LENGTH]
        self.http_status = http_status
        self.field_errors = tuple(field_errors)
        self.retry_after = retry_after
        super().__init__(self.code)  # a traceback in a log shows this, so not the message

    @property
    def said(self) -> str:
        """What the ticket system said of it; "" if nothing."""
        return "; ".join(str(error) for error in self.field_errors) or self.message

    @property
    def words(self) -> str:
        return f"{self.what} It said: {self.said}" if self.said else self.what


class Unavailable(PsaError):
    sent = Sent.NOT_SENT
    what = "The ticket system cannot be reached at the moment. Nothing was sent; it will be tried again."


class RateLimited(PsaError):
    sent = Sent.NOT_SENT
    what = (
        "The ticket system asks to wait because of too many requests. Nothing was sent; it goes on by itself."
    )


class AuthFailed(PsaError):
    sent = Sent.REJECTED
    what = "The ticket system refuses the keys of this connection. Enter valid ones in the settings."


class Misconfigured(PsaError):
    sent = Sent.REJECTED
    what = "The ticket system does not answer as one at this address. Check the connection in the settings."


class Forbidden(PsaError):
    sent = Sent.REJECTED
    what = "The keys of this connection lack a permission for this. Extend their role in the ticket system."


class TicketNotFound(PsaError):
    sent = Sent.REJECTED
    what = "The ticket is not there any more, or the connection's keys may not see it. Link another one."


class TicketMerged(TicketNotFound):
    what = "The ticket was merged into another one. Link that one, then send it again."


class Invalid(PsaError):
    sent = Sent.REJECTED
    what = "The ticket system does not accept this. Change it and send it again."


class TimeNotAllowed(Invalid):
    what = "The ticket's status allows no time entries. Change the status in the ticket system, then send it again."


class StatusMoved(Invalid):
    what = "Somebody changed the ticket's status meanwhile, so it was left alone. Send it again to set it anyway."


class Conflict(PsaError):
    sent = Sent.REJECTED
    what = "The ticket is in use by somebody else at the moment. It will be tried again."


class OutcomeUnknown(PsaError):
    sent = Sent.UNKNOWN
    what = "The ticket system gave no clear answer. Whether it arrived will be looked up before it is sent again."
