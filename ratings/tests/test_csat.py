"""The stars of a session: asked for once, given once, shown to their giver."""

from datetime import UTC, datetime

import pytest

from flowpilot.tests.factories import SessionFactory
from ratings.models import SessionRating
from ratings.tests.factories import SessionRatingFactory
from resolutionflow.tests.pages import read

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script> \"'\u202e😀 =HYPERLINK(1)"
HTMX = {"HX-Request": "true"}
LATE = "You rated this session already"


@pytest.fixture(autouse=True)
def _now(clock):
    clock(NOW)


@pytest.fixture
def url(session):
    return f"/sessions/{session.id}/rating/"


@pytest.fixture
def browser(client, engineer):
    client.force_login(engineer)
    return client


def test_the_dialog_comes_once(browser, url, session):
    first = browser.post(f"{url}ask/", headers=HTMX)
    dialog = read(first).one("dialog")
    assert dialog.one("h2").text == "How was this flow?"
    assert "Your feedback helps flow authors improve troubleshooting paths." in dialog.text
    stars = [star.attributes["aria-label"] for star in dialog.one("fieldset").all("input", type="radio")]
    assert stars == ["1 star: Poor", "2 stars: Fair", "3 stars: Fine", "4 stars: Good", "5 stars: Great"]
    assert [button.text for button in dialog.all("button")] == ["", "Skip", "Submit"]
    session.refresh_from_db()
    assert session.csat_asked_at == NOW
    again = browser.post(f"{url}ask/", headers=HTMX)
    assert (again.status_code, again.content) == (204, b"")


def test_without_a_flow_it_asks_for_the_session(browser, engineer):
    session = SessionFactory(user=engineer)
    dialog = read(browser.post(f"/sessions/{session.id}/rating/ask/")).one("dialog")
    assert dialog.one("h2").text == "How did this session go?"
    assert read(browser.get(f"/sessions/{session.id}/rating/")).one("h1").text == "How did this session go?"


@pytest.mark.parametrize("status", ["active", "requesting_escalation", "abandoned"])
def test_before_the_end_there_is_nothing_to_ask_or_to_rate(browser, engineer, flow, status):
    session = SessionFactory(user=engineer, flow=flow, status=status)
    url = f"/sessions/{session.id}/rating/"
    assert browser.post(f"{url}ask/").status_code == 204
    session.refresh_from_db()
    assert session.csat_asked_at is None
    page = read(browser.get(url))
    assert "has not ended yet" in page.one("main").text
    assert not page.one("main").all("form")
    response = browser.post(url, {"rating": "5"})
    assert response.status_code == 409
    assert "has not ended yet" in read(response).one("main").text
    assert not SessionRating.objects.exists()


def test_what_is_rated_is_not_asked_for(browser, url, session):
    SessionRatingFactory(session=session)
    assert browser.post(f"{url}ask/").status_code == 204


def test_asking_is_a_post(browser, url, session):
    assert browser.get(f"{url}ask/").status_code == 405
    session.refresh_from_db()
    assert session.csat_asked_at is None


def test_stars_and_comment_are_kept_as_given(browser, url, session, engineer, flow):
    response = browser.post(url, {"rating": "4", "comment": f"  {HOSTILE}\r\nQuick  "}, headers=HTMX)
    assert response.status_code == 200
    assert set(response.headers["HX-Trigger"].split('"')) >= {"toast", "rated"}
    rating = SessionRating.objects.get()
    assert (rating.session, rating.user, rating.flow) == (session, engineer, flow)
    assert (rating.rating, rating.comment, rating.created_at) == (4, f"{HOSTILE}\nQuick", NOW)
    panel = read(response)
    assert panel.one(role="img").attributes["aria-label"] == "4 of 5 stars"
    assert HOSTILE in panel.text
    assert b"<script>alert" not in response.content
    assert not panel.all("form")


def test_no_comment_is_none(browser, url):
    browser.post(url, {"rating": "1", "comment": " \r\n "})
    assert SessionRating.objects.get().comment is None


def test_without_htmx_it_is_a_page_that_leads_back(browser, url, session):
    page = read(browser.get(url))
    assert page.one("h1").text == "How was this flow?"
    assert len(page.one("main").all("input", type="radio")) == 5
    assert page.one("button", class_="primary").text == "Submit"
    assert "Skip" not in [button.text for button in page.all("button")]
    response = browser.post(url, {"rating": "5"}, follow=True)
    assert response.redirect_chain == [(f"/sessions/{session.id}/", 302)]
    assert "Your rating is saved" in read(response).text


