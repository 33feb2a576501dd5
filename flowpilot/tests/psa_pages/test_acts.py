"""What a person can say to a push on the pages: set it now, drop it, dismiss it, send it elsewhere."""

from datetime import timedelta

import pytest

from flowpilot.models import PsaConnection, PsaPush, Session
from flowpilot.psa.delivery import Means, deliver
from flowpilot.sessions import driving
from flowpilot.sessions.states import Outcome
from flowpilot.tests.factories import PsaPushFactory
from flowpilot.tests.psa_pages.test_ledger import act, rows
from flowpilot.tests.runner.posting import NOW
from resolutionflow.models import AuditEntry
from resolutionflow.tests.pages import read


@pytest.fixture
def ended(session):
    driving.complete(session.id, outcome=Outcome.RESOLVED, now=NOW, resolution_summary="Cable")
    session.refresh_from_db()
    return session


@pytest.fixture
def pushes(connection, ended):
    """The time entry is refused, and the status behind it waits."""
    facts = {"connection": connection, "session": ended, "psa_ticket_id": "5001"}
    return {
        "note": PsaPushFactory(status="success", external_id="9001", **facts),
        "time": PsaPushFactory(
            kind="time_entry", hours="0.50", status="needs_attention", last_error="Closed.", **facts
        ),
        "status": PsaPushFactory(kind="status", status_ref="104", **facts),
    }


def buttons(element):
    return [e.text for e in element.all("button") + element.all("a") if "button" in e.attributes["class"]]


def acts_of(page, kind):
    """What the ledger offers for a push."""
    [row] = [row for row in page.all("tr") if row.text.startswith(kind)]
    return buttons(row.one("div", class_="push-acts"))


def banner(client):
    found = read(client.get("/flows/")).all("aside", class_="psa-banner")
    return found[0].text if found else ""


def test_a_status_behind_a_refused_time_entry_says_so_on_both_pages(lead, pushes, ended):
    words = "Waits for the time entry, which needs you. Set it now, or drop it."
    page = read(lead.get("/psa/?state=attention"))
    assert [(row[0], row[1].split()[0]) for row in rows(page)] == [
        ("Time entry 0.50 h", "Needs"),
        ("Status", "Waits"),
    ]
    assert words in page.text
    assert acts_of(page, "Status") == ["Set it now", "Drop it"]
    assert acts_of(page, "Time entry") == ["Send again", "Dismiss"]
    tabs = [link.text for link in page.one("nav", aria_label="Which pushes").all("a")]
    assert tabs == ["Needs attention 2", "Under way 0", "Delivered 1", "All 3"]
    own = read(lead.get(f"/sessions/{ended.id}/")).one("section", id="pushes")
    assert words in own.text
    assert [b.text for b in own.all("b")] == ["Note", "Time entry · 0.50 h", "Status"]
    assert "hx-get" not in own.attributes  # nothing of it goes on by itself
    assert "2 pushes need attention." in banner(lead)


def test_a_status_on_a_merged_ticket_cannot_be_set_now_and_is_not_offered(lead, pushes, ended):
    PsaPush.objects.filter(id=pushes["time"].id).update(last_code="TicketMerged")
    page = read(lead.get("/psa/?state=attention"))
    assert acts_of(page, "Status") == ["Drop it"]
    assert "needs you. Link another ticket, or drop it." in page.text
    assert "Set it now" not in read(lead.get(f"/sessions/{ended.id}/")).one("section", id="pushes").text


def test_the_settings_count_as_under_way_what_the_ledger_does(lead, pushes):
    page = "/settings/psa/connectwise/"
    assert "Nothing is on its way." in lead.get(page).text  # the status waits for a person
    lead.post(act(pushes["time"], "again"))
    assert "Pushes on their way: 2." in lead.get(page).text


def test_its_engineer_sets_it_now(browser, pushes):
    response = browser.post(act(pushes["status"], "now"), follow=True)
    assert "The status of ticket 5001 is set now." in response.text
    assert PsaPush.objects.get(id=pushes["status"].id).goes_anyway
    assert AuditEntry.objects.filter(action="psa.status_set_anyway").count() == 1
    response = browser.post(act(pushes["status"], "now"), follow=True)
    assert "This status waits for nothing" in response.text
    assert read(response).one("section", id="pushes").text.count("Waiting to be sent") == 1


def test_what_is_dismissed_is_counted_no_more_and_can_be_sent_after_all(lead, pushes):
    page = read(lead.get(act(pushes["time"], "dismiss") + "?back=state%3Dattention"))
    assert "Dismiss it?" in page.text
    assert page.one("input", name="back").attributes["value"] == "state=attention"
    response = lead.post(
        act(pushes["time"], "dismiss"), {"note": "Billed by hand <b>", "back": "state=attention"}
    )
    assert response.url == "/psa/?state=attention"
    entry = AuditEntry.objects.get(action="psa.dismissed")
    assert entry.detail["note"] == "Billed by hand <b>"
    page = read(lead.get("/psa/"))
    assert "They wrote: Billed by hand <b>" in page.text
    assert acts_of(page, "Time entry") == ["Send after all"]
    assert banner(lead) == ""  # the status that waited for it goes
    assert "Send all again" not in page.text
    lead.post(act(pushes["time"], "again"))
    assert PsaPush.objects.get(id=pushes["time"].id).status == "pending"


