"""The demo accounts: loaded from what is shipped, never twice, and never with a known password in public.

The incident log is a small one here, and little happens at the MSP; test_demo_msp.py has the whole story.
"""

import gzip
import io
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command

from flowpilot.models import Client, Session
from flowpilot.tests.factories import SessionFactory
from operations.demo import DEMOS
from operations.demo.demos import nothing
from operations.demo.incident_log import loading as incident_log
from operations.demo.msp import days
from operations.importing.formats import servicenow
from operations.importing.mapping import SHIPPED, read_mapping
from operations.importing.reading import Source
from operations.importing.records import ImportedSession
from operations.importing.shifting import newest_opening
from resolutionflow.management.refusing import Refused
from resolutionflow.models import Account, ApiToken, AuditEntry, User
from resolutionflow.tenancy import account_scope, cross_account
from resolutionflow.tests.factories import AccountFactory, UserFactory

LOG = Path(__file__).parent / "data" / "incidents.csv.gz"
NOW = datetime(
    2026, 11, 10, 10, 0, tzinfo=UTC
)  # a Tuesday, as the day of the last 24 incidents, after 10:00, is
SAMPLE, NEWEST = incident_log.SAMPLE, incident_log.NEWEST_OPENING
SLUGS = [demo.slug for demo in DEMOS]


@pytest.fixture(autouse=True)
def little_to_load(db, monkeypatch):
    monkeypatch.setattr(incident_log, "SAMPLE", LOG)
    monkeypatch.setattr(incident_log, "NEWEST_OPENING", newest_of(LOG))
    monkeypatch.setattr(incident_log, "ENGINEER_EMAIL", "resolved-by-208@incident-log.invalid")
    monkeypatch.setattr(days, "A_DAY", (2, 2))
    monkeypatch.setattr("operations.management.commands.load_demo.timezone.now", lambda: NOW)


def newest_of(path):
    rows = servicenow.read(Source(path), read_mapping(SHIPPED), incident_log.SLUG)
    return newest_opening(row for row in rows if isinstance(row, ImportedSession))


def load(*options):
    out = io.StringIO()
    call_command("load_demo", *options, stdout=out)
    return out.getvalue()


def sessions_of(slug):
    with account_scope(Account.objects.get(slug=slug)):
        return Session.objects.count()


def test_the_newest_opening_of_the_log_is_known():
    assert newest_of(SAMPLE) == NEWEST


def test_the_demo_is_two_accounts_with_two_people_each_to_sign_in_as():
    said = load()

    assert SLUGS == ["ambermoor", "incident-log"]
    assert "Read 300 = created 276 + unchanged 0 + updated 0 + rejected 0 + left out 24.\n" in said
    emails = ["morgan.ellery@ambermoor.invalid", "priya.raman@ambermoor.invalid"]
    emails += ["team.admin@incident-log.invalid", "resolved-by-208@incident-log.invalid"]
    people = [User.objects.get(email=email) for email in emails]
    assert [person.role for person in people] == ["team_admin", "engineer"] * 2
    assert all(person.check_password("look-around-2016") for person in people)
    assert not User.objects.filter(is_superuser=True).exists()
    for person in people[1::2]:
        with account_scope(person.account):
            assert Session.objects.filter(user=person).count() > 10
            assert Session.objects.latest("started_at").started_at.year == 2026


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("options", [(), ("--reset",)], ids=["first", "again"])
def test_two_demos_are_loaded_at_once(monkeypatch, options):
    demos = [replace(demo, load_into=load_and_tell, is_loaded=bool, learn=nothing) for demo in DEMOS]
    monkeypatch.setattr("operations.management.commands.load_demo.DEMOS", demos)

    first, second, *_ = load(*options).splitlines()

    accounts = Account.objects.order_by("created_at")
    assert {f"Process {account.name}" for account in accounts} == {first, second}
    assert first != second
    assert first == f"Process {os.getpid()}"


