"""What is put into the outbox: in the session's own transaction, frozen, in order, and to the letter as previewed."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from flowpilot.models import PsaConnection, PsaMember, PsaPush, Session
from flowpilot.psa import states
from flowpilot.psa.outbox import PushChoices, digest, enqueue, hours_of, preview
from flowpilot.psa.providers.errors import Invalid
from flowpilot.psa.providers.markers import MARKER
from flowpilot.sessions import driving
from flowpilot.sessions.states import BadValue, Outcome, Refused
from flowpilot.tests.factories import SessionFactory
from flowpilot.tests.psa_delivery.conftest import ALL, CHOICES


@pytest.fixture
def open_session(desk):
    return desk.session(status="active", confidence_tier="guided")


def end(desk, session, choices, outcome=Outcome.RESOLVED):
    then = partial(enqueue, choices=choices, now=desk.now(), provider_of=desk.means.provider_of)
    return driving.complete(session.id, outcome=outcome, now=desk.now(), then=then)


def test_a_session_ends_together_with_what_is_to_be_sent(desk, open_session):
    end(desk, open_session, ALL)
    pushes = PsaPush.objects.order_by("id")
    assert [(p.kind, p.part, p.revision, p.status) for p in pushes] == [
        ("note", 1, 1, "pending"),
        ("time_entry", 1, 1, "pending"),
        ("status", 1, 1, "pending"),
    ]
    assert all(p.payload_sha256 == digest(p.wire) and MARKER.fullmatch(p.marker) for p in pushes)
    job = ProcrastinateJob.objects.get()
    assert (job.task_name, job.args) == ("psa.deliver", {"account_id": str(desk.account.id)})
    end_of_it = Session.objects.get(id=open_session.id)
    enqueue(end_of_it, CHOICES["note"], now=desk.now(), provider_of=desk.means.provider_of)
    assert ProcrastinateJob.objects.count() == 1  # one waits already, and takes all


def test_what_cannot_be_sent_leaves_the_session_open(desk, open_session):
    with pytest.raises(BadValue) as refused:
        end(desk, open_session, PushChoices(time=True, minutes=0))
    assert refused.value.field == "minutes"
    open_session.refresh_from_db()
    assert open_session.status == "active"
    assert not PsaPush.objects.exists()
    assert not ProcrastinateJob.objects.exists()


def test_a_session_that_is_taken_over_can_send_too(desk, colleague):
    session = desk.session(status="requesting_escalation")
    then = partial(enqueue, choices=CHOICES["note"], now=desk.now(), provider_of=desk.means.provider_of)
    driving.take_over(session.id, colleague, now=desk.now(), then=then)
    assert PsaPush.objects.get().session == session


def test_the_preview_is_what_is_sent(desk):
    session = desk.session()
    choices = PushChoices(note=True, note_text="word " * 100, time=True, minutes=30, status="5")
    shown = preview(session, choices, now=desk.now(), provider_of=desk.means.provider_of)
    assert not PsaPush.objects.exists()
    desk.put(choices, session)
    desk.until_quiet()
    assert [commit.wire for commit in desk.system.commits] == [push.wire for push in shown]


def test_a_long_note_goes_in_parts_each_with_its_marker(desk):
    words = " ".join(f"word{number}" for number in range(100))
    pushes = desk.put(PushChoices(note=True, note_text=words))
    texts = [push.wire.text for push in pushes]
    assert len(pushes) == 5
    assert [push.part for push in pushes] == [1, 2, 3, 4, 5]
    assert all(
        len(text) <= 200 and text.endswith(f"Ref {p.marker}") for p, text in zip(pushes, texts, strict=True)
    )
    assert len({push.marker for push in pushes}) == 5
    assert [word for text in texts for word in text.split() if word.startswith("word")] == words.split()
    desk.until_quiet()
    assert [commit.wire.text for commit in desk.system.commits] == texts


def test_an_edited_text_is_a_new_revision_with_another_marker(desk):
    session = desk.session()
    [first] = desk.put(CHOICES["note"], session)
    desk.until_quiet()
    [second] = desk.put(PushChoices(note=True, note_text="Better words", revision=2), session)
    assert (second.revision, second.part) == (2, 1)
    assert first.marker != second.marker
    with pytest.raises(Refused, match="meanwhile"):  # the same form, sent twice
        desk.put(PushChoices(note=True, note_text="Better words", revision=2), session)


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        (PushChoices(note=True, note_text=" \u200b\n".replace("\u200b", "")), "note_text"),
        (PushChoices(time=True, minutes=1441), "minutes"),
        (PushChoices(time=True, minutes=-1), "minutes"),
        (PushChoices(time=True, minutes=5, time_text="x " * 500), "time_text"),
    ],
)
def test_bad_choices_name_their_field(desk, choices, field):
    with pytest.raises(BadValue) as refused:
        desk.put(choices)
    assert refused.value.field == field


def test_what_the_ticket_system_cannot_render_is_said(desk, monkeypatch):
    def refuse(op, marker):
        raise Invalid("Too long")

    monkeypatch.setattr(desk.system, "render", refuse)
    with pytest.raises(BadValue, match="It said: Too long"):
        desk.put(CHOICES["note"])


def test_without_ticket_connection_member_or_end_nothing_is_queued(desk, engineer):
    with pytest.raises(Refused, match="Link a ticket first"):
        desk.put(CHOICES["note"], SessionFactory(user=engineer))
    with pytest.raises(Refused, match="not ended yet"):
        desk.put(CHOICES["note"], desk.session(status="active"))
    PsaMember.objects.all().delete()
    with pytest.raises(BadValue) as refused:
        desk.put(CHOICES["time_entry"])
    assert refused.value.field == "time"
    PsaConnection.objects.update(active=False)
    with pytest.raises(Refused, match="No ticket system is connected"):
        desk.put(CHOICES["note"])
    assert desk.put(PushChoices(), desk.session()) == []


@pytest.mark.parametrize(
    ("ended", "minutes", "start"),
    [
        # Clocks go forward on 29 March and back on 25 October 2026, at 01:00 UTC.
        (datetime(2026, 3, 29, 1, 10, tzinfo=UTC), 30, datetime(2026, 3, 29, 0, 40, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 10, tzinfo=UTC), 30, datetime(2026, 10, 25, 0, 40, tzinfo=UTC)),
        (
            datetime(2026, 3, 28, 23, 50, 7, 999, tzinfo=UTC),
            120,
            datetime(2026, 3, 28, 21, 50, 7, tzinfo=UTC),
        ),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), 1, datetime(2026, 12, 31, 23, 58, 59, tzinfo=UTC)),
    ],
)
def test_time_is_counted_in_utc_around_midnight_and_clock_changes(desk, monkeypatch, ended, minutes, start):
    rendered = []
    original = desk.system.render
    monkeypatch.setattr(desk.system, "render", lambda op, marker: rendered.append(op) or original(op, marker))
    session = desk.session(started_at=ended - timedelta(hours=3), completed_at=ended)
    [push] = desk.put(PushChoices(time=True, minutes=minutes), session)
    [op] = rendered
    assert (op.start_utc, op.end_utc) == (start, start + timedelta(minutes=minutes))
    assert push.hours == op.hours == hours_of(minutes)


def test_waiting_goes_on_over_a_clock_change(desk):
    desk.now.at = datetime(2026, 3, 29, 0, 58, tzinfo=UTC)
    [push] = desk.put(CHOICES["note"])
    desk.system.faults.append("lost_answer")
    desk.deliver()
    push.refresh_from_db()
    assert push.next_attempt_at == datetime(2026, 3, 29, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize(("minutes", "hours"), [(1, "0.02"), (50, "0.83"), (90, "1.50"), (1440, "24.00")])
def test_minutes_as_hours(minutes, hours):
    assert str(hours_of(minutes)) == hours


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("pending", "success"),
        ("uncertain", "sending"),
        ("success", "pending"),
        ("success", "sending"),
        ("needs_attention", "sending"),
        ("retry_wait", "success"),
        ("sending", "pending"),
    ],
)
def test_changes_that_there_are_not(before, after):
    with pytest.raises(states.NoSuchChange):
        states.check_change(states.State(before), states.State(after))


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"status": "sending"}, "held_while_it_is_sent"),
        ({"next_attempt_at": None}, "waits_until"),
        ({"status": "success", "next_attempt_at": None}, "finished_when_it_is"),
        ({"uncertain_at": datetime(2026, 3, 10, tzinfo=UTC)}, "looked_up_before_it_is_sent_again"),
        ({"hours": 1}, "hours_of_time_entries"),
    ],
)
def test_the_database_refuses_states_that_there_are_not(desk, fields, name):
    [push] = desk.put(CHOICES["note"])
    with pytest.raises(IntegrityError, match=f"psa_push_{name}"), transaction.atomic():
        PsaPush.objects.filter(id=push.id).update(**fields)


def test_of_one_ticket_one_push_is_held(desk):
    first, second = (desk.put(CHOICES["note"], desk.session())[0] for _ in range(2))
    PsaPush.objects.filter(id=first.id).update(lease_until=desk.now())
    with pytest.raises(IntegrityError, match="psa_push_one_sender_a_ticket"), transaction.atomic():
        PsaPush.objects.filter(id=second.id).update(lease_until=desk.now())
