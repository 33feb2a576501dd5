"""The demo account: loaded from the sample that is shipped, never twice, and never with a known password in public."""

import gzip
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command

from flowpilot.models import Client, Session
from flowpilot.tests.factories import SessionFactory
from operations.demo import DEMO_LOGINS, loading
from resolutionflow.management.refusing import Refused
from resolutionflow.models import Account, ApiToken, AuditEntry, User
from resolutionflow.tenancy import account_scope, cross_account
from resolutionflow.tests.factories import AccountFactory, UserFactory

LOG = Path(__file__).parent / "data" / "incidents.csv.gz"
NOW = datetime(
    2026, 11, 10, 10, 0, tzinfo=UTC
)  # a Tuesday, as the day of the last 24 incidents, after 10:00, is


@pytest.fixture(autouse=True)
def small_sample(db, monkeypatch):
    monkeypatch.setattr(loading, "SAMPLE", LOG)
    monkeypatch.setattr(loading.logins, "ENGINEER_EMAIL", "resolved-by-208@incident-log.invalid")
    monkeypatch.setattr("operations.management.commands.load_demo.timezone.now", lambda: NOW)


def load(*options):
    out = io.StringIO()
    call_command("load_demo", *options, stdout=out)
    return out.getvalue()


def demo_sessions():
    with account_scope(Account.objects.get(slug="incident-log")):
        return Session.objects.count()


def test_the_demo_is_an_account_with_two_people_to_sign_in_as():
    out = load()

    assert out.startswith("Read 300 = created 276 + unchanged 0 + updated 0 + rejected 0 + left out 24.\n")
    account = Account.objects.get(slug="incident-log")
    admin = account.users.get(email="team.admin@incident-log.invalid")
    engineer = account.users.get(email="resolved-by-208@incident-log.invalid")
    assert (admin.role, engineer.role) == ("team_admin", "engineer")
    assert admin.check_password("look-around-2016")
    assert engineer.check_password("look-around-2016")
    assert not User.objects.filter(is_superuser=True).exists()
    with account_scope(account):
        assert Session.objects.filter(user=engineer).count() == 24
        assert Session.objects.latest("started_at").started_at.year == 2026


def test_loading_again_changes_nothing():
    load()
    before = demo_sessions()

    assert load() == "The demo is loaded already. --reset loads it anew.\n"
    assert demo_sessions() == before


def test_a_load_that_was_broken_off_is_completed(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("operations.importing.running.Import.run", lambda self, progress: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            load()
    load()

    assert demo_sessions() == 276


def test_reset_takes_the_demo_away_and_leaves_others_alone():
    other = AccountFactory(slug="southgate")
    with account_scope(other):
        SessionFactory()
    load()
    demo = Account.objects.get(slug="incident-log")
    UserFactory(account=demo, email="visitor@incident-log.invalid")
    ApiToken.issue(demo.users.first(), "test")
    AuditEntry.record("looked", actor=demo.users.first(), account=demo)

    load("--reset")

    again = Account.objects.get(slug="incident-log")
    assert again.id != demo.id
    assert not User.objects.filter(email="visitor@incident-log.invalid").exists()
    with cross_account():
        assert not Session.objects.filter(account=demo).exists()
        assert not Client.objects.filter(account=demo).exists()
        assert Session.objects.filter(account=other).count() == 1


def test_somebody_elses_account_of_that_slug_is_left_alone():
    AccountFactory(slug="incident-log")

    for options in ((), ("--reset",)):
        with pytest.raises(Refused, match="is not the demo's; it is left alone"):
            load(*options)


def test_a_password_that_everybody_knows_is_refused_where_https_is_on(settings):
    settings.HTTPS = True

    with pytest.raises(Refused, match="name another one with --password PASSWORD"):
        load()
    assert not Account.objects.exists()

    out = load("--password=only-we-know-9")
    assert "look-around-2016" not in out
    assert "only-we-know-9" not in out
    admin = User.objects.get(email="team.admin@incident-log.invalid")
    assert admin.check_password("only-we-know-9")


def test_the_shipped_sample_has_the_engineer_to_sign_in_as(monkeypatch):
    monkeypatch.undo()
    with gzip.open(loading.SAMPLE, "rt") as file:
        lines = file.read().splitlines()

    assert loading.SAMPLE.stat().st_size < 1_000_000
    assert len({line.partition(",")[0] for line in lines[1:]}) == 24_437
    email = DEMO_LOGINS[1][1]
    assert email == "resolver-194@incident-log.invalid"
    assert sum(",Resolver 194," in line for line in lines) > 500
