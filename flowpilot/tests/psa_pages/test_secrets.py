"""Nothing that was sealed is ever seen again: on no page, in no log and no form of the back office.
operations/tests/test_export_account.py looks into the export."""

import json
import logging

import pytest

from flowpilot.models import PsaConnection
from flowpilot.psa.delivery import Means, deliver
from flowpilot.psa.outbox import PushChoices, enqueue
from flowpilot.psa.stand_in.faults import Fault
from flowpilot.sessions import driving
from flowpilot.sessions.states import Outcome
from flowpilot.tests.psa_pages.keys import KEYS
from flowpilot.tests.runner.posting import NOW
from resolutionflow.models import AuditEntry

SECRETS = (KEYS["public_key"], KEYS["private_key"])


def has_none(text, sealed):
    return not any(secret in text for secret in (*SECRETS, sealed))


@pytest.fixture
def used(lead, member, session, address, account, stand_in, caplog):
    """A connection that was made, tested, refused and pushed over, with every log kept."""
    caplog.set_level(logging.DEBUG)
    page = "/settings/psa/connectwise/"
    answers = [lead.post(page, KEYS | {"base_url": address})]
    answers.append(lead.post(page, KEYS | {"base_url": "no address at all"}))
    driving.complete(session.id, outcome=Outcome.RESOLVED, now=NOW, resolution_summary="Cable")
    enqueue(session, PushChoices(note=True, note_text="Cable"), now=NOW)
    stand_in.faults.add(Fault("401", times=1))
    answers.append(lead.post(f"{page}test/"))
    deliver(account.id, Means(clock=lambda: NOW))
    return answers


def test_no_page_log_or_trail_has_a_secret(lead, used, super_admin, session, account, caplog):
    connection = PsaConnection.objects.get()
    sealed = connection.credentials
    for answer in used:
        assert has_none(answer.text, sealed)
    paths = (
        "/settings/psa/connectwise/",
        "/settings/psa/connectwise/members/",
        "/psa/",
        f"/sessions/{session.id}/",
    )
    for path in paths:
        assert has_none(lead.get(path).text, sealed)
    assert has_none(caplog.text + str([record.__dict__ for record in caplog.records]), sealed)
    assert has_none(json.dumps([entry.detail for entry in AuditEntry.objects.all()]), sealed)
    assert has_none(str(list(connection.pushes.values())) + repr(connection), sealed)
    lead.force_login(super_admin)
    lead.post("/accounts/choose/", {"account": account.slug})
    admin = f"/admin/flowpilot/psaconnection/{connection.pk}/change/"
    answer = lead.get(admin)
    assert answer.status_code == 200
    assert has_none(answer.text, sealed)
