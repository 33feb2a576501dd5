"""The runner as its engineer sees it, by plain forms and as runner.js asks for it."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from flowpilot.models import Session
from flowpilot.sessions import driving, starting
from flowpilot.sessions.states import Outcome
from flowpilot.tests.factories import (
    DomainFactory,
    FlowFactory,
    FlowVersionFactory,
    SessionFactory,
    StepFactory,
)
from flowpilot.tests.runner.posting import (
    BY_SCRIPT,
    NOW,
    STRUCTURE,
    decide,
    options,
    so_far,
    step_of,
    url,
)
from resolutionflow.tests.pages import read

HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית {{ 7 }} =HYPERLINK("x")"""


def test_of_a_long_session_the_newest_steps_stay_in_sight(browser, session):
    def folded():
        return [len(part.all("li")) for part in read(browser.get(url(session))).all(id="so-far-earlier")]

    for n in range(10):
        assert folded() == []
        driving.decide(session.id, decision_id=f"x{n}", title=f"Tried {n}", now=NOW)
    assert folded() == [4]
    assert so_far(read(browser.get(url(session)))) == [f"Tried {n}" for n in range(10)]


def test_the_first_step(browser, session):
    page = read(browser.get(url(session)))
    assert page.one("h1").text == "Nothing starts"
    head = page.one("header", class_="runner-head").all("p")[0].text
    assert head == "Northgate IT · Acme · Ticket 48213 · Change ticket · Machine does not start v7"
    assert page.one("span", role="timer").text == "05:00"
    assert step_of(page) == "Does it start?"
    assert page.one("div", class_="step-help").one("em").text == "twice"
    assert options(page) == ["Yes", "No"]
    assert [button.attributes["data-key"] for button in page.all("button", name="answer")] == ["1", "2"]
    assert so_far(page) == []
    assert not page.all("button", title="Take back: Does it start?")


def test_a_step_by_a_plain_form_and_back(browser, session):
    page = read(browser.get(url(session)))
    form = page.one("form", class_="decide")
    id = form.one("input", name="decision_id").attributes["value"]
    response = decide(browser, session, "root", "Yes", id=id, note="Blue light")
    assert (response.status_code, response["Location"]) == (302, url(session))
    page = read(browser.get(url(session)))
    assert step_of(page) == "Reset the password"
    assert so_far(page) == ["Does it start? Yes"]
    assert "Blue light" in page.one("aside", class_="so-far").text
    browser.post(url(session, "back"), {"decision_id": id})
    page = read(browser.get(url(session)))
    assert step_of(page) == "Does it start?"
    assert "taken back" in page.one("aside", class_="so-far").text
    session.refresh_from_db()
    assert [bool(d["undone_at"]) for d in session.decisions] == [True]


def test_by_script_the_next_step_is_the_answer(browser, session):
    response = decide(browser, session, "root", "Yes", by_script=True)
    assert response.status_code == 200
    page = read(response)
    assert not page.all("html")
    assert page.one("main", id="runner").attributes["data-announce"] == "Step 2: Reset the password"
    assert step_of(page) == "Reset the password"


def test_the_same_form_twice_decides_once(browser, session):
    for _ in range(2):
        assert decide(browser, session, "root", "Yes", by_script=True).status_code == 200
    session.refresh_from_db()
    assert session.step_count == 1


