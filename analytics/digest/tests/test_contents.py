"""The figures against plain Python, the facts against the lists that they open."""

from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice

import pytest
from django.http import QueryDict

from analytics.digest.contents import MINIMUM, contents
from analytics.digest.tests.conftest import MONDAY, NOW
from analytics.digest.weeks import period_of
from analytics.query import DashboardQuery
from analytics.tests import plain
from flowpilot.sessions.filters import SessionFilterForm
from flowpilot.tests.factories import ClientFactory, DomainFactory, FlowFactory, SessionFactory
from ratings.tests.factories import SessionRatingFactory
from resolutionflow.figures import parts

THEN = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)  # within the week
BEFORE = THEN - timedelta(days=7)


@pytest.fixture
def of(account):
    """What stands in a person's digest."""

    def of(user):
        own = not user.leads_team
        query = DashboardQuery(
            url_name="analytics:me" if own else "analytics:team",
            viewer=user,
            account=account,
            now=NOW,
            period=period_of(MONDAY, now=NOW, tz=account.tz),
            engineer=user if own else None,
            own=own,
        )
        return contents(query)

    return of


@pytest.fixture
def opened(account):
    """How many sessions a person finds behind a link."""

    def opened(user, href):
        path, _, query = href.partition("?")
        assert path == "/sessions/"
        form = SessionFilterForm(QueryDict(query), viewer=user, account=account, now=NOW)
        count = form.sessions().count()
        assert form.errors == {}
        return count

    return opened


def sessions(count, user, at=THEN, **facts):
    return [SessionFactory(user=user, started_at=at, **facts) for _ in range(count)]


def said(found):
    return {figure.metric.label: figure for figure in found.figures}


def linked(thing):
    return int(thing.linked.split()[0].replace(",", ""))


def test_the_figures_are_those_of_plain_python(of, team_admin, engineer, colleague, account):
    """Two weeks in which the clock's hours, outcomes, durations and stars vary, with sessions just outside of them."""
    first = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    records = []
    kinds = cycle(["resolved", "escalated", "abandoned", "workaround", "unresolved", "active", "resolved"])
    for number, kind in enumerate(islice(kinds, 95)):
        at = first + timedelta(hours=4 * number)
        seconds = 60 * (7 + number * 13 % 91) if kind not in ("abandoned", "active") else None
        status = "resolved" if kind == "workaround" else kind
        who = engineer if number % 3 else colleague
        session = SessionFactory(
            user=who,
            started_at=at,
            status=status,
            outcome=kind if seconds else None,
            completed_at=at + timedelta(seconds=seconds) if seconds else None,
        )
        stars = 1 + number % 5 if seconds and number % 2 else None
        if stars:
            SessionRatingFactory(session=session, rating=stars)
        named = plain.Named(str(who.id), who.name)
        records.append(
            plain.Record("northgate", named, None, None, at, seconds, kind if seconds else None, stars)
        )
    for viewer in (team_admin, engineer):
        mine = [r for r in records if viewer.leads_team or r.engineer.id == str(viewer.id)]
        week = plain.between(mine, date(2026, 3, 9), date(2026, 3, 15), account.time_zone)
        week_before = plain.between(mine, date(2026, 3, 2), date(2026, 3, 8), account.time_zone)
        figures = said(of(viewer))
        for rows, name in ((week, "value"), (week_before, "before")):
            resolved = [r for r in rows if r.outcome in ("resolved", "workaround")]
            assert len(rows) > 20
            assert getattr(figures["Sessions"], name) == len(rows)
            expected = {
                "Completion rate": plain.completion_rate(rows),
                "Resolution rate": plain.half_up(plain.Fraction(len(resolved), len(rows)), 3),
            }
            for label, value in expected.items():
                assert parts(getattr(figures[label], name), "share")[0] == f"{value * 100:.1f}"
            assert getattr(figures["Median duration"], name) == plain.median_minutes(rows) * 60
            assert float(parts(getattr(figures["CSAT"], name), "score")[0]) == plain.csat(rows)


def test_each_figure_opens_what_it_rests_on(of, opened, team_admin, engineer):
    rated = sessions(3, engineer)
    sessions(2, engineer, status="abandoned")
    sessions(1, engineer, status="escalated")
    SessionRatingFactory(session=rated[0])
    for viewer in (team_admin, engineer):
        found = said(of(viewer))
        counts = {label: opened(viewer, figure.href) for label, figure in found.items()}
        assert counts == {
            "Sessions": 6, "Completion rate": 4, "Median duration": 4, "Resolution rate": 3, "CSAT": 1
        }  # fmt: skip
    assert found["CSAT"].note == "engineers’ own rating of 1 of 4 sessions completed"


