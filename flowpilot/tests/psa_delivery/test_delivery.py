"""Each push is delivered once, whatever goes wrong on the way; what cannot be, waits for a person."""

from datetime import timedelta

import pytest

from flowpilot.models import PsaActivityLog, PsaConnection, PsaPush
from flowpilot.psa.connections import release
from flowpilot.psa.providers.errors import (
    AuthFailed,
    Conflict,
    Forbidden,
    Invalid,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    TicketNotFound,
    Unavailable,
)
from flowpilot.psa.resending import send_again, send_all_again
from flowpilot.psa.waiting import SETTLE
from flowpilot.sessions.states import Refused
from flowpilot.tests.psa_delivery.conftest import ALL, CHOICES

KINDS = list(CHOICES)
PASSING = {
    "nothing": [],
    "cannot be reached": [Unavailable()],
    "never reached the server": [OutcomeUnknown()],
    "the answer was lost": ["lost_answer"],
    "it came four minutes late": [timedelta(minutes=4)],
    "two came late": [timedelta(minutes=4), timedelta(minutes=3)],
    "in use": [Conflict()],
    "too many requests": [RateLimited(retry_after=30)],
    "keys refused for a while": [AuthFailed()],
    "another codebase for a while": [Misconfigured()],
    "one after the other": [Unavailable(), "lost_answer", RateLimited(), Conflict()],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("faults", PASSING.values(), ids=PASSING)
def test_what_passes_is_delivered_once(desk, kind, faults):
    [push] = desk.put(CHOICES[kind])
    desk.system.faults.extend(faults)

    desk.until_quiet()

    push.refresh_from_db()
    assert push.status == "success"
    assert len(desk.system.of(push.marker)) == 1
    assert push.external_id
    activity = PsaActivityLog.objects.get()
    assert (activity.push, activity.session, activity.created_at) == (push, push.session, push.finished_at)
    desk.now.move(minutes=31)
    desk.sweep()
    push.refresh_from_db()
    assert push.doubles == []


def test_the_log_says_what_was_delivered(desk):
    desk.put(ALL)
    desk.until_quiet()
    rows = PsaActivityLog.objects.order_by("push__created_at", "activity_type")
    assert {(row.activity_type, str(row.hours_logged), row.psa_ticket_id) for row in rows} == {
        ("note_posted", "None", "100"),
        ("time_entry_posted", "0.50", "100"),
        ("status_updated", "None", "100"),
    }


def test_a_note_comes_before_the_time_and_the_status_last(desk):
    desk.put(ALL)
    desk.deliver()
    assert [commit.wire.kind for commit in desk.system.commits] == ["note", "time_entry", "status"]


def test_a_status_waits_for_what_belongs_to_it(desk):
    note, entry, status = desk.put(ALL)
    desk.system.faults.extend([None, Invalid("No such work type")])
    for _ in range(10):
        desk.deliver()
        desk.now.move(hours=1)
    for push in (note, entry, status):
        push.refresh_from_db()
    assert [note.status, entry.status, status.status] == ["success", "needs_attention", "pending"]
    send_again(entry.id, now=desk.now())
    desk.until_quiet()
    status.refresh_from_db()
    assert status.status == "success"


def test_nothing_is_sent_while_it_is_uncertain(desk):
    [push] = desk.put(CHOICES["note"])
    desk.system.faults.append(OutcomeUnknown())
    desk.deliver()
    push.refresh_from_db()
    assert (push.status, push.next_attempt_at) == ("uncertain", desk.now() + SETTLE)

    desk.now.move(minutes=4, seconds=59)
    assert desk.deliver() == 0
    assert (desk.system.sends, desk.system.finds) == (1, 0)
    desk.now.move(seconds=1)
    desk.system.find_faults.extend([Unavailable(), OutcomeUnknown()])
    desk.deliver()
    push.refresh_from_db()
    assert (push.status, push.lookups) == ("uncertain", 1)
    assert desk.system.sends == 1

    desk.until_quiet()
    push.refresh_from_db()
    assert (push.status, push.retry_count, desk.system.sends) == ("success", 1, 2)


def test_what_was_found_is_adopted_and_no_retry(desk):
    [push] = desk.put(CHOICES["note"])
    desk.system.faults.append("lost_answer")
    desk.until_quiet()
    push.refresh_from_db()
    assert (push.adopted, push.retry_count, desk.system.sends) == (True, 0, 1)
    assert push.external_id == "1"


def test_pauses_grow_and_after_twelve_tries_it_is_left_to_a_person(desk):
    [push] = desk.put(CHOICES["note"])
    desk.system.faults.extend([Unavailable()] * 12)
    began = desk.now()
    sent_at = []
    while push.status != "needs_attention":
        desk.deliver()
        sent_at.append((desk.now() - began) // timedelta(minutes=1))
        assert desk.system.sends == len(sent_at)
        push.refresh_from_db()
        desk.now.at = push.next_attempt_at or desk.now.at
    # 1, 2, 4 … 256 minutes, then 6 hours
    assert sent_at == [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 871, 1231]
    assert (push.tries, push.retry_count, push.attempts.count()) == (12, 11, 12)
    assert desk.system.finds == 0

    send_again(push.id, now=desk.now())
    desk.until_quiet()
    push.refresh_from_db()
    assert (push.status, push.retry_count) == ("success", 12)


def test_it_is_looked_up_before_it_is_left_to_a_person(desk):
    [push] = desk.put(CHOICES["note"])
    desk.system.faults.extend(["lost_answer", None])
    desk.system.find_faults.extend([Unavailable()] * 12)
    desk.until_quiet()
    push.refresh_from_db()
    assert push.status == "needs_attention"
    assert "not known whether it arrived" in push.last_error
    assert desk.system.sends == 1

    send_again(push.id, now=desk.now())
    push.refresh_from_db()
    assert push.status == "uncertain"
    desk.until_quiet()
    push.refresh_from_db()
    assert (push.status, push.adopted, desk.system.sends) == ("success", True, 1)


def test_a_refusal_after_an_uncertain_try_is_looked_up_too(desk):
    [push] = desk.put(CHOICES["note"])
    desk.system.faults.extend([timedelta(minutes=8), Invalid("closed")])
    desk.until_quiet()
    push.refresh_from_db()
    assert (push.status, push.adopted) == ("success", True)
    assert len(desk.system.commits) == 1


@pytest.mark.parametrize("error", [Invalid("No such thing"), Forbidden("No"), TicketNotFound("Gone")])
def test_a_refusal_is_left_to_a_person_at_once_and_can_be_sent_again(desk, error):
    [push] = desk.put(CHOICES["note"])
    desk.system.faults.append(error)
    desk.deliver()
    push.refresh_from_db()
    assert (push.status, push.last_code, push.last_error) == (
        "needs_attention",
        type(error).__name__,
        error.words,
    )
    assert PsaPush.objects.wanting_a_person().get() == push

    again = send_again(push.id, now=desk.now())
    assert again.status == "uncertain"  # bytes went out, so it is looked up first
    desk.until_quiet()
    push.refresh_from_db()
    assert (push.status, len(desk.system.commits)) == ("success", 1)
    with pytest.raises(Refused, match="goes on by itself"):
        send_again(push.id, now=desk.now())


def test_too_many_requests_hold_the_connection_and_spend_no_try(desk):
    first, second = (desk.put(CHOICES["note"], desk.session(ref))[0] for ref in ("100", "200"))
    desk.system.faults.append(RateLimited(retry_after=90))
    desk.deliver()

    connection = PsaConnection.objects.get()
    assert (connection.held_reason, connection.held_until) == (
        "too_many_requests",
        desk.now() + timedelta(seconds=90),
    )
    desk.now.move(seconds=89)
    assert (desk.deliver(), desk.system.sends) == (0, 1)
    desk.now.move(seconds=1)
    assert (desk.deliver(), desk.system.sends) == (2, 3)
    for push in (first, second):
        push.refresh_from_db()
        assert (push.status, push.tries, push.retry_count) == ("success", 1, 0)
    connection.refresh_from_db()
    assert (connection.held_until, connection.held_reason) == (None, "")


@pytest.mark.parametrize("place", ["faults", "read_faults", "find_faults"])
def test_refused_keys_hold_the_connection_until_somebody_enters_others(desk, place):
    [push] = desk.put(CHOICES["note"])
    if place == "find_faults":
        desk.system.faults.append("lost_answer")
        desk.deliver()
        desk.now.move(minutes=5)
    getattr(desk.system, place).extend([AuthFailed("No"), AuthFailed("No")])
    before = push.tries = PsaPush.objects.get().tries
    desk.deliver()
    connection = PsaConnection.objects.get()
    assert connection.held_reason == "keys_refused"
    assert connection.held_message == "No"
    desk.now.move(minutes=14)
    assert desk.deliver() == 0
    desk.now.move(minutes=1)
    desk.deliver()  # one push tries whether they do again
    assert PsaPush.objects.get().tries == before

    release(connection.id)
    desk.until_quiet()
    push.refresh_from_db()
    assert (push.status, push.retry_count, len(desk.system.commits)) == ("success", 0, 1)


def test_an_inactive_connection_sends_nothing(desk):
    desk.put(CHOICES["note"])
    PsaConnection.objects.update(active=False)
    assert desk.deliver() == 0


@pytest.mark.parametrize(
    ("facts", "choice", "code", "words"),
    [
        ({"merged_into": "777"}, "note", "TicketMerged", "merged into another one. Link that one"),
        ({"merged_into": "777"}, "status", "TicketMerged", "It is part of 777 now"),
        ({"time_allowed": False, "status": "Done"}, "time_entry", "TimeNotAllowed", "The status is Done"),
        ({"status_ref": "3"}, "status", "StatusMoved", "Send it again to set it anyway"),
    ],
)
def test_a_ticket_that_is_not_as_it_was(desk, facts, choice, code, words):
    session = desk.session("100")
    [push] = desk.put(CHOICES[choice], session)
    desk.system.ticket("100", **facts)
    desk.until_quiet()
    push.refresh_from_db()
    assert (push.status, push.last_code) == ("needs_attention", code)
    assert words in push.last_error
    assert desk.system.commits == []


def test_a_ticket_that_is_gone(desk):
    [push] = desk.put(CHOICES["note"])
    desk.system.tickets.clear()
    desk.deliver()
    push.refresh_from_db()
    assert (push.status, push.last_code) == ("needs_attention", "TicketNotFound")
    assert "Link another one" in push.last_error
    assert push.first_sent_at is None
    assert send_again(push.id, now=desk.now()).status == "pending"


def test_a_note_goes_to_a_closed_ticket_too(desk):
    [push] = desk.put(CHOICES["note"])
    desk.system.ticket("100", closed=True, time_allowed=False)
    desk.deliver()
    push.refresh_from_db()
    assert push.status == "success"


def test_a_status_that_somebody_moved_is_set_anyway_only_when_a_person_says_so(desk):
    [push] = desk.put(CHOICES["status"])
    desk.system.ticket("100", status_ref="3")
    desk.deliver()
    push.refresh_from_db()
    assert push.last_code == "StatusMoved"
    assert send_all_again(now=desk.now()) == 0

    again = send_again(push.id, now=desk.now(), provider_of=desk.means.provider_of)
    assert (again.revision, again.status_ref) == (2, "5")
    assert again.marker != push.marker
    desk.until_quiet()
    again.refresh_from_db()
    assert again.status == "success"
    assert desk.system.tickets["100"].status_ref == "5"
    assert not PsaPush.objects.wanting_a_person().exists()


def test_a_connection_that_does_not_answer_is_left_alone_for_the_rest_of_the_run(desk):
    for ref in ("100", "200", "300"):
        desk.put(CHOICES["note"], desk.session(ref))
    desk.system.read_faults.extend([Unavailable()] * 3)
    assert desk.deliver() == 1
    assert desk.deliver() == 1


def test_a_newer_text_takes_the_place_of_one_that_was_not_sent(desk):
    session = desk.session()
    [old] = desk.put(CHOICES["note"], session)
    [new] = desk.put(CHOICES["note"].__class__(note=True, note_text="Better words"), session)
    desk.until_quiet()
    assert not PsaPush.objects.filter(id=old.id).exists()
    assert [commit.wire.marker for commit in desk.system.commits] == [new.marker]


def test_a_newer_text_takes_the_place_of_one_that_did_not_arrive(desk):
    session = desk.session()
    [old] = desk.put(CHOICES["note"], session)
    desk.system.faults.append(OutcomeUnknown())
    desk.deliver()
    [new] = desk.put(CHOICES["note"].__class__(note=True, note_text="Better words"), session)
    desk.until_quiet()
    old.refresh_from_db()
    assert (old.status, old.last_code, old.revision) == ("needs_attention", "Replaced", 1)
    assert [commit.wire.marker for commit in desk.system.commits] == [new.marker]
    assert not PsaPush.objects.wanting_a_person().exists()
    with pytest.raises(Refused, match="newer version"):
        send_again(old.id, now=desk.now())


def test_another_ticket_takes_everything_with_it(desk):
    session = desk.session()
    desk.put(ALL, session)
    desk.system.ticket("200")
    session.psa_ticket_id = "200"
    session.save()
    [note] = desk.put(CHOICES["note"], session)
    desk.until_quiet()
    assert [commit.wire.marker for commit in desk.system.commits] == [note.marker]
    assert PsaPush.objects.get() == note
