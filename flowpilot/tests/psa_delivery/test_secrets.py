"""The keys to a ticket system: sealed at rest, and in no log, page of the back office, export or error report."""

import logging
from base64 import b64encode
from contextlib import closing
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.views.debug import ExceptionReporter

from flowpilot.models import PsaConnection
from flowpilot.psa import sealing
from flowpilot.psa.checks import keys_are_keys, there_is_a_key
from flowpilot.psa.connections import provider_of
from flowpilot.psa.providers.errors import TicketNotFound
from flowpilot.psa.stand_in.faults import Fault
from flowpilot.psa.stand_in.seed import COMPANY_ID, PRIVATE_KEY, PUBLIC_KEY
from flowpilot.tests.psa_delivery.test_against_the_stand_in import WRITES, put_one_of_each
from flowpilot.tests.psa_delivery.test_against_the_stand_in import stand_in as stand_in_of_tests  # noqa: F401
from resolutionflow.jobs.models import error_line
from resolutionflow.logs import JsonFormatter

LOGIN = b64encode(f"{COMPANY_ID}+{PUBLIC_KEY}:{PRIVATE_KEY}".encode()).decode()
SECRETS = [PRIVATE_KEY, PUBLIC_KEY, LOGIN]
FIRST, SECOND = (Fernet.generate_key().decode() for _ in range(2))


@pytest.fixture
def stand_in(stand_in_of_tests):  # noqa: F811
    return stand_in_of_tests


def secrets_in(text):
    sealed = PsaConnection.objects.values_list("credentials", flat=True)
    return [secret for secret in [*SECRETS, *sealed] if secret in text]


def test_what_is_sealed_opens_with_any_of_the_keys(settings):
    settings.PSA_KEYS = [FIRST]
    sealed = sealing.seal({"private_key": "quite secret"})
    assert "quite secret" not in sealed
    settings.PSA_KEYS = [SECOND, FIRST]
    assert sealing.open_sealed(sealed) == {"private_key": "quite secret"}
    assert Fernet(SECOND).decrypt(sealing.seal({"a": "b"}))  # the first seals
    settings.PSA_KEYS = [SECOND]
    with pytest.raises(sealing.CannotOpen, match="Enter them again"):
        sealing.open_sealed(sealed)


def reseal():
    said = StringIO()
    call_command("reseal_psa_keys", stdout=said)
    return said.getvalue()


def test_what_is_stored_is_sealed_anew_so_that_the_old_key_can_go(desk, settings):
    settings.PSA_KEYS = [FIRST]
    PsaConnection.objects.update(credentials=sealing.seal({"private_key": "quite secret"}))
    settings.PSA_KEYS = [SECOND, FIRST]
    assert reseal() == "Sealed with the first key: 1 anew, 0 already.\n"
    assert reseal() == "Sealed with the first key: 0 anew, 1 already.\n"
    settings.PSA_KEYS = [SECOND]
    assert sealing.open_sealed(PsaConnection.objects.get().credentials) == {"private_key": "quite secret"}


def test_what_no_key_opens_is_named_and_stays(desk, settings):
    settings.PSA_KEYS = [FIRST]
    PsaConnection.objects.update(credentials=sealing.seal({"private_key": "quite secret"}))
    settings.PSA_KEYS = [SECOND]
    before = PsaConnection.objects.get().credentials
    with pytest.raises(CommandError, match=r"None of PSA_KEYS opens those of northgate \(ConnectWise PSA\)"):
        reseal()
    assert PsaConnection.objects.get().credentials == before


@pytest.mark.parametrize("keys", [[], ["no key"]])
def test_without_a_key_nothing_is_kept(settings, keys):
    settings.PSA_KEYS = keys
    with pytest.raises(sealing.NoKey, match="PSA_KEYS"):
        sealing.seal({"private_key": "quite secret"})
    with pytest.raises(sealing.CannotOpen):
        sealing.open_sealed("")


def test_checks_say_what_is_wrong_with_the_keys_and_not_which(settings):
    settings.PSA_KEYS = [FIRST, "mistyped"]
    [fault] = keys_are_keys(None)
    assert (fault.id, there_is_a_key(None)) == ("psa.E001", [])
    assert "number 2" in fault.msg
    assert "mistyped" not in str(fault)
    settings.PSA_KEYS = []
    [warning] = there_is_a_key(None)
    assert (warning.id, sealing.can_seal(), keys_are_keys(None)) == ("psa.W001", False, [])


def test_the_database_has_them_sealed_only(desk, stand_in):
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT c::text FROM flowpilot_psaconnection c WHERE account_id = %s", [desk.account.id]
        )
        [(row,)] = cursor.fetchall()
    assert not any(secret in row for secret in SECRETS)


def test_logs_have_neither_keys_nor_texts(desk, stand_in, caplog):
    caplog.set_level(logging.DEBUG)
    put_one_of_each(desk)
    for name in ["401", "500_before_commit", "409", "close_after_commit"]:
        for method, path in WRITES:
            given = {"fault": name, "match": {"method": method, "path": path}}
            stand_in.faults.add(Fault.from_json(given))
    desk.until_quiet()
    written = "\n".join(JsonFormatter().format(record) for record in caplog.records)
    assert "Looked a push up" in written
    assert secrets_in(written) == []
    assert "roller" not in written


def test_an_error_report_has_none(desk, stand_in):
    with closing(provider_of(desk.connection)) as provider, pytest.raises(TicketNotFound) as caught:
        provider.get_ticket("999999")
    report = ExceptionReporter(None, caught.type, caught.value, caught.tb)
    shown = report.get_traceback_html() + report.get_traceback_text() + error_line(caught.value)
    assert secrets_in(shown) == []
    assert secrets_in(repr(desk.connection) + str(desk.connection)) == []


def test_the_back_office_shows_none(desk, stand_in, client, super_admin):
    [push, *_] = put_one_of_each(desk)
    desk.until_quiet()
    client.force_login(super_admin)
    client.post("/accounts/choose/", {"account": "northgate"})
    for path in (
        "psaconnection/",
        f"psaconnection/{desk.connection.id}/change/",
        "psapush/",
        f"psapush/{push.id}/change/",
        "psapushattempt/",
        "psamember/",
    ):
        answer = client.get(f"/admin/flowpilot/{path}")
        assert answer.status_code == 200
        assert secrets_in(answer.content.decode()) == []
    assert client.get("/admin/flowpilot/psaconnection/add/").status_code == 403