def test_the_things_to_look_at_open_exactly_what_they_count(of, opened, team_admin, engineer, colleague):
    flow, fine = FlowFactory(name="VPN <b>"), FlowFactory(name="Printer")
    domain, client = DomainFactory(name="Email"), ClientFactory(name="Contoso")
    for who in (engineer, colleague):
        sessions(5, who, flow=flow, domain=domain)
        sessions(2, who, flow=flow, domain=domain, status="abandoned")
        sessions(6, who, flow=fine, status="escalated", domain=domain, client=client)
        sessions(1, who, status="requesting_escalation", at=BEFORE)
        sessions(4, who, status="active", at=BEFORE)  # of another week
    for viewer, times in ((team_admin, 2), (engineer, 1)):
        things = of(viewer).things
        assert [linked(thing) for thing in things] == [1 * times, 2 * times, 6 * times]
        assert [opened(viewer, thing.href) for thing in things] == [linked(thing) for thing in things]
        assert [thing.rest for thing in things] == [
            f"{'' if viewer.leads_team else 'of yours '}asked for help, and nobody has answered yet.",
            f"of {7 * times} with the flow “VPN <b>” did not come to an end: "
            "the lowest completion rate of a flow, 71.4 %.",
            f"of {13 * times} in the domain “Email” were escalated: the most of any domain.",
        ]


def test_what_was_given_up_or_is_open_comes_where_there_is_room(of, opened, engineer):
    sessions(1, engineer, status="abandoned")
    sessions(2, engineer, status="active")
    things = of(engineer).things
    assert [f"{thing.linked} {thing.rest}" for thing in things] == [
        "1 session of the week was given up without an outcome when this was written.",
        "2 sessions of the week were still open when this was written.",
    ]
    assert [opened(engineer, thing.href) for thing in things] == [1, 2]


def test_nothing_is_blamed_on_too_few_sessions(of, engineer):
    for status in ("escalated", "abandoned"):
        sessions(
            2, engineer, status=status, flow=FlowFactory(), domain=DomainFactory(), client=ClientFactory()
        )
    assert MINIMUM == 5
    assert [linked(thing) for thing in of(engineer).things] == [2]  # a count of what was given up, no rate


def test_of_flows_alike_the_first_by_name_is_named(of, engineer):
    for name in ("b", "C", "a"):
        sessions(5, engineer, status="abandoned", flow=FlowFactory(name=name))
    assert "“C”" in of(engineer).things[0].rest


def test_what_got_better_is_the_largest_gain_for_its_size(of, engineer):
    for at, minutes, solved in ((BEFORE, 40, 5), (THEN, 30, 9)):
        for number in range(10):
            status = "resolved" if number < solved else "unresolved"
            sessions(1, engineer, at, status=status, completed_at=at + timedelta(minutes=minutes))
    found = of(engineer)
    assert (found.better.metric.label, found.better.words, found.better.words_before) == (
        "Resolution rate",
        "90.0 %",
        "50.0 %",
    )
    figures = said(found)
    assert figures["Median duration"].changed == "down 10.0 min, better"
    assert figures["Completion rate"].changed == "no change"
    assert figures["Sessions"].changed == "no change"


@pytest.mark.parametrize(("count", "better"), [(5, "Median duration"), (4, None)])
def test_a_gain_over_too_few_sessions_is_none(count, better, of, engineer):
    for at, minutes in ((BEFORE, 40), (THEN, 30)):
        sessions(count, engineer, at, completed_at=at + timedelta(minutes=minutes))
    found = of(engineer)
    assert (found.better and found.better.metric.label) == better
    assert ("better" in said(found)["Median duration"].changed) == bool(better)


def test_of_nothing_nothing_is_said(of, engineer):
    found = of(engineer)
    assert (found.sessions, found.things, found.better) == (0, [], None)
    assert [figure.words for figure in found.figures] == ["0", "–", "–", "–", "–"]
    assert [figure.changed for figure in found.figures] == [""] * 5


def test_seven_queries_for_none_as_for_many(of, team_admin, engineer, colleague, django_assert_num_queries):
    with django_assert_num_queries(7):
        of(engineer)
    for number in range(12):
        domain, flow = DomainFactory(name=f"D{number}"), FlowFactory(name=f"F{number}")
        sessions(1, engineer, client=ClientFactory(), domain=domain, flow=flow, status="escalated")
        sessions(1, colleague, at=BEFORE, status="requesting_escalation")
    for viewer in (engineer, team_admin):
        with django_assert_num_queries(7):
            of(viewer)
