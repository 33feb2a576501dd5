"""Settings, Ticket system: connect, test, propose, map, switch off, remove."""

from datetime import timedelta

import pytest
from django.core.cache import cache

from flowpilot.models import Client, PsaConnection, PsaMember
from flowpilot.psa import sealing
from flowpilot.psa.providers.systems import system_of
from flowpilot.psa.stand_in.faults import Fault
from flowpilot.psa.stand_in.halopsa import HaloStandIn
from flowpilot.psa.stand_in.server import serving
from flowpilot.tests.factories import ClientFactory, PsaPushFactory
from flowpilot.tests.psa.standing_in import HALO_KEYS
from flowpilot.tests.psa_pages.keys import AMIRA, KEYS
from flowpilot.tests.runner.posting import NOW
from resolutionflow.models import AuditEntry
from resolutionflow.tests.pages import read

PAGE = "/settings/psa/connectwise/"
CONNECT = KEYS | {"public_key": "aNewPublicKey", "private_key": "aNewPrivateKey"}


def words_of(response):
    return read(response).one("main").text


def test_a_team_admin_connects_with_keys_that_nobody_sees_again(lead, account, address, stand_in):
    assert "ConnectWise PSA" in words_of(lead.get("/settings/psa/"))
    response = lead.post(PAGE, KEYS | {"base_url": address}, follow=True)
    connection = PsaConnection.objects.get()
    assert (connection.base_url, connection.active) == (address, True)
    assert sealing.open_sealed(connection.credentials) == KEYS
    page = read(response)
    assert page.one("input", name="company_id").attributes["value"] == "northgate"
    assert "value" not in page.one("input", name="private_key").attributes
    assert "Kept; leave empty to keep it." in words_of(response)
    entry = AuditEntry.objects.get(action="psa.connected")
    assert entry.detail["changed"] == ["company_id", "private_key", "public_key"]
    assert KEYS["private_key"] not in str(entry.detail)
    assert "ConnectWise PSA of Northgate IT answered, and the connection is saved." in response.text
    stand_in.private_key = "another"
    lead.post(
        PAGE, {"base_url": address, "company_id": "northgate", "public_key": "", "private_key": "another"}
    )
    assert sealing.open_sealed(PsaConnection.objects.get().credentials) == KEYS | {"private_key": "another"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"base_url": "http://na.myconnectwise.net"}, "The address must begin with https://."),
        ({"base_url": "no address at all"}, "This is no web address."),
        ({"private_key": ""}, "This field is required."),
        ({"private_key": "two\nlines"}, "Copy it again"),
        ({"company_id": "x" * 101}, "at most 100 characters"),
    ],
)
def test_what_cannot_be_saved_is_said(lead, account, given, words):
    response = lead.post(PAGE, CONNECT | {"base_url": "https://na.myconnectwise.net"} | given)
    assert response.status_code == 422
    assert words in words_of(response)
    assert "aNewPublicKey" not in response.text
    assert not PsaConnection.objects.exists()


def test_a_test_of_the_connection_says_that_it_works_and_lets_go_what_was_held(lead, connection):
    PsaConnection.objects.update(held_until=NOW + timedelta(hours=1), held_reason="keys_refused")
    assert "refuses the keys" in words_of(lead.get(PAGE))
    assert "The connection works." in words_of(lead.post(f"{PAGE}test/"))
    assert not PsaConnection.objects.get().held_reason


def test_what_it_was_held_for_leaves_the_page_with_the_test(lead, connection):
    PsaConnection.objects.update(held_until=NOW + timedelta(hours=1), held_reason="keys_refused")
    page = read(lead.get(PAGE))
    for marked in ("psa-held", "psa-banner-held"):
        assert "refuses the keys" in page.one("div", id=marked).text
    swapped = read(lead.post(f"{PAGE}test/", headers={"HX-Request": "true"}))
    for marked in ("psa-held", "psa-banner-held"):
        assert swapped.one("div", id=marked).attributes["hx-swap-oob"] == "delete"
    again = read(lead.post(f"{PAGE}test/", headers={"HX-Request": "true"}))
    assert not again.all("div", id="psa-held")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("401", "The ticket system refuses the keys."),
        ("403", "their role lacks a permission"),
        ("503_html", "cannot be reached at the moment"),
        ("429", "asks to wait because of too many requests"),
    ],
)
def test_each_way_to_fail_has_its_words(lead, connection, stand_in, fault, words):
    stand_in.faults.add(Fault(fault, times=9))
    response = lead.post(f"{PAGE}test/", headers={"HX-Request": "true"})
    text = read(response).text
    assert words in text
    assert "<main" not in response.text


