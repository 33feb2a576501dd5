"""The ticket of a session: found, linked with its client, entered by hand, unlinked."""

import pytest
from uuid6 import uuid7

from flowpilot.models import Client, Session
from flowpilot.psa.stand_in.faults import Fault
from flowpilot.sessions import driving
from flowpilot.sessions.states import Outcome
from flowpilot.tests.factories import ClientFactory, SessionFactory
from flowpilot.tests.runner.posting import NOW
from resolutionflow.tests.pages import read


def page(session, rest=""):
    return f"/sessions/{session.id}/ticket/{rest}"


def test_tickets_are_found_by_words_and_by_number(browser, connection, session):
    found = read(browser.post(page(session, "find/"), {"find": "printer"}))
    assert [b.text for b in found.all("b")] == ["5002 · Printer on the second floor prints blank pages"]
    assert "Millbrook Estates · Help Desk · New" in found.text
    whole = read(browser.post(page(session), {"find": "5001", "search": "1"}))  # without a script
    assert "5001 · No network in the meeting room" in whole.text
    assert "has no ticket with “zebra”" in browser.post(page(session, "find/"), {"find": "zebra"}).text
    assert "<b>" not in browser.post(page(session, "find/"), {"find": "p"}).text


def test_the_client_comes_with_the_ticket(browser, connection, session):
    response = browser.post(page(session), {"ticket": "5002"}, follow=True)
    session.refresh_from_db()
    assert (session.psa_ticket_id, session.client.name) == ("5002", "Millbrook Estates")
    assert "Ticket 5002 is linked. It is Millbrook Estates&#x27;s." in response.text


@pytest.mark.parametrize("known", ["by id", "by name", "by name, of another id"])
def test_a_client_that_is_known_is_taken(browser, connection, session, stand_in, known):
    company = stand_in.tables.tickets[5002]["company"]
    given = {"by id": str(company), "by name": None, "by name, of another id": "77"}[known]
    name = "Mill House" if known == "by id" else "MILLBROOK estates"
    client = ClientFactory(name=name, psa_company_id=given)
    browser.post(page(session), {"ticket": "#5002"})
    session.refresh_from_db()
    client.refresh_from_db()
    assert session.client == client
    assert client.psa_company_id == (given or str(company))
    assert Client.objects.count() == 1


def test_a_number_that_the_ticket_system_does_not_know_is_refused(browser, connection, session):
    response = browser.post(page(session), {"ticket": "99999"})
    assert response.status_code == 422
    assert "ConnectWise PSA has no ticket 99999" in response.text
    assert Session.objects.get(id=session.id).psa_ticket_id == "5001"


def test_while_it_is_down_the_number_does_by_hand(browser, connection, session, stand_in):
    stand_in.faults.add(Fault("503_html", times=9))
    found = browser.post(page(session, "find/"), {"find": "printer"}).text
    assert "cannot be reached at the moment. You can still enter the number below" in found
    response = browser.post(page(session), {"ticket": "48213"}, follow=True)
    assert "Ticket 48213 is linked, but could not be looked up" in response.text
    assert Session.objects.get(id=session.id).psa_ticket_id == "48213"


def test_without_a_ticket_system_there_is_the_number_alone(browser, account, session):
    assert "Search" not in read(browser.get(page(session))).one("main").text
    browser.post(page(session), {"ticket": " A-17 "})
    assert Session.objects.get(id=session.id).psa_ticket_id == "A-17"
    browser.post(page(session), {"unlink": "1"})
    assert Session.objects.get(id=session.id).psa_ticket_id is None
    for bad in ("x" * 101, "A\0-17", " "):
        assert browser.post(page(session), {"ticket": bad}).status_code == 422


def test_a_call_for_help_keeps_its_moment(browser, connection, session):
    driving.ask_for_help(session.id, reason="No idea", now=NOW)
    browser.post(page(session), {"ticket": "5002"})
    assert Session.objects.get(id=session.id).last_activity_at == NOW


