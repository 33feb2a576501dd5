"""A call for help: who sees it, who answers, who takes over, and how it is withdrawn."""

from datetime import UTC, datetime, timedelta

import pytest

from flowpilot.models import Session
from flowpilot.sessions import driving, starting, views
from flowpilot.tests.factories import SessionFactory
from resolutionflow.tests.pages import listed, read

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
LIST = "/sessions/?help=wanted"


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW + timedelta(minutes=30))


@pytest.fixture
def session(account, engineer):
    session = starting.start(engineer, problem_summary="Odd noise", psa_ticket_id="48213", now=NOW)
    driving.decide(session.id, decision_id="a", title="Oiled it", answer="Still odd", now=NOW)
    return driving.ask_for_help(session.id, reason="No idea any more", now=NOW + timedelta(minutes=10))


@pytest.fixture
def helper(client, colleague):
    client.force_login(colleague)
    return client


def url(session, act=""):
    return f"/sessions/{session.id}/{act}/" if act else f"/sessions/{session.id}/"


def test_the_navigation_counts_the_calls(helper, session):
    SessionFactory(status="active")
    side = read(helper.get("/sessions/")).one("nav", id="navigation")
    assert [count.text for count in side.all("span", class_="count")] == ["1"]
    Session.objects.update(status="active")
    assert not read(helper.get("/sessions/")).all("span", class_="count")


def test_the_list_says_what_is_asked_and_since_when(helper, session, account):
    page = read(helper.get(LIST))
    assert page.one("h1").text == "Help wanted"
    text = page.one("tbody").text
    assert "“No idea any more”" in text
    assert "20 min" in text
    assert "since 10 Mar 2026, 09:10" in text
    assert [head.text for head in page.one("thead").all("th")][-1] == "Waiting"
    driving.answer_call(session.id, session.user, answer="Try the belt", now=NOW + timedelta(minutes=20))
    SessionFactory(user=session.user, status="requesting_escalation", escalation_reason="")
    assert "“" not in read(helper.get(LIST)).one("tbody").text


def test_who_waits_longest_comes_first_on_every_page(helper, session, monkeypatch):
    monkeypatch.setattr(views, "PAGE_SIZE", 2)
    for minutes in (1, 20, 5):
        SessionFactory(
            problem_summary=f"Waiting since {minutes}",
            status="requesting_escalation",
            started_at=NOW + timedelta(minutes=minutes),
        )
    first = read(helper.get(LIST))
    assert listed(first) == (4, ["Waiting since 1", "Waiting since 5"])
    [further] = [link.href for link in first.all("a") if link.text == "Next"]
    second = read(helper.get(further))
    assert listed(second) == (4, ["Odd noise", "Waiting since 20"])
    [back] = [link.href for link in second.all("a") if link.text == "Previous"]
    assert listed(read(helper.get(back))) == listed(first)


def test_when_nobody_waits(helper):
    page = read(helper.get(LIST))
    assert page.one("div", class_="empty").one("h2").text == "Nobody asks for help"
    assert not page.all("select", name="status")
    assert page.all("select", name="client_id")


def test_a_colleague_sees_what_it_is_about(helper, session):
    page = read(helper.get(url(session)))
    words = page.one("section", class_="help-card").text
    assert "Amira Haddad asks for help" in words
    assert "waiting for 20 min" in words
    assert "No idea any more" in words
    assert "Oiled it" in page.one("ol", class_="timeline").text
    assert "48213" in page.one("main").text
    assert page.one("nav", class_="breadcrumb").all("a")[0].href == LIST


def test_asking_by_form_and_changing_the_reason(client, engineer, account):
    session = starting.start(engineer, problem_summary="Odd noise", now=NOW)
    client.force_login(engineer)
    assert client.post(url(session, "help"), {"reason": " "}).status_code == 422
    assert read(client.get(url(session, "help"))).one("textarea", name="reason")
    client.post(url(session, "help"), {"reason": "First"})
    client.post(url(session, "help"), {"reason": "Second"})
    session.refresh_from_db()
    assert (session.status, session.escalation_reason) == ("requesting_escalation", "Second")
    assert "“Second”" in read(client.get(url(session))).one("main", id="runner").text
    assert client.get(url(session, "waiting")).status_code == 204
    client.post(url(session, "take-up"))
    session.refresh_from_db()
    assert session.status == "active"
    assert client.get(url(session, "waiting")).status_code == 200


