"""anonymise_user: a leaver's name and email are nowhere any more, and what they worked on still counts."""

import io
import threading

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session as Login
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client as Browser

from flowpilot.models import Session
from flowpilot.tests.factories import SessionFactory
from resolutionflow.management.refusing import Refused
from resolutionflow.models import ApiToken, AuditEntry, User
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory, SuperAdminFactory, TeamAdminFactory, UserFactory

FORMER = "former-engineer-1.northgate@anonymised.invalid"


def run(*words):
    out = io.StringIO()
    call_command("anonymise_user", *words, stdout=out)
    return out.getvalue()


def refusal(*words):
    with pytest.raises(Refused) as refused:
        run(*words)
    assert refused.value.returncode == 2
    return str(refused.value)


def log(user, row, message=""):
    return LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(type(row)),
        object_id=str(row.pk),
        object_repr=str(row),
        action_flag=CHANGE,
        change_message=message,
    )


def set_passwords(*people):
    for person in people:
        person.set_password("correct horse battery")
        person.save()


@pytest.fixture
def leaver(engineer, team_admin):
    """Amira Haddad, in every place that the product keeps a name or an email in."""
    root = SuperAdminFactory(name="Robin Root")
    token, _ = ApiToken.issue(engineer, "Amira's laptop")
    EmailAddress.objects.create(user=engineer, email=engineer.email)
    Browser().force_login(engineer)
    log(root, engineer)
    log(root, token)
    log(root, team_admin, message="Mail to engineer@northgate.example")
    AuditEntry.record("user.created", actor=root, account=engineer.account, object=engineer.email)
    AuditEntry.record("token.revoked", actor=engineer, account=engineer.account,
                      object=engineer.email, label="Amira's laptop")  # fmt: skip
    AuditEntry.record("user.invited", actor=root, account=None, object="x",
                      to=["ENGINEER@northgate.example"], deep={"name": "by Amira Haddad."})  # fmt: skip
    AuditEntry.record("role.changed", actor=team_admin, account=engineer.account, object="Amira Haddad",
                      role="engineer", people=[{"name": "Amira Haddad"}])  # fmt: skip
    SessionFactory(user=engineer)
    return engineer


