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


def current_connection() -> PsaConnection | None:
    """The one that new pushes go over: of the active ones the oldest."""
    return PsaConnection.objects.filter(active=True).order_by("created_at", "id").first()


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