def test_an_answer_sets_it_active_and_names_its_writer(helper, session, engineer):
    response = helper.post(url(session, "answer"), {"answer": "Try the belt"})
    assert response["Location"] == LIST
    session.refresh_from_db()
    assert (session.status, session.step_count) == ("active", 1)
    helper.force_login(engineer)
    page = read(helper.get(url(session)))
    answered = page.one("li", class_="answered")
    assert "Answer from Jonas Weber" in answered.text
    assert "Try the belt" in answered.text


def test_with_names_hidden_the_answer_has_a_number(helper, session, engineer, account):
    helper.post(url(session, "answer"), {"answer": "Try the belt"})
    account.names_hidden = True
    account.save()
    helper.force_login(engineer)
    text = read(helper.get(url(session))).one("li", class_="answered").text
    assert "Answer from Engineer 1" in text
    assert "Jonas" not in text


def test_an_answer_that_comes_too_late_is_not_lost(helper, session):
    driving.take_up(session.id, now=NOW)
    response = helper.post(url(session, "answer"), {"answer": "Try the belt"})
    assert response.status_code == 409
    assert read(response).one("textarea", id="lost").text == "Try the belt"
    for act, answer in (("answer", ""), ("answer", "x" * 4001), ("take-over", "")):
        response = helper.post(url(session, act), {"answer": answer})
        assert response.status_code == 409
        assert "somebody was quicker, or it was withdrawn" in read(response).one("main").text
        assert read(response).one("main").all("textarea") == [] or answer


@pytest.mark.parametrize("answer", ["", "  ", "x\0", "x" * 4001])
def test_a_bad_answer_is_said(helper, session, answer):
    assert helper.post(url(session, "answer"), {"answer": answer}).status_code == 422
    session.refresh_from_db()
    assert session.status == "requesting_escalation"


def test_one_takes_over_and_the_other_is_told(helper, session, colleague, team_admin):
    response = helper.post(url(session, "take-over"))
    mine = Session.objects.get(user=colleague)
    assert response["Location"] == url(mine)
    session.refresh_from_db()
    assert (session.status, mine.previous_session, mine.psa_ticket_id) == ("escalated", session, "48213")
    assert "taken over" in read(helper.get(url(mine))).one("aside", class_="so-far").text
    assert helper.get(url(session)).status_code == 403
    helper.force_login(team_admin)
    response = helper.post(url(session, "take-over"))
    assert response.status_code == 409
    assert "somebody was quicker" in read(response).one("main").text
    assert read(response).one("main").all("a")[-1].href == LIST
    assert Session.objects.count() == 2


def test_before_and_after_are_linked_where_they_may_be_read(helper, session, colleague, engineer):
    helper.post(url(session, "take-over"))
    mine = Session.objects.get(user=colleague)
    driving.complete(mine.id, outcome="resolved", resolution_summary="The belt", now=NOW + timedelta(hours=1))
    chain = read(helper.get(url(mine))).one("section", aria_label="Before and after")
    assert "Odd noise" in chain.text
    assert "Amira Haddad" in chain.text
    assert not chain.all("a")  # a colleague's, which ended
    helper.force_login(engineer)
    chain = read(helper.get(url(session))).one("section", aria_label="Before and after")
    assert "Went on in" in chain.text


@pytest.mark.parametrize("act", ["answer", "take-over"])
def test_who_may_help(client, session, engineer, stranger, super_admin, account, act):
    client.force_login(engineer)
    assert client.post(url(session, act), {"answer": "x"}).status_code == 403
    client.force_login(stranger)
    assert client.post(url(session, act), {"answer": "x"}).status_code == 404
    client.force_login(super_admin)
    client.post("/accounts/choose/", {"account": account.slug})
    assert client.post(url(session, act), {"answer": "x"}).status_code == 403
    session.refresh_from_db()
    assert session.status == "requesting_escalation"


def test_only_its_engineer_asks_whether_it_waits(helper, session):
    assert helper.get(url(session, "waiting")).status_code == 403