def test_whose_ticket_it_is_to_change(lead, connection, session, colleague):
    assert lead.get(page(session)).status_code == 403  # while it is open, its engineer's alone
    driving.complete(session.id, outcome=Outcome.RESOLVED, now=NOW, resolution_summary="Cable")
    response = lead.post(page(session), {"ticket": "5002"})
    assert response.url == f"/sessions/{session.id}/push/"
    lead.force_login(colleague)
    assert lead.post(page(session), {"ticket": "5003"}).status_code == 403
    with_stranger = SessionFactory(user=colleague)
    lead.force_login(session.user)
    assert lead.post(page(with_stranger, "find/"), {"find": "printer"}).status_code == 403


def test_a_session_starts_with_a_ticket_that_was_searched(browser, connection, engineer):
    form = {"problem_summary": "Blank pages", "session_id": str(uuid7())}
    found = read(browser.post("/sessions/new/tickets/", form | {"find_ticket": "printer"}))
    assert [b.text for b in found.all("b")] == ["5002 · Printer on the second floor prints blank pages"]
    chosen = browser.post("/sessions/new/tickets/", form | {"find_ticket": "printer", "pick": "5002"})
    assert "Ticket 5002 is chosen. It is Millbrook Estates&#x27;s." in chosen.text
    client = Client.objects.get(name="Millbrook Estates")
    assert read(chosen).one("input", name="psa_ticket_id").attributes["value"] == "5002"
    assert [o.text for o in read(chosen).all("option") if "selected" in o.attributes] == [str(client)]
    whole = read(browser.post("/sessions/new/", form | {"pick": "5002"}))  # without a script
    assert whole.one("input", name="problem_summary").attributes["value"] == "Blank pages"
    browser.post("/sessions/new/", form | {"client": client.id, "psa_ticket_id": "5002", "offered": "1"})
    session = Session.objects.get(id=form["session_id"])
    assert (session.psa_ticket_id, session.client) == ("5002", client)


def test_a_ticket_that_is_not_there_or_cannot_be_asked_for_loses_nothing(browser, connection, stand_in):
    form = {"problem_summary": "Blank pages", "session_id": str(uuid7()), "pick": "99999"}
    assert "ConnectWise PSA has no ticket 99999" in browser.post("/sessions/new/tickets/", form).text
    stand_in.faults.add(Fault("503_html", times=9))
    page = browser.post("/sessions/new/tickets/", form | {"pick": "5002"})
    assert "You can still enter the number above" in page.text
    assert read(page).one("input", name="psa_ticket_id").attributes["value"] == "5002"


def test_a_number_that_is_typed_brings_its_client_and_starts_whatever_is_said_of_it(
    browser, connection, stand_in
):
    def started(ref):
        form = {"problem_summary": "Blank pages", "session_id": str(uuid7()), "offered": "1"}
        page = browser.post("/sessions/new/", form | {"psa_ticket_id": ref}, follow=True).text
        session = Session.objects.get(id=form["session_id"])
        return session.psa_ticket_id, str(session.client or ""), page

    assert started("## 5002")[:2] == ("5002", "Millbrook Estates")
    assert started("#\u200b")[:2] == (None, "")
    ref, client, page = started("99999")
    assert (ref, client) == ("99999", "")
    assert "has no ticket 99999" in page
    stand_in.faults.add(Fault("503_html", times=9))
    ref, client, page = started("5002")
    assert (ref, client) == ("5002", "")
    assert "could not be looked up" in page


def test_the_search_of_a_new_session_is_there_with_a_ticket_system_only(browser, account):
    assert "find_ticket" not in browser.get("/sessions/new/").text
    form = {"pick": "5002", "find_ticket": "printer", "session_id": str(uuid7())}
    assert browser.post("/sessions/new/tickets/", form).status_code == 200
