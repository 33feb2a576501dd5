"""HaloPSA, as far as the preview goes, against its stand-in."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from flowpilot.psa.providers.base import AddNote, LogTime, SetStatus, Visibility, Watermark
from flowpilot.psa.providers.errors import (
    AuthFailed,
    Conflict,
    Forbidden,
    Invalid,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    StatusMoved,
    TicketNotFound,
)
from flowpilot.tests.psa.conftest import NOTE

pytestmark = pytest.mark.usefixtures("quiet_logs")

MARKER = "RF-7K3M9Q2XT4WPA"
START, END = datetime(2026, 1, 5, 14, 0, tzinfo=UTC), datetime(2026, 1, 5, 14, 45, tzinfo=UTC)
OPS = {
    "note": AddNote("2001", NOTE, author="3"),
    "time_entry": LogTime("2001", "4", START, END, Decimal("0.75"), NOTE),
    "status": SetStatus("2001", "2", only_if_current="1"),
}


def test_it_is_a_preview_and_says_so(halo):
    provider = halo.provider()
    assert provider.caps.preview
    assert provider.check().base_url == halo.url


def test_tickets_statuses_and_members(halo):
    provider = halo.provider()
    ticket = provider.get_ticket("2003")
    assert (ticket.status, ticket.closed, ticket.company) == ("Closed", True, "Quarry & Sons")
    assert [found.ref for found in provider.search_tickets("printer").items] == ["2002"]
    assert [status.name for status in provider.list_statuses(ticket)] == [
        "New",
        "In Progress",
        "With User",
        "Closed",
    ]
    assert [member.ref for member in provider.list_members()] == ["3", "4"]
    with pytest.raises(TicketNotFound):
        provider.get_ticket("4040")


def test_an_action_byte_for_byte(halo):
    wire = halo.provider().render(AddNote("2001", "a <b>\nc", Visibility.CUSTOMER), MARKER)
    assert (wire.method, wire.path) == ("POST", "Actions")
    assert wire.body == (
        '[{"ticket_id":2001,"hiddenfromuser":false,"sendemail":false,"outcome":"Note",'
        '"note":"a <b>\\nc\\n\\nRef RF-7K3M9Q2XT4WPA","note_html":"a &lt;b&gt;<br>c<br><br>Ref RF-7K3M9Q2XT4WPA"}]'
    )


@pytest.mark.parametrize("kind", OPS)
def test_what_is_sent_is_there_once_and_found(halo, kind):
    provider = halo.provider()
    wire = provider.render(OPS[kind], MARKER)
    since = provider.watermark(wire)
    assert provider.find(wire, since) == []
    receipt = provider.send(wire)
    assert provider.find(wire, since) == [receipt]
    assert [(commit["kind"], commit["markers"]) for commit in halo.commits()] == [(kind, [MARKER])]


def test_a_status_is_set_once_and_not_over_somebodys_change(halo):
    provider = halo.provider()
    wire = provider.render(OPS["status"], MARKER)
    provider.send(wire)
    provider.send(wire)
    assert len(halo.commits()) == 1
    halo.app.tickets[2001]["status_id"] = 4
    with pytest.raises(StatusMoved):
        provider.send(wire)


def test_one_action_may_carry_all_three(halo):
    """So the real one allows; each push is still an action of its own, with its own marker."""
    provider = halo.provider()
    wires = [provider.render(op, f"RF-000000000000{number}") for number, op in enumerate(OPS.values())]
    for wire in wires:
        provider.send(wire)
    assert [len(provider.find(wire, Watermark())) for wire in wires] == [1, 1, 1]
    provider.delete(wires[0], provider.find(wires[0], Watermark())[0].external_id)
    assert provider.find(wires[0], Watermark()) == []


def test_a_token_is_kept_and_renewed_once(halo):
    provider = halo.provider()
    provider.get_ticket("2001")
    provider.get_ticket("2001")
    assert token_requests(halo) == 1
    halo.app.tokens.clear()
    provider.send(provider.render(OPS["note"], MARKER))
    assert token_requests(halo) == 2
    assert len(halo.commits()) == 1
    halo.fail("401", path="/Tickets/2001", times=2)
    with pytest.raises(AuthFailed):
        provider.get_ticket("2001")


def token_requests(halo):
    return sum(request["path"] == "/auth/token" for request in halo.ledger()["requests"])


def test_wrong_keys(halo):
    with pytest.raises(AuthFailed):
        halo.provider(client_secret="wrong").check()


def test_the_secret_goes_to_no_other_host(halo, stand_in):
    halo.app.auth_url = f"{stand_in.url}/auth"
    with pytest.raises(Misconfigured) as caught:
        halo.provider().check()
    assert caught.value.code == "ForeignSignIn"
    assert stand_in.ledger()["requests"] == []


@pytest.mark.parametrize(
    ("fault", "kind", "commits"),
    [
        ("429(60)", RateLimited, 0),
        ("500_before_commit", OutcomeUnknown, 0),
        ("500_after_commit", OutcomeUnknown, 1),
        ("timeout_after_commit", OutcomeUnknown, 1),
        ("close_after_commit", OutcomeUnknown, 1),
        ("200_without_id", OutcomeUnknown, 1),
        ("503_html", OutcomeUnknown, 0),
        ("403", Forbidden, 0),
        ("409", Conflict, 0),
        ("404_endpoint", Misconfigured, 0),
        ("reject(note)", Invalid, 0),
    ],
)
def test_a_write_with_a_fault(halo, fault, kind, commits):
    provider = halo.provider()
    wire = provider.render(OPS["time_entry"], MARKER)
    halo.fail(fault, method="POST", path="/Actions")
    with pytest.raises(kind) as caught:
        provider.send(wire)
    assert type(caught.value) is kind
    assert len(provider.find(wire, Watermark())) == commits
    if kind is RateLimited:
        assert caught.value.retry_after == 60


@pytest.mark.parametrize(
    "op",
    [
        AddNote("2001", NOTE, Visibility.RESOLUTION),
        AddNote("2001", " "),
        LogTime("2001", "4", START, END, Decimal(0)),
        SetStatus("2001", "x"),
    ],
)
def test_what_cannot_be_rendered(halo, op):
    with pytest.raises(Invalid):
        halo.provider().render(op, MARKER)


def test_actions_need_an_outcome_and_come_in_an_array(halo):
    provider = halo.provider()
    wire = provider.render(OPS["note"], MARKER)
    for body in [wire.body.replace('"outcome":"Note",', ""), wire.body[1:-1]]:
        with pytest.raises(Invalid):
            provider.send(type(wire).from_json(wire.as_json() | {"body": body}))
    assert halo.commits() == []