def test_a_tab_that_stayed_behind_is_told_and_shown_where_it_stands(browser, session):
    decide(browser, session, "root", "Yes")
    response = decide(browser, session, "root", "No", id="d2", note="Typed for long", by_script=True)
    assert response.status_code == 409
    page = read(response)
    assert "went on elsewhere" in page.one("div", role="alert", class_="watch").text
    assert step_of(page) == "Reset the password"
    assert page.one("textarea", id="step-note").text == "Typed for long"
    assert decide(browser, session, "root", "No", id="d2").status_code == 409
    session.refresh_from_db()
    assert session.step_count == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({}, 422),
        ({"decision_id": "a b", "node_id": "root", "answer": "Yes"}, 422),
        ({"decision_id": "x" * 65, "node_id": "root", "answer": "Yes"}, 422),
        ({"decision_id": "a", "node_id": "root", "answer": "Perhaps"}, 422),
        ({"decision_id": "a", "node_id": "nowhere", "answer": "Yes"}, 422),
        ({"decision_id": "a", "node_id": "ro\0ot", "answer": "Yes"}, 422),
        ({"decision_id": "a", "node_id": "root", "answer": "Y\0es"}, 422),
        ({"decision_id": "a", "node_id": "root", "answer": "Yes", "note": "x\0"}, 422),
        ({"decision_id": "a", "node_id": "root", "answer": "Yes", "note": "x" * 4001}, 422),
        ({"decision_id": "a", "node_id": "done"}, 422),
        ({"decision_id": "a", "node_id": "log"}, 409),
    ],
)
@pytest.mark.parametrize("headers", [{}, BY_SCRIPT])
def test_what_does_not_fit_is_said_and_nothing_is_recorded(browser, session, data, status, headers):
    response = browser.post(url(session, "decide"), data, headers=headers)
    assert response.status_code == status
    assert read(response).one("div", role="alert").text
    session.refresh_from_db()
    assert session.decisions == []


def test_a_note_is_put_to_a_step_that_is_done(browser, session):
    decide(browser, session, "root", "Yes", by_script=True)
    response = browser.post(
        url(session, "note"), {"decision_id": "d1", "note": "It was\r\nthe fuse"}, headers=BY_SCRIPT
    )
    assert response.status_code == 200
    session.refresh_from_db()
    assert session.decisions[0]["note"] == "It was\nthe fuse"
    assert browser.post(url(session, "note"), {"decision_id": "zz", "note": "x"}).status_code == 422


def test_leaving_the_flow_and_going_back_to_it(browser, session):
    browser.post(url(session, "leave"), {"decision_id": "left"})
    page = read(browser.get(url(session)))
    assert step_of(page) == "Record what you try"
    assert so_far(page) == ["Does it start? Went on without the flow"]
    browser.post(url(session, "beside"), {"decision_id": "b", "title": "Changed the fuse", "answer": "Works"})
    assert so_far(read(browser.get(url(session))))[1] == "Changed the fuse Works"
    browser.post(url(session, "return"))
    page = read(browser.get(url(session)))
    assert step_of(page) == "Does it start?"
    assert len(so_far(page)) == 2


def test_without_a_flow_known_steps_are_added_with_what_came_of_them(browser, account, engineer):
    domain = DomainFactory()
    flow = FlowFactory(domain=domain, name="A computer does not start")
    flow.current_version = FlowVersionFactory(flow=flow, structure=STRUCTURE)
    flow.save()
    session = starting.start(engineer, problem_summary="Does not start", domain=domain, now=NOW)

    known = read(browser.get(url(session))).one("section", id="known-steps")
    assert [button.one("span").text for button in known.all("button", class_="option")] == [
        "Does it start?",
        "Reset the password",
    ]
    first = known.all("form")[0]
    assert [button.attributes["value"] for button in first.all("button", name="answer")] == ["Yes", "No"]
    title = first.one("input", name="title").attributes["value"]
    for _ in range(2):  # a double click
        browser.post(url(session, "beside"), {"decision_id": "k1", "title": title})
    page = read(browser.get(url(session)))
    assert so_far(page) == ["Does it start?"]
    row = page.one("form", class_="open-step")
    assert [button.attributes["value"] for button in row.all("button", name="answer")] == ["Yes", "No"]
    browser.post(url(session, "note"), {"decision_id": "k1", "answer": "No"})
    page = read(browser.get(url(session)))
    assert so_far(page) == ["Does it start? No"]
    assert not page.all("form", class_="open-step")

    narrowed = browser.get(url(session, "known-steps"), {"title": "pass\0"}, headers=BY_SCRIPT)
    assert [button.one("span").text for button in read(narrowed).all("button", class_="option")] == [
        "Reset the password"
    ]
    narrowed = read(browser.get(url(session, "known-steps"), {"title": "nothing like it"}))
    assert "Enter records it as you wrote it" in narrowed.one("p", class_="field-help").text


def test_a_step_beside_the_flow_needs_a_title(browser, account, engineer):
    session = starting.start(engineer, problem_summary="Odd noise", now=NOW)
    response = browser.post(url(session, "beside"), {"decision_id": "b", "title": " ", "note": "Kept"})
    assert response.status_code == 422
    page = read(response)
    assert page.one("textarea", id="beside-note").text == "Kept"
    assert page.one("div", id="beside-title_error").text == "This field is required."


