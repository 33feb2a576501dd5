"""delete_account: nothing of the account is left, everything of the others is, also when somebody writes meanwhile."""

import io
import threading

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session as Login
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client as Browser
from django.utils import timezone

from flowpilot.models import Flow, FlowVersion, Session
from flowpilot.tests.factories import SessionFactory
from operations.importing.running import lock_key
from operations.removing import remove_account
from resolutionflow.jobs.models import JobFailure
from resolutionflow.management.refusing import Refused
from resolutionflow.models import Account, ApiToken, AuditEntry, User
from resolutionflow.tenancy import account_scope, cross_account
from resolutionflow.tenancy.schema import tenant_models
from resolutionflow.tests.factories import SuperAdminFactory
from tests.isolation import houses


@pytest.fixture
def north(db):
    return houses.build("NORTHMARK", now=timezone.now())


@pytest.fixture
def south(db):
    return houses.build("SOUTHMARK", now=timezone.now())


def delete(*words):
    out = io.StringIO()
    call_command("delete_account", *words, stdout=out)
    return out.getvalue()


def everything():
    """How many rows of each table there are."""
    with cross_account():
        return {model: model._default_manager.count() for model in apps.get_models() if model._meta.managed}


def signed_in(user):
    browser = Browser()
    browser.force_login(user)
    return browser


def test_without_apply_it_says_what_would_go(north, south):
    signed_in(north.engineer)
    before = everything()

    out = delete("northmark")

    assert out.startswith("Would delete the account northmark (NORTHMARK MSP) with:\n")
    assert out.endswith("Nothing was deleted. Add --apply to do it; there is no way back.\n")
    said = dict(line.strip().split(" ", 1)[::-1] for line in out.splitlines()[1:-1])
    assert said["sessions"] == "3"
    assert said["session ratings"] == "2"
    assert said["users"] == "3"
    assert said["logins"] == "1"
    assert said["API tokens"] == "1"
    assert everything() == before


def test_nothing_is_left_and_others_lose_nothing(db):
    before = everything() | {ContentType: ContentType.objects.count()}
    south = houses.build("SOUTHMARK", now=timezone.now())
    EmailAddress.objects.create(user=south.engineer, email=south.engineer.email)
    others = signed_in(south.engineer)
    with_south = everything()
    assert all(with_south[model] > before[model] for model in tenant_models())

    north = houses.build("NORTHMARK", now=timezone.now())
    EmailAddress.objects.create(user=north.engineer, email=north.engineer.email)
    gone = signed_in(north.engineer)
    assert delete("northmark", "--apply") == "The account northmark is deleted, with everything in it.\n"

    assert everything() == with_south | {AuditEntry: with_south[AuditEntry] + 1}
    assert others.get("/sessions/").status_code == 200
    assert gone.get("/sessions/").status_code == 302
    entry = AuditEntry.objects.get(action="account.deleted")
    assert (entry.account, entry.actor, entry.object, entry.detail) == (None, None, "northmark", {})
    with connection.cursor() as cursor:  # of every table, those of no model included
        cursor.execute("select table_name from information_schema.tables where table_schema = 'public'")
        for (table,) in cursor.fetchall():
            with cross_account():
                cursor.execute(f'select count(*) from "{table}" as t where t::text ilike %s', ["%northmark%"])
            assert cursor.fetchone()[0] == (1 if table == AuditEntry._meta.db_table else 0), table


def queue_job(account, status="todo"):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status) "
            "VALUES ('default', 'x', jsonb_build_object('account_id', %s::text), %s::procrastinate_job_status) "
            "RETURNING id",
            [str(account.id), status],
        )
        return cursor.fetchone()[0]


def test_jobs_that_name_the_account_go_too(north, south):
    waiting = queue_job(north.account)
    failed, kept = queue_job(north.account, "failed"), queue_job(south.account)
    running = queue_job(north.account, "doing")
    for number in (failed, kept):
        JobFailure.objects.create(job_id=number, kind="x", attempt=1, error="NORTHMARK")
    delete("northmark", "--apply")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM procrastinate_jobs WHERE id >= %s", [waiting])
        assert {id for (id,) in cursor.fetchall()} == {kept, running}
    assert JobFailure.objects.get(kind="x").job_id == kept


def log(user, row):
    return LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(type(row)),
        object_id=str(row.pk),
        object_repr=str(row),
        action_flag=CHANGE,
    )


