"""From the row of a connection to its ticket system, and the hold under which nothing is sent to it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import httpx
from django.db.models import Q
from django.views.decorators.debug import sensitive_variables

from flowpilot.psa import providers, sealing
from flowpilot.psa.models import PsaConnection
from flowpilot.psa.providers.base import PsaProvider
from flowpilot.psa.states import Hold

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
        self._made: dict[UUID, PsaProvider] = {}

    def of(self, connection: PsaConnection) -> PsaProvider:
        """Raises as `provider_of`."""
        if connection.id not in self._made:
            self._made[connection.id] = self._make(connection)
        return self._made[connection.id]

    def close(self) -> None:
        for provider in self._made.values():
            provider.close()


def current_connection(*, locked: bool = False) -> PsaConnection | None:
    """The one that new pushes go over: of the active ones the oldest. locked: nobody changes it before the open
    transaction ends."""
    rows = PsaConnection.objects.filter(active=True).order_by("created_at", "id")
    return (rows.select_for_update(no_key=True) if locked else rows).first()


def hold(connection_id: UUID, reason: Hold, *, until: datetime, message: str = "") -> None:
    """Nothing is sent over it until then. A hold that ends later stays as it is."""
    PsaConnection.objects.filter(Q(held_until=None) | Q(held_until__lt=until), id=connection_id).update(
        held_until=until, held_reason=reason, held_message=message
    )


def release(connection_id: UUID) -> None:
    """The ticket system answers well, or somebody entered other keys: what waits may go."""
    PsaConnection.objects.filter(id=connection_id).exclude(held_reason="").update(
        held_until=None, held_reason="", held_message=""
    )
