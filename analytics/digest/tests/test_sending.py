import threading
from datetime import timedelta

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from analytics.digest import sending
from analytics.digest.tests.conftest import MONDAY, NOW
from analytics.jobs import queue_digests, send_digest
from analytics.models import DigestDelivery
from resolutionflow.jobs.tests.rehearsal import wait_for
from resolutionflow.models import User
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory, SuperAdminFactory, TeamAdminFactory, UserFactory


@pytest.fixture(autouse=True)
def _now(clock):
    clock(NOW)


def work():
    """Does what waits, as a worker would; an error leaves the job for later."""
    for job in ProcrastinateJob.objects.filter(task_name="digest.send", status="todo").order_by("id"):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", [job.id])
            try:
                send_digest(**job.args)
            except OSError:
                end = "todo"
            else:
                end = "succeeded"
            cursor.execute(f"UPDATE procrastinate_jobs SET status = '{end}' WHERE id = %s", [job.id])


def addresses(outbox):
    return sorted(mail.to[0] for mail in outbox)


def test_everybody_who_wants_it_gets_it_once(account, reader, team_admin, outbox):
    User.objects.filter(id=team_admin.id).update(last_login=NOW)
    for _ in range(3):  # every quarter of an hour, and after a restart
        queue_digests(now=NOW)
        work()
    assert addresses(outbox) == sorted([reader.email, team_admin.email])
    assert {delivery.sent_at for delivery in DigestDelivery.objects.all()} == {NOW}


@pytest.mark.parametrize(
    "facts",
    [
        {"is_active": False},
        {"weekly_digest": False},
        {"last_login": None},
        {"email": "resolver-1@log.invalid"},
    ],
    ids=str,
)
def test_who_gets_none(facts, account, outbox):
    UserFactory(account=account, **{"last_login": NOW, **facts})
    SuperAdminFactory(last_login=NOW)
    queue_digests(now=NOW)
    work()
    assert outbox == []
    assert not DigestDelivery.objects.exists()


def test_each_account_at_its_own_hour(account, reader, outbox):
    east = AccountFactory(time_zone="Asia/Tokyo")
    UserFactory(account=east, last_login=NOW, email="east@example.com")
    queue_digests(now=NOW - timedelta(hours=9))  # 7:00 in Tokyo
    work()
    assert addresses(outbox) == ["east@example.com"]
    queue_digests(now=NOW)
    work()
    assert addresses(outbox) == ["east@example.com", reader.email]
    queue_digests(now=NOW + timedelta(hours=24))
    work()
    assert len(outbox) == 2


def test_an_account_sees_its_own_sessions_only(account, other_account, team_admin, stranger, outbox):
    User.objects.update(last_login=NOW)
    queue_digests(now=NOW)
    work()
    by_address = {mail.to[0]: mail for mail in outbox}
    assert "Southgate" not in by_address[team_admin.email].body
    assert "Northgate" not in by_address[stranger.email].body


def test_who_is_gone_or_switched_it_off_meanwhile_gets_none(account, reader, colleague, outbox):
    User.objects.update(last_login=NOW)
    queue_digests(now=NOW)
    reader.weekly_digest = False
    reader.save()
    colleague.deactivate(at=NOW)
    work()
    assert outbox == []


def test_a_job_that_runs_twice_sends_once(account, reader, outbox):
    queue_digests(now=NOW)
    delivery = DigestDelivery.objects.get()
    assert sending.send(account.id, delivery.id, now=NOW) is True
    assert sending.send(account.id, delivery.id, now=NOW) is False
    assert len(outbox) == 1


def test_a_mail_server_that_refuses_one_delays_no_other(account, reader, colleague, outbox, monkeypatch):
    User.objects.update(last_login=NOW)
    refused = {reader.email}

    def send_messages(self, messages):
        if messages[0].to[0] in refused:
            raise OSError("451 try again later")
        outbox.extend(messages)
        return 1

    monkeypatch.setattr(EmailBackend, "send_messages", send_messages)
    queue_digests(now=NOW)
    work()
    assert addresses(outbox) == [colleague.email]
    refused.clear()
    queue_digests(now=NOW + timedelta(hours=1))
    work()
    assert addresses(outbox) == [colleague.email, reader.email]


def test_an_account_that_was_deleted_needs_none(account, reader, other_account):
    queue_digests(now=NOW)
    delivery = DigestDelivery.objects.get()
    assert sending.send(other_account.id, delivery.id, now=NOW) is False  # of another account: not there
    assert sending.send(delivery.id, delivery.id, now=NOW) is False


def test_two_workers_at_the_same_time_make_each_delivery_once(transactional_db):
    account = AccountFactory()
    TeamAdminFactory.create_batch(3, account=account, last_login=NOW)
    made, holding, go_on = [], threading.Event(), threading.Event()

    def first():
        with account_scope(account), transaction.atomic():
            made.append(len(sending.new_deliveries(account, MONDAY)))
            holding.set()
            go_on.wait(20)
        connection.close()

    def second():
        with account_scope(account), transaction.atomic():
            made.append(len(sending.new_deliveries(account, MONDAY)))
        connection.close()

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert holding.wait(20)
    threads[1].start()
    wait_for(waiting_for_a_lock)
    go_on.set()
    for thread in threads:
        thread.join()
    assert made == [3, 0]


def waiting_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


def test_on_request_at_most_three_an_hour(account, engineer):
    for minutes in (0, 1, 2):
        assert sending.requested_delivery(engineer, MONDAY, now=NOW + timedelta(minutes=minutes))
    assert sending.requested_delivery(engineer, MONDAY, now=NOW + timedelta(minutes=59)) is None
    assert sending.requested_delivery(engineer, MONDAY, now=NOW + timedelta(minutes=61))


def test_one_on_request_takes_nothing_from_mondays(account, reader, outbox):
    asked = sending.requested_delivery(reader, MONDAY, now=NOW)
    assert sending.send(account.id, asked.id, now=NOW) is True
    queue_digests(now=NOW)
    work()
    assert len(outbox) == 2
