"""What a person says about a push that waits for one."""

import pytest
from django.db import IntegrityError, transaction

from flowpilot.models import PsaPush
from flowpilot.psa.outbox import PushChoices
from flowpilot.psa.providers.errors import AuthFailed, Invalid, OutcomeUnknown
from flowpilot.psa.resending import dismiss, send_again, send_all_again, set_status_now
from flowpilot.sessions.states import Refused
from flowpilot.tests.psa_delivery.conftest import ALL, CHOICES
from resolutionflow.models import AuditEntry


@pytest.fixture
def stuck(desk):
    """A note that arrived, a time entry that was refused, and the status that waits for it."""
    _, entry, status = desk.put(ALL)
    desk.system.faults.extend([None, Invalid("No such work type")])
    desk.deliver()
    desk.deliver()
    return entry, status


def counted():
    return set(PsaPush.objects.wanting_a_person())


def test_a_status_that_waits_for_ever_asks_for_a_decision(desk, stuck):
    entry, status = stuck
    assert set(PsaPush.objects.stuck()) == {status}
    assert counted() == {entry, status}


def test_a_status_goes_though_the_time_entry_needs_attention(desk, stuck, team_admin):
    entry, status = stuck
    set_status_now(status.id, by=team_admin, now=desk.now())
    desk.deliver()
    status.refresh_from_db()
    assert status.status == "success"
    assert counted() == {entry}
    assert AuditEntry.objects.get().action == "psa.status_set_anyway"
    with pytest.raises(Refused, match="waits for nothing"):
        set_status_now(status.id, by=team_admin, now=desk.now())


def test_only_a_status_that_is_stuck_is_set_now(desk, team_admin):
    for push in desk.put(ALL):
        with pytest.raises(Refused):
            set_status_now(push.id, by=team_admin, now=desk.now())


def test_what_is_dismissed_leaves_the_counts_and_lets_the_status_go(desk, stuck, team_admin):
    entry, status = stuck
    dismiss(entry.id, by=team_admin, now=desk.now(), note=" Entered by hand\0 ")
    entry.refresh_from_db()
    assert (entry.status, entry.dismissed_at, entry.dismissed_by) == (
        "needs_attention",
        desk.now(),
        team_admin,
    )
    assert entry.dismissed_note == "Entered by hand"
    recorded = AuditEntry.objects.get()
    assert (recorded.action, recorded.detail["note"]) == ("psa.dismissed", "Entered by hand")
    assert counted() == set()
    assert send_all_again(now=desk.now()) == 0
    desk.deliver()
    status.refresh_from_db()
    assert status.status == "success"
    with pytest.raises(Refused, match="dismissed already"):
        dismiss(entry.id, by=team_admin, now=desk.now())

    send_again(entry.id, now=desk.now())  # it was needed after all
    desk.until_quiet()
    entry.refresh_from_db()
    assert (entry.status, entry.dismissed_at, entry.dismissed_by, entry.dismissed_note) == (
        "success",
        None,
        None,
        "",
    )


@pytest.mark.parametrize("held", [False, True])
def test_what_was_never_sent_can_be_dismissed(desk, team_admin, held):
    [push] = desk.put(CHOICES["note"])
    if held:
        desk.system.faults.append(AuthFailed("No"))
        desk.deliver()
    dismiss(push.id, by=team_admin, now=desk.now())
    desk.now.move(hours=1)
    desk.until_quiet()
    assert desk.system.commits == []


def test_what_may_have_arrived_or_did_cannot_be_dismissed(desk, team_admin):
    [uncertain] = desk.put(CHOICES["note"])
    desk.system.faults.append(OutcomeUnknown())
    desk.deliver()
    with pytest.raises(Refused, match="Wait until that is known"):
        dismiss(uncertain.id, by=team_admin, now=desk.now())
    desk.until_quiet()
    with pytest.raises(Refused):
        dismiss(uncertain.id, by=team_admin, now=desk.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        PsaPush.objects.update(dismissed_at=desk.now(), dismissed_by=team_admin)


def test_what_was_replaced_is_nobodys_decision(desk, team_admin):
    session = desk.session()
    [old] = desk.put(CHOICES["note"], session)
    desk.system.faults.append(Invalid("No"))
    desk.deliver()
    desk.put(PushChoices(note=True, note_text="Better"), session)
    with pytest.raises(Refused, match="newer version"):
        dismiss(old.id, by=team_admin, now=desk.now())


def test_what_arrived_after_it_was_dismissed_is_delivered(desk, team_admin):
    [push] = desk.put(CHOICES["note"])
    desk.system.faults.extend(["lost_answer", Invalid("No")])
    desk.system.find_faults.extend([Invalid("No")])
    desk.until_quiet()
    push.refresh_from_db()
    assert push.status == "needs_attention"
    dismiss(push.id, by=team_admin, now=desk.now())
    desk.now.move(minutes=31)
    desk.sweep()
    push.refresh_from_db()
    assert (push.status, push.dismissed_at, push.adopted) == ("success", None, True)
