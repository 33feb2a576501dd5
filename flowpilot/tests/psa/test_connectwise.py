"""Every call of the ConnectWise provider, over real HTTP."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowpilot.psa.providers.base import AddNote, Billing, Kind, LogTime, SetStatus, Visibility, Watermark
from flowpilot.psa.providers.connectwise import conditions
from flowpilot.psa.providers.errors import (
    AuthFailed,
    Invalid,
    Misconfigured,
    OutcomeUnknown,
    Sent,
    StatusMoved,
    TicketMerged,
    TicketNotFound,
    TimeNotAllowed,
    Unavailable,
)
from flowpilot.psa.stand_in.conditions import parse
from flowpilot.psa.stand_in.connectwise import FIELDS
from flowpilot.psa.stand_in.seed import CLOSED, COMPLETED, IN_PROGRESS, NEW, RETIRED
from flowpilot.tests.psa.conftest import NOTE

pytestmark = pytest.mark.usefixtures("quiet_logs")

MARKER, OTHER = "RF-7K3M9Q2XT4WPA", "RF-0123456789ABC"


def note(**changes):
    return AddNote(**{"ticket": "5000", "text": NOTE, **changes})


def log_time(**changes):
    start, end = datetime(2026, 1, 5, 14, 0, tzinfo=UTC), datetime(2026, 1, 5, 14, 45, tzinfo=UTC)
    given = {"ticket": "5000", "member": "12/jweber", "start_utc": start, "end_utc": end}
    return LogTime(**{**given, "hours": Decimal("0.75"), "notes": NOTE, **changes})


def test_the_check_finds_the_api_and_says_whose_it_is(stand_in):
    info = stand_in.provider().check()
    assert info.base_url == f"{stand_in.url}/v2025_1/apis/3.0"
    assert (info.company, info.version) == ("Northgate IT", "v2025.1.0")
    assert stand_in.provider(base_url=info.base_url).get_ticket("5000").ref == "5000"


def test_wrong_keys_and_an_unknown_company_are_told_apart(stand_in):
    with pytest.raises(AuthFailed):
        stand_in.provider(private_key="wrong").check()
    with pytest.raises(Misconfigured) as caught:
        stand_in.provider(company_id="nobody").check()
    assert "no such company" in caught.value.words


def test_without_a_client_id_nothing_is_asked(stand_in, settings):
    settings.CONNECTWISE_CLIENT_ID = ""
    with pytest.raises(Misconfigured) as caught:
        stand_in.provider().get_ticket("5000")
    assert "CONNECTWISE_CLIENT_ID" in caught.value.words


def test_a_ticket_says_what_a_push_depends_on(stand_in):
    provider = stand_in.provider()
    ticket = provider.get_ticket("5000")
    assert (ticket.summary, ticket.board, ticket.status) == (
        "Outlook keeps asking for the password",
        "Help Desk",
        "New",
    )
    assert (ticket.company, ticket.closed, ticket.time_allowed) == ("Harbour Dental Group", False, True)
    assert "service_recid=5000" in ticket.url
    closed = provider.get_ticket("5005")
    assert (closed.closed, closed.time_allowed) == (True, False)
    assert provider.get_ticket("5007").merged_into == "5001"


@pytest.mark.parametrize("ref", ["4040404", "abc", "", "5000/notes", "-1", "5000 or 1=1"])
def test_a_ticket_that_is_not_there(stand_in, ref):
    with pytest.raises(TicketNotFound):
        stand_in.provider().get_ticket(ref)


def test_tickets_are_found_by_number_and_by_words_newest_first(stand_in):
    search = stand_in.provider().search_tickets
    assert [ticket.ref for ticket in search("5003").items] == ["5003"]
    assert [ticket.ref for ticket in search("network MEETING").items] == ["5007", "5001"]
    assert [ticket.ref for ticket in search("quarry & sons").items] == ["5005", "5004"]  # the client's name
    assert [ticket.ref for ticket in search("Harbour outlook").items] == ["5000"]
    assert search("no such thing").items == []
    first = search("", size=5)
    assert [ticket.ref for ticket in first.items] == ["5008", "5007", "5006", "5005", "5004"]
    assert first.has_next
    second = search("", page=2, size=5)
    assert len(second.items) == 4
    assert not second.has_next


@pytest.mark.parametrize(
    "typed",
    [
        '" or id > 0 or summary contains "',
        "' or id>0 or summary='",
        '\\" or id > 0',
        "\"'",
        "[2026]",
        "ü" * 300,
    ],
)
def test_what_somebody_types_never_widens_a_search(stand_in, typed):
    """Quotes part words and nothing else: no ticket has all of these."""
    found = stand_in.provider().search_tickets(typed)
    assert found.items == [] or typed == "\"'"


ALPHABET = "ab12 '\"\\[]()=<>%*,\n#éorandid"
ROWS = [
    {"id": 12, "summary": "a b or 'x'", "company": {"name": "an id"}},
    {"id": 7, "summary": "and [12] id=1", "company": None},
    {"id": 1, "summary": "é", "company": {"name": "#1 (bandr) *%"}},
]


@given(st.text(alphabet=ALPHABET, max_size=40))
@settings(max_examples=200)
def test_a_search_asks_for_exactly_the_words(typed):
    """Read by the stand-in's own parser: whatever was typed, the condition means "every word in summary or
    company's name, or this number"."""
    asked = conditions.search(typed)
    words = re.split(r'[\s"\\]+', typed.strip().casefold())
    number = typed.strip().removeprefix("#")
    if not asked:
        assert not any(words)
        return
    holds = parse(asked, FIELDS["tickets"])
    for row in ROWS:
        texts = row["summary"], (row["company"] or {"name": ""})["name"]
        every = all(any(word in text for text in texts) for word in [word for word in words if word][:6])
        assert holds(row) is (every or str(row["id"]) == number)


