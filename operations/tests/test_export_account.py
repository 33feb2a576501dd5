"""export_account: all of one account, nothing of another, of one moment, in a file that is whole or not there."""

import io
import json
import stat
import threading
from datetime import UTC, datetime
from itertools import islice

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.db import connections

from flowpilot.models import Client, PsaConnection, Session
from flowpilot.psa import sealing
from flowpilot.tests.factories import ClientFactory, SessionFactory
from operations.exporting import lines_of
from resolutionflow.management.refusing import Refused
from resolutionflow.models import Account, ApiToken, AuditEntry, RecentCalls, User
from resolutionflow.tenancy import account_scope
from resolutionflow.tenancy.schema import tenant_models
from tests.isolation import houses

pytestmark = pytest.mark.django_db(transaction=True)  # an export is a transaction of its own kind

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def north():
    house = houses.build("NORTHMARK", now=NOW)
    EmailAddress.objects.create(user=house.engineer, email=house.engineer.email)
    return house


@pytest.fixture
def south():
    house = houses.build("SOUTHMARK", now=NOW)
    EmailAddress.objects.create(user=house.engineer, email=house.engineer.email)
    return house


def export(*words):
    out, err = io.StringIO(), io.StringIO()
    call_command("export_account", *words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def refusal(*words):
    with pytest.raises(Refused) as refused:
        export(*words)
    assert refused.value.returncode == 2
    return str(refused.value)


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


EXPORTED = [Account, User, ApiToken, EmailAddress, AuditEntry]
SECRET = {User: {"password"}, ApiToken: {"hash"}, PsaConnection: {"credentials"}}


def test_every_table_and_every_field_of_the_account_is_there(north, south):
    found = rows(export("northmark", "-")[0])

    for model in [*EXPORTED, *tenant_models()]:
        of_model = [row for row in found if row["model"] == model._meta.label_lower]
        assert of_model, model
        fields = {field.attname for field in model._meta.concrete_fields} - SECRET.get(model, set())
        assert [set(row) for row in of_model] == [fields | {"model"}] * len(of_model), model
    with account_scope(north.account):
        ids = {str(id) for model in tenant_models() for id in model.objects.values_list("id", flat=True)}
    assert ids <= {row["id"] for row in found}
    assert [row["model"] for row in found[:2]] == ["resolutionflow.account", "resolutionflow.user"]
    assert found[-1]["model"] == "resolutionflow.auditentry"


def test_no_row_and_no_word_of_another_account_is_there(north, south):
    out, _ = export("northmark", "-")

    assert "SOUTHMARK" not in out.upper()
    assert str(south.account.id) not in out
    assert all(row["account_id"] == str(north.account.id) for row in rows(out) if "account_id" in row)


def test_what_refers_to_an_account_or_a_person_is_exported_or_known_not_to_be():
    exported = {*EXPORTED, *tenant_models()}
    others = {
        model
        for model in apps.get_models()
        if model not in exported
        and any(field.related_model in (Account, User) for field in model._meta.concrete_fields)
    }
    # the log of the back office is the installation's; of calls to the API only those of the last minute are kept
    assert others == {LogEntry, RecentCalls}


def test_values_are_exact(north):
    with account_scope(north.account):
        at = datetime(2026, 3, 10, 9, 0, 0, 123456, tzinfo=UTC)
        SessionFactory(problem_summary='“x”\n😀 עברית\u2028 =1+1 "', started_at=at, external_id="exact")

    out, _ = export("northmark", "-")

    session = next(row for row in rows(out) if row.get("external_id") == "exact")
    assert session["problem_summary"] == '“x”\n😀 עברית\u2028 =1+1 "'
    assert session["started_at"] == "2026-03-10T09:00:00.123456Z"
    assert session["duration_seconds"] == 600
    account = rows(out)[0]
    assert account["idle_limit"] == "P1DT00H00M00S"
    assert out.isascii()


def test_no_password_no_hash_and_no_key_of_a_ticket_system_is_there(north):
    north.engineer.set_password("correct horse battery")
    north.engineer.save()
    sealed = sealing.seal({"private_key": "quite secret"})
    with account_scope(north.account):
        PsaConnection.objects.update(credentials=sealed)

    out, _ = export("northmark", "-")

    assert north.engineer.password not in out
    assert ApiToken.hash_of(north.token) not in out
    assert sealed not in out
    assert "quite secret" not in out
    assert "NORTHMARK token" in out


def test_it_is_of_one_moment(north):
    lines = lines_of(north.account.id)
    first = list(islice(lines, 1))

    def somebody_else():
        with account_scope(north.account):
            ClientFactory(name="Came later", account=north.account)
            Client.objects.filter(name="NORTHMARK client").update(name="Renamed later")
        connections.close_all()

    thread = threading.Thread(target=somebody_else)
    thread.start()
    thread.join()
    text = "".join([*first, *lines])
    assert "later" not in text
    assert "later" in "".join(lines_of(north.account.id))


def test_it_writes_nothing_but_its_own_audit_entry(north, tmp_path):
    before = AuditEntry.objects.count()
    out, _ = export("northmark", str(tmp_path / "north.jsonl"))

    count = len((tmp_path / "north.jsonl").read_text().splitlines())
    assert out == f"Exported {count} rows of northmark to {tmp_path / 'north.jsonl'}.\n"
    entry = AuditEntry.objects.get(action="account.exported")
    assert (entry.account, entry.actor, entry.object, entry.detail) == (
        north.account,
        None,
        "northmark",
        {"rows": count},
    )
    assert AuditEntry.objects.count() == before + 1


def test_the_file_is_for_its_owner_only(north, tmp_path):
    path = tmp_path / "north.jsonl"
    export("northmark", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_exists_is_replaced_only_when_told(north, tmp_path):
    path = tmp_path / "north.jsonl"
    path.write_text("precious")

    assert refusal("northmark", str(path)) == f"{path} exists already. --overwrite replaces it."
    assert path.read_text() == "precious"
    export("northmark", str(path), "--overwrite")
    assert len(rows(path.read_text())) > 10


def test_a_file_that_came_meanwhile_is_left_alone(north, tmp_path, monkeypatch):
    path = tmp_path / "north.jsonl"

    def lines(account_id):
        path.write_text("precious")
        yield "{}\n"

    monkeypatch.setattr("operations.management.commands.export_account.lines_of", lines)
    assert refusal("northmark", str(path)) == f"{path} exists already. --overwrite replaces it."
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_leaves_nothing_behind(north, tmp_path, monkeypatch):
    def lines(account_id):
        yield "{}\n"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("operations.management.commands.export_account.lines_of", lines)
    path = tmp_path / "north.jsonl"
    assert refusal("northmark", str(path)) == f"{path} cannot be written: No space left on device."
    assert list(tmp_path.iterdir()) == []
    assert not AuditEntry.objects.filter(action="account.exported").exists()


def test_places_that_are_none(north, tmp_path):
    assert (
        refusal("northmark", str(tmp_path)) == f"{tmp_path} is no ordinary file. - writes to standard output."
    )
    away = tmp_path / "away" / "x.jsonl"
    assert refusal("northmark", str(away)) == f"There is no folder {away.parent}."
    assert refusal("eastmark", "-") == "There is no account with the slug eastmark."


def test_words_go_to_standard_error_where_the_rows_go_to_standard_output(north):
    out, err = export("northmark", "-")
    assert err == f"Exported {len(rows(out))} rows of northmark.\n"


def test_many_rows_are_fetched_in_parts(north, django_assert_max_num_queries):
    with account_scope(north.account):
        session = Session.objects.first()
        Session.objects.bulk_create(
            Session(user=session.user, problem_summary=f"Many {n}", started_at=NOW) for n in range(1200)
        )
    with django_assert_max_num_queries(40):
        out, _ = export("northmark", "-")
    assert sum('"Many ' in line for line in out.splitlines()) == 1200
