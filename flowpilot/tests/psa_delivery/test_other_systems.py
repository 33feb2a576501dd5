"""What was made for one company's ticket system never reaches another one's, whichever road it takes."""

import pytest

from flowpilot.models import PsaConnection, PsaPush
from flowpilot.psa import delivery, sweep
from flowpilot.psa.connecting import saving
from flowpilot.psa.connecting.providers import CONNECTWISE
from flowpilot.psa.connections import Providers
from flowpilot.psa.providers.errors import Invalid, OutcomeUnknown, StatusMoved
from flowpilot.psa.providers.systems import named, system_of
from flowpilot.psa.resending import send_again, send_all_again
from flowpilot.sessions.states import Refused
from flowpilot.tests.psa_delivery.conftest import CHOICES

ACME, OTHER = "connectwise psa.example acme", "connectwise psa.example borealis"
MADE_FOR = "This was made for acme at psa.example, and the connection leads to borealis at psa.example now"


def lead_to(system):
    PsaConnection.objects.update(system=system)


def connect(account, team_admin, company):
    keys = {"company_id": company, "public_key": "public", "private_key": "private"}
    saving.connect(account, CONNECTWISE, base_url="https://psa.example", credentials=keys, by=team_admin)


@pytest.mark.parametrize(
    ("address", "company"),
    [
        ("https://na.myconnectwise.net", "acme"),
        ("https://api-na.myconnectwise.net", "ACME"),
        ("https://NA.myconnectwise.net:443", " acme "),
    ],
)
def test_a_system_is_the_same_however_it_is_written(address, company):
    system = system_of("connectwise", base_url=address, credentials={"company_id": company})
    assert system == "connectwise na.myconnectwise.net acme"
    assert named(system) == "acme at na.myconnectwise.net"


@pytest.mark.parametrize(
    ("key", "address", "keys"),
    [
        ("connectwise", "https://eu.myconnectwise.net", {"company_id": "acme"}),
        ("connectwise", "https://na.myconnectwise.net", {"company_id": "acme2"}),
        ("connectwise", "https://na.myconnectwise.net:8443", {"company_id": "acme"}),
        ("halopsa", "https://na.myconnectwise.net", {"tenant": "acme"}),
    ],
)
def test_site_port_company_and_vendor_make_another_one(key, address, keys):
    assert system_of(key, base_url=address, credentials=keys) != "connectwise na.myconnectwise.net acme"


@pytest.mark.parametrize("state", ["pending", "retry_wait", "uncertain"])
def test_what_waits_is_left_to_a_person(desk, state):
    [push] = desk.put(CHOICES["note"])
    if state == "uncertain":
        desk.system.faults.append(OutcomeUnknown())
        desk.deliver()
        desk.now.move(hours=1)
    elif state == "retry_wait":
        PsaPush.objects.update(status="retry_wait")
    sends = desk.system.sends
    lead_to(OTHER)
    assert desk.deliver() == 0
    push.refresh_from_db()
    assert (push.status, push.last_code) == ("needs_attention", "OtherSystem")
    assert push.last_error.startswith(MADE_FOR)
    assert (desk.system.sends, desk.system.finds) == (sends, 0)

    with pytest.raises(Refused, match="This was made for acme"):
        send_again(push.id, now=desk.now())
    assert send_all_again(now=desk.now()) == 0
    desk.now.move(days=1)
    assert (sweep.accounts_with_work(desk.now()), desk.sweep(), desk.system.finds) == ([], 0, 0)

    lead_to(ACME)
    assert send_all_again(now=desk.now()) == 1
    desk.until_quiet()
    push.refresh_from_db()
    assert (push.status, len(desk.system.commits)) == ("success", 1)


