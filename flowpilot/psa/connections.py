"""From the row of a connection to its ticket system, and the hold under which nothing is sent to it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import httpx
from django.db.models import Q
from django.db.models.functions import Greatest
from django.views.decorators.debug import sensitive_variables

from flowpilot.psa import providers, sealing
from flowpilot.psa.models import PsaConnection
from flowpilot.psa.providers.base import PsaProvider
from flowpilot.psa.states import GRAVE, Hold

NOTHING_HELD = {"held_until": None, "held_reason": "", "held_message": ""}

ProviderOf = Callable[[PsaConnection], PsaProvider]


@sensitive_variables()
def provider_of(connection: PsaConnection, http: httpx.Client | None = None) -> PsaProvider:
    """The ticket system behind a connection; whoever asks closes it. Raises `sealing.CannotOpen`, and the provider's
    `Misconfigured`."""
    credentials = sealing.open_sealed(connection.credentials)
    return providers.make_provider(
        connection.provider, base_url=connection.base_url, credentials=credentials, http=http
    )


def _refuse(request: httpx.Request) -> httpx.Response:
    raise RuntimeError("Rendering a push must not use the network.")


# Made once: a client that could use the network takes a tenth of a second to make.
OFFLINE = httpx.Client(transport=httpx.MockTransport(_refuse), trust_env=False)


def offline_provider_of(connection: PsaConnection) -> PsaProvider:
    """To render with, inside a transaction. Raises as `provider_of`."""
    return provider_of(connection, OFFLINE)


class Providers:
    """The ticket systems that one run has to do with, each made once and closed at the end."""

    def __init__(self, make: ProviderOf) -> None:
        self._make = make
        self._made: dict[tuple[UUID, str, str, str], PsaProvider] = {}

    def of(self, connection: PsaConnection) -> PsaProvider:
        """Raises as `provider_of`. A connection that was changed while this run goes on is another one."""
        key = (connection.id, connection.system, connection.base_url, connection.credentials)
        if key not in self._made:
            self._made[key] = self._make(connection)
        return self._made[key]

    def close(self) -> None:
        for provider in self._made.values():
            provider.close()


def current_connection(*, locked: bool = False) -> PsaConnection | None:
    """The one that new pushes go over: of the active ones the oldest. locked: nobody changes it before the open
    transaction ends."""
    rows = PsaConnection.objects.filter(active=True).order_by("created_at", "id")
    return (rows.select_for_update(no_key=True) if locked else rows).first()


def hold(connection_id: UUID, reason: Hold, *, until: datetime, now: datetime, message: str = "") -> None:
    """Nothing is sent over it until then. message: the ticket system's own words.

    Of two holds the later end holds, and the graver reason: one that passes by itself hides none that somebody has to
    see to.
    """
    held = PsaConnection.objects.filter(id=connection_id, held_until__gt=now)
    if reason == Hold.TOO_MANY_REQUESTS:
        held.exclude(held_reason=reason).update(held_until=Greatest("held_until", until))
        held = held.exclude(held_reason__in=GRAVE)
    held.update(held_until=Greatest("held_until", until), held_reason=reason, held_message=message)
    free = Q(held_until=None) | Q(held_until__lte=now)
    PsaConnection.objects.filter(free, id=connection_id).update(
        held_until=until, held_reason=reason, held_message=message
    )


def release(connection_id: UUID) -> None:
    """Somebody entered keys, or tested the connection, and the ticket system answered well: what was held because of
    keys or address may go. That it asked to wait is not answered by this."""
    PsaConnection.objects.filter(id=connection_id, held_reason__in=GRAVE).update(**NOTHING_HELD)


def answered_well(connection_id: UUID, now: datetime) -> None:
    """A send or a look-up went through: a hold that is over is forgotten. One that is not over began after it."""
    PsaConnection.objects.filter(id=connection_id, held_until__lte=now).update(**NOTHING_HELD)