@pytest.mark.parametrize("typed", ["ü" * 300, "🖨" * 300, ("🖨" * 12 + " ") * 8, "a b c d e f g"])
def test_a_search_fits_into_an_address(typed):
    asked = conditions.search(typed)
    assert asked
    assert len(quote(asked, safe="")) <= 1_600


def test_lists_to_choose_from(stand_in):
    provider = stand_in.provider()
    statuses = {status.ref: status for status in provider.list_statuses(provider.get_ticket("5000"))}
    assert list(statuses) == ["101", "102", "103", "104", "105", "106"]
    assert not statuses[str(CLOSED)].time_allowed
    assert statuses[str(COMPLETED)].closed
    assert statuses[str(RETIRED)].inactive
    jonas = next(member for member in provider.list_members() if member.login == "jweber")
    assert (jonas.ref, jonas.name, jonas.email) == (
        "12/jweber",
        "Jonas Weber",
        "jonas.weber@northgate.example",
    )
    assert [(role.name, role.locations) for role in provider.list_work_roles()][1] == (
        "Senior Engineer",
        ("1",),
    )
    assert [option.name for option in provider.list_work_types()] == ["Remote", "On-site", "Travel (old)"]
    assert [option.name for option in provider.list_locations()] == ["Leeds", "Bristol"]


def test_a_note_byte_for_byte(stand_in):
    wire = stand_in.provider().render(note(text="First line\r\nsecond “line”\0", author="12/jweber"), MARKER)
    assert (wire.method, wire.path, wire.kind) == ("POST", "/service/tickets/5000/notes", Kind.NOTE)
    assert wire.text == f"First line\nsecond “line”\n\nRef {MARKER}"
    assert wire.body == (
        '{"text":"First line\\nsecond “line”\\n\\nRef RF-7K3M9Q2XT4WPA","detailDescriptionFlag":false,'
        '"internalAnalysisFlag":true,"resolutionFlag":false,"processNotifications":false,'
        '"customerUpdatedFlag":false,"member":{"identifier":"jweber"}}'
    )


def test_a_time_entry_byte_for_byte(stand_in):
    op = log_time(work_type="31", work_role="22", location="1", billing=Billing.BILLABLE, notes="Done")
    assert stand_in.provider().render(op, MARKER).body == (
        '{"chargeToId":5000,"chargeToType":"ServiceTicket","member":{"id":12},"timeStart":"2026-01-05T14:00:00Z",'
        '"timeEnd":"2026-01-05T14:45:00Z","actualHours":0.75,"workType":{"id":31},"workRole":{"id":22},'
        '"locationId":1,"billableOption":"Billable","notes":"Done","internalNotes":"Ref RF-7K3M9Q2XT4WPA",'
        '"addToDetailDescriptionFlag":false,"addToInternalAnalysisFlag":true,"addToResolutionFlag":false,'
        '"emailResourceFlag":false,"emailContactFlag":false,"emailCcFlag":false}'
    )