def test_a_leaf_proposes_its_outcome_and_the_engineer_may_change_it(browser, session):
    decide(browser, session, "root", "Yes")
    decide(browser, session, "log", id="d2", note="It was the fuse")
    page = read(browser.get(url(session)))
    assert step_of(page) == "Works again"
    form = page.one("form", class_="finish-form")
    chosen = [
        radio.attributes["value"]
        for radio in form.all("input", name="outcome")
        if "checked" in radio.attributes
    ]
    assert chosen == ["workaround"]
    assert "It was the fuse" in form.one("textarea", name="resolution_summary").text
    response = browser.post(url(session, "finish"), {"outcome": "resolved", "resolution_summary": "The fuse"})
    assert response.status_code == 302
    session.refresh_from_db()
    assert (session.status, session.outcome, session.resolution_summary) == (
        "resolved",
        "resolved",
        "The fuse",
    )
    assert driving.current_node(STRUCTURE, session.decisions)["outcome"] == "workaround"  # both are kept


def test_finishing_is_possible_at_any_step(browser, session):
    response = browser.post(url(session, "finish"), {"outcome": "unresolved"}, headers=BY_SCRIPT)
    assert response["HX-Redirect"] == url(session)
    session.refresh_from_db()
    assert session.status == "unresolved"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "Say how it ended."),
        ({"outcome": "splendid"}, "not one of the available choices"),
        ({"outcome": "escalated"}, "Say why"),
        ({"outcome": "resolved", "resolution_summary": "x\0"}, "Null characters"),
    ],
)
def test_a_bad_end_is_said_as_a_page_and_in_the_dialog(browser, session, data, words):
    plain = browser.post(url(session, "finish"), data)
    swapped = browser.post(url(session, "finish"), data, headers=BY_SCRIPT)
    assert (plain.status_code, swapped.status_code) == (422, 422)
    assert words in read(plain).text
    assert words in read(swapped).one("dialog", id="finish").text
    assert read(swapped).one("main", id="runner").attributes["data-opened"] == "finish"
    session.refresh_from_db()
    assert session.status == "active"


def test_without_a_guide_the_end_says_what_solved_it(browser, account, engineer):
    session = starting.start(engineer, problem_summary="Odd noise", now=NOW)
    response = browser.post(url(session, "finish"), {"outcome": "resolved", "resolution_summary": "  "})
    assert "Say what solved it" in read(response).text
    browser.post(url(session, "finish"), {"outcome": "resolved", "resolution_summary": "Oiled it"})
    session.refresh_from_db()
    assert session.resolution_summary == "Oiled it"


def test_an_escalated_end_keeps_why(browser, session):
    browser.post(url(session, "finish"), {"outcome": "escalated", "escalation_reason": "Needs the vendor"})
    session.refresh_from_db()
    assert (session.status, session.escalation_reason) == ("escalated", "Needs the vendor")


def test_only_right_after_finishing_the_page_asks_how_it_went(browser, session):
    asks = reverse("ratings:ask", args=[session.id])
    browser.post(url(session, "finish"), {"outcome": "unresolved"})
    assert [
        div.attributes["hx-post"] for div in read(browser.get(url(session))).all("div", hx_trigger="load")
    ] == [asks]
    assert not read(browser.get(url(session))).all("div", hx_trigger="load")


def test_what_has_ended_is_told_so_by_every_act(browser, session):
    driving.complete(session.id, outcome=Outcome.UNRESOLVED, now=NOW)
    for act, data in (
        ("decide", {"decision_id": "a", "node_id": "root", "answer": "Yes"}),
        ("beside", {"decision_id": "a", "title": "x"}),
        ("back", {"decision_id": "a"}),
        ("note", {"decision_id": "a", "note": ""}),
        ("leave", {"decision_id": "a"}),
        ("return", {}),
        ("script", {"node_id": "root"}),
        ("finish", {"outcome": "resolved"}),
        ("help", {"reason": "x"}),
        ("take-up", {}),
        ("decide", {}),
    ):
        response = browser.post(url(session, act), data)
        assert (response.status_code, response["Location"]) == (302, url(session)), act
    session.refresh_from_db()
    assert (session.outcome, session.decisions) == ("unresolved", [])
    assert "ended" in read(browser.get(url(session))).one("div", id="toasts").text