def test_nobody_at_the_address(lead, connection):
    PsaConnection.objects.update(base_url="http://127.0.0.1:9")
    assert "cannot be reached at the moment" in words_of(lead.post(f"{PAGE}test/"))


def test_keys_that_cannot_be_read_are_asked_for_anew(lead, connection):
    PsaConnection.objects.update(credentials="sealed with a key that is gone")
    assert "cannot be read any more" in words_of(lead.post(f"{PAGE}test/"))
    assert "required" in read(lead.get(PAGE)).one("input", name="private_key").attributes


def test_without_a_key_to_seal_with_nothing_is_asked_for(lead, account, settings):
    settings.PSA_KEYS = []
    assert "PSA_KEYS" in words_of(lead.get(PAGE))
    assert lead.post(PAGE, CONNECT | {"base_url": "https://na.myconnectwise.net"}).status_code == 200
    assert not PsaConnection.objects.exists()


def test_while_pushes_are_under_way_it_cannot_become_another_system(lead, connection, address):
    PsaConnection.objects.update(system="connectwise 127.0.0.1 southgate")
    PsaPushFactory(connection=connection, system="connectwise 127.0.0.1 southgate")
    response = lead.post(PAGE, KEYS | {"base_url": address})
    assert response.status_code == 422
    assert "1 push is under way to the ticket system that is connected now" in words_of(response)
    PsaConnection.objects.update(system=system_of("connectwise", base_url=address, credentials=KEYS))
    assert lead.post(PAGE, KEYS | {"base_url": address}).status_code == 302


def test_after_it_was_removed_another_one_gets_nothing_of_what_was_left(lead, connection, address):
    PsaConnection.objects.update(system="connectwise psa.example southgate")
    push = PsaPushFactory(connection=connection, system="connectwise psa.example southgate")
    lead.post(f"{PAGE}remove/")
    assert lead.post(PAGE, KEYS | {"base_url": address}).status_code == 302
    push.refresh_from_db()
    assert (push.status, push.last_code) == ("needs_attention", "OtherSystem")
    assert "This was made for southgate at psa.example" in push.last_error


@pytest.mark.parametrize(
    ("fault", "words"), [(None, "refuses the keys"), ("503_html", "cannot be reached at the moment")]
)
def test_keys_that_were_not_answered_replace_none(lead, connection, address, stand_in, fault, words):
    if fault:
        stand_in.faults.add(Fault(fault, times=9))
    response = lead.post(PAGE, KEYS | {"base_url": address, "private_key": "mistyped"})
    assert response.status_code == 422
    assert words in words_of(response)
    assert "what was in use stays" in words_of(response)
    assert "mistyped" not in response.text
    assert sealing.open_sealed(PsaConnection.objects.get().credentials) == KEYS
    assert not AuditEntry.objects.filter(action="psa.changed").exists()


def test_the_badge_says_what_a_test_found(lead, connection, stand_in):
    state = read(lead.get(PAGE)).one("span", id="psa-state")
    assert state.text == "In use"
    stand_in.faults.add(Fault("401", times=9))
    for headers in ({}, {"HX-Request": "true"}):
        assert (
            read(lead.post(f"{PAGE}test/", headers=headers)).one("span", id="psa-state").text
            == "Does not answer well"
        )
    PsaConnection.objects.update(held_until=NOW + timedelta(hours=1), held_reason="keys_refused")
    assert read(lead.get(PAGE)).one("span", id="psa-state").text == "On hold"


def test_proposals_are_chosen_from_what_the_ticket_system_has(lead, connection):
    lead.post(f"{PAGE}lists/")
    page = read(lead.get(PAGE))
    options = [o.text for o in page.one("select", name="defaults-work_type").all("option")]
    assert options == ["None", "On-site", "Remote"]
    chosen = {"visibility": "resolution", "rounding": "15", "work_type": "31", "billing": "billable"}
    chosen |= {"sends_note": "on", "status_name": "Completed"}
    lead.post(f"{PAGE}defaults/", {f"defaults-{name}": value for name, value in chosen.items()})
    saved = PsaConnection.objects.get().defaults
    assert (saved["visibility"], saved["rounding"], saved["work_type"]) == ("resolution", 15, "31")
    assert (saved["sends_note"], saved["sends_time"]) == (True, False)
    cache.clear()  # the lists are gone, the name stays
    assert "Remote" in read(lead.get(PAGE)).one("select", name="defaults-work_type").text