def test_a_status_byte_for_byte(stand_in):
    wire = stand_in.provider().render(SetStatus("5000", "102"), MARKER)
    assert (wire.method, wire.path) == ("PATCH", "/service/tickets/5000")
    assert wire.body == '[{"op":"replace","path":"status","value":{"id":102}}]'


@pytest.mark.parametrize("visibility", Visibility)
def test_exactly_one_flag_is_set(stand_in, visibility):
    body = json.loads(stand_in.provider().render(note(visibility=visibility), MARKER).body)
    flags = ["detailDescriptionFlag", "internalAnalysisFlag", "resolutionFlag"]
    assert [body[flag] for flag in flags].count(True) == 1


@pytest.mark.parametrize(
    "op",
    [
        note(text=" \0\n"),
        note(text="x" * 5000),
        log_time(hours=Decimal(0)),
        log_time(hours=Decimal("0.80")),
        log_time(hours=Decimal(25)),
        log_time(member="jweber"),
        SetStatus("5000", "New"),
    ],
)
def test_what_cannot_be_rendered_is_said_before_it_is_stored(stand_in, op):
    with pytest.raises(Invalid) as caught:
        stand_in.provider().render(op, MARKER)
    assert caught.value.field_errors


def test_fewer_hours_than_the_span_are_deducted(stand_in):
    body = json.loads(stand_in.provider().render(log_time(hours=Decimal("0.5")), MARKER).body)
    assert (body["actualHours"], body["hoursDeduct"]) == (0.5, 0.25)


@pytest.mark.parametrize("op", [note(), log_time()])
def test_what_is_sent_is_there_once_and_found(stand_in, op):
    provider = stand_in.provider()
    provider.send(provider.render(op, OTHER))
    wire = provider.render(op, MARKER)
    since = provider.watermark(wire)
    assert since.newest
    assert provider.find(wire, since) == []
    receipt = provider.send(wire)
    assert provider.find(wire, since) == [receipt]
    assert receipt.at == stand_in.clock.now
    assert receipt.remark == ""
    assert stand_in.app.ledger.markers == {OTHER: 1, MARKER: 1}


@pytest.mark.parametrize("op", [note(), log_time()])
def test_a_double_is_found_as_two_and_the_younger_can_go(stand_in, op):
    provider = stand_in.provider()
    wire = provider.render(op, MARKER)
    first, second = provider.send(wire), provider.send(wire)
    assert provider.find(wire, Watermark()) == [first, second]
    provider.delete(wire, second.external_id)
    provider.delete(wire, second.external_id)  # gone already
    assert provider.find(wire, Watermark()) == [first]


def test_all_pages_are_looked_through(stand_in):
    provider = stand_in.provider()
    wire = provider.render(note(), MARKER)
    sent = provider.send(wire)
    like = stand_in.app.tables.notes[int(sent.external_id)]
    for number in range(1005):
        id = stand_in.app.tables.next_id("notes")
        stand_in.app.tables.notes[id] = like | {"id": id, "text": f"Another {number}"}
    second = provider.send(wire)
    assert provider.find(wire, Watermark()) == [sent, second]


def test_a_note_that_moved_with_a_merge_is_found(stand_in):
    provider = stand_in.provider()
    wire = provider.render(note(ticket="5006"), MARKER)
    sent = provider.send(wire)
    stand_in.app.tables.tickets[5006]["merged_into"] = 5001
    stand_in.app.tables.notes[int(sent.external_id)]["ticketId"] = 5001
    assert provider.find(wire, Watermark())[0].external_id == sent.external_id
    with pytest.raises(TicketMerged) as caught:
        provider.watermark(wire)
    assert "5001" in caught.value.words


def test_old_servers_lack_the_list_of_all_notes(stand_in):
    provider = stand_in.provider()
    stand_in.admin("switches", {"all_notes_missing": True})
    assert provider.find(provider.render(note(), MARKER), Watermark()) == []


def test_newlines_may_become_spaces(stand_in):
    provider = stand_in.provider()
    stand_in.admin("switches", {"newlines_become_spaces": True})
    wire = provider.render(note(), MARKER)
    assert provider.find(wire, Watermark()) == []
    sent = provider.send(wire)
    assert provider.find(wire, Watermark()) == [sent]


def test_a_time_entry_whose_mark_was_edited_away_is_recognised(stand_in):
    provider = stand_in.provider()
    wire = provider.render(log_time(), MARKER)
    sent = provider.send(wire)
    stand_in.app.tables.entries[int(sent.external_id)]["internalNotes"] = ""
    found = provider.find(wire, Watermark())
    assert [receipt.external_id for receipt in found] == [sent.external_id]
    assert "mark is missing" in found[0].remark
    stand_in.app.tables.entries[int(sent.external_id)]["internalNotes"] = f"Ref {OTHER}"
    assert provider.find(wire, Watermark()) == []