def test_a_session_keeps_the_version_that_it_started_on(browser, session, flow):
    flow.current_version = FlowVersionFactory(flow=flow, number=8)
    flow.save()
    assert step_of(read(browser.get(url(session)))) == "Does it start?"


def test_thumbs_stand_between_content_and_options(browser, session, flow):
    step = StepFactory(flow=flow, node_id="root")
    address = reverse("ratings:thumb", args=[session.id, step.id])
    text = browser.get(url(session)).content.decode()
    assert text.index("step-help") < text.index(f'hx-get="{address}"') < text.index('class="options"')


def test_text_is_text_whatever_is_in_it(browser, session):
    structure = {
        "id": "root",
        "type": "question",
        "title": HOSTILE,
        "help": f"{HOSTILE} [x](javascript:alert(1)) <img src=x onerror=alert(1)>",
        "options": [{"label": HOSTILE, "next": "done"}, {"label": "No", "next": "done"}],
        "children": [{"id": "done", "type": "outcome", "outcome": "resolved", "title": "Done"}],
    }
    session.flow_version = FlowVersionFactory(flow=session.flow, number=8, structure=structure)
    session.problem_summary = HOSTILE
    session.save()
    response = browser.get(url(session))
    page = read(response)
    assert (step_of(page), options(page)[0], page.one("h1").text) == (HOSTILE, HOSTILE, HOSTILE)
    assert not re.search(rb"<script>alert|<img src=x|href=.javascript", response.content)
    decide(browser, session, "root", HOSTILE, note=HOSTILE)
    assert so_far(read(browser.get(url(session)))) == [f"{HOSTILE} {HOSTILE}"]


ACTS = [
    "decide",
    "beside",
    "back",
    "note",
    "leave",
    "return",
    "script",
    "finish",
    "help",
    "take-up",
    "reopen",
]


@pytest.mark.parametrize("act", ACTS)
def test_only_its_engineer_drives_it(
    client, session, colleague, team_admin, stranger, super_admin, account, act
):
    data = {
        "decision_id": "a",
        "node_id": "root",
        "answer": "Yes",
        "title": "x",
        "outcome": "resolved",
        "reason": "x",
    }
    for user, status in ((colleague, 403), (team_admin, 403), (stranger, 404)):
        client.force_login(user)
        assert client.post(url(session, act), data).status_code == status
    client.force_login(super_admin)
    client.post("/accounts/choose/", {"account": account.slug})
    assert client.post(url(session, act), data).status_code == 403
    session.refresh_from_db()
    assert (session.decisions, session.status) == ([], "active")
    assert client.get(url(session, "decide")).status_code == 405


def test_who_leads_the_team_reads_what_others_do(client, session, team_admin):
    client.force_login(team_admin)
    page = read(client.get(url(session)))
    assert not page.all("main", id="runner")
    assert page.one("section", aria_label="Details")


def test_an_abandoned_one_is_taken_up_again_on_its_page(browser, session):
    Session.objects.filter(id=session.id).update(status="abandoned")
    page = read(browser.get(url(session)))
    assert "closed by itself" in page.one("main").text
    browser.post(url(session, "take-up"))
    session.refresh_from_db()
    assert (session.status, session.last_activity_at) == ("active", NOW + timedelta(minutes=5))
    assert step_of(read(browser.get(url(session)))) == "Does it start?"


def test_as_many_queries_after_200_steps_as_after_one(browser, session):
    counts = []
    for steps in (1, 200):
        session.decisions = [
            {
                "id": f"s{n}",
                "node_id": None,
                "title": "x",
                "answer": "",
                "note": "",
                "at": None,
                "undone_at": None,
                "taken_over": False,
            }
            for n in range(steps)
        ]
        session.save()
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(url(session)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 9
    with CaptureQueriesContext(connection) as queries:
        assert decide(browser, session, "root", "Yes", by_script=True).status_code == 200
    assert len(queries) <= 14


def test_a_session_of_an_import_without_a_version_can_be_worked_in(browser, engineer, flow):
    session = SessionFactory(user=engineer, flow=flow, status="active", source="import")
    assert step_of(read(browser.get(url(session)))) == "Record what you try"
