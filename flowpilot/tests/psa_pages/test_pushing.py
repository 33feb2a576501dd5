"""What of a session goes to its ticket: chosen at its end with a preview, sent with it, followed, sent anew."""

from datetime import timedelta
from decimal import Decimal
from unittest import mock

import pytest

from flowpilot.models import PsaActivityLog, PsaConnection, PsaPush, Session
from flowpilot.psa.delivery import Means, deliver
from flowpilot.psa.stand_in.faults import Fault
from flowpilot.sessions import driving
from flowpilot.sessions.states import Outcome
from flowpilot.tests.factories import PsaPushFactory
from flowpilot.tests.runner.posting import BY_SCRIPT, NOW
from resolutionflow.tests.pages import read

ENDING = {"outcome": "resolved", "resolution_summary": "Replaced the cable", "escalation_reason": ""}


def url(session, rest):
    return f"/sessions/{session.id}/{rest}/"


def looked(browser, session, **entered):
    given = ENDING | {"push-ticket": "5001", "push-note": "on", "push-visibility": "internal"} | entered
    return read(browser.post(url(session, "push/look"), given))


def fields(page):
    """What a browser would send of the fields."""
    sent = {
        "push-note_text": "".join(page.one("textarea", name="push-note_text").strings()).removeprefix("\n")
    }
    for field in page.all("input"):
        ticked = field.attributes.get("type") in ("checkbox", "radio")
        if not ticked or "checked" in field.attributes:
            sent[field.attributes["name"]] = field.attributes.get("value") or ("on" if ticked else "")
    for select in page.all("select"):
        chosen = [o for o in select.all("option") if "selected" in o.attributes] or select.all("option")
        sent[select.attributes["name"]] = chosen[0].attributes.get("value") or ""
    return sent


def sent_texts(page):
    return ["".join(pre.strings()) for pre in page.all("pre")]


def test_what_is_shown_is_what_is_sent(browser, member, session, account, stand_in):
    page = looked(browser, session, **{"push-time": "on", "push-minutes": "15", "push-status": "104"})
    shown = sent_texts(page)
    assert "Replaced the cable" in shown[0]
    assert shown[2] == "In Progress → Completed"
    response = browser.post(url(session, "finish"), ENDING | fields(page), headers=BY_SCRIPT)
    assert response.headers["HX-Redirect"] == f"/sessions/{session.id}/"
    pushes = {push.kind: push for push in PsaPush.objects.all()}
    assert pushes["note"].wire.text == shown[0]
    assert pushes["time_entry"].wire.text == shown[1]
    assert pushes["time_entry"].hours == Decimal("0.25")
    deliver(account.id, Means(clock=lambda: NOW + timedelta(minutes=12)))
    assert [commit["kind"] for commit in stand_in.ledger.commits] == ["note", "time_entry", "status"]
    assert "".join(row["text"] for row in stand_in.tables.notes.values()).strip() == shown[0].strip()
    page = read(browser.get(url(session, "push/state")))
    assert [badge.text for badge in page.all("span", class_="badge")] == ["Delivered"] * 3
    assert "hx-get" not in page.one("section", id="pushes").attributes
    assert PsaActivityLog.objects.get(activity_type="time_entry_posted").hours_logged == Decimal("0.25")


def test_proposals_come_from_the_connection(browser, member, session):
    PsaConnection.objects.update(
        defaults={"sends_time": True, "rounding": 15, "visibility": "resolution", "status_name": "completed"}
    )
    page = read(browser.get(url(session, "finish")))
    assert "checked" in page.one("input", name="push-note").attributes
    assert "checked" in page.one("input", name="push-time").attributes
    assert page.one("input", name="push-minutes").attributes["value"] == "15"  # eleven, rounded up
    page = read(browser.post(url(session, "finish"), ENDING | fields(page) | {"push-look": "1"}))
    assert fields(page.one("fieldset", id="push-fields"))["push-status"] == "104"
    page = looked(browser, session, outcome="escalated", escalation_reason="Too hot")
    assert fields(page)["push-status"] == ""  # only what is solved


def test_without_a_ticket_or_a_connection_nothing_of_it_shows(browser, account, session):
    assert not read(browser.get(url(session, "finish"))).all("fieldset", id="push-fields")
    assert browser.post(url(session, "push/look"), ENDING).status_code == 204
    response = browser.post(url(session, "finish"), ENDING | {"push-ticket": "5001", "push-note": "on"})
    assert response.status_code == 302  # the connection went meanwhile: the session ends all the same
    assert not PsaPush.objects.exists()


def test_an_edited_text_is_sent_as_it_stands_and_another_one_follows_the_form(browser, connection, session):
    page = looked(browser, session)
    edited = fields(page) | {"push-note_text": "Only this.\r\nNo more."}
    again = looked(browser, session, **edited)
    assert fields(again)["push-note_text"] == "Only this.\nNo more."
    followed = looked(browser, session, **fields(page), resolution_summary="Another reason")
    assert "Another reason" in fields(followed)["push-note_text"]
    # the form is sent before anybody looked again
    browser.post(url(session, "finish"), ENDING | {"resolution_summary": "At last"} | fields(page))
    assert "At last" in PsaPush.objects.get().wire.text


def test_a_template_makes_the_note(browser, connection, session):
    PsaConnection.objects.update(
        note_template="Problem: {problem}\nFlow: {flow}\nSolved by: {solution} {unknown}"
    )
    assert fields(looked(browser, session))["push-note_text"] == (
        "Problem: No network\nSolved by: Replaced the cable {unknown}"
    )