def load_and_tell(account, *, password_hash, now, progress):
    """Stands in for a demo: makes an account that is named by the process which made it."""
    Account.objects.create(name=str(os.getpid()), slug=f"by-{os.getpid()}")
    return f"Process {os.getpid()}"


def test_it_tells_the_logins():
    assert "Ambermoor IT, Engineer: priya.raman@ambermoor.invalid  look-around-2016\n" in load()


def test_loading_again_changes_nothing():
    load()
    before = [sessions_of(slug) for slug in SLUGS]

    assert load() == "The demo is loaded already. --reset loads it anew.\n"
    assert [sessions_of(slug) for slug in SLUGS] == before


@pytest.mark.parametrize(
    "broken", ["operations.importing.running.Import.run", "operations.demo.msp.loading._Writer.write"]
)
def test_a_load_that_was_broken_off_is_completed(monkeypatch, broken):
    with monkeypatch.context() as patch:
        patch.setattr(broken, lambda self, *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            load()
    load()

    assert sessions_of("incident-log") == 276
    assert sessions_of("ambermoor") > 100
    assert load().startswith("The demo is loaded already.")


def test_reset_takes_the_demo_away_and_leaves_others_alone():
    other = AccountFactory(slug="southgate")
    with account_scope(other):
        SessionFactory()
    load()
    before = {slug: Account.objects.get(slug=slug) for slug in SLUGS}
    for slug, demo in before.items():
        UserFactory(account=demo, email=f"visitor@{slug}.invalid")
        ApiToken.issue(demo.users.first(), "test")
        AuditEntry.record("looked", actor=demo.users.first(), account=demo)

    load("--reset")

    for slug, demo in before.items():
        assert Account.objects.get(slug=slug).id != demo.id
        assert not User.objects.filter(email=f"visitor@{slug}.invalid").exists()
        with cross_account():
            assert not Session.objects.filter(account=demo).exists()
            assert not Client.objects.filter(account=demo).exists()
    with cross_account():
        assert Session.objects.filter(account=other).count() == 1


@pytest.mark.parametrize("slug", SLUGS)
def test_somebody_elses_account_of_that_slug_is_left_alone(slug):
    AccountFactory(slug=slug)

    for options in ((), ("--reset",)):
        with pytest.raises(Refused, match=f"{slug} is not the demo's; it is left alone"):
            load(*options)
    assert [account.slug for account in Account.objects.all()] == [slug]


@pytest.mark.parametrize("demo", DEMOS, ids=SLUGS)
def test_somebody_elses_login_of_that_email_is_left_alone(demo):
    UserFactory(account=AccountFactory(slug="southgate"), email=demo.logins[0].email)

    with pytest.raises(Refused, match="A user outside of the demo has the email of a demo login"):
        load()
    assert not Account.objects.filter(slug=demo.slug).exists()


def test_a_password_that_everybody_knows_is_refused_where_https_is_on(settings):
    settings.HTTPS = True

    with pytest.raises(Refused, match="name another one with --password PASSWORD"):
        load()
    assert not Account.objects.exists()

    said = load("--password=only-we-know-9")
    assert "look-around-2016" not in said
    assert "only-we-know-9" not in said
    for email in ("team.admin@incident-log.invalid", "morgan.ellery@ambermoor.invalid"):
        assert User.objects.get(email=email).check_password("only-we-know-9")


def test_the_shipped_log_has_the_engineer_to_sign_in_as(monkeypatch):
    monkeypatch.undo()
    with gzip.open(incident_log.SAMPLE, "rt") as file:
        lines = file.read().splitlines()

    assert incident_log.SAMPLE.stat().st_size < 1_000_000
    assert len({line.partition(",")[0] for line in lines[1:]}) == 24_437
    assert DEMOS[1].logins[1].email == "resolver-194@incident-log.invalid"
    assert sum(",Resolver 194," in line for line in lines) > 500