def texts():
    """Every table as text, by name; those of other tests' making are empty."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute("select table_name from information_schema.tables where table_schema = 'public'")
        for (table,) in cursor.fetchall():
            if not table.startswith(("analytics_", "flowpilot_", "ratings_")):
                cursor.execute(f'select t::text from "{table}" as t')
                found[table] = "\n".join(row[0] for row in cursor.fetchall())
    return found


def test_without_apply_nothing_changes(leaver):
    before = texts()

    assert run("Engineer@Northgate.example") == (
        "engineer@northgate.example would become Former engineer 1, "
        "former-engineer-1.northgate@anonymised.invalid.\n"
        "The person was active and would be deactivated.\n"
        "API tokens would be revoked: 1. Logins would be deleted: 1.\n"
        "Entries of audit trail and back office log would be rewritten: 7.\n"
        "What people wrote in sessions, ratings and flows is not touched.\n"
        "Nothing was changed. Add --apply to do it; there is no way back.\n"
    )
    assert texts() == before


def test_name_and_email_are_nowhere_any_more(leaver):
    AuditEntry.objects.filter(account=None).update(actor=leaver)  # so that the name in it is hers
    out = run("engineer@northgate.example", "--apply")

    assert out.startswith(f"engineer@northgate.example is now Former engineer 1, {FORMER}.\n")
    for table, text in texts().items():
        for word in ("Haddad", "engineer@northgate", "Amira"):
            assert word.lower() not in text.lower(), table
    leaver.refresh_from_db()
    assert (leaver.name, leaver.email, leaver.is_active) == ("Former engineer 1", FORMER, False)
    assert not leaver.has_usable_password()
    assert ApiToken.objects.get().revoked_at is not None
    assert not EmailAddress.objects.exists()
    assert not Login.objects.exists()
    assert Session.objects.get().user == leaver


def test_what_happened_can_still_be_read(leaver, team_admin):
    run("engineer@northgate.example", "--apply")

    changed = AuditEntry.objects.get(action="role.changed")
    assert changed.object == "Former engineer 1"
    assert changed.detail == {"role": "engineer", "people": [{"name": "Former engineer 1"}]}
    revoked = AuditEntry.objects.get(action="token.revoked")
    assert (revoked.actor, revoked.object, revoked.detail) == (leaver, FORMER, {"label": "anonymised"})
    assert AuditEntry.objects.get(action="user.invited").detail["to"] == [FORMER]
    assert LogEntry.objects.get(object_id=str(team_admin.id)).change_message == f"Mail to {FORMER}"
    entry = AuditEntry.objects.get(action="user.anonymised")
    assert (entry.account, entry.actor, entry.object) == (leaver.account, None, FORMER)


def test_a_second_run_says_that_it_is_done(leaver):
    run("engineer@northgate.example", "--apply")

    assert run(FORMER, "--apply") == f"{FORMER} is anonymised already.\n"
    assert refusal("engineer@northgate.example", "--apply") == (
        "There is no user with the email engineer@northgate.example. "
        "Nobody has it any more who is anonymised already."
    )
    assert AuditEntry.objects.filter(action="user.anonymised").count() == 1


def test_each_leaver_gets_the_next_number_of_the_account(engineer, colleague, other_account):
    for email in (engineer.email, colleague.email):
        run(email, "--apply")
    assert User.objects.get(id=colleague.id).name == "Former engineer 2"
    theirs = UserFactory(account=other_account)
    run(theirs.email, "--apply")
    theirs.refresh_from_db()
    assert (theirs.name, theirs.email) == (
        "Former engineer 1",
        "former-engineer-1.southgate@anonymised.invalid",
    )


def test_an_address_that_a_former_slug_left_taken_is_passed_over(engineer, other_account):
    UserFactory(account=other_account, name="Former engineer 1", email=FORMER)
    run(engineer.email, "--apply")
    engineer.refresh_from_db()
    assert engineer.name == "Former engineer 2"


def test_words_that_only_contain_the_name_or_email_stay(account, team_admin):
    UserFactory(account=account, name="Jo", email="jo@x.example")
    kept = {"others": "bo.jo@x.example, jo@x.example.com, jo@y.example, Joan, pre-Jo.e"}
    AuditEntry.record("noted", actor=None, account=account, object="Joan", **kept)
    AuditEntry.record("noted", actor=None, account=AccountFactory(), object="Jo")
    run("jo@x.example", "--apply")
    entry, other = AuditEntry.objects.filter(action="noted").order_by("at")
    assert (entry.object, entry.detail, other.object) == ("Joan", kept, "Jo")


def test_the_name_of_a_namesake_stays(engineer, account):
    UserFactory(account=account, name=engineer.name)
    AuditEntry.record("noted", actor=None, account=account, object=engineer.name, mail=engineer.email)
    out = run(engineer.email, "--apply")
    assert "Somebody else in the account has the same name: it stays in texts, the email does not." in out
    entry = AuditEntry.objects.get(action="noted")
    assert (entry.object, entry.detail) == ("Amira Haddad", {"mail": FORMER})


def test_the_only_team_admin_and_people_without_an_account_are_kept(team_admin, account, super_admin):
    TeamAdminFactory(account=account, is_active=False)
    set_passwords(team_admin)
    assert refusal(team_admin.email, "--apply") == (
        "Dana Whitfield is the last team admin who can sign in. Make somebody else a team admin first."
    )
    assert "is a super admin without an account" in refusal(super_admin.email, "--apply")
    set_passwords(TeamAdminFactory(account=account))
    run(team_admin.email, "--apply")
    team_admin.refresh_from_db()
    assert team_admin.name == "Former engineer 1"


def test_a_super_admin_of_an_account_is_none_any_more(engineer):
    User.objects.filter(id=engineer.id).update(is_superuser=True)
    run(engineer.email, "--apply")
    engineer.refresh_from_db()
    assert not engineer.is_superuser


@pytest.mark.parametrize("name", ["<b>'; -- \\1 (", "[a-z]+", "Εύα ΣΟΦΊΑΣ", "ISIL İnci", "😀"])
def test_odd_names(account, name):
    UserFactory(account=account, name=name, email="odd@x.example")
    AuditEntry.record("noted", actor=None, account=account, object=f"to {name}", list=[name, 1, None, True])
    run("odd@x.example", "--apply")
    entry = AuditEntry.objects.get(action="noted")
    assert entry.object == "to Former engineer 1"
    assert entry.detail == {"list": ["Former engineer 1", 1, None, True]}


@pytest.mark.django_db(transaction=True)
def test_two_at_once_get_two_numbers_and_one_team_admin_stays():
    account = AccountFactory(slug="northgate")
    with account_scope(account):
        leads = [TeamAdminFactory(account=account, email=f"lead{n}@x.example") for n in (1, 2)]
        set_passwords(*leads)
    refused = []

    def leave(email):
        try:
            run(email, "--apply")
        except Refused as no:
            refused.append(str(no))
        connections.close_all()

    threads = [threading.Thread(target=leave, args=[lead.email]) for lead in leads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert User.objects.filter(is_active=True).count() == 1
