"""The ticket systems that pushes go to, each behind the interface of `base`."""

from collections.abc import Mapping

import httpx
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from flowpilot.psa.providers.base import PsaProvider
from flowpilot.psa.providers.connectwise import ConnectWise
from flowpilot.psa.providers.halopsa import HaloPsa


@sensitive_variables()
def make_provider(
    key: str, *, base_url: str, credentials: Mapping[str, str], http: httpx.Client | None = None
) -> PsaProvider:
    """The provider of a connection. Raises `Misconfigured` for an address that must not be opened.

    credentials: of ConnectWise company_id, public_key and private_key; of HaloPSA tenant, client_id and client_secret.
    http: closed by whoever made it.
    """
    if key == ConnectWise.key:
        return ConnectWise(
            base_url=base_url,
            credentials=credentials,
            client_id=settings.CONNECTWISE_CLIENT_ID,
            internal_hosts=settings.PSA_INTERNAL_HOSTS,
            http=http,
        )
    if key == HaloPsa.key:
        return HaloPsa(
            base_url=base_url, credentials=credentials, internal_hosts=settings.PSA_INTERNAL_HOSTS, http=http
        )
    raise ValueError(f"There is no provider {key!r}")
