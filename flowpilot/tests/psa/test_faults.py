"""Each fault of the stand-in as the provider tells it, and what was really carried out."""

from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest

from flowpilot.psa.providers import make_provider
from flowpilot.psa.providers.base import AddNote, LogTime, SetStatus, Watermark
from flowpilot.psa.providers.errors import (
    AuthFailed,
    Conflict,
    Forbidden,
    Invalid,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    Sent,
    Unavailable,
)
from flowpilot.psa.providers.http import Answer
from flowpilot.psa.stand_in.seed import IN_PROGRESS
from flowpilot.tests.psa.conftest import NOTE
from flowpilot.tests.psa.standing_in import CONNECTWISE_KEYS

MARKER = "RF-7K3M9Q2XT4WPA"
START, END = datetime(2026, 1, 5, 14, 0, tzinfo=UTC), datetime(2026, 1, 5, 14, 45, tzinfo=UTC)
OPS = {
    "POST /service/tickets/5000/notes": AddNote("5000", NOTE),
    "POST /time/entries": LogTime("5000", "12/jweber", START, END, Decimal("0.75"), NOTE),
    "PATCH /service/tickets/5000": SetStatus("5000", str(IN_PROGRESS)),
}
# fault: the error, whether it was sent, how many commits there are
FAULTS = {
    "429(17)": (RateLimited, Sent.NOT_SENT, 0),
    "500_before_commit": (OutcomeUnknown, Sent.UNKNOWN, 0),
    "500_after_commit": (OutcomeUnknown, Sent.UNKNOWN, 1),
    "timeout_before_commit": (OutcomeUnknown, Sent.UNKNOWN, 0),
    "timeout_after_commit": (OutcomeUnknown, Sent.UNKNOWN, 1),
    "late_commit(40)": (OutcomeUnknown, Sent.UNKNOWN, 0),
    "close_after_commit": (OutcomeUnknown, Sent.UNKNOWN, 1),
    "partial_body": (OutcomeUnknown, Sent.UNKNOWN, 1),
    "503_html": (OutcomeUnknown, Sent.UNKNOWN, 0),
    "401": (AuthFailed, Sent.REJECTED, 0),
    "403": (Forbidden, Sent.REJECTED, 0),
    "404_endpoint": (Misconfigured, Sent.REJECTED, 0),
    "409": (Conflict, Sent.REJECTED, 0),
    "reject(text)": (Invalid, Sent.REJECTED, 0),
}
# What it means that a read fails.
READ_FAULTS = {
    "429(17)": RateLimited,
    "500_before_commit": Unavailable,
    "timeout_before_commit": Unavailable,
    "503_html": Unavailable,
    "401": AuthFailed,
    "403": Forbidden,
    "404_endpoint": Misconfigured,
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("where", OPS)
@pytest.mark.usefixtures("quiet_logs")
def test_a_write_with_a_fault(stand_in, where, fault):
    method, path = where.split()
    kind, sent, commits = FAULTS[fault]
    provider = stand_in.provider()
    wire = provider.render(OPS[where], MARKER)
    stand_in.fail(fault, method=method, path=path)
    with pytest.raises(kind) as caught:
        provider.send(wire)
    assert type(caught.value) is kind
    assert caught.value.sent is sent
    assert caught.value.words
    assert NOTE not in str(caught.value)
    assert len(stand_in.commits()) == commits
    writes = [request for request in stand_in.ledger()["requests"] if request["method"] != "GET"]
    assert len(writes) == 1, "one HTTP write, whatever happens"
    assert len(provider.find(wire, Watermark())) == commits
    if kind is RateLimited:
        assert caught.value.retry_after == 17


@pytest.mark.parametrize("where", list(OPS)[:2])
def test_a_success_that_names_nothing_is_unknown(stand_in, where):
    method, path = where.split()
    provider = stand_in.provider()
    stand_in.fail("200_without_id", method=method, path=path)
    with pytest.raises(OutcomeUnknown) as caught:
        provider.send(provider.render(OPS[where], MARKER))
    assert caught.value.code == "NoId"
    assert stand_in.app.ledger.markers == {MARKER: 1}


@pytest.mark.parametrize("fault", READ_FAULTS)
def test_a_read_with_a_fault_never_says_absent(stand_in, fault):
    provider = stand_in.provider()
    wire = provider.render(OPS["POST /service/tickets/5000/notes"], MARKER)
    stand_in.fail(fault, method="GET", path="/service/tickets/5000/notes")
    with pytest.raises(READ_FAULTS[fault]):
        provider.find(wire, Watermark())


def test_a_late_commit_comes_when_its_time_has_come(stand_in):
    provider = stand_in.provider()
    wire = provider.render(OPS["POST /time/entries"], MARKER)
    stand_in.fail("late_commit", method="POST", delay=40)
    with pytest.raises(OutcomeUnknown):
        provider.send(wire)
    stand_in.clock.advance(seconds=39)
    assert provider.find(wire, Watermark()) == []
    stand_in.clock.advance(seconds=2)
    assert len(provider.find(wire, Watermark())) == 1


def test_stale_reads_hide_the_newest_rows_for_a_while(stand_in):
    provider = stand_in.provider()
    wire = provider.render(OPS["POST /service/tickets/5000/notes"], MARKER)
    provider.send(wire)
    stand_in.fail("stale_reads(2)", method="GET", path="/service/tickets/5000/*")
    assert provider.find(wire, Watermark()) == []  # it looks at two lists
    assert len(provider.find(wire, Watermark())) == 1


def test_slow_is_no_fault_while_patience_lasts(stand_in):
    stand_in.fail("slow", path="/service/tickets/5000", delay=0.05)
    assert stand_in.provider().get_ticket("5000").ref == "5000"


def test_a_server_that_is_not_there_got_nothing(stand_in, quiet_logs):
    provider = stand_in.provider()
    wire = provider.render(OPS["POST /time/entries"], MARKER)
    provider.check()
    gone = make_provider(
        "connectwise", base_url="http://127.0.0.1:9/v2025_1/apis/3.0", credentials=CONNECTWISE_KEYS
    )
    with pytest.raises(Unavailable) as caught:
        gone.send(wire)
    gone.close()
    assert caught.value.sent is Sent.NOT_SENT
    assert "connectwise POST /v2025_1/apis/3.0/time/entries ConnectError" in quiet_logs.text


def answered(status, body=b"", **headers):
    """A client whose every request gets this answer, whatever it is for."""
    return httpx.Client(
        transport=httpx.MockTransport(lambda request: httpx.Response(status, content=body, headers=headers))
    )


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, b'{"code":"ConnectWiseApi","message":"Error converting value \\"x\\" to type"}', Invalid),
        (302, b"", Misconfigured),
        (415, b"{}", Misconfigured),
        (400, b"[not json", Invalid),
        (200, b"<html>", OutcomeUnknown),
        (201, b'{"id": null}', OutcomeUnknown),
        (201, b'{"id": "12"}', OutcomeUnknown),
        (201, b"[" * 100_000, OutcomeUnknown),
        (408, b"", OutcomeUnknown),
        (502, b"", OutcomeUnknown),
    ],
)
def test_answers_that_the_stand_in_does_not_give(status, body, kind):
    address = "http://127.0.0.1/v2025_1/apis/3.0"
    with answered(status, body, location="http://127.0.0.1/elsewhere") as http:
        provider = make_provider("connectwise", base_url=address, credentials=CONNECTWISE_KEYS, http=http)
        with pytest.raises(kind) as caught:
            provider.send(provider.render(OPS["POST /time/entries"], MARKER))
    assert type(caught.value) is kind


