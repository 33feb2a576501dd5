"""Questions to the ticket system while somebody waits for the page: outside of any transaction, never for long."""

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from django.views.decorators.debug import sensitive_variables

from flowpilot.psa.connections import provider_of
from flowpilot.psa.models import PsaConnection
from flowpilot.psa.providers import errors, make_provider
from flowpilot.psa.providers.base import ConnectionInfo, PsaProvider
from flowpilot.psa.sealing import CannotOpen

Answer = TypeVar("Answer")
log = logging.getLogger(__name__)

WHAT_TO_DO: dict[type[errors.PsaError], tuple[str, str]] = {
    errors.Unavailable: (
        "The ticket system cannot be reached at the moment.",
        "Try again in a few minutes. If it goes on, check the address.",
    ),
    errors.OutcomeUnknown: (
        "The ticket system answers too slowly, or not clearly.",
        "Try again in a few minutes.",
    ),
    errors.RateLimited: (
        "The ticket system asks to wait because of too many requests.",
        "Try again in a minute.",
    ),
    errors.AuthFailed: (
        "The ticket system refuses the keys.",
        "Check that they were copied whole and are still active, then enter them again.",
    ),
    errors.Misconfigured: (
        "No ticket system answers at this address.",
        "Check the address and the company. It is the one that you sign in at.",
    ),
    errors.Forbidden: (
        "The keys are right, but their role lacks a permission.",
        "Extend the security role of the API member; the documentation lists what it needs.",
    ),
    errors.TicketNotFound: (
        "There is no such ticket, or the connection's keys may not see it.",
        "Check the number.",
    ),
    errors.Invalid: ("The ticket system does not accept this.", "Change it and try again."),
    errors.Conflict: ("The ticket is in use by somebody else at the moment.", "Try again in a minute."),
}


@dataclass(frozen=True)
class Trouble:
    """What went wrong and what to do. said: the ticket system's own words, "" where they add nothing."""

    what: str
    what_to_do: str
    said: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.what_to_do}"

    @property
    def in_full(self) -> str:
        return f"{self} It said: “{self.said[:200].rstrip('.')}”." if self.said else str(self)


UNREADABLE = Trouble(
    "The keys of the connection cannot be read any more.", "Enter them again in the settings."
)


class Unanswered(Exception):
    """The ticket system gave no answer to go on with. kind: which error it was."""

    def __init__(self, trouble: Trouble, kind: type[errors.PsaError]) -> None:
        super().__init__(trouble.what)
        self.trouble, self.kind = trouble, kind


def ask(connection: PsaConnection, question: Callable[[PsaProvider], Answer]) -> Answer:
    """The answer; raises Unanswered with words for people. No transaction may be open meanwhile."""

    def answered() -> Answer:
        with closing(provider_of(connection)) as provider:
            return question(provider)

    return in_words(answered)


@sensitive_variables()
def try_out(key: str, base_url: str, credentials: Mapping[str, str]) -> ConnectionInfo:
    """Signs in with keys that are not saved yet; raises as `ask`."""

    def answered() -> ConnectionInfo:
        with closing(make_provider(key, base_url=base_url, credentials=credentials)) as provider:
            return provider.check()

    return in_words(answered)


def in_words(act: Callable[[], Answer]) -> Answer:
    """Does it; what the ticket system does not do of it becomes Unanswered."""
    try:
        return act()
    except errors.PsaError as error:
        log.info("The ticket system did not answer a question", extra={"code": error.code})
        raise Unanswered(trouble_of(error), type(error)) from None
    except CannotOpen:
        raise Unanswered(UNREADABLE, errors.AuthFailed) from None


def trouble_of(error: errors.PsaError) -> Trouble:
    kind = next(kind for kind in type(error).__mro__ if kind in WHAT_TO_DO or kind is errors.PsaError)
    what, what_to_do = WHAT_TO_DO.get(kind, (error.what, "Try again later."))
    return Trouble(what, what_to_do, error.said)