def test_the_back_offices_log_and_choices_of_it_go_too(north, south):
    root = SuperAdminFactory(name="Robin Root")
    browser = signed_in(root)
    browser.post("/accounts/choose/", {"account": "northmark"})
    for house in (north, south):
        for model in ("client", "session", "user", "apitoken", "account"):
            log(root, house.rows[model])
    theirs = set(LogEntry.objects.filter(object_repr__icontains="southmark").values_list("id", flat=True))

    assert "10 back office log entries" not in delete("northmark")
    assert "5 back office log entries" in delete("northmark")
    delete("northmark", "--apply")

    assert set(LogEntry.objects.values_list("id", flat=True)) == theirs
    assert browser.get("/sessions/").headers["Location"].startswith("/accounts/choose/")
    assert "chosen_account" not in Login.objects.get().get_decoded()


def test_a_deletion_in_the_back_office_stands_in_the_trail_of_its_account(north):
    root = SuperAdminFactory(name="Robin Root")
    browser = signed_in(root)
    browser.post("/accounts/choose/", {"account": "northmark"})
    with account_scope(north.account):
        flow = Flow.objects.create(name="NORTHMARK unused flow")
    browser.post(f"/admin/flowpilot/flow/{flow.id}/delete/", {"post": "yes"})
    entry = AuditEntry.objects.get(action="flow.deleted")
    assert (entry.account, entry.actor, entry.object) == (north.account, root, "NORTHMARK unused flow")
    assert not LogEntry.objects.exists()


def test_what_its_super_admin_did_elsewhere_stays_without_name(north, south):
    User.objects.filter(id=north.team_admin.id).update(is_superuser=True)
    AuditEntry.record("account.opened", actor=north.team_admin, account=south.account)
    with account_scope(south.account):
        FlowVersion.objects.update(published_by=north.team_admin)

    delete("northmark", "--apply")

    with account_scope(south.account):
        assert FlowVersion.objects.get().published_by is None
    assert AuditEntry.objects.filter(account=south.account, actor=None).count() == 1


def test_an_account_that_is_none(north):
    with pytest.raises(Refused, match="There is no account with the slug eastmark") as refused:
        delete("eastmark", "--apply")
    assert refused.value.returncode == 2


@pytest.mark.django_db(transaction=True)
def test_not_while_an_import_runs(north, monkeypatch):
    monkeypatch.setattr("operations.importing.running.WAIT_FOR_LOCK", 0.1)
    held, done = threading.Event(), threading.Event()

    def importing():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [lock_key(north.account)])
            held.set()
            done.wait(20)
        connections.close_all()

    thread = threading.Thread(target=importing)
    thread.start()
    held.wait(20)
    try:
        with pytest.raises(Refused, match="An import into this account is running"):
            delete("northmark", "--apply")
    finally:
        done.set()
        thread.join()
    assert Account.objects.filter(slug="northmark").exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_written_meanwhile_fails_and_leaves_no_orphan(north):
    locked, fates = threading.Event(), []

    def write(make):
        locked.wait(20)
        try:
            with account_scope(north.account):
                make()
        except IntegrityError:
            fates.append("refused")
        else:
            fates.append("written")
        connections.close_all()

    acts = [
        lambda: SessionFactory(user=north.engineer, account=north.account),
        lambda: User.objects.create(account=north.account, email="late@northmark.example", name="Late"),
        lambda: ApiToken.issue(north.engineer, "late"),
        lambda: AuditEntry.record("late", actor=None, account=north.account),
    ]
    threads = [threading.Thread(target=write, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    with transaction.atomic():
        # as the first thing that remove_account does
        Account.objects.select_for_update().get(id=north.account.id)
        locked.set()
        for _ in range(200):  # until each of them waits, for the account or for its user
            with connection.cursor() as cursor:
                cursor.execute("select count(*) from pg_stat_activity where wait_event_type = 'Lock' "
                               "and datname = current_database()")  # fmt: skip
                if cursor.fetchone()[0] >= 3 and "written" in fates:
                    break
            threading.Event().wait(0.02)
        remove_account(north.account)
    for thread in threads:
        thread.join()

    # the token needs its user only, who was not locked yet: it was written, and went with the user
    assert sorted(fates) == ["refused", "refused", "refused", "written"]
    with cross_account():
        assert not Session.objects.exists()
    assert (User.objects.count(), ApiToken.objects.count()) == (0, 0)
    assert [entry.action for entry in AuditEntry.objects.all()] == ["account.deleted"]


@pytest.mark.django_db(transaction=True)
def test_two_deletions_at_once(north):
    said = []

    def run():
        try:
            said.append(delete("northmark", "--apply"))
        except Refused as refused:
            said.append(str(refused))
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "The account northmark is deleted, with everything in it.\n" in said
    assert AuditEntry.objects.filter(action="account.deleted").count() == 1