def test_a_date_that_was_stored_wrong_is_remarked(stand_in):
    provider = stand_in.provider()
    wire = provider.render(log_time(), MARKER)
    sent = provider.send(wire)
    stand_in.app.tables.entries[int(sent.external_id)]["timeStart"] = "1900-01-01T00:00:00Z"
    assert "1 Jan 1900" in provider.find(wire, Watermark())[0].remark


def test_a_status_is_set_once(stand_in):
    provider = stand_in.provider()
    wire = provider.render(SetStatus("5000", str(IN_PROGRESS), only_if_current=str(NEW)), MARKER)
    assert provider.find(wire, provider.watermark(wire)) == []
    provider.send(wire)
    provider.send(wire)
    assert len(provider.find(wire, Watermark())) == 1
    assert [(commit["kind"], commit["status"]) for commit in stand_in.commits()] == [("status", IN_PROGRESS)]


def test_a_status_that_somebody_moved_is_left_alone(stand_in):
    provider = stand_in.provider()
    wire = provider.render(SetStatus("5001", str(COMPLETED), only_if_current=str(NEW)), MARKER)
    with pytest.raises(StatusMoved) as caught:
        provider.send(wire)
    assert "In Progress" in caught.value.words
    assert stand_in.commits() == []


def test_a_false_200_is_not_believed(stand_in):
    provider = stand_in.provider()
    wire = provider.render(SetStatus("5000", str(IN_PROGRESS)), MARKER)
    faulty = type(wire).from_json(wire.as_json() | {"body": wire.body.replace('"status"', '"status/id"')})
    with pytest.raises(Invalid) as caught:
        provider.send(faulty)
    assert caught.value.code == "NotChanged"


@pytest.mark.parametrize(
    ("op", "error", "words"),
    [
        (note(ticket="404404"), TicketNotFound, "not there"),
        (note(author="99/nobody"), Invalid, "Member not found"),
        (note(author="jonas.weber@northgate.example"), Invalid, "Member not found"),
        (log_time(ticket="5005"), TimeNotAllowed, "no time entries"),
        (log_time(member="15/tformer"), Invalid, "Member not found"),
        (log_time(work_role="99"), Invalid, "Work Role 99"),
        (log_time(work_role="22", location="2"), Invalid, "not valid for the selected location"),
        (log_time(location="7"), Invalid, "Location 7"),
        (SetStatus("5000", "202"), Invalid, "not found for Service Board"),
        (SetStatus("5000", str(RETIRED)), Invalid, "inactive"),
    ],
)
def test_what_connectwise_refuses_is_a_rejection_in_its_words(stand_in, op, error, words):
    provider = stand_in.provider()
    with pytest.raises(error) as caught:
        provider.send(provider.render(op, MARKER))
    assert caught.value.sent is Sent.REJECTED
    assert words in caught.value.words
    assert stand_in.commits() == []


def test_a_status_whose_answer_is_lost_twice_is_unknown(stand_in):
    provider = stand_in.provider()
    stand_in.fail("200_without_id", method="PATCH")
    wire = provider.render(SetStatus("5000", str(IN_PROGRESS)), MARKER)
    provider.send(wire)  # the look afterwards finds it
    stand_in.fail("partial_body", method="PATCH")
    with pytest.raises(OutcomeUnknown):
        provider.send(provider.render(SetStatus("5000", str(COMPLETED)), MARKER))


def test_a_moved_codebase_is_found_again_by_reads_and_writes(stand_in):
    provider = stand_in.provider()
    provider.check()
    stand_in.fail("404_endpoint", method="GET", path="/service/tickets/5000", moved_to="v2025_2/")
    assert provider.get_ticket("5000").ref == "5000"
    stand_in.fail("404_endpoint", method="POST", moved_to="v2025_3/")
    wire = provider.render(note(), MARKER)
    with pytest.raises(Unavailable) as caught:
        provider.send(wire)
    assert caught.value.sent is Sent.NOT_SENT
    stand_in.provider().send(wire)
    assert len(stand_in.commits()) == 1


def test_a_host_without_its_prefix_is_a_matter_of_settings(stand_in):
    stand_in.admin("switches", {"needs_api_prefix": True})
    with pytest.raises(Misconfigured):
        stand_in.provider().check()