def test_what_cannot_be_sent_keeps_the_session_open_and_everything_typed(browser, connection, session):
    page = looked(browser, session, **{"push-time": "on", "push-minutes": "15"})
    assert "No time can be entered yet" in page.text
    response = browser.post(url(session, "finish"), ENDING | fields(page), headers=BY_SCRIPT)
    assert response.status_code == 422
    assert "Nobody in the ticket system" in response.text
    assert "Replaced the cable" in response.text
    assert (Session.objects.get().status, PsaPush.objects.count()) == ("active", 0)
    minutes = ENDING | fields(page) | {"push-minutes": "1441"}
    assert "less than or equal to 1440" in browser.post(url(session, "finish"), minutes).text


def test_choices_made_for_another_ticket_are_shown_first(browser, connection, session):
    page = looked(browser, session)
    Session.objects.update(psa_ticket_id="5002")
    response = browser.post(url(session, "finish"), ENDING | fields(page), headers=BY_SCRIPT)
    assert response.status_code == 422
    assert "Another ticket is linked by now, 5002." in response.text
    sent = fields(looked(browser, session, **fields(page)))  # whoever looked at that one can go on
    assert sent["push-ticket"] == "5002"
    browser.post(url(session, "finish"), ENDING | sent, headers=BY_SCRIPT)
    assert PsaPush.objects.get().psa_ticket_id == "5002"


def test_a_second_arrival_of_the_form_sends_nothing_twice(browser, connection, session):
    sent = ENDING | fields(looked(browser, session))
    for _ in range(2):
        browser.post(url(session, "finish"), sent, headers=BY_SCRIPT)
    assert PsaPush.objects.count() == 1


def test_a_transaction_that_fails_leaves_the_session_open(browser, connection, session):
    sent = ENDING | fields(looked(browser, session))
    with mock.patch("flowpilot.psa.outbox.write", side_effect=RuntimeError), pytest.raises(RuntimeError):
        browser.post(url(session, "finish"), sent)
    assert Session.objects.get().status == "active"


def test_a_ticket_that_will_refuse_says_so_before(browser, connection, session):
    for ticket, words in [
        ("5005", "Its status “Closed” takes no time entries."),
        ("5007", "This ticket was merged into 5001."),
    ]:
        Session.objects.update(psa_ticket_id=ticket)
        assert words in looked(browser, session, **{"push-ticket": ticket}).text


def test_a_ticket_system_that_is_down_keeps_nobody_from_finishing(browser, connection, session, stand_in):
    stand_in.faults.add(Fault("503_html", times=9))
    page = looked(browser, session)
    assert "cannot be reached at the moment. What you choose is kept" in page.text
    browser.post(url(session, "finish"), ENDING | fields(page))
    assert PsaPush.objects.get().status == "pending"


def test_after_the_end_the_same_choices_make_a_further_revision(browser, connection, session):
    driving.complete(session.id, outcome=Outcome.RESOLVED, now=NOW, resolution_summary="Cable")
    Session.objects.update(psa_ticket_id=None)
    assert "Link a ticket and send" in browser.get(f"/sessions/{session.id}/").text
    response = browser.post(url(session, "ticket"), {"ticket": "5002"}, follow=True)
    page = read(response).one("fieldset", id="push-fields")
    assert "Cable" in fields(page)["push-note_text"]
    for _ in range(2):
        browser.post(url(session, "push"), fields(page))
    assert list(PsaPush.objects.order_by("revision").values_list("revision", flat=True)) == [1, 2]
    page = read(browser.get(f"/sessions/{session.id}/"))
    assert "Earlier versions" in page.one("section", id="pushes").text
    assert "This ticket has the note already, or gets it by itself." in browser.get(url(session, "push")).text


def test_a_second_arrival_after_the_end_is_refused_and_says_what_the_ticket_gets(
    browser, connection, session
):
    driving.complete(session.id, outcome=Outcome.RESOLVED, now=NOW, resolution_summary="Cable")
    sent = fields(read(browser.get(url(session, "push"))).one("form", action=url(session, "push")))
    first, second = [browser.post(url(session, "push"), sent) for _ in range(2)]
    assert (first.status_code, second.status_code, PsaPush.objects.count()) == (302, 422, 1)
    assert "Something was queued for this session meanwhile." in second.text
    assert "This ticket has the note already" in second.text
    meant = fields(read(second).one("form", action=url(session, "push")))
    assert browser.post(url(session, "push"), meant).status_code == 302  # whoever saw that may still mean it
    assert list(PsaPush.objects.order_by("revision").values_list("revision", flat=True)) == [1, 2]


def test_nothing_chosen_is_said(browser, connection, session):
    driving.complete(session.id, outcome=Outcome.RESOLVED, now=NOW, resolution_summary="Cable")
    response = browser.post(url(session, "push"), {"push-ticket": "5001"})
    assert (response.status_code, "Choose what is to be sent." in response.text) == (422, True)


def test_what_needs_attention_can_be_sent_again(browser, connection, session):
    driving.complete(session.id, outcome=Outcome.RESOLVED, now=NOW, resolution_summary="Cable")
    push = PsaPushFactory(
        connection=connection, session=session, status="needs_attention", last_error="The ticket is gone."
    )
    page = browser.get(f"/sessions/{session.id}/")
    assert "The ticket is gone." in page.text
    browser.post(url(session, f"push/{push.id}/again"))
    assert PsaPush.objects.get().status == "pending"
    response = browser.post(url(session, f"push/{push.id}/again"), follow=True)
    assert "This one goes on by itself" in response.text
