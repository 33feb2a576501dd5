"""Over real HTTP against the stand-in for ConnectWise: whatever fails, its ledger shows each push once in the end."""

from functools import partial

import pytest

from flowpilot.models import PsaActivityLog, PsaConnection, PsaMember, PsaPush
from flowpilot.psa import sealing
from flowpilot.psa.connections import provider_of
from flowpilot.psa.delivery import Means
from flowpilot.psa.outbox import PushChoices
from flowpilot.psa.resending import send_all_again
from flowpilot.psa.stand_in.connectwise import ConnectWiseStandIn
from flowpilot.psa.stand_in.faults import Fault
from flowpilot.psa.stand_in.seed import CLOSED, COMPANY_ID, IN_PROGRESS, PRIVATE_KEY, PUBLIC_KEY
from flowpilot.psa.stand_in.server import serving
from flowpilot.psa.sweep import delete_double
from flowpilot.tests.factories import SessionFactory
from flowpilot.tests.psa.standing_in import client

NOTES, ENTRIES, TICKET = "/service/tickets/*/notes", "/time/entries", "/service/tickets/5002"
WRITES = [("POST", NOTES), ("POST", ENTRIES), ("PATCH", TICKET)]


@pytest.fixture
def stand_in(desk):
    """The desk's connection leads to it, and its clock is the desk's."""
    made = ConnectWiseStandIn(clock=desk.now)
    with serving(made) as url, client(made) as http:
        keys = {"company_id": COMPANY_ID, "public_key": PUBLIC_KEY, "private_key": PRIVATE_KEY}
        PsaConnection.objects.update(
            base_url=url, credentials=sealing.seal(keys), defaults={"work_role": "21", "location": "1"}
        )
        PsaMember.objects.update(external_id="11/ahaddad")
        desk.connection.refresh_from_db()
        desk.means = Means(desk.now, lambda: 1.0, partial(provider_of, http=http))
        yield made


def sessions_of(desk):
    return [SessionFactory(user=desk.engineer, psa_ticket_id=ref) for ref in ("5000", "5001", "5002")]


def put_one_of_each(desk):
    """A note, a time entry and a status, each on a ticket of its own, so that none waits for another."""
    note, entry, status = sessions_of(desk)
    return [
        *desk.put(PushChoices(note=True, note_text="Replaced\nthe roller."), note),
        *desk.put(PushChoices(time=True, minutes=50, work_type="31"), entry),
        *desk.put(PushChoices(status=str(IN_PROGRESS), status_seen="101"), status),
    ]


def commits(stand_in, push):
    if push.kind == "status":
        return sum(1 for row in stand_in.ledger.commits if row["kind"] == "status")
    return stand_in.ledger.markers[push.marker]


PASSING = [
    "429(30)",
    "500_before_commit",
    "500_after_commit",
    "timeout_before_commit",
    "timeout_after_commit",
    "late_commit(240)",
    "close_after_commit",
    "partial_body",
    "503_html",
    "200_without_id",
    "401",
    "404_endpoint",
    "409",
    "slow(0.05)",
]


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_there_once(desk, stand_in, fault):
    pushes = put_one_of_each(desk)
    for method, path in WRITES:
        given = {"fault": fault, "match": {"method": method, "path": path}}
        stand_in.faults.add(Fault.from_json(given))

    desk.until_quiet()

    for push in pushes:
        push.refresh_from_db()
        assert (push.kind, push.status, commits(stand_in, push)) == (push.kind, "success", 1)
    assert stand_in.faults.waiting == []
    desk.now.move(minutes=31)
    desk.sweep()
    assert not PsaPush.objects.doubled().exists()
    assert PsaActivityLog.objects.count() == 3
    assert [row["status"] for row in stand_in.tables.tickets.values() if row["id"] == 5002] == [IN_PROGRESS]


@pytest.mark.parametrize("fault", ["403", "reject(text)"])
def test_what_is_refused_waits_for_a_person_and_is_there_once(desk, stand_in, fault):
    pushes = put_one_of_each(desk)
    for method, path in WRITES:
        given = {"fault": fault, "match": {"method": method, "path": path}}
        stand_in.faults.add(Fault.from_json(given))
    desk.until_quiet()
    assert PsaPush.objects.wanting_a_person().count() == 3
    assert all(commits(stand_in, push) == 0 for push in pushes)

    assert send_all_again(now=desk.now()) == 3
    desk.until_quiet()
    assert [commits(stand_in, push) for push in pushes] == [1, 1, 1]
    assert PsaPush.objects.filter(status="success").count() == 3


