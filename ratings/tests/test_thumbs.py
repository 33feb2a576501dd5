"""The thumbs on a step: who gives them, what a click does, what the counts say."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from flowpilot.models import Step
from flowpilot.tests.factories import FlowFactory, SessionFactory, StepFactory
from ratings import thumbs
from ratings.models import Reason, StepRating
from ratings.tests.factories import StepRatingFactory
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.pages import read

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script> \"'\u202e😀 =HYPERLINK(1)"
HINT = "Rate this step to help improve flows"


@pytest.fixture(autouse=True)
def _now(clock):
    clock(NOW)


@pytest.fixture
def url(session, step):
    return f"/sessions/{session.id}/steps/{step.id}/thumb/"


@pytest.fixture
def browser(client, engineer):
    client.force_login(engineer)
    return client


@pytest.fixture
def click(browser, url):
    """Sends the button of this name as htmx does, with the value that it has just now; the fragment that comes back."""

    def click(name, **fields):
        button = next(b for b in read(browser.get(url)).all("button", class_="thumb") if b.text == name)
        sent = {"was_helpful": button.attributes["value"], **fields}
        response = browser.post(url, sent, headers={"HX-Request": "true"})
        assert response.status_code == 200
        return read(response)

    return click


def pressed(page):
    return [b.text for b in page.all("button", class_="thumb") if b.attributes["aria-pressed"] == "true"]


def counts(step):
    """As they stand, after they were compared with the ratings."""
    step.refresh_from_db()
    rows = list(StepRating.objects.filter(step=step).values_list("was_helpful", flat=True))
    assert (step.helpful_yes, step.helpful_no) == (rows.count(True), rows.count(False))
    return step.helpful_yes, step.helpful_no


def test_a_click_gives_another_changes_the_same_takes_back(click, step):
    assert pressed(click("Helpful")) == ["Helpful"]
    assert counts(step) == (1, 0)
    assert pressed(click("Not helpful")) == ["Not helpful"]
    assert counts(step) == (0, 1)
    assert pressed(click("Not helpful")) == []
    assert counts(step) == (0, 0)


def test_the_same_request_again_changes_nothing(browser, url, step):
    """A tab that stayed behind, or an answer that got lost, takes nothing back."""
    for wanted, expected in [("true", (1, 0)), ("false", (0, 1)), ("none", (0, 0))]:
        for _ in range(2):
            assert browser.post(url, {"was_helpful": wanted}).status_code == 302
            assert counts(step) == expected


def test_the_fragment_and_the_page_around_it(browser, url, step):
    page, panel = read(browser.get(url)), read(browser.get(url, headers={"HX-Request": "true"}))
    assert page.one("h1").text == "Is it on?"
    assert page.one("div", class_="thumbs").text == panel.text
    assert len([child for child in panel.children if not isinstance(child, str)]) == 1
    assert not panel.all("h1")


def test_without_htmx_the_page_comes_back(browser, url, session):
    response = browser.post(url, {"was_helpful": "true"}, follow=True)
    assert response.redirect_chain == [(url, 302)]
    page = read(response)
    assert pressed(page) == ["Helpful"]
    assert f"/sessions/{session.id}/" in [link.href for link in page.one("main").all("a")]


def test_the_hint_stands_until_the_first_thumb(browser, click, url, engineer, session):
    assert HINT in read(browser.get(url)).text
    assert HINT not in click("Helpful").text
    engineer.refresh_from_db()
    assert engineer.step_hint_seen_at == NOW
    assert HINT not in click("Helpful").text  # taken back, and known all the same
    elsewhere = StepFactory(flow=session.flow)
    thumbs.give(elsewhere, session, was_helpful=True, now=NOW.replace(hour=12))
    engineer.refresh_from_db()
    assert engineer.step_hint_seen_at == NOW
    assert HINT not in read(browser.get(f"/sessions/{session.id}/steps/{elsewhere.id}/thumb/")).text


def test_reasons_are_asked_for_after_a_thumb_down_only(browser, click, url):
    assert not read(browser.get(url)).all("textarea")
    assert not click("Helpful").all("textarea")
    asked = click("Not helpful")
    chips = [label.text for label in asked.all("label", class_="pick")]
    assert chips == ["Wrong", "Outdated", "Unclear", "Missing option", "Did not fit"]
    assert asked.one("textarea").attributes["maxlength"] == "500"


def test_what_was_wrong_is_kept_and_shown(browser, click, url, step):
    click("Not helpful")
    more = {"was_helpful": "false", "explained": "on"}
    saved = browser.post(
        url,
        {**more, "reasons": ["wrong", "missing_option"], "comment": f" {HOSTILE}\r\nSecond line "},
        headers={"HX-Request": "true"},
    )
    assert "Saved" in read(saved).one("div", class_="thumbs-saved").text
    thumb = StepRating.objects.get()
    assert (thumb.reasons, thumb.comment) == (["wrong", "missing_option"], f"{HOSTILE}\nSecond line")
    response = browser.get(url)
    page = read(response)
    assert [
        box.attributes["value"]
        for box in page.all("input", type="checkbox", checked=None)
        if "checked" in box.attributes
    ] == ["wrong", "missing_option"]
    assert HOSTILE in page.one("textarea").text
    assert b"<script>alert" not in response.content
    browser.post(url, more)
    thumb.refresh_from_db()
    assert (thumb.reasons, thumb.comment, counts(step)) == ([], None, (0, 1))


def test_a_further_click_down_keeps_the_reasons_and_a_thumb_up_drops_them(browser, url, step, session):
    thumbs.explain(step, session, reasons=["unclear"], comment="Which one?", now=NOW)
    browser.post(url, {"was_helpful": "false"})
    assert StepRating.objects.get().reasons == ["unclear"]
    browser.post(url, {"was_helpful": "true"})
    thumb = StepRating.objects.get()
    assert (thumb.was_helpful, thumb.reasons, thumb.comment) == (True, [], None)


def test_reasons_give_the_thumb_they_explain(browser, url, step):
    """The tab was slow: the thumb was taken back or turned in another one meanwhile."""
    browser.post(url, {"was_helpful": "false", "explained": "on", "reasons": ["wrong"]})
    assert counts(step) == (0, 1)
    assert StepRating.objects.get().reasons == ["wrong"]


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"was_helpful": ""},
        {"was_helpful": "maybe"},
        {"was_helpful": "true\0"},
        {"was_helpful": "false", "explained": "on", "reasons": ["ugly"]},
        {"was_helpful": "false", "explained": "on", "reasons": ["wrong", "\0"]},
        {"was_helpful": "false", "explained": "on", "comment": "x" * 501},
        {"was_helpful": "false", "explained": "on", "comment": "a\0b"},
    ],
)
@pytest.mark.parametrize("before", [None, False])
def test_what_is_no_rating_is_told_and_changes_nothing(browser, url, step, session, sent, before):
    if before is not None:
        thumbs.explain(step, session, reasons=["outdated"], comment="Old", now=NOW)
    for headers in ({}, {"HX-Request": "true"}):
        response = browser.post(url, sent, headers=headers)
        assert response.status_code == 422
        [alert] = read(response).all(role="alert")
        assert alert.text.startswith("Not saved.")
    if before is None:
        assert counts(step) == (0, 0)
    else:
        assert counts(step) == (0, 1)
        thumb = StepRating.objects.get()
        assert (thumb.reasons, thumb.comment) == (["outdated"], "Old")


def test_a_reason_that_comes_twice_is_kept_once(browser, url):
    browser.post(url, {"was_helpful": "false", "explained": "on", "reasons": ["wrong", "outdated", "wrong"]})
    assert StepRating.objects.get().reasons == ["wrong", "outdated"]


@pytest.mark.parametrize(
    "reasons", [["ugly"], ["wrong", "wrong"], ["wrong", None], [["wrong"]], {"wrong": 1}, "wrong"]
)
def test_the_database_keeps_each_reason_once_and_nothing_else(step, reasons):
    with pytest.raises(IntegrityError, match="each_reason_once"), transaction.atomic():
        StepRatingFactory(step=step, was_helpful=False, reasons=reasons)


def test_the_database_keeps_all_reasons(step):
    assert StepRatingFactory(step=step, was_helpful=False, reasons=Reason.values).reasons == Reason.values


def test_a_comment_of_five_hundred_characters_with_lines_fits(browser, url):
    comment = "x" * 498 + "\r\n" + "y"
    assert (
        browser.post(url, {"was_helpful": "false", "explained": "on", "comment": comment}).status_code == 302
    )
    assert len(StepRating.objects.get().comment) == 500


@pytest.mark.parametrize("status", ["active", "requesting_escalation", "abandoned", "escalated"])
def test_in_each_state_of_the_session(browser, step, flow, engineer, status):
    session = SessionFactory(user=engineer, flow=flow, status=status)
    assert (
        browser.post(f"/sessions/{session.id}/steps/{step.id}/thumb/", {"was_helpful": "true"}).status_code
        == 302
    )
    assert counts(step) == (1, 0)


@pytest.mark.parametrize("who", ["colleague", "team_admin", "super_admin"])
def test_only_the_sessions_engineer(client, url, step, who, request, account):
    client.force_login(request.getfixturevalue(who))
    if who == "super_admin":
        client.post("/accounts/choose/", {"account": account.slug})
    assert client.get(url).status_code == 403
    assert client.post(url, {"was_helpful": "true"}).status_code == 403
    assert counts(step) == (0, 0)


def test_a_stranger_finds_nothing(client, url, stranger, step):
    client.force_login(stranger)
    assert client.get(url).status_code == 404
    assert client.post(url, {"was_helpful": "true"}).status_code == 404
    assert counts(step) == (0, 0)


def test_a_step_of_another_flow_or_account_is_none_of_the_session(
    browser, session, engineer, step, other_account
):
    with account_scope(other_account):
        foreign = StepFactory()
    without = SessionFactory(user=engineer)
    for of, what in [(session, StepFactory(flow=FlowFactory())), (session, foreign), (without, step)]:
        for method in (browser.get, browser.post):
            assert (
                method(f"/sessions/{of.id}/steps/{what.id}/thumb/", {"was_helpful": "true"}).status_code
                == 404
            )
    assert not StepRating.objects.exists()


def test_a_thumb_of_one_session_is_not_that_of_another(browser, session, step, engineer, flow):
    again = SessionFactory(user=engineer, flow=flow)
    for one in (session, again):
        browser.post(f"/sessions/{one.id}/steps/{step.id}/thumb/", {"was_helpful": "true"})
    assert counts(step) == (2, 0)
    browser.post(f"/sessions/{again.id}/steps/{step.id}/thumb/", {"was_helpful": "none"})
    assert counts(step) == (1, 0)
    assert StepRating.objects.get().session == session


def test_titles_are_text(browser, session, flow):
    step = StepFactory(flow=flow, title=HOSTILE)
    response = browser.get(f"/sessions/{session.id}/steps/{step.id}/thumb/")
    assert HOSTILE in read(response).text
    assert b"<script>alert" not in response.content


def test_many_other_ratings_cost_no_query_more(browser, url, step, flow):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            browser.get(url, headers={"HX-Request": "true"})
        return len(asked)

    browser.get(url)
    few = queries()
    for _ in range(200):
        StepRatingFactory(step=step, session=SessionFactory(flow=flow))
    assert queries() == few


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["up", "down", "explain", "back"])), max_size=12)
)
def test_whatever_comes_in_whatever_order_the_counts_are_those_of_the_ratings(flow, engineer, acts):
    step = StepFactory(flow=flow)
    sessions = [SessionFactory(user=engineer, flow=flow) for _ in range(3)]
    expected = {}
    for number, act in acts:
        session = sessions[number]
        if act == "back":
            thumbs.take_back(step, session)
            expected.pop(number, None)
        elif act == "explain":
            thumbs.explain(step, session, reasons=["wrong"], comment="x", now=NOW)
            expected[number] = False
        else:
            created = thumbs.give(step, session, was_helpful=act == "up", now=NOW)
            assert created == (number not in expected)
            expected[number] = act == "up"
    wanted = list(expected.values())
    assert counts(step) == (wanted.count(True), wanted.count(False))
    assert Step.objects.get(id=step.id).ratings.count() == len(wanted)
