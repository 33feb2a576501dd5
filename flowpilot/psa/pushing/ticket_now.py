"""The ticket as the ticket system has it this minute, with the statuses that it can take."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.core.cache import cache

from flowpilot.psa.asking import Trouble, Unanswered, ask
from flowpilot.psa.models import PsaConnection
from flowpilot.psa.providers.base import PsaProvider, StatusOption, Ticket

FRESH = 30  # seconds: while somebody fills in the form, each change of it asks again


@dataclass(frozen=True)
class TicketNow:
    """ticket is None and trouble says why where there was no answer."""

    ticket: Ticket | None = None
    statuses: Sequence[StatusOption] = field(default_factory=tuple)
    trouble: Trouble | None = None

    @property
    def warnings(self) -> list[str]:
        """What will keep a push from arriving, before it is sent."""
        ticket = self.ticket
        if ticket is None:
            return []
        found = []
        if ticket.merged_into:
            found.append(f"This ticket was merged into {ticket.merged_into}. Link that one instead.")
        if ticket.closed:
            found.append("This ticket is closed. The ticket system may refuse a note or a time entry.")
        if not ticket.time_allowed:
            found.append(
                f"Its status “{ticket.status}” takes no time entries. The note can be sent all the same."
            )
        return found


def look_up(connection: PsaConnection, ref: str) -> TicketNow:
    """Never raises for what the ticket system does; good news is kept for half a minute."""
    digest = hashlib.sha256(ref.encode()).hexdigest()
    key = f"psa-ticket:{connection.account_id}:{connection.pk}:{digest}"
    found: TicketNow | None = cache.get(key)
    if found is not None:
        return found

    def question(provider: PsaProvider) -> TicketNow:
        ticket = provider.get_ticket(ref)
        statuses = [option for option in provider.list_statuses(ticket) if not option.inactive]
        return TicketNow(ticket, tuple(option for option in statuses if option.ref != ticket.status_ref))

    try:
        found = ask(connection, question)
    except Unanswered as unanswered:
        return TicketNow(trouble=unanswered.trouble)
    cache.set(key, found, FRESH)
    return found
