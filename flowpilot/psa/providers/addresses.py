"""Which addresses a connection may lead to.

A team admin types the address, and the server opens it from inside the operator's network. So only public addresses
are opened, over TLS. A ticket system on the operator's own premises has a private address: the operator, not the team
admin, names such hosts (PSA_INTERNAL_HOSTS). Checked is the address that is really connected to, so a name that
resolves differently the second time gains nothing. Redirects are not followed, nor any address that an answer names.
"""

import socket
from collections.abc import Collection, Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from flowpilot.psa.providers.errors import Misconfigured

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


# Prefixes of IPv6 addresses whose last 32 bits are the IPv4 address that a packet goes to: compatible, and NAT64's.
EMBEDDING = (IPv6Network("::/96"), IPv6Network("64:ff9b::/96"))
NAT64_INSIDE = IPv6Network("64:ff9b:1::/48")


def is_public(address: str) -> bool:
    """An IPv6 address that leads to an IPv4 one is public if that is."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip in NAT64_INSIDE:
            return False
        if inside := _embedded(ip):
            return all(is_public(str(each)) for each in inside)
    return ip.is_global and not ip.is_multicast


def _embedded(ip: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that a gateway would take a packet to: of a mapped one, 6to4, Teredo (server and client)."""
    if ip.ipv4_mapped:
        return (ip.ipv4_mapped,)
    if ip.sixtofour:
        return (ip.sixtofour,)
    if ip.teredo:
        return ip.teredo
    if any(ip in network for network in EMBEDDING):
        return (IPv4Address(int(ip) & 0xFFFFFFFF),)
    return ()


def site_of(typed: str, internal_hosts: Collection[str]) -> str:
    """scheme://host[:port] of what somebody typed, with https where they typed no scheme; path and query are dropped.

    Raises `Misconfigured` for what must not be opened.
    """
    typed = typed.strip()
    try:
        url = urlsplit(typed if "://" in typed else f"https://{typed}")
        host, port = (url.hostname or "").rstrip("."), url.port
        host.encode("idna")
    except ValueError as error:
        raise Misconfigured("This is no web address.", code="BadAddress") from error
    if not host or url.username is not None or url.password is not None or any(c in host for c in " \\<>\"'"):
        raise Misconfigured("This is no web address.", code="BadAddress")
    if url.scheme not in {"https", "http"} or (
        url.scheme == "http" and not (host in LOOPBACK and host in internal_hosts)
    ):
        raise Misconfigured("The address must begin with https://.", code="NotHttps")
    shown = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{shown}" + (f":{port}" if port else "")


class AddressGuard:
    """A `trace` for httpx that refuses a connection to what is not public, before a byte of the request is sent."""

    def __init__(self, internal_hosts: Collection[str]) -> None:
        self.internal_hosts = frozenset(host.lower() for host in internal_hosts)
        self._host = ""

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.started":
            self._host = str(info["host"]).lower()
            self._refuse_unless_public(self._resolved(self._host, info["port"]))
        elif event == "connection.connect_tcp.complete":
            stream = info["return_value"]
            peer = stream.get_extra_info("server_addr")
            try:
                self._refuse_unless_public([peer[0]] if peer else [])
            except Misconfigured:
                stream.close()
                raise

    def _resolved(self, host: str, port: int) -> list[str]:
        if host in self.internal_hosts:
            return []
        try:
            return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except OSError:
            return []  # connecting fails by itself and says why

    def _refuse_unless_public(self, addresses: Collection[str]) -> None:
        if self._host not in self.internal_hosts and not all(is_public(address) for address in addresses):
            raise Misconfigured(
                "This address is inside a private network. The operator of this installation can allow it.",
                code="PrivateAddress",
            )