def test_removed_and_connected_to_another_company(desk, account, team_admin):
    connect(account, team_admin, "acme")
    [waiting] = desk.put(CHOICES["note"])
    desk.put(CHOICES["note"], desk.session("200"))
    desk.system.faults.append(Invalid("No"))
    PsaPush.objects.filter(id=waiting.id).update(next_attempt_at=desk.now().replace(year=2027))
    desk.deliver()

    saving.remove(account, PsaConnection.objects.get(), by=team_admin)
    connect(account, team_admin, "borealis")
    desk.now.move(days=400)
    desk.until_quiet()
    assert (desk.system.sends, desk.system.finds) == (1, 0)
    assert PsaPush.objects.wanting_a_person().count() == 2
    assert send_all_again(now=desk.now()) == 0


def test_removed_and_connected_to_the_same_company_it_goes_on(desk, account, team_admin):
    connect(account, team_admin, "acme")
    [push] = desk.put(CHOICES["note"])
    saving.remove(account, PsaConnection.objects.get(), by=team_admin)
    assert desk.deliver() == 0
    connect(account, team_admin, "Acme")
    desk.until_quiet()
    push.refresh_from_db()
    assert push.status == "success"


@pytest.mark.parametrize("act", ["lead elsewhere", "switch off"])
def test_a_change_while_a_worker_holds_it(desk, monkeypatch, act):
    [push] = desk.put(CHOICES["note"])
    original = desk.system.get_ticket

    def get_ticket(ref):
        PsaConnection.objects.update(**({"system": OTHER} if act == "lead elsewhere" else {"active": False}))
        return original(ref)

    monkeypatch.setattr(desk.system, "get_ticket", get_ticket)
    desk.deliver()
    push.refresh_from_db()
    assert desk.system.sends == 0
    if act == "lead elsewhere":
        assert (push.status, push.last_code) == ("needs_attention", "OtherSystem")
    else:
        assert (push.status, push.tries, desk.deliver()) == ("pending", 0, 0)


def test_what_a_worker_left_behind_goes_nowhere_else(desk, monkeypatch):
    [push] = desk.put(CHOICES["note"])

    class Died(BaseException):
        pass

    desk.system.faults.append(Died())
    with pytest.raises(Died):
        desk.deliver()
    lead_to(OTHER)
    desk.now.move(minutes=11)
    assert delivery.accounts_with_work(desk.now()) == [desk.account.id]
    desk.deliver()
    push.refresh_from_db()
    assert (push.status, push.last_code, desk.system.finds) == ("needs_attention", "OtherSystem", 0)


def test_a_run_makes_a_changed_connection_anew(desk):
    made = []
    providers = Providers(lambda connection: made.append(connection.base_url) or desk.system)
    connection = desk.connection
    providers.of(connection)
    providers.of(connection)
    connection.base_url, connection.system = "https://eu.example", "connectwise eu.example acme"
    providers.of(connection)
    assert made == ["https://psa.example", "https://eu.example"]


def test_a_double_is_deleted_in_its_own_system_only(desk, team_admin):
    [push] = desk.put(CHOICES["note"])
    desk.until_quiet()
    PsaPush.objects.update(doubles=[{"external_id": "9", "url": ""}])
    push.refresh_from_db()
    lead_to(OTHER)
    with pytest.raises(Refused, match=r"made for acme.*Delete the double there by hand"):
        sweep.delete_double(push, "9", actor=team_admin)


def test_a_status_that_was_moved_is_set_on_its_own_ticket_of_its_own_system(desk):
    session = desk.session("100")
    [push] = desk.put(CHOICES["status"], session)
    desk.system.faults.append(StatusMoved())
    desk.deliver()
    desk.system.ticket("200")
    session.psa_ticket_id = "200"
    session.save()
    lead_to(OTHER)
    with pytest.raises(Refused, match="made for acme"):
        send_again(push.id, now=desk.now(), provider_of=desk.means.provider_of)
    lead_to(ACME)
    again = send_again(push.id, now=desk.now(), provider_of=desk.means.provider_of)
    assert (again.psa_ticket_id, again.revision, again.system) == ("100", 2, ACME)
    desk.until_quiet()
    assert (desk.system.tickets["100"].status_ref, desk.system.tickets["200"].status_ref) == ("5", "1")