def test_reads_that_are_stale_for_less_than_the_settle_time(desk, stand_in):
    """The first look, from which the search begins, misses the newest rows; the look-up five minutes later does not."""
    pushes = put_one_of_each(desk)[:2]
    for method, path in WRITES[:2]:
        stand_in.faults.add(Fault("stale_reads", "GET", path, rows=3))
        stand_in.faults.add(Fault("500_after_commit", method, path))
    desk.until_quiet()
    assert [commits(stand_in, push) for push in pushes] == [1, 1]
    assert PsaPush.objects.filter(status="success", adopted=True).count() == 2


@pytest.mark.parametrize("cause", ["late", "stale"])
def test_what_comes_too_late_is_found_by_the_sweep_and_shown(desk, stand_in, team_admin, cause):
    pushes = put_one_of_each(desk)
    for method, path in WRITES:
        if cause == "late":
            stand_in.faults.add(Fault("late_commit", method, path, delay=20 * 60))
        else:
            stand_in.faults.add(Fault("500_after_commit", method, path))
    if cause == "stale":
        for _ in pushes:  # a run leaves a connection alone that did not answer well
            desk.deliver()
        stand_in.faults.add(Fault("stale_reads", "GET", "/service/tickets/*otes", times=2))
        stand_in.faults.add(Fault("stale_reads", "GET", ENTRIES))
    desk.until_quiet()
    desk.now.move(minutes=31)
    desk.sweep()

    note, entry, status = pushes
    assert [commits(stand_in, push) for push in (note, entry)] == [2, 2]
    shown = PsaPush.objects.doubled()
    assert {push.id for push in shown} == {note.id, entry.id}
    assert PsaPush.objects.wanting_a_person().count() == 2
    for push in shown:
        [double] = push.doubles
        assert int(double["external_id"]) > int(push.external_id)  # the younger one is offered
    note.refresh_from_db()
    status.refresh_from_db()
    assert (status.status, status.doubles) == ("success", [])

    delete_double(note, note.doubles[0]["external_id"], actor=team_admin)
    assert [str(id) for id, row in stand_in.tables.notes.items() if note.marker in row["text"]] == [
        note.external_id
    ]
    assert PsaPush.objects.wanting_a_person().get() == entry


def test_what_arrived_after_it_was_given_up_is_taken_as_delivered(desk, stand_in):
    [note, *_] = put_one_of_each(desk)
    PsaPush.objects.exclude(id=note.id).delete()
    stand_in.faults.add(Fault("late_commit", "POST", NOTES, delay=20 * 60))
    stand_in.faults.add(Fault("403", "POST", NOTES))
    desk.until_quiet()
    note.refresh_from_db()
    assert note.status == "needs_attention"
    desk.now.move(minutes=31)
    desk.sweep()
    note.refresh_from_db()
    assert (note.status, note.adopted, commits(stand_in, note)) == ("success", True, 1)
    assert PsaActivityLog.objects.get().push == note


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"status": CLOSED}, "TimeNotAllowed"),
        ({"merged_into": 5000}, "TicketMerged"),
        (None, "TicketNotFound"),
    ],
)
def test_a_ticket_that_takes_no_time_any_more(desk, stand_in, facts, code):
    _, entry, _ = put_one_of_each(desk)
    if facts is None:
        del stand_in.tables.tickets[5001]
    else:
        stand_in.tables.tickets[5001] |= facts
    desk.until_quiet()
    entry.refresh_from_db()
    assert (entry.status, entry.last_code) == ("needs_attention", code)
    assert commits(stand_in, entry) == 0

    if code == "TimeNotAllowed":
        stand_in.tables.tickets[5001]["status"] = IN_PROGRESS
        send_all_again(now=desk.now())
        desk.until_quiet()
        assert commits(stand_in, entry) == 1


def test_a_note_goes_to_a_closed_ticket_and_a_moved_status_stays(desk, stand_in):
    note, _, status = put_one_of_each(desk)
    stand_in.tables.tickets[5000]["status"] = CLOSED
    stand_in.tables.tickets[5002]["status"] = CLOSED
    desk.until_quiet()
    note.refresh_from_db()
    status.refresh_from_db()
    assert (note.status, status.status, status.last_code) == ("success", "needs_attention", "StatusMoved")
    assert stand_in.tables.tickets[5002]["status"] == CLOSED