def test_an_answer_without_end_is_cut_off():
    body = b"[" + b" " * 9_000_000
    with answered(200, body) as http:
        provider = make_provider(
            "connectwise",
            base_url="http://127.0.0.1/v2025_1/apis/3.0",
            credentials=CONNECTWISE_KEYS,
            http=http,
        )
        with pytest.raises(Unavailable):
            provider.get_ticket("5000")


def test_a_server_that_does_not_page_forward_is_not_believed():
    """It answers every page with the first one: "absent" would be a guess."""
    row = b'{"id": 5, "text": "x"}'
    with answered(200, b"[" + b",".join([row] * 1000) + b"]") as http:
        provider = make_provider(
            "connectwise",
            base_url="http://127.0.0.1/v2025_1/apis/3.0",
            credentials=CONNECTWISE_KEYS,
            http=http,
        )
        wire = provider.render(OPS["POST /service/tickets/5000/notes"], MARKER)
        with pytest.raises(Unavailable) as caught:
            provider.find(wire, Watermark("3"))
    assert caught.value.code == "NotForwardOnly"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30),
        ("0", 0),
        ("-5", None),
        ("soon", None),
        ("9" * 30, 21600),
        ("Mon, 05 Jan 2015 10:00:00 GMT", 0),
    ],
)
def test_how_long_to_wait(value, seconds):
    assert Answer(429, httpx.Headers({"Retry-After": value}), b"").retry_after == seconds
