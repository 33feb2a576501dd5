"""The invented MSP: the same each time, plausible, and with something to find on purpose."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median

import pytest
from django.contrib.auth.hashers import make_password

from flowpilot.flows.library import starter_library
from flowpilot.models import (
    Client,
    Domain,
    Flow,
    FlowDraft,
    FlowProposal,
    FlowVersion,
    PsaActivityLog,
    PsaConnection,
    PsaMember,
    Session,
    Step,
)
from flowpilot.psa import sealing
from flowpilot.psa.stand_in.seed import API_MEMBER, Tables
from flowpilot.sessions.states import OPEN
from operations.demo.msp import cast, days, loading, ticket_system
from operations.demo.msp.discoveries import all_recurring, left
from operations.demo.msp.learning import learn
from operations.demo.msp.story import Story
from operations.demo.msp.walking import Walker
from ratings.models import SessionRating, StepRating
from resolutionflow.metrics import wilson
from resolutionflow.models import Account
from resolutionflow.tenancy import account_scope

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday afternoon
LIBRARY = starter_library()


def told(now):
    return [session for sessions in Story(LIBRARY).tell(now) for session in sessions]


@pytest.fixture(scope="module")
def story():
    return told(NOW)


def share(sessions, *, of):
    return len(sessions) / len(of)


def test_at_any_moment_at_least_120_days_lie_behind():
    for hours in range(0, 24 * 7, 5):
        now = NOW + timedelta(hours=hours)
        assert 120 <= (now.astimezone(days.TZ).date() - days.first_day(now)).days + 1 <= 126


def test_nothing_lies_ahead(story):
    for session in story:
        assert session.started_at <= session.last_activity_at <= NOW
        moments = [at for *_, at in session.thumbs] + [at for *_, at in session.activity]
        assert all(at <= NOW for at in [*moments, *(d["at"] for d in session.decisions)])
        assert session.rating is None or session.rating[-1] <= NOW
        assert (session.completed_at is None) == (session.outcome is None)


def test_a_week_has_a_rhythm(story):
    local = [session.started_at.astimezone(days.TZ) for session in story]
    weekdays, hours = Counter(at.weekday() for at in local), Counter(at.hour for at in local)
    assert weekdays[0] > weekdays[3] > weekdays[4] > 5 * weekdays[5] > 5 * weekdays[6] > 0
    assert hours[9] > hours[10] > hours[12] < hours[14]
    assert set(range(22, 24)) | set(range(7)) == set(range(24)) - set(hours)
    first = days.first_day(NOW)
    a_day = Counter((at.date() - first).days for at in local)
    assert a_day[days.BANK_HOLIDAY] < a_day[days.BANK_HOLIDAY - 7] / 4
    assert a_day[days.OUTAGE] > a_day[days.OUTAGE - 7] * 1.15


def test_there_is_enough_and_it_grows(story):
    assert 8_500 < len(story) < 11_000
    half = days.first_day(NOW) + timedelta(days=63)
    later = [session for session in story if session.started_at.astimezone(days.TZ).date() >= half]
    assert 0.51 < share(later, of=story) < 0.6


def test_all_kinds_of_sessions_occur(story):
    tiers = Counter(session.tier for session in story)
    assert all(tiers[tier] > 1_000 for tier in ("guided", "exploring", "discovery"))
    ends = Counter(session.outcome or session.status for session in story)
    assert all(ends[end] > 100 for end in ("resolved", "workaround", "escalated", "unresolved", "abandoned"))
    assert ends["requesting_escalation"] == 3
    assert 3 <= ends["active"] <= 20
    assert {session.problem.domain for session in story} == {*cast.DOMAINS, None}
    assert {session.client for session in story} == {*cast.CLIENTS, None}
    assert {session.engineer for session in story} == set(range(len(cast.ENGINEERS)))


def test_nobody_works_before_they_came_or_after_they_left(story):
    first = days.first_day(NOW)
    for session in story:
        day = (session.started_at.astimezone(days.TZ).date() - first).days
        engineer = cast.ENGINEERS[session.engineer]
        assert engineer.first_day <= day < engineer.last_day


def test_guided_sessions_walk_the_version_of_their_day(story):
    walkers = Story(LIBRARY).walkers
    for session in story:
        if session.tier == "guided":
            walker = walkers[session.flow, session.version]
            taken = [decision for decision in session.decisions if not decision["undone_at"]]
            assert not taken or taken[0]["node_id"] == walker.structure["id"]
            for decision, after in pairwise(taken):
                assert after["node_id"] == target(walker, decision)


def target(walker: Walker, decision):
    node = walker.nodes[decision["node_id"]]
    if node["type"] == "action":
        return node["next"]
    return next(option["next"] for option in node["options"] if option["label"] == decision["answer"])


def test_flows_help(story):
    done = [session for session in story if session.completed_at]
    guided = [session for session in done if session.tier == "guided"]
    alone = [session for session in done if session.tier == "discovery"]

    def minutes(sessions):
        return median((s.completed_at - s.started_at).total_seconds() / 60 for s in sessions)

    def solved(sessions):
        return share([s for s in sessions if s.status == "resolved"], of=sessions)

    assert minutes(guided) < 0.7 * minutes(alone)
    assert solved(guided) > solved(alone) + 0.1


def test_the_uncovered_domains_are_never_guided(story):
    assert {s.flow for s in story if s.problem.domain in cast.UNCOVERED} == {None}


def test_what_is_wrong_on_purpose_is_there_to_be_found(story):
    period = [s for s in story if s.started_at >= NOW - timedelta(days=30)]
    name, node_id = cast.LEFT_AT
    visits = [s for s in period if s.flow == name and node_id in {d["node_id"] for d in s.decisions}]
    dropped = [s for s in visits if s.status == "abandoned" and s.decisions[-1]["node_id"] == node_id]
    assert wilson(len(dropped), len(visits))[0] > 0.2

    name, node_id = cast.UNHELPFUL_AT
    thumbs = [helpful for s in period if s.flow == name for at, helpful, _ in s.thumbs if at == node_id]
    assert len(thumbs) >= 5
    assert wilson(sum(thumbs), len(thumbs))[1] < 0.5

    label = next(f for f in LIBRARY if f.name == cast.ESCALATES).structure["options"][-1]["label"]
    answered = [
        s
        for s in period
        if s.flow == cast.ESCALATES and s.outcome and any(d["answer"] == label for d in s.decisions)
    ]
    lost = [s for s in answered if s.outcome in ("escalated", "unresolved")]
    assert wilson(len(lost), len(answered))[0] > 0.5

    stale = [s.started_at for s in story if s.flow == cast.STALE[0]]
    assert max(stale) < NOW - timedelta(days=30)


def own_titles(session):
    return [decision["title"] for decision in session.decisions if decision["node_id"] is None]


def test_what_no_flow_covers_comes_again_and_engineers_find_out_what_helps(story):
    for place, problem in enumerate(all_recurring()):
        solved = [s for s in story if s.problem.recurring == place and s.status == "resolved"]
        assert len(solved) >= 12
        assert all(
            s.tier == "discovery" and len(own_titles(s)) >= 2 for s in solved if s.outcome == "resolved"
        )
        assert len({s.engineer for s in solved}) >= 6
        assert solved[-1].started_at - solved[0].started_at > timedelta(weeks=8)
        assert len({tuple(own_titles(s)) for s in solved}) > len(problem.ways)
        assert len({s.problem.summary for s in solved}) > len(problem.problems)


def test_a_flow_is_left_at_the_same_step_for_the_same_own_one(story):
    spot = left()
    solved = [
        s
        for s in story
        if s.flow == spot.flow
        and s.status == "resolved"
        and any(d.get("left_flow") and d["node_id"] == spot.node for d in s.decisions)
    ]
    assert len(solved) >= 6
    assert len({s.engineer for s in solved}) >= 3
    assert all(own_titles(s)[1] in spot.titles for s in solved)  # after a look at what it is


def facts(session):
    return (session.problem, session.engineer, session.client, session.tier, session.flow, session.outcome)


def test_the_story_is_the_same_each_time(story):
    assert told(NOW) == story


def test_a_week_later_it_is_the_same_a_week_later(story):
    week = timedelta(days=7)  # both on this side of the change of clocks
    later = told(NOW + week)
    assert [facts(s) for s in later] == [facts(s) for s in story]
    assert later[-1].started_at == story[-1].started_at + week


def test_on_the_next_day_it_only_goes_on(story):
    next_day = told(NOW + timedelta(days=1))
    settled = [s for s in story if s.completed_at and s.last_activity_at < NOW - timedelta(hours=8)]
    again = {(s.started_at, s.engineer, s.problem): s for s in next_day}
    assert len(next_day) > len(story)
    assert all(facts(again[s.started_at, s.engineer, s.problem]) == facts(s) for s in settled)


@pytest.fixture
def loaded(db, other_account):
    seen = []
    loading.load(
        None, password_hash=make_password("look-around"), now=NOW, progress=lambda *done: seen.append(done)
    )
    assert seen[-1] == (cast.DAYS, cast.DAYS)
    account = Account.objects.get(slug=cast.SLUG)
    with account_scope(account):
        yield account


def test_the_account_holds_the_story(loaded, story, other_account):
    assert Session.objects.count() == len(story)
    assert loaded.users.count() == len(cast.ENGINEERS) == 25
    assert loaded.users.filter(is_active=False).count() == 1
    assert Client.objects.count() == 12
    assert Domain.objects.count() == 8
    assert Session.objects.filter(status="resolved").count() == sum(s.status == "resolved" for s in story)
    assert SessionRating.objects.count() == sum(bool(s.rating) for s in story)
    assert StepRating.objects.count() == sum(len(s.thumbs) for s in story)
    assert PsaActivityLog.objects.count() == sum(len(s.activity) for s in story)
    with account_scope(other_account):
        assert not Session.objects.exists()
        assert not Flow.objects.exists()

    published = Flow.objects.filter(status="published")
    assert (published.count(), Flow.objects.filter(status="draft").count()) == (24, 6)
    assert {flow.domain.name for flow in Flow.objects.filter(status="draft").select_related("domain")} == (
        cast.UNCOVERED
    )
    assert FlowDraft.objects.count() == 6
    assert FlowVersion.objects.count() == 24 + len(cast.REVISED)
    for flow in published.select_related("current_version"):
        sessions = Session.objects.filter(flow=flow)
        assert flow.usage_count == sessions.count()
        assert flow.last_matched_at == sessions.latest("started_at").started_at
        assert flow.current_version.number == (2 if flow.name in cast.REVISED else 1)
    for step in Step.objects.filter(ratings__isnull=False).distinct():
        assert step.helpful_yes == step.ratings.filter(was_helpful=True).count()
        assert step.helpful_no == step.ratings.filter(was_helpful=False).count()
    for version in FlowVersion.objects.all():
        sessions = Session.objects.filter(flow_version=version)
        assert sessions.earliest("started_at").started_at >= version.published_at

    learn(loaded, now=NOW)
    statuses = Counter(FlowProposal.objects.values_list("status", flat=True))
    assert statuses["pending"] >= len(all_recurring())
    assert (statuses["approved"], statuses["rejected"]) == (1, 1)
    found = FlowProposal.objects.get(status="approved")
    assert found.published_flow.origin == "ai_generated"
    assert found.created_at < found.reviewed_at < NOW
    assert found.published_flow.current_version.published_at == found.reviewed_at


def test_its_ticket_system_knows_every_open_session(db):
    loading.load(None, password_hash=make_password("a password"), now=NOW, progress=lambda *_: None)
    tables = Tables()
    ticket_system.fill(tables)
    with account_scope(Account.objects.get(slug=cast.SLUG)):
        open_sessions = Session.objects.filter(status__in=OPEN).exclude(psa_ticket_id=None)
        rows = {str(ref): row for ref, row in tables.tickets.items()}
        assert open_sessions.exists()
        for session in open_sessions.select_related("client"):
            row = rows[session.psa_ticket_id]
            assert tables.companies[row["company"]]["name"] == session.client.name
            assert not tables.statuses[row["status"]]["closedStatus"]
        assert {c["name"] for c in tables.companies.values()} >= set(ticket_system.WAITING.values())
        connection = PsaConnection.objects.get()
        assert sealing.open_sealed(connection.credentials) == ticket_system.KEYS
        with_time = PsaMember.objects.filter(user__is_active=True).count()
        assert with_time == connection.members.count() == len(tables.members) - 1
    assert API_MEMBER in tables.members  # whose a note is that names nobody
    assert ticket_system.is_connected()
