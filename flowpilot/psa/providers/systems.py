"""Which ticket system of which company a connection leads to, as one text that is compared and never taken apart.

A ticket's number means something in one company's system only. So what was made for one system must reach no other,
even if address and company are changed, or the connection is removed and made anew.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from flowpilot.psa.providers.connectwise import ConnectWise
from flowpilot.psa.providers.connectwise.addresses import web_site
from flowpilot.psa.providers.halopsa import HaloPsa

PORTS = {"https": 443, "http": 80}
COMPANY = {ConnectWise.key: "company_id", HaloPsa.key: "tenant"}


def system_of(key: str, *, base_url: str, credentials: Mapping[str, str]) -> str:
    """The same for all ways to write the same address and company; credentials may be without the secrets.

    base_url is as `addresses.site_of` gave it. Only what names the company is read of the credentials.
    """
    url = urlsplit(web_site(base_url) if key == ConnectWise.key else base_url)
    host = (url.hostname or "").rstrip(".")
    port = "" if url.port in (None, PORTS.get(url.scheme)) else f":{url.port}"
    company = credentials.get(COMPANY[key], "").strip().casefold()
    return f"{key} {host}{port} {company}".strip()


def named(system: str) -> str:
    """For people: "acme at na.myconnectwise.net"."""
    _, _, where = system.partition(" ")
    host, _, company = where.partition(" ")
    return f"{company} at {host}" if company else host
