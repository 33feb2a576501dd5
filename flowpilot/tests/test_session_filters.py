"""Each filter of the session list with rows made by hand; what hangs on ratings stands in ratings/tests."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.utils.http import urlencode

from flowpilot.sessions.filters import LABELS
from flowpilot.tests.factories import (
    ClientFactory,
    DomainFactory,
    FlowFactory,
    FlowVersionFactory,
    PsaActivityLogFactory,
    SessionFactory,
)
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.pages import listed, read

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)  # noon in London, two days after its clocks went forward
UNKNOWN_ID = UUID("0197f000-0000-7000-8000-000000000001")


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


@pytest.fixture
def made(engineer):
    """A session of the engineer, a day old where nothing else is said; its problem is how the tests call it."""

    def make(name, **facts):
        return SessionFactory(
            **{"user": engineer, "problem_summary": name, "started_at": NOW - timedelta(days=1)} | facts
        )

    return make


def found(client, **parameters):
    """The problems listed, sorted; the count has to agree with them, and nothing may be wrong with the filters."""
    page = _page(client, parameters)
    assert not page.all("div", role="alert"), page.one("div", role="alert").text
    return _names(page)


def refused(client, **parameters):
    """What the page says is wrong, and what it lists all the same."""
    page = _page(client, parameters)
    return [alert.text for alert in page.all("div", role="alert")], _names(page)


def _page(client, parameters):
    names = {name.rstrip("_"): value for name, value in parameters.items()}  # "from" is a keyword
    response = client.get(f"/sessions/?{urlencode(names, doseq=True)}")
    assert response.status_code == 200
    return read(response)


def _names(page):
    count, names = listed(page)
    assert count == len(names)
    return sorted(names)


def test_the_period_is_that_of_the_start(lead, made):
    made("today", started_at=NOW)
    made("first of 7", started_at=utc(2026, 3, 25, 0))
    made("last before 7", started_at=utc(2026, 3, 24, 23, 59, 59))
    made("first of 30", started_at=utc(2026, 3, 2, 0))
    made("last before 30", started_at=utc(2026, 3, 1, 23, 59, 59))
    made("old", started_at=utc(2016, 3, 1), completed_at=NOW)
    assert found(lead, period="7d") == ["first of 7", "today"]
    assert found(lead) == found(lead, period="30d") == ["first of 30", "first of 7", "last before 7", "today"]
    assert len(found(lead, period="90d")) == 5
    assert len(found(lead, period="all")) == 6
    assert found(lead, from_="2016-03-01", to="2016-03-01") == ["old"]


def test_a_day_is_a_local_one(lead, made):
    made("last of 28", started_at=utc(2026, 3, 28, 23, 59, 59))
    made("first of 29", started_at=utc(2026, 3, 29, 0))
    made("last of 29", started_at=utc(2026, 3, 29, 22, 59, 59))  # 23:59:59 in summer time
    made("first of 30", started_at=utc(2026, 3, 29, 23))
    assert found(lead, day="2026-03-29") == ["first of 29", "last of 29"]
    assert found(lead, day="2026-03-30") == ["first of 30"]


def test_a_day_searches_all_time_unless_a_period_is_given(lead, made):
    made("old", started_at=utc(2016, 3, 1, 9))
    assert found(lead, day="2016-03-01") == ["old"]
    assert found(lead, day="2016-03-01", period="all") == ["old"]
    assert found(lead, day="2016-03-01", period="30d") == []


def test_on_says_what_has_to_fall_into_the_period(lead, made):
    made("started long ago", started_at=utc(2026, 1, 1), completed_at=utc(2026, 3, 30))
    made("all in January", started_at=utc(2026, 1, 1), completed_at=utc(2026, 1, 2))
    made("still open", status="active")
    made("today", started_at=NOW - timedelta(hours=1), completed_at=NOW)
    assert found(lead, on="started") == ["still open", "today"]
    assert found(lead, on="completed") == ["started long ago", "today"]
    assert found(lead, on="completed", day="2026-03-30") == ["started long ago"]
    assert found(lead, on="completed", period="7d", day="2026-03-31") == ["today"]
    assert found(lead, on="completed", from_="2026-01-01", to="2026-01-31") == ["all in January"]


def test_on_logged_asks_for_a_time_entry_then(lead, made):
    old = made("logged yesterday", started_at=utc(2026, 1, 1))
    PsaActivityLogFactory(session=old, activity_type="time_entry_posted", created_at=utc(2026, 3, 30, 9))
    PsaActivityLogFactory(session=old, activity_type="time_entry_posted", created_at=utc(2026, 3, 30, 10))
    noted = made("only a note")
    PsaActivityLogFactory(session=noted, activity_type="note_posted", created_at=utc(2026, 3, 30, 9))
    late = made("logged in January")
    PsaActivityLogFactory(session=late, activity_type="time_entry_posted", created_at=utc(2026, 1, 5))
    assert found(lead, on="logged") == ["logged yesterday"]
    assert found(lead, on="logged", day="2026-01-05") == ["logged in January"]


def test_completed_day_is_when_it_ended(lead, made):
    made("over midnight", started_at=utc(2026, 3, 29, 22, 30), completed_at=utc(2026, 3, 29, 23, 30))
    made("the same day", started_at=utc(2026, 3, 29, 9), completed_at=utc(2026, 3, 29, 10))
    assert found(lead, completed_day="2026-03-30") == ["over midnight"]
    assert found(lead, completed_day="2026-03-29", period="7d") == ["the same day"]


def test_engineer_client_domain_flow_and_version(lead, made, colleague, engineer):
    clients, domains, flows = (
        [factory() for _ in range(2)] for factory in (ClientFactory, DomainFactory, FlowFactory)
    )
    versions = [FlowVersionFactory(flow=flows[0], number=number) for number in (1, 2)]
    facts = {"client": clients[0], "domain": domains[0], "flow": flows[0], "flow_version": versions[0]}
    made("first", **facts)
    made("second", client=clients[1], domain=domains[1], flow=flows[0], flow_version=versions[1])
    made("other flow", client=clients[1], flow=flows[1])
    made("bare", user=colleague)
    assert found(lead, engineer_id=colleague.id) == ["bare"]
    assert found(lead, engineer_id=[colleague.id, engineer.id]) == ["bare", "first", "other flow", "second"]
    assert found(lead, flow_id=flows[0].id) == ["first", "second"]
    assert found(lead, flow_id=flows[0].id, version=2) == ["second"]
    assert found(lead, flow_id=flows[0].id, version=[1, 2]) == ["first", "second"]
    assert found(lead, client_id=clients[1].id) == ["other flow", "second"]
    assert found(lead, client_id="none") == ["bare"]
    assert found(lead, client_id=["none", clients[0].id]) == ["bare", "first"]
    assert found(lead, domain_id=domains[0].id) == ["first"]
    assert found(lead, domain_id="none") == ["bare", "other flow"]
    assert found(lead, domain_id=["none", domains[1].id], client_id=clients[1].id) == ["other flow", "second"]
    for name in ("engineer_id", "flow_id", "client_id", "domain_id"):
        assert found(lead, **{name: UNKNOWN_ID}) == []


def test_ids_of_another_account_find_nothing(lead, made, other_account, stranger):
    with account_scope(other_account):
        flow, client = FlowFactory(name="Theirs"), ClientFactory(name="Theirs")
        SessionFactory(user=stranger, flow=flow, client=client, started_at=NOW, problem_summary="foreign")
    made("own")
    assert found(lead) == ["own"]
    for name, row in {"flow_id": flow, "client_id": client, "engineer_id": stranger}.items():
        page = _page(lead, {name: row.id})
        assert _names(page) == []
        assert "Theirs" not in page.text
        assert stranger.name not in page.text


def test_status_outcome_and_tier(lead, made):
    for status in ["active", "requesting_escalation", "resolved", "escalated", "unresolved", "abandoned"]:
        made(status, status=status)
    made("workaround", status="resolved", outcome="workaround", confidence_tier="guided")
    made("exploring", status="abandoned", confidence_tier="exploring")
    assert found(lead, status="resolved") == ["resolved", "workaround"]
    assert found(lead, status=["active", "abandoned"]) == ["abandoned", "active", "exploring"]
    assert found(lead, outcome="resolved") == ["resolved"]
    assert found(lead, outcome=["resolved", "workaround", "escalated", "unresolved"]) == [
        *("escalated", "resolved", "unresolved", "workaround")
    ]
    assert found(lead, tier="guided") == ["workaround"]
    assert found(lead, tier=["exploring", "guided"]) == ["exploring", "workaround"]
    assert len(found(lead, tier="none")) == 6
    assert found(lead, status="abandoned", tier=["none", "guided"]) == ["abandoned"]


def test_ticket_and_pushes(lead, made):
    both, note, entry = (made(name, psa_ticket_id=name) for name in ("both", "note", "entry"))
    made("none")
    for session in (both, note, note):
        PsaActivityLogFactory(session=session, activity_type="note_posted")
    for session in (both, entry):
        PsaActivityLogFactory(session=session, activity_type="time_entry_posted", hours_logged=1)
    assert found(lead, ticket="yes") == ["both", "entry", "note"]
    assert found(lead, ticket="no") == ["none"]
    assert found(lead, pushed="note") == ["both", "note"]
    assert found(lead, pushed="time_entry") == ["both", "entry"]
    assert found(lead, pushed=["note", "time_entry"]) == ["both", "entry", "note"]


def decision(node_id="n1", answer="Yes", **more):
    usual = {
        "id": "d",
        "node_id": node_id,
        "title": "?",
        "answer": answer,
        "note": "",
        "at": None,
        "undone_at": None,
    }
    return usual | {"taken_over": False} | more


def test_a_decision_at_a_step_with_an_answer(lead, made):
    made("yes at n1", decisions=[decision()])
    made("no at n1, yes at n2", decisions=[decision(answer="No"), decision("n2")])
    made("taken back", decisions=[decision(undone_at="2026-03-30T10:00:00Z")])
    made("taken over", decisions=[decision(taken_over=True)])
    made("taken back, then taken", decisions=[decision(undone_at="2026-03-30T10:00:00Z"), decision()])
    made("without a step", decisions=[decision(None)])
    made("nothing", decisions=[])
    assert found(lead, node_id="n1") == ["no at n1, yes at n2", "taken back, then taken", "yes at n1"]
    assert found(lead, option="Yes") == [
        *("no at n1, yes at n2", "taken back, then taken", "without a step", "yes at n1")
    ]
    assert found(lead, node_id="n1", option="Yes") == ["taken back, then taken", "yes at n1"]
    assert found(lead, node_id="n2", option="No") == []
    assert found(lead, node_id="None") == []


def test_odd_decisions_are_read_as_what_they_say(lead, made):
    made("missing members", decisions=[{"node_id": "n1"}])
    made("an empty one", decisions=[{}])
    made("no object", decisions=["n1", 7, None, ["n1"], True])
    made("a number for a step", decisions=[decision(7, answer=7)])
    made("more members", decisions=[decision(extra={"node_id": "n3"})])
    made("untidy blanks", decisions=[decision(answer=" Yes ")])
    made("quotes", decisions=[decision('a"b\\c', answer='"'), decision("$x", answer="@.answer || true")])
    assert found(lead, node_id="n1") == ["missing members", "more members", "untidy blanks"]
    assert found(lead, node_id="n3") == []
    assert found(lead, option="Yes") == ["more members"]
    assert found(lead, option=" Yes ") == ["untidy blanks"]
    assert found(lead, node_id='a"b\\c', option='"') == ["quotes"]
    assert found(lead, option="@.answer || true") == ["quotes"]


def test_given_up_at_the_last_decision(lead, made):
    n1, n2 = decision("n1", at="2026-03-30T09:00:00Z"), decision("n2", at="2026-03-30T10:00:00Z")
    made("n2 is newest", status="abandoned", decisions=[n1, n2])
    made("n2 is newest, first in the list", status="abandoned", decisions=[n2, n1])
    made(
        "n2 with an offset",
        status="abandoned",
        decisions=[decision("n2", at="2026-03-30T08:30:00-01:00"), n1],
    )
    made(
        "n1 with an offset",
        status="abandoned",
        decisions=[n1, decision("n2", at="2026-03-30T09:30:00+01:00")],
    )
    made("same time", status="abandoned", decisions=[n1, decision("n2", at="2026-03-30T09:00:00.000Z")])
    made("no times", status="abandoned", decisions=[decision("n1"), decision("n2")])
    made("n1 has a time", status="abandoned", decisions=[n1, decision("n2"), {"node_id": "n2"}])
    made("n2 taken back", status="abandoned", decisions=[n1, n2 | {"undone_at": "2026-03-30T11:00:00Z"}])
    made("n2 taken over", status="abandoned", decisions=[n1, n2 | {"taken_over": True}])
    made("without a step", status="abandoned", decisions=[n1, decision(None, at="2026-03-30T10:00:00Z")])
    made("no decision", status="abandoned")
    made("completed", status="unresolved", decisions=[n1])
    made("wants help", status="requesting_escalation", decisions=[n1], last_activity_at=utc(2026, 3, 1))
    assert found(lead, dropped_at="n2") == [
        *("n2 is newest", "n2 is newest, first in the list", "n2 with an offset", "no times", "same time")
    ]
    assert found(lead, dropped_at="n1") == [
        "n1 has a time",
        "n1 with an offset",
        "n2 taken back",
        "n2 taken over",
    ]


@pytest.mark.parametrize(
    "at", ["yesterday", "", 7, {}, [], "2026-02-31T10:00:00Z", "10:00:00+00:00", "infinity", "99999-01-01"]
)
def test_a_time_that_is_none_is_older_than_any(lead, made, at):
    n1 = decision("n1", at="2026-03-30T09:00:00Z")
    made("odd", status="abandoned", decisions=[n1, decision("n2", at=at)])
    assert found(lead, dropped_at="n1") == ["odd"]
    assert found(lead, dropped_at="n2") == []


def test_an_active_session_is_given_up_past_the_idle_limit(lead, made, account):
    account.idle_limit = timedelta(hours=2)
    account.save()
    facts = {"status": "active", "decisions": [decision()]}
    made("just within", last_activity_at=NOW - timedelta(hours=2), **facts)
    made("past it", last_activity_at=NOW - timedelta(hours=2, microseconds=1), **facts)
    assert found(lead, dropped_at="n1") == ["past it"]


def test_help_wanted_is_everybodys(client, made, engineer, colleague):
    made("own, wants help", status="requesting_escalation")
    made("a colleague's", user=colleague, status="requesting_escalation", started_at=utc(2016, 3, 1))
    made("a colleague's, resolved", user=colleague)
    made("own", status="active")
    client.force_login(engineer)
    assert found(client, help="wanted") == ["a colleague's", "own, wants help"]
    assert found(client, help="wanted", period="7d") == ["own, wants help"]


def test_search(lead, made):
    made("Printer on fire", psa_ticket_id="T-1")
    made("100 % CPU", external_id="INC0001")
    made("100 things")
    made("Ärger mit Ω")
    assert found(lead, q="PRINTER") == ["Printer on fire"]
    assert found(lead, q="t-1") == ["Printer on fire"]
    assert found(lead, q="T-") == []
    assert found(lead, q="inc0001") == ["100 % CPU"]
    assert found(lead, q="100 %") == ["100 % CPU"]
    assert found(lead, q="ärger MIT ω") == ["Ärger mit Ω"]
    assert found(lead, q="_") == []
    assert found(lead, q="\\") == []


EVERYTHING = [
    {"engineer_id": "{colleague}"},
    {"engineer_id": ["{colleague}", "{engineer}"]},
    {"period": "all"},
    {"on": "completed"},
    {"status": ["resolved", "active"]},
    {"day": "2026-03-30"},
    {"rating": "5"},
    {"dropped_at": "n1"},
    {"node_id": "n1"},
    {"q": "s"},
    {"status": "bogus"},
    {"period": "bogus"},
    {"client_id": "none"},
    {"help": "bogus"},
    {"help": ""},
]


@pytest.mark.parametrize("parameters", EVERYTHING)
def test_an_engineer_sees_own_sessions_only_whatever_is_asked(client, made, engineer, colleague, parameters):
    facts = {"decisions": [decision()]}
    made("own", **facts)
    for status in ["resolved", "active", "abandoned"]:
        made("colleague's", user=colleague, status=status, **facts)
    client.force_login(engineer)
    ids = {"{engineer}": engineer.id, "{colleague}": colleague.id}
    filled = {
        name: [ids.get(v, v) for v in (value if isinstance(value, list) else [value])]
        for name, value in parameters.items()
    }
    page = _page(client, filled)
    assert set(_names(page)) <= {"own"}
    assert colleague.name not in [cell for row in page.all("td") for cell in [row.text]]


BAD = [
    (
        {"status": "bogus"},
        "Unknown value. Use one of: active, requesting_escalation, resolved, escalated, unresolved, abandoned.",
    ),
    (
        {"status": ["resolved", "bogus"]},
        "Unknown value. Use one of: active, requesting_escalation, resolved, escalated, unresolved, abandoned.",
    ),
    (
        {"status": "resolved\0"},
        "Unknown value. Use one of: active, requesting_escalation, resolved, escalated, unresolved, abandoned.",
    ),
    ({"outcome": "abandoned"}, "Unknown value. Use one of: resolved, workaround, escalated, unresolved."),
    ({"tier": "bogus"}, "Unknown value. Use one of: guided, exploring, discovery, none."),
    ({"engineer_id": "none"}, "This is not an id."),
    ({"engineer_id": "x" * 10_000}, "This is not an id."),
    ({"flow_id": "7"}, "This is not an id."),
    ({"client_id": "\0"}, "This is not an id."),
    ({"version": "x"}, "This is not a whole number."),
    ({"version": "9" * 5_000}, "This is not a whole number."),
    ({"version": "-1"}, "This number is out of range."),
    ({"version": "9999999999"}, "This number is out of range."),
    ({"version": ["1"] * 51}, "At most 50 values can be given."),
    ({"rating": "6"}, "Unknown value. Use one of: 1, 2, 3, 4, 5."),
    ({"on": "bogus"}, "Unknown value. Use one of: started, completed, rated, logged."),
    ({"ticket": "maybe"}, "Unknown value. Use one of: yes, no."),
    ({"rated": "1"}, "Unknown value. Use one of: yes, no."),
    ({"thumb": "up"}, "A thumb needs the step: give node_id too."),
    ({"thumb": "sideways"}, "Unknown value. Use one of: up, down."),
    ({"pushed": "status"}, "Unknown value. Use one of: note, time_entry."),
    ({"help": "yes"}, "Unknown value. Use one of: wanted."),
    ({"day": "yesterday"}, "Give the day as YYYY-MM-DD."),
    ({"day": "2026-02-30"}, "Give the day as YYYY-MM-DD."),
    ({"day": "0001-01-01"}, "This day is out of range."),
    ({"day": "9999-12-31"}, "This day is out of range."),
    ({"completed_day": "9999-12-31"}, "This day is out of range."),
    ({"completed_day": "\0"}, "Give the day as YYYY-MM-DD."),
    ({"node_id": "\0"}, "Null characters are not allowed."),
    ({"option": "\0"}, "Null characters are not allowed."),
    ({"dropped_at": "a\0b"}, "Null characters are not allowed."),
    ({"q": "a\0b"}, "Null characters are not allowed."),
    ({"q": "x" * 201}, "Ensure this value has at most 200 characters (it has 201)."),
    ({"node_id": "x" * 101}, "Ensure this value has at most 100 characters (it has 101)."),
    ({"period": "5d"}, "Unknown period. Use 7d, 30d, 90d or all."),
    (
        {"period": "all", "from": "2026-03-01", "to": "2026-03-02"},
        "Give either a period or from and to, not both.",
    ),
    ({"from": "2026-03-01"}, "A custom range needs both from and to."),
]


@pytest.mark.parametrize(("parameters", "message"), BAD)
def test_a_bad_filter_says_so_and_filters_nothing(lead, made, parameters, message):
    made("in the last 30 days", started_at=NOW - timedelta(days=29))
    made("before", started_at=NOW - timedelta(days=40))
    name, *_ = parameters
    said = message if name in ("period", "from") else f"{LABELS[name]}: {message}"
    assert refused(lead, **parameters) == ([said], ["in the last 30 days"])


def test_a_bad_filter_leaves_the_good_ones_alone(lead, made):
    made("old", started_at=utc(2016, 3, 1))
    made("open", status="active")
    messages, names = refused(lead, period="all", status="bogus", outcome="resolved")
    assert len(messages) == 1
    assert names == ["old"]


@pytest.mark.parametrize("name", ["before", "after"])
@pytest.mark.parametrize("cursor", ["bogus", "\0", f"2026-03-30T10:00:00_{UNKNOWN_ID}"])
def test_a_bad_cursor_says_so_and_shows_the_first_page(lead, made, name, cursor):
    made("a session")
    assert refused(lead, **{name: cursor}) == (
        ["This page does not exist. Go back to the first one."],
        ["a session"],
    )