def test_a_status_is_dropped(browser, pushes):
    assert "Drop the status?" in browser.get(act(pushes["status"], "dismiss")).text
    response = browser.post(act(pushes["status"], "dismiss"))
    assert response.url == f"/sessions/{pushes['status'].session_id}/#pushes"
    push = PsaPush.objects.get(id=pushes["status"].id)
    assert (push.status, push.dismissed_by.name) == ("needs_attention", "Amira Haddad")
    assert browser.post(act(pushes["status"], "dismiss"), {"note": "x" * 501}).status_code == 422
    assert browser.post(act(pushes["status"], "dismiss"), {"note": "x\0"}).status_code == 422


def test_whose_pushes_one_may_dismiss(client, pushes, colleague):
    client.force_login(colleague)
    for name in ("dismiss", "now", "again"):
        assert client.post(act(pushes["time"], name)).status_code == 403
    assert not PsaPush.objects.exclude(dismissed_at=None).exists()


@pytest.fixture
def merged(browser, member, session, account):
    """Sent with an edited note and half an hour to ticket 5007, which the ticket system merged into 5001."""
    Session.objects.update(psa_ticket_id="5007")
    driving.complete(session.id, outcome=Outcome.RESOLVED, now=NOW, resolution_summary="Cable")
    sent = {"push-ticket": "5007", "push-note": "on", "push-note_text": "Only this.\n\nNo more."}
    browser.post(f"/sessions/{session.id}/push/", sent | {"push-time": "on", "push-minutes": "30"})
    deliver(account.id, Means(clock=lambda: NOW + timedelta(minutes=12)))
    assert set(PsaPush.objects.values_list("last_code", flat=True)) == {"TicketMerged"}
    return session


def test_what_was_for_a_merged_ticket_is_offered_for_the_one_that_took_it_over(
    client, merged, team_admin, account, stand_in
):
    client.force_login(team_admin)
    page = read(client.get("/psa/"))
    assert acts_of(page, "Note") == ["Link ticket 5001", "Dismiss"]
    assert "Send all again" not in page.text
    assert "There is nothing to send again." in client.post("/psa/again/", follow=True).text
    [link] = {a.href for a in page.all("a") if a.text == "Link ticket 5001"}
    ticket_page = read(client.get(link))
    assert "Link ticket 5001" in [button.text for button in ticket_page.all("button")]
    assert "Ticket 5007 was merged into 5001." in ticket_page.text
    assert ticket_page.one("input", id="id_ticket").attributes["value"] == "5001"
    response = client.post(link, {"ticket": "5001"}, follow=True)
    assert "The note and the time entry for ticket 5007 are proposed for this one." in response.text
    form = read(response).one("fieldset", id="push-fields")
    assert "checked" in form.one("input", name="push-note").attributes
    assert "checked" in form.one("input", name="push-time").attributes
    assert form.one("input", name="push-minutes").attributes["value"] == "30"
    text = "".join(form.one("textarea", name="push-note_text").strings()).strip()
    assert text == "Only this.\n\nNo more."
    sent = {"push-ticket": "5001", "push-note": "on", "push-note_text": text}
    client.post(f"/sessions/{merged.id}/push/", sent | {"push-time": "on", "push-minutes": "30"})
    deliver(account.id, Means(clock=lambda: NOW + timedelta(minutes=13)))
    assert [commit["kind"] for commit in stand_in.ledger.commits] == ["note", "time_entry"]
    assert [row[1].split()[0] for row in rows(read(client.get("/psa/")))] == ["Delivered"] * 2 + [
        "Replaced"
    ] * 2
    earlier = read(client.get(f"/sessions/{merged.id}/")).one("details", class_="push-earlier")
    assert earlier.text.count("Replaced") == 2  # as the ledger says
    assert banner(client) == ""


def test_once_another_ticket_is_linked_it_is_sent_there(browser, merged):
    Session.objects.update(psa_ticket_id="5002")
    page = read(browser.get(f"/sessions/{merged.id}/")).one("section", id="pushes")
    assert buttons(page) == ["Send to 5002", "Dismiss", "Send to 5002", "Dismiss", "Change and send anew"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"held_reason": "keys_refused"}, "ConnectWise PSA does not let us in at the moment."),
        ({"held_reason": "wrong_address"}, "ConnectWise PSA is not found where it should be."),
        ({"held_reason": "no_keys"}, "The way into ConnectWise PSA has to be set up anew."),
        ({"held_reason": "too_many_requests"}, "ConnectWise PSA asks to send less for a while."),
        ({"active": False, "held_until": None}, "The connection to ConnectWise PSA is switched off."),
    ],
)
def test_engineers_are_told_what_it_waits_for(browser, pushes, facts, words):
    PsaPush.objects.filter(id=pushes["time"].id).update(
        status="retry_wait", finished_at=None, next_attempt_at=NOW, last_error="Enter valid keys."
    )
    held = {"held_until": NOW + timedelta(hours=1), "held_message": "Key standInPublicKey is unknown"}
    PsaConnection.objects.update(**held | facts)
    page = read(browser.get(f"/sessions/{pushes['time'].session_id}/")).one("section", id="pushes")
    assert words in page.text
    for secret in ("standIn", "Enter valid keys"):
        assert secret not in page.text
