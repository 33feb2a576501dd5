"""The filters of the session list that ask for stars and thumbs."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.http import urlencode

from flowpilot.tests.factories import FlowFactory, SessionFactory, StepFactory
from ratings.tests.factories import SessionRatingFactory, StepRatingFactory
from resolutionflow.tests.pages import listed, read

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def made(engineer):
    def make(name, **facts):
        usual = {"user": engineer, "problem_summary": name, "started_at": NOW - timedelta(days=1)}
        return SessionFactory(**usual | facts)

    return make


def found(client, **parameters):
    page = read(client.get(f"/sessions/?{urlencode(parameters, doseq=True)}"))
    assert not page.all("div", role="alert")
    count, names = listed(page)
    assert count == len(names)
    return sorted(names)


def test_rated_or_not(client, made, team_admin):
    SessionRatingFactory(session=made("rated"))
    made("unrated")
    made("open", status="active")
    client.force_login(team_admin)
    assert found(client, rated="yes") == ["rated"]
    assert found(client, rated="no") == ["open", "unrated"]


def test_on_rated_asks_when_the_stars_were_given(client, made, team_admin):
    old = made("rated yesterday", started_at=datetime(2026, 1, 5, tzinfo=UTC))
    SessionRatingFactory(
        session=old, created_at=datetime(2026, 3, 29, 23, 30, tzinfo=UTC)
    )  # 30 March in London
    SessionRatingFactory(session=made("rated in January"), created_at=datetime(2026, 1, 6, tzinfo=UTC))
    made("unrated")
    client.force_login(team_admin)
    assert found(client, on="rated") == ["rated yesterday"]
    assert found(client, on="rated", day="2026-03-30") == ["rated yesterday"]
    assert found(client, on="rated", day="2026-03-29") == []
    assert found(client, on="rated", day="2026-01-06") == ["rated in January"]


def test_stars_are_found_among_the_own_sessions_only(client, made, engineer, colleague, team_admin):
    for stars in (1, 4, 5):
        SessionRatingFactory(session=made(f"{stars} stars"), rating=stars)
    SessionRatingFactory(session=made("a colleague's 5", user=colleague), rating=5)
    client.force_login(engineer)
    assert found(client, rating=5) == ["5 stars"]
    assert found(client, rating=[1, 5]) == ["1 stars", "5 stars"]
    client.force_login(team_admin)
    assert found(client, rating=5) == []
    SessionRatingFactory(session=made("the admin's own", user=team_admin), rating=5)
    assert found(client, rating=5) == ["the admin's own"]


def test_thumbs_on_a_step(client, made, team_admin, engineer):
    flow, other = FlowFactory(), FlowFactory()
    n1, n2, namesake = (
        StepFactory(flow=of, node_id=node_id) for of, node_id in ((flow, "n1"), (flow, "n2"), (other, "n1"))
    )
    yes = {"node_id": "n1", "answer": "Yes"}
    up, down = made("up", flow=flow, decisions=[yes]), made("down", flow=flow)
    StepRatingFactory(session=up, step=n1, was_helpful=True)
    StepRatingFactory(session=up, step=n2, was_helpful=False)
    StepRatingFactory(session=down, step=n1, was_helpful=False)
    StepRatingFactory(session=made("other flow", flow=other), step=namesake, was_helpful=True)
    made("no thumb", flow=flow, decisions=[yes])
    client.force_login(team_admin)
    assert found(client, node_id="n1", thumb="up") == ["other flow", "up"]
    assert found(client, node_id="n1", thumb="up", flow_id=flow.id) == ["up"]
    assert found(client, node_id="n1", thumb="down") == ["down"]
    assert found(client, node_id="n2", thumb="up") == []
    assert found(client, node_id="n1", thumb="up", option="Yes") == ["up"]
    assert found(client, node_id="n1", thumb="up", option="No") == []
