"""Every figure of team analytics against analytics/tests/plain.py, over sessions that Hypothesis makes up."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics import rows
from analytics.query import DashboardQuery, TeamForm
from analytics.tests import plain
from analytics.tests.made_up import (
    ABANDONED,
    EMPTY_DAY,
    NAMES,
    OUTCOMES,
    USUAL,
    one,
    period_of,
    rounded,
    sessions,
    situations,
    write,
)
from resolutionflow.models import ApiToken


@settings(max_examples=40)
@example(USUAL, [], False, None, None)
@example(USUAL, [one()], False, None, None)
@example(USUAL, [one(foreign=True)], False, None, None)
@example(USUAL, [ABANDONED] * 3, False, None, None)
@example(USUAL, [one()] * 3 + [ABANDONED] * 77, False, None, None)  # 3/80
@example(USUAL, [one(seconds=1), one(seconds=2), one(seconds=5)], False, None, None)
@example(  # the last instant of the range, and the first behind it
    SimpleNamespace(**vars(USUAL) | {"now": datetime(2026, 4, 1, 12, 0, tzinfo=UTC), "period": (3, 2)}),
    [one(back=timedelta(days=1, hours=13, microseconds=late)) for late in (1, 0, -1)],
    False,
    None,
    None,
)
@example(USUAL, [one(stars=4), one(stars=4), one(stars=4), one(stars=5)], False, None, None)  # 4.25
@example(USUAL, [one(engineer=n, flow=n) for n in range(len(NAMES))], False, None, None)  # all tied
@example(
    USUAL, [one(engineer=n, flow=n) for n in range(13) for _ in range(n)], False, None, None
)  # none tied
@example(USUAL, [one(engineer=n, flow=n) for n in range(len(NAMES))] * 2 + [one()], False, 0, None)
@example(
    EMPTY_DAY,
    [one(beside="moment", back=timedelta(hours=-hours)) for hours in (-25, -1, 0, 1, 15, 23)],
    True,
    None,
    None,
)
@given(
    situation=situations(),
    made=st.lists(sessions(), max_size=40),
    ties=st.booleans(),
    engineer=st.sampled_from([None, None, 0, 1]),
    client=st.sampled_from([None, None, 0]),
)
def test_every_figure_is_that_of_plain_python(
    client_of_api, cast, team_admin, clock, situation, made, ties, engineer, client
):
    if ties:
        made = made * 2
    clock(situation.now)
    with transaction.atomic():
        cast.here.account.time_zone = situation.zone
        cast.here.account.save()
        records = write(cast, situation, made)
        parameters, first, last = period_of(situation)
        if engineer is not None:
            parameters["engineer_id"] = str(cast.here.engineers[engineer].id)
            records = [r for r in records if r.engineer.id == parameters["engineer_id"]]
        if client is not None:
            parameters["client_id"] = str(cast.here.clients[client].id)
            records = [r for r in records if r.client == parameters["client_id"]]
        mine = [record for record in records if record.account == "here"]
        answer = client_of_api.get("/api/v1/analytics/team", parameters)
        summary = _summary(cast, team_admin, situation, parameters)
        transaction.set_rollback(True)

    inside = plain.between(mine, first, last, situation.zone)
    assert answer.json() == plain.team(inside, first, last, situation.zone)
    assert summary["now"] == plain.summary(inside)
    earlier = plain.before(mine, first, last, situation.zone, situation.now)
    assert summary["before"] == plain.summary(earlier)
    # what the series and the top tables leave out or count twice would show here
    figures = answer.json()
    assert sum(point["sessions"] for point in figures["time_series"]) == figures["summary"]["total_sessions"]
    for outcome in OUTCOMES:
        counted = sum(point[outcome] for point in figures["time_series"])
        assert counted == figures["summary"]["outcome_breakdown"][outcome]


@pytest.fixture
def client_of_api(client, cast, team_admin):
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {ApiToken.issue(team_admin, 'tests')[1]}"
    return client


def _summary(cast, viewer, situation, parameters):
    """Both totals of the cards, rounded as JSON is, so that they can be compared with those of plain Python."""
    account = cast.here.account
    form = TeamForm(parameters, account=account, now=situation.now)
    query = DashboardQuery.read(
        form, url_name="analytics:team", viewer=viewer, account=account, now=situation.now
    )
    return {
        "now": rounded(query.sessions.totals(*rows.SUMMARY)),
        "before": rounded(query.sessions_before.totals(*rows.SUMMARY)),
    }
