"""What was rated, on the session's page."""

import pytest

from ratings.tests.factories import SessionRatingFactory, StepRatingFactory
from resolutionflow.tests.pages import read


@pytest.fixture
def page_of(client, session):
    def page_of(user):
        client.force_login(user)
        return read(client.get(f"/sessions/{session.id}/")).one("main")

    return page_of


def decision(node_id, title):
    return {"id": node_id, "node_id": node_id, "title": title, "answer": "", "note": "", "at": None}


@pytest.mark.parametrize(("helpful", "words"), [(True, "▲ Helpful"), (False, "▼ Not helpful")])
def test_thumbs_stand_at_their_steps(page_of, session, step, engineer, helpful, words):
    session.decisions = [decision("root", "Is it on?"), decision("other", "Is it hot?")]
    session.save()
    StepRatingFactory(session=session, step=step, user=engineer, was_helpful=helpful)
    first, second = page_of(engineer).one("ol", class_="timeline").all("li")
    assert words in first.text
    assert "elpful" not in second.text


def test_a_session_without_stars_can_be_rated_by_its_engineer(page_of, session, engineer, team_admin):
    assert page_of(engineer).one("a", href=f"/sessions/{session.id}/rating/")
    assert not page_of(team_admin).all("a", href=f"/sessions/{session.id}/rating/")
    SessionRatingFactory(session=session, rating=4)
    assert page_of(engineer).one("span", role="img", aria_label="4 of 5 stars")
    assert not page_of(engineer).all("a", href=f"/sessions/{session.id}/rating/")
    assert not page_of(team_admin).all("span", role="img")


def test_what_was_said_with_a_thumb_stands_there_for_its_giver_only(
    page_of, session, step, engineer, team_admin
):
    session.decisions = [decision("root", "Is it on?")]
    session.save()
    StepRatingFactory(
        session=session,
        step=step,
        user=engineer,
        was_helpful=False,
        reasons=["wrong", "missing_option"],
        comment="The <b>button</b> moved.",
    )
    own = page_of(engineer).one("ol", class_="timeline")
    assert [badge.text for badge in own.all("span", class_="badge")] == ["Wrong", "Missing option"]
    assert "“The <b>button</b> moved.”" in own.text
    others = page_of(team_admin).one("ol", class_="timeline")
    assert "▼ Not helpful" in others.text
    assert "Wrong" not in others.text
    assert "moved" not in others.text
