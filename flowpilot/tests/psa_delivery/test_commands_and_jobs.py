"""By hand and by the worker: deliver_pushes, psa_verify, and the jobs."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from flowpilot import jobs
from flowpilot.models import PsaConnection, PsaMember, PsaPush
from flowpilot.psa.stand_in.connectwise import ConnectWiseStandIn
from flowpilot.psa.stand_in.seed import IN_PROGRESS
from flowpilot.tests.psa_delivery.conftest import ALL, CHOICES
from flowpilot.tests.psa_delivery.test_against_the_stand_in import put_one_of_each
from flowpilot.tests.psa_delivery.test_against_the_stand_in import stand_in as stand_in_of_tests  # noqa: F401
from resolutionflow.management.refusing import Refused


@pytest.fixture
def stand_in(stand_in_of_tests) -> ConnectWiseStandIn:  # noqa: F811
    return stand_in_of_tests


def run(*words):
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_deliver_pushes_by_hand(desk, stand_in):
    put_one_of_each(desk)
    assert run("deliver_pushes") == "Sent or looked up 3 pushes, looked for doubles of 0.\n"
    assert set(PsaPush.objects.values_list("status", flat=True)) == {"success"}
    assert run("deliver_pushes", "--account", "northgate") == (
        "Sent or looked up 0 pushes, looked for doubles of 0.\n"
    )
    PsaPush.objects.filter(kind="note").update(sweep_at=timezone.now())
    assert run("deliver_pushes") == "Sent or looked up 0 pushes, looked for doubles of 1.\n"
    with pytest.raises(Refused, match="There is no account"):
        run("deliver_pushes", "--account", "nobody")


def test_the_worker_delivers_what_is_due_and_nothing_for_who_has_nothing(desk, stand_in, other_account):
    ProcrastinateJob.objects.all().delete()
    jobs.queue_deliveries(now=timezone.now())
    assert not ProcrastinateJob.objects.exists()
    put_one_of_each(desk)
    ProcrastinateJob.objects.all().delete()
    jobs.queue_deliveries(now=timezone.now())
    jobs.queue_deliveries(now=timezone.now())
    job = ProcrastinateJob.objects.get()  # of one account one waits
    assert job.args == {"account_id": str(desk.account.id)}
    jobs.deliver_to(**job.args)
    assert PsaPush.objects.filter(status="success").count() == 3

    PsaPush.objects.filter(kind="note").update(sweep_at=timezone.now())
    jobs.sweep_ticket_systems(now=timezone.now())
    assert not PsaPush.objects.filter(sweep_at__isnull=False).exists()


def test_a_held_connection_gives_the_worker_nothing_to_do(desk, stand_in):
    put_one_of_each(desk)
    ProcrastinateJob.objects.all().delete()
    PsaConnection.objects.update(
        held_until=timezone.now() + timedelta(minutes=5), held_reason="too_many_requests"
    )
    jobs.queue_deliveries(now=timezone.now())
    assert not ProcrastinateJob.objects.exists()


def test_keys_that_cannot_be_read_hold_the_connection(desk, stand_in, settings):
    [push] = desk.put(
        CHOICES["note"].__class__(note=True, note_text="Words"), put_one_of_each(desk)[0].session
    )
    settings.PSA_KEYS = ["b3RoZXIga2V5LCBhbHNvIG9mIDMyIGJ5dGVzISEhISE="]
    desk.deliver()
    connection = PsaConnection.objects.get()
    assert (connection.held_reason, connection.held_message) == ("no_keys", "")
    push.refresh_from_db()
    assert (push.status, push.tries) == ("pending", 0)


def test_psa_verify_only_reads_until_it_is_told(desk, stand_in):
    before = len(stand_in.ledger.requests)
    said = run("psa_verify", "--account", "northgate", "--ticket", "5001")
    methods = {row["method"] for row in stand_in.ledger.requests[before:]}
    assert methods == {"GET"}
    assert "Which ticket?\n    5001: No network in the meeting room (In Progress)" in said
    assert "Which statuses of its board forbid time entries?\n    Closed" in said
    assert "Are newlines and markup of a note kept?\n    not asked; it takes --apply" in said


def test_psa_verify_writes_and_cleans_up(desk, stand_in):
    said = run("psa_verify", "--account", "northgate", "--ticket", "5001", "--apply")
    assert "Are newlines and markup of a note kept?\n    yes, to the letter" in said
    assert (
        "What does a status that forbids time entries say to one?\n    no: TimeNotAllowed, HTTP 400" in said
    )
    assert "take the status of another board?\n    no: Invalid, HTTP 400" in said
    assert "Is a request ever answered with 429 and carried out?\n    cannot be asked for" in said
    assert "Delete it by hand" not in said
    assert (stand_in.tables.notes, stand_in.tables.entries) == ({}, {})
    assert stand_in.tables.tickets[5001]["status"] == IN_PROGRESS
    assert "standInPrivateKey" not in said


def test_psa_verify_claims_nothing_of_time_that_it_could_not_enter(desk, stand_in):
    PsaMember.objects.all().delete()
    said = run("psa_verify", "--account", "northgate", "--ticket", "5001", "--apply")
    nobody = "not asked; no engineer is mapped to a member yet"
    assert f"Is mobileGuid kept with a time entry?\n    {nobody}" in said
    assert f"May two time entries overlap?\n    {nobody}" in said
    assert f"What does a status that forbids time entries say to one?\n    {nobody}" in said


def test_psa_verify_says_no_in_one_line(desk, stand_in):
    with pytest.raises(Refused, match="There is no account"):
        run("psa_verify", "--account", "nobody", "--ticket", "1")
    with pytest.raises(Refused, match="The ticket is not there any more"):
        run("psa_verify", "--account", "northgate", "--ticket", "999999")
    PsaConnection.objects.update(active=False)
    with pytest.raises(Refused, match="no ticket system connected"):
        run("psa_verify", "--account", "northgate", "--ticket", "5001")


def test_everything_of_a_session_is_one_delivery_run(desk):
    desk.put(ALL)
    assert desk.deliver() == 3