def test_a_rated_session_shows_its_rating(browser, url, session):
    SessionRatingFactory(session=session, rating=2, comment="Too long")
    page = read(browser.get(url))
    assert page.one(role="img").attributes["aria-label"] == "2 of 5 stars"
    assert "Too long" in page.text
    assert not page.one("main").all("form")


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("more", [{}, {"dialog": "on"}])
def test_the_second_one_is_told_and_what_was_written_is_kept(browser, url, session, headers, more):
    SessionRatingFactory(session=session, rating=2, comment="Too long")
    response = browser.post(url, {"rating": "5", "comment": HOSTILE, **more}, headers=headers)
    assert response.status_code == 409
    page = read(response)
    assert LATE in page.one(role="alert").text
    assert page.one(role="img").attributes["aria-label"] == "2 of 5 stars"
    assert page.one("textarea").text == HOSTILE
    assert SessionRating.objects.get().rating == 2


def test_the_same_one_again_is_a_double_click(browser, url):
    for _ in range(2):
        response = browser.post(url, {"rating": "5", "comment": "Quick"}, follow=True)
        assert "Your rating is saved" in read(response).text
    assert SessionRating.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Choose one to five stars."),
        ({"rating": ""}, "Choose one to five stars."),
        ({"rating": "0"}, "Choose one to five stars."),
        ({"rating": "6"}, "Choose one to five stars."),
        ({"rating": "4.5"}, "Choose one to five stars."),
        ({"rating": "٣"}, "Choose one to five stars."),
        ({"rating": "3\0"}, "Choose one to five stars."),
        ({"rating": "3", "comment": "x" * 501}, "at most 500 characters (it has 501)"),
        ({"rating": "3", "comment": "a\0b"}, "Null characters"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_is_no_rating_is_told_and_the_text_is_kept(browser, url, sent, words, headers):
    sent = {"comment": f"{HOSTILE} and more", **sent}
    response = browser.post(url, sent, headers=headers)
    assert response.status_code == 422
    page = read(response)
    assert words in page.one("div", class_="form-errors").text
    assert page.one("textarea").text.strip() == sent["comment"]
    if sent.get("rating") == "3":
        [chosen] = [star for star in page.all("input", type="radio") if "checked" in star.attributes]
        assert chosen.attributes["value"] == "3"
    assert not SessionRating.objects.exists()


def test_five_hundred_characters_with_lines_fit(browser, url):
    assert browser.post(url, {"rating": "3", "comment": "x\r\n" * 249 + "yz"}).status_code == 302
    assert len(SessionRating.objects.get().comment) == 500


def test_the_dialog_stays_one_when_it_comes_back(browser, url):
    asked = read(browser.post(f"{url}ask/"))
    assert asked.one("input", name="dialog")
    again = read(browser.post(url, {"dialog": "on"}, headers=HTMX))
    names = {"Skip", "Submit"}
    assert {button.text for button in again.all("button")} == names
    ids = [star.attributes["id"] for star in again.all("input", type="radio")]
    assert ids == [star.attributes["id"] for star in asked.all("input", type="radio")]
    alone = read(browser.get(url, headers=HTMX))
    assert not set(ids) & {star.attributes["id"] for star in alone.all("input", type="radio")}


@pytest.mark.parametrize("who", ["colleague", "team_admin", "super_admin"])
@pytest.mark.parametrize("rated", [False, True])
def test_stars_and_comment_are_their_givers_alone(client, url, session, who, rated, request, account):
    if rated:
        SessionRatingFactory(session=session, comment="Private words")
    client.force_login(request.getfixturevalue(who))
    if who == "super_admin":
        client.post("/accounts/choose/", {"account": account.slug})
    for response in (client.get(url), client.post(url, {"rating": "5"}), client.post(f"{url}ask/")):
        assert response.status_code == 403
        assert b"Private words" not in response.content
    assert SessionRating.objects.count() == rated
    session.refresh_from_db()
    assert session.csat_asked_at is None


def test_a_stranger_finds_nothing(client, url, stranger):
    client.force_login(stranger)
    for response in (client.get(url), client.post(url, {"rating": "5"}), client.post(f"{url}ask/")):
        assert response.status_code == 404
    assert not SessionRating.objects.exists()
