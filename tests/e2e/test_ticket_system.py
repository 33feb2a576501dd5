"""From connecting a ticket system to what it has in the end, in a browser, against the stand-in over real HTTP."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from flowpilot.models import PsaConnection, PsaPush, Session
from flowpilot.psa import sealing
from flowpilot.psa.delivery import Means, deliver
from flowpilot.psa.stand_in.connectwise import ConnectWiseStandIn
from flowpilot.psa.stand_in.server import serving
from flowpilot.sessions import driving, starting
from flowpilot.sessions.states import Outcome
from flowpilot.tests.factories import ClientFactory, PsaConnectionFactory, PsaMemberFactory, PsaPushFactory
from flowpilot.tests.psa_pages.keys import AMIRA, KEYS
from tests.e2e.axe import in_every_look
from tests.e2e.looks import NARROW_DARK
from tests.e2e.people import log_in
from tests.e2e.rows import NOW

pytestmark = pytest.mark.browser


@pytest.fixture
def stand_in():
    return ConnectWiseStandIn()


@pytest.fixture
def address(stand_in, noon):
    cache.clear()
    with serving(stand_in) as url:
        yield url


@pytest.fixture
def connection(account, address):
    return PsaConnectionFactory(base_url=address, credentials=sealing.seal(KEYS))


def test_from_connecting_to_delivered(page, complaints, account, address, stand_in, team_admin, engineer):
    complaints.expect("htmx:sendAbort", "htmx:afterRequest")  # a look at the ticket gives way to a newer one
    session = starting.start(engineer, problem_summary="No network", now=NOW - timedelta(minutes=10))
    log_in(page, team_admin)
    page.goto("/settings/psa/")
    page.get_by_role("link", name="Connect ConnectWise PSA").click()
    page.get_by_label("Site").fill(address)
    page.get_by_label("Company").fill(KEYS["company_id"])
    page.get_by_label("Public key").fill(KEYS["public_key"])
    page.get_by_label("Private key").fill(KEYS["private_key"])
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("answered, and the connection is saved.")).to_be_visible()
    PsaMemberFactory(
        connection=PsaConnection.objects.get(), user=engineer, external_id=AMIRA, work_role="21", location="1"
    )

    log_in(page, engineer)
    page.goto(f"/sessions/{session.id}/")
    page.get_by_role("link", name="Link a ticket").click()
    page.keyboard.type("meeting")  # the field has the focus
    found = page.get_by_role("button", name="5001 · No network in the meeting room")
    found.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ticket 5001 is linked. It is Harbour Dental Group's.")).to_be_visible()
    page.get_by_role("link", name="Finish").click()
    page.get_by_label("What solved it?").fill("Replaced the cable")
    page.get_by_role("checkbox", name="Time entry").check()
    page.get_by_role("spinbutton").fill("15")
    page.get_by_role("spinbutton").press("Tab")
    page.get_by_text("Show and edit what is sent").click()
    expect(page.locator(".sent-text", has_text="0.25 h")).to_be_visible()
    page.get_by_label("Status", exact=True).select_option(label="Completed")
    expect(page.locator(".sent-text", has_text="In Progress → Completed")).to_be_visible()
    page.get_by_role("button", name="Finish", exact=True).click()
    expect(page.get_by_role("heading", name="Sent to the ticket")).to_be_visible()
    deliver(account.id, Means(clock=lambda: NOW))
    page.reload()
    expect(page.locator("#pushes .badge", has_text="Delivered")).to_have_count(3)
    assert [commit["kind"] for commit in stand_in.ledger.commits] == ["note", "time_entry", "status"]

    log_in(page, team_admin)
    page.goto("/psa/")
    expect(page.get_by_role("link", name="No network")).to_have_count(1)
    expect(page.locator(".ledger .badge", has_text="Delivered")).to_have_count(3)
    page.goto("/analytics/flowpilot/?tab=psa")
    expect(page.get_by_role("link", name="0.25").first).to_be_visible()


def test_choices_made_without_a_connection_to_us_arrive(page, context, complaints, connection, engineer):
    session = starting.start(engineer, problem_summary="No network", psa_ticket_id="5001", now=NOW)
    log_in(page, engineer)
    page.goto(f"/sessions/{session.id}/")
    page.get_by_role("link", name="Finish").click()
    expect(page.get_by_text("No network in the meeting room")).to_be_visible()
    page.get_by_label("What solved it?").fill("Replaced the cable")
    page.locator("#push-fields select").first.select_option("resolution")
    page.get_by_label("What solved it?").focus()
    complaints.expect("ERR_INTERNET_DISCONNECTED")
    context.set_offline(True)
    page.evaluate("document.querySelector('.finish-form').requestSubmit()")
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    context.set_offline(False)
    page.get_by_role("button", name="Send now").click()
    expect(page.get_by_role("heading", name="Sent to the ticket")).to_be_visible()
    push = PsaPush.objects.get()
    assert (Session.objects.get().outcome, push.kind) == ("resolved", "note")
    assert '"resolutionFlag": true' in push.wire.body.replace('":true', '": true')
    assert "Replaced the cable" in push.wire.text


def test_every_page_in_every_look(page, connection, team_admin, engineer):
    session = starting.start(engineer, problem_summary="No network", psa_ticket_id="5001", now=NOW)
    log_in(page, engineer)
    page.goto(f"/sessions/{session.id}/ticket/")
    page.get_by_label("Search ConnectWise PSA").fill("printer")
    expect(page.get_by_role("button", name="5002")).to_be_visible()
    in_every_look(page)
    page.goto(f"/sessions/{session.id}/finish/")
    page.get_by_text("Show and edit what is sent").click()
    expect(page.locator(".sent-text")).to_have_count(1)
    in_every_look(page)
    driving.complete(session.id, outcome=Outcome.RESOLVED, now=NOW, resolution_summary="Cable")
    facts = {"connection": connection, "session": session, "psa_ticket_id": "5001"}
    refused = PsaPushFactory(status="needs_attention", last_error="The ticket is gone.", **facts)
    double = PsaPushFactory(
        kind="status", status="success", doubles=[{"external_id": "7", "url": ""}], **facts
    )
    PsaConnection.objects.update(held_until=NOW + timedelta(hours=1), held_reason="keys_refused")
    log_in(page, team_admin)
    for address in (
        "connectwise/",
        "connectwise/members/",
        "connectwise/clients/",
        "connectwise/remove/",
        "halopsa/",
    ):
        page.goto(f"/settings/psa/{address}")
        in_every_look(page)
    for address in ("/psa/", "/psa/without-time/", f"/psa/{double.id}/double/", f"/sessions/{session.id}/"):
        page.goto(address)
        expect(page.get_by_role("complementary", name="Ticket system")).to_be_visible()
        in_every_look(page)
    page.goto(f"/sessions/{session.id}/push/")
    expect(page.get_by_text("No network in the meeting room")).to_be_visible()
    in_every_look(page)
    page.goto(f"/sessions/{session.id}/push/{refused.id}/dismiss/?back=state%3Dattention")
    in_every_look(page)
    PsaConnection.objects.update(active=False)
    page.goto("/settings/psa/")
    in_every_look(page)


HOSTILE = '<script>alert(1)</script> "O\'Brien" 🖨️ =HYPERLINK("http://x","y") مشكلة في الطابعة'


@pytest.mark.parametrize("look", [NARROW_DARK], ids=str)
def test_what_needs_somebody_is_seen_to_on_a_phone(page, connection, team_admin, engineer):
    client = ClientFactory(name=HOSTILE[:100])
    session = starting.start(engineer, problem_summary=HOSTILE, psa_ticket_id="5001", client=client, now=NOW)
    driving.complete(session.id, outcome=Outcome.RESOLVED, now=NOW, resolution_summary="Cable")
    facts = {"connection": connection, "session": session, "psa_ticket_id": "5001"}
    PsaPushFactory(status="needs_attention", last_code="TicketNotFound", last_error="It is gone.", **facts)
    PsaPushFactory(kind="time_entry", status="needs_attention", last_error=HOSTILE, **facts)
    PsaPushFactory(kind="status", status_ref="104", **facts)
    log_in(page, team_admin)
    page.goto("/psa/?state=attention")
    expect(page.get_by_role("link", name=HOSTILE)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    acts = page.locator(".push-acts :is(a, button)")
    for act in acts.all():  # all of them are in sight, without a table to be scrolled
        box = act.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= NARROW_DARK.width
    page.get_by_role("link", name="Dismiss: Time entry").click()
    page.get_by_label("Why, for whoever asks later").fill("Billed by hand")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("Time entry for 5001 is dismissed.")).to_be_visible()
    assert page.url.endswith("/psa/?state=attention")
    expect(page.get_by_text("Waits for the note, which needs you.")).to_be_visible()
    page.get_by_role("button", name="Set it now").click()
    expect(page.get_by_text("The status of ticket 5001 is set now.")).to_be_visible()
    expect(page.get_by_role("complementary", name="Ticket system")).to_contain_text("1 push needs attention")
    page.get_by_role("link", name="Link another ticket").click()
    expect(page.get_by_role("heading", name="Change the ticket")).to_be_visible()