def test_lists_that_do_not_come_say_so(lead, connection, stand_in):
    stand_in.faults.add(Fault("401", times=9))
    response = lead.post(f"{PAGE}lists/", follow=True)
    assert "The lists could not be fetched. The ticket system refuses the keys." in response.text


def test_a_template_knows_its_blanks(lead, connection):
    response = lead.post(f"{PAGE}template/", {"note_template": "{problem}\n{sollution}"})
    assert response.status_code == 422
    assert "Nothing is known by the name of {sollution}." in words_of(response)
    lead.post(f"{PAGE}template/", {"note_template": "Problem: {problem}\r\nBy flow: {flow}"})
    assert PsaConnection.objects.get().note_template == "Problem: {problem}\nBy flow: {flow}"


def test_members_are_proposed_by_email_and_saved(lead, connection, engineer, team_admin):
    engineer.email = "amira.haddad@northgate.example"
    engineer.save()
    lead.post(f"{PAGE}lists/", {"next": "members"})
    page = lead.get(f"{PAGE}members/")
    assert "proposed by email" in page.text
    mine, hers = f"member-{engineer.pk}", f"member-{team_admin.pk}"
    lead.post(f"{PAGE}members/", {f"{mine}-member": AMIRA, f"{mine}-work_role": "21", f"{hers}-member": ""})
    member = PsaMember.objects.get()
    assert (member.user_id, member.external_id, member.work_role) == (engineer.pk, AMIRA, "21")
    assert "ahaddad" in member.login
    bad = lead.post(f"{PAGE}members/", {f"{hers}-work_role": "21"})
    assert bad.status_code == 422
    assert "Choose a member" in words_of(bad)
    lead.post(f"{PAGE}members/", {f"{mine}-member": ""})
    assert not PsaMember.objects.exists()


def test_clients_get_their_company(lead, connection):
    acme, other = ClientFactory(name="Acme"), ClientFactory(name="Borealis", psa_company_id="9")
    page = f"{PAGE}clients/"
    assert "Borealis" not in words_of(lead.get(f"{page}?linked=no"))
    both = {f"client-{acme.pk}": "9", f"client-{other.pk}": "9"}
    response = lead.post(page, both)
    assert response.status_code == 422
    assert "Acme has this ID. A company is one client" in words_of(response)
    lead.post(page, both | {f"client-{acme.pk}": " 12 "})
    assert Client.objects.get(name="Acme").psa_company_id == "12"


def test_switched_off_and_removed(lead, connection):
    push = PsaPushFactory(connection=connection)
    lead.post(f"{PAGE}switch/", {"on": "0"})
    assert not PsaConnection.objects.get().active
    lead.post(f"{PAGE}switch/", {"on": "1"})
    assert PsaConnection.objects.get().active
    assert "They never will" in words_of(lead.get(f"{PAGE}remove/"))
    lead.post(f"{PAGE}remove/")
    kept = PsaConnection.objects.get()  # a push refers to it
    assert (kept.active, kept.credentials) == (False, "")
    assert lead.get(f"{PAGE}remove/").status_code == 404
    push.delete()
    kept.credentials = sealing.seal(KEYS)
    kept.save()
    lead.post(f"{PAGE}remove/")
    assert not PsaConnection.objects.exists()
    actions = [
        entry.action for entry in AuditEntry.objects.filter(action__startswith="psa.").order_by("at", "id")
    ]
    assert actions == ["psa.switched_off", "psa.switched_on", "psa.removed", "psa.removed"]


def test_one_is_in_use_at_a_time(lead, connection):
    with serving(HaloStandIn()) as url:
        response = lead.post("/settings/psa/halopsa/", HALO_KEYS | {"base_url": url}, follow=True)
    assert "preview" in words_of(response)
    assert list(PsaConnection.objects.filter(active=True).values_list("provider", flat=True)) == ["halopsa"]


def test_engineers_stay_out(browser, connection):
    assert browser.get(PAGE).status_code == 403
    assert browser.post(f"{PAGE}test/").status_code == 403
    assert browser.get("/settings/psa/autotask/").status_code == 403


def test_saved_keys_are_not_sent_to_another_address(lead, address):
    lead.post(PAGE, KEYS | {"base_url": address})
    kept = {"company_id": "northgate", "public_key": "", "private_key": ""}
    response = lead.post(PAGE, kept | {"base_url": "https://na.myconnectwise.net"})
    assert response.status_code == 422
    assert "Enter it anew: saved keys are not sent anywhere else." in words_of(response)
    assert lead.post(PAGE, kept | {"base_url": address, "company_id": "southgate"}).status_code == 422
    assert PsaConnection.objects.get().base_url == address
