"""The ticket systems that an account can connect, and what each asks for."""

from dataclasses import dataclass

from django.http import Http404


@dataclass(frozen=True)
class Credential:
    """One thing that the ticket system wants to know of us. secret: never shown again once it is saved."""

    name: str
    label: str
    help: str = ""
    secret: bool = True


@dataclass(frozen=True)
class System:
    """key: as in PsaConnection.Provider. preview: made from the vendor's papers, and never tried against a live one."""

    key: str
    name: str
    address_label: str
    address_help: str
    credentials: tuple[Credential, ...]
    preview: bool = False


CONNECTWISE = System(
    "connectwise",
    "ConnectWise PSA",
    "Site",
    "Where you sign in, such as na.myconnectwise.net.",
    (
        Credential("company_id", "Company", "What you enter as company when you sign in.", secret=False),
        Credential("public_key", "Public key", "Of an API member: System, Members, API Members."),
        Credential("private_key", "Private key", "ConnectWise shows it once, when the key is made."),
    ),
)
HALOPSA = System(
    "halopsa",
    "HaloPSA",
    "Address",
    "Where you sign in, such as https://yourcompany.halopsa.com.",
    (
        Credential("tenant", "Tenant", "As in Configuration, Integrations, HaloPSA API.", secret=False),
        Credential("client_id", "Client ID", "Of an application with the method Client ID and Secret."),
        Credential("client_secret", "Client secret"),
    ),
    preview=True,
)
SYSTEMS = {system.key: system for system in (CONNECTWISE, HALOPSA)}


def system_or_404(key: str) -> System:
    if key not in SYSTEMS:
        raise Http404("There is no such ticket system.")
    return SYSTEMS[key]
