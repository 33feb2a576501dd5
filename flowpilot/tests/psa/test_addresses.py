"""Where a connection may lead."""

import socket

import httpx
import pytest

from flowpilot.psa.providers.addresses import AddressGuard, is_public, site_of
from flowpilot.psa.providers.connectwise.addresses import api_root, codebase_in, ticket_page, web_site
from flowpilot.psa.providers.errors import Misconfigured
from flowpilot.psa.providers.http import Http


@pytest.mark.parametrize(
    ("typed", "site"),
    [
        ("eu.myconnectwise.net", "https://eu.myconnectwise.net"),
        (" https://cw.example.com/v4_6_release/apis/3.0?x=1#y ", "https://cw.example.com"),
        ("https://CW.Example.com:8443", "https://cw.example.com:8443"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
    ],
)
def test_what_is_typed_becomes_a_site(typed, site):
    assert site_of(typed, {"127.0.0.1"}) == site


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "http://cw.example.com",
        "http://127.0.0.1:6379",
        "ftp://cw.example.com",
        "file:///etc/passwd",
        "https://user:pass@cw.example.com",
        "https://",
        "https://cw.example.com:99999",
        "https://[::1",
        "https://a b",
        "https://" + "x" * 70 + ".example",
    ],
)
def test_what_must_not_be_opened_is_refused_in_words(typed):
    with pytest.raises(Misconfigured) as caught:
        site_of(typed, set())
    assert caught.value.message


@pytest.mark.parametrize(
    "address",
    [
        *["127.0.0.1", "10.1.2.3", "192.168.0.9", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1"],
        *["::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1"],
        # What a gateway takes to 10.0.0.1: NAT64, NAT64 of one's own, 6to4, IPv4-compatible; Teredo, client and server.
        *["64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "2002:a00:1::1", "::10.0.0.1"],
        *["2001:0:808:808::f5ff:fffe", "2001:0:a00:1::f7f7:f7f7"],
    ],
)
def test_addresses_inside_are_not_public(address):
    assert not is_public(address)


def test_addresses_outside_are_public():
    assert is_public("8.8.8.8")
    assert is_public("2001:4860:4860::8888")
    assert is_public("64:ff9b::8.8.8.8")  # how a network without IPv4 reaches it


def test_a_private_host_gets_no_connection_unless_the_operator_names_it(stand_in):
    http = Http("connectwise", None, internal_hosts=[])
    with pytest.raises(Misconfigured) as caught:
        http.exchange("GET", f"{stand_in.url}/login/companyinfo/northgate", headers={}, writes=False)
    assert caught.value.code == "PrivateAddress"
    http.close()
    assert stand_in.ledger()["requests"] == []


def test_a_name_that_resolves_differently_the_second_time_gains_nothing(stand_in, monkeypatch):
    """The guard is told of a public address, the connection leads to loopback."""
    monkeypatch.setattr(AddressGuard, "_resolved", lambda self, host, port: ["8.8.8.8"])
    http = Http("connectwise", None, internal_hosts=[])
    address = stand_in.url.replace("127.0.0.1", "localhost") if _localhost_is_ipv4() else stand_in.url
    with pytest.raises(Misconfigured) as caught:
        http.exchange("POST", f"{address}/anything", headers={}, writes=True, content="{}")
    assert caught.value.code == "PrivateAddress"
    http.close()
    assert stand_in.ledger()["requests"] == []


def _localhost_is_ipv4():
    return socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)[0][4][0] == "127.0.0.1"


def test_a_redirect_is_not_followed(stand_in):
    asked = []

    def answer(request):
        asked.append(request.url.path)
        return httpx.Response(302, headers={"location": "/elsewhere"})

    with httpx.Client(transport=httpx.MockTransport(answer), follow_redirects=True) as client:
        http = Http("connectwise", client, internal_hosts=[])
        assert http.exchange("POST", "https://cw.example.com/a", headers={}, writes=True).status == 302
    assert asked == ["/a"]


def test_connectwise_addresses():
    cloud = "https://eu.myconnectwise.net"
    assert api_root(cloud, "v2025_1/") == "https://api-eu.myconnectwise.net/v2025_1/apis/3.0"
    assert api_root("https://api-eu.myconnectwise.net", "v2025_1/").startswith("https://api-eu.")
    assert (
        api_root("https://cw.example.com", "v4_6_release/") == "https://cw.example.com/v4_6_release/apis/3.0"
    )
    assert web_site("https://api-eu.myconnectwise.net") == cloud
    assert codebase_in("https://api-eu.myconnectwise.net/v2025_1/apis/3.0") == "v2025_1/"
    assert codebase_in(cloud) is None
    assert ticket_page(cloud, "north gate", "5000").endswith("?service_recid=5000&companyName=north%20gate")
