"""Each figure of a flow's analytics compared with plain Python over the same made-up sessions."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics.dashboards import FLOW
from analytics.flows import rows
from analytics.query import FlowForm
from analytics.tests import plain_flow
from analytics.tests.plain import between
from flowpilot.models import Session
from flowpilot.tests.factories import FlowFactory, FlowVersionFactory, SessionFactory, StepFactory
from ratings.models import StepRating
from resolutionflow.models import ApiToken
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import UserFactory

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
IDLE = timedelta(hours=24)
NODES = ["root", "cable", "driver", "gone", "<script>", "'; drop", "日本語"]
ANSWERS = ["Yes", "No", "=1+1", ""]
TITLES = {"root": "Does it print?", "cable": "Is the cable in?"}  # of the current version
STRUCTURE = {
    "id": "root",
    "type": "question",
    "title": TITLES["root"],
    "options": [{"label": "Yes", "next": "done"}, {"label": "No", "next": "cable"}],
    "children": [
        {"id": "cable", "type": "action", "title": TITLES["cable"], "next": "done"},
        {"id": "done", "type": "outcome", "outcome": "resolved", "title": "Done"},
    ],
}

decisions = st.builds(
    plain_flow.Decision,
    node_id=st.none() | st.sampled_from(NODES),
    answer=st.sampled_from(ANSWERS),
    # none, before the start, at once, within the limit, exactly at it, past it
    at=st.none() | st.sampled_from([-60, 0, 30, 30.5, 90, 3600, 86_400, 86_401, 200_000]),
    taken_back=st.sampled_from([False, False, False, True]),
    taken_over=st.sampled_from([False, False, False, True]),
)
walks = st.builds(
    SimpleNamespace,
    status=st.sampled_from(
        ["resolved", "escalated", "unresolved", "abandoned", "active", "requesting_escalation"]
    ),
    workaround=st.booleans(),
    idle=st.booleans(),
    back=st.sampled_from(
        [timedelta(days=1), timedelta(days=2), timedelta(days=29), timedelta(days=29, hours=12)]
    ),
    decisions=st.lists(decisions, max_size=6),
    thumbs=st.dictionaries(st.sampled_from(NODES), st.booleans(), max_size=3),
    foreign=st.sampled_from([False, False, False, True]),
    other_flow=st.sampled_from([False, False, False, True]),
)


def one(**facts):
    usual = {
        "status": "resolved",
        "workaround": False,
        "idle": False,
        "back": timedelta(days=1),
        "decisions": [],
        "thumbs": {},
        "foreign": False,
        "other_flow": False,
    }
    return SimpleNamespace(**usual | facts)


def at(node_id, seconds, **facts):
    return plain_flow.Decision(node_id=node_id, answer="Yes", at=seconds, **facts)


@pytest.fixture
def there(account, other_account, engineer):
    """The flow here, another one, and one of the other account with the same steps."""
    found = SimpleNamespace(
        flow=FlowFactory(name="Printer"), other=FlowFactory(name="Other"), engineer=engineer
    )
    for number in (1, 2):
        version = FlowVersionFactory(flow=found.flow, number=number, structure=STRUCTURE)
    found.flow.current_version = version
    found.flow.save()
    for node_id in NODES:
        StepFactory(flow=found.flow, node_id=node_id, title=f"Earlier {node_id}")
        StepFactory(flow=found.other, node_id=node_id)
    with account_scope(other_account):
        found.foreign = FlowFactory(name="Printer")
        found.stranger = UserFactory(account=other_account)
        for node_id in NODES:
            StepFactory(flow=found.foreign, node_id=node_id)
    found.accounts = (account, other_account)
    return found


def write(there, made):
    """The sessions as rows; those that count here as plain walks."""
    found = []
    for foreign in (False, True):
        with account_scope(there.accounts[foreign]):
            for walk in [walk for walk in made if walk.foreign == foreign]:
                record = _write_one(there, walk)
                if not foreign and not walk.other_flow:
                    found.append(record)
    return found


def _write_one(there, walk):
    flow = there.foreign if walk.foreign else there.other if walk.other_flow else there.flow
    started_at = NOW - walk.back
    taken = [
        plain_flow.Decision(
            **vars(d) | {"at": None if d.at is None else started_at + timedelta(seconds=d.at)}
        )
        for d in walk.decisions
    ]
    outcome = walk.status if walk.status in ("resolved", "escalated", "unresolved") else None
    if outcome == "resolved" and walk.workaround:
        outcome = "workaround"
    session = SessionFactory(
        account=there.accounts[walk.foreign],
        user=there.stranger if walk.foreign else there.engineer,
        flow=flow,
        status=walk.status,
        outcome=outcome,
        started_at=started_at,
        completed_at=started_at + timedelta(minutes=10) if outcome else None,
        last_activity_at=NOW - IDLE - timedelta(seconds=1) if walk.idle else NOW - IDLE,
        decisions=[_written(n, decision) for n, decision in enumerate(taken)],
    )
    steps = {step.node_id: step for step in flow.steps.all()}
    StepRating.objects.bulk_create(
        StepRating(step=steps[node_id], session=session, user=session.user, was_helpful=helpful)
        for node_id, helpful in walk.thumbs.items()
    )
    given_up = walk.status == "abandoned" or (walk.status == "active" and walk.idle)
    return plain_flow.Walk(started_at, outcome, given_up, taken, walk.thumbs)


def _written(number, decision):
    moments = [None, "", "junk"]  # each of them is no time
    at = decision.at.isoformat() if decision.at else moments[number % 3]
    return {
        "id": str(number),
        "node_id": decision.node_id,
        "title": f"Said {decision.node_id}",
        "answer": decision.answer,
        "note": "",
        "at": at.replace("+00:00", "Z") if at and number % 2 else at,
        "undone_at": NOW.isoformat() if decision.taken_back else None,
        "taken_over": decision.taken_over,
    }


def asked(there, viewer, **parameters):
    account = there.accounts[0]
    form = FlowForm(parameters, account=account, now=NOW, flow=there.flow)
    return rows.DashboardQuery.read(
        form, url_name=FLOW.url_name, viewer=viewer, account=account, now=NOW, flow=there.flow
    )


@settings(max_examples=25)
@example([])
# twice in one session, the second time taken back, and a loop
@example(
    [one(decisions=[at("root", 30), at("cable", 90), at("root", 3600), at("root", 3600, taken_back=True)])]
)
# given up at a step that was taken over; idle, and just not idle; and one that asks for help
@example(
    [
        one(status="abandoned", decisions=[at("root", 30), at("cable", 90, taken_over=True)]),
        one(status="active", idle=True, decisions=[at("root", 30)]),
        one(status="active", decisions=[at("root", 30)]),
        one(status="requesting_escalation", idle=True, decisions=[at("root", 30)]),
    ]
)
# the newest by time is not the last of the list; without a time the list decides
@example([one(status="abandoned", decisions=[at("root", 90), at("cable", 30)])])
@example([one(status="abandoned", decisions=[at("root", None), at("cable", None)])])
@example([one(status="abandoned", decisions=[at("root", 30), at("cable", None)])])
@example([one(thumbs={"gone": True}, decisions=[at("gone", 30, taken_back=True)])])
@given(st.lists(walks, max_size=12))
def test_every_figure_of_a_step_and_an_option_is_that_of_plain_python(
    client_of_api, there, engineer, clock, made
):
    clock(NOW)
    with transaction.atomic():
        recorded = write(there, made)
        query = asked(there, engineer)
        steps, options = rows.steps(query), rows.options(query)
        answer = client_of_api.get(f"/api/v1/analytics/flows/{there.flow.id}").json()
        transaction.set_rollback(True)

    recorded = between(recorded, date(2026, 3, 2), date(2026, 3, 31), "Europe/London")
    expected = plain_flow.steps(recorded, IDLE)
    names = list(expected[0]) if expected else []
    by_id = {row["node_id"]: row for row in expected}
    assert {row["node_id"]: {name: row[name] for name in names} for row in steps} == by_id
    order = [(row["dropoff_rate"], row["visits"]) for row in steps]
    rated = [pair for pair in order if pair[0] is not None]
    assert rated == sorted(rated, reverse=True)
    assert order[len(rated) :] == [(None, 0)] * (len(order) - len(rated))
    titles = {node_id: TITLES.get(node_id, f"Earlier {node_id}") for node_id in NODES}
    assert answer["step_feedback"] == [
        plain_flow.feedback(by_id[row["node_id"]], titles[row["node_id"]]) for row in steps
    ]
    found = [{name: value for name, value in row.items() if name != "title"} for row in options]
    key = lambda row: (row["node_id"], row["answer"])  # noqa: E731
    assert sorted(found, key=key) == sorted(plain_flow.options(recorded), key=key)


@pytest.fixture
def client_of_api(client, there, engineer):
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {ApiToken.issue(engineer, 'tests')[1]}"
    return client


def test_a_step_is_called_as_in_the_current_version_else_as_its_newest_else_as_said_last(there, engineer):
    late, early = NOW - timedelta(days=1), NOW - timedelta(days=2)

    def said(node_id, title, at):
        return {"id": title, "node_id": node_id, "title": title, "answer": "", "at": at.isoformat()}

    there.flow.steps.filter(node_id="driver").delete()
    SessionFactory(
        user=engineer,
        flow=there.flow,
        started_at=early,
        decisions=[
            *(said("root", "Root, long ago", early), said("gone", "Gone, long ago", early)),
            *(said("driver", "Driver, newest", late), said("driver", "Driver, older", early)),
        ],
    )
    titles = {row["node_id"]: row["title"] for row in rows.steps(asked(there, engineer))}
    assert titles == {"root": TITLES["root"], "gone": "Earlier gone", "driver": "Driver, newest"}


def test_a_version_and_a_client_narrow_everything_that_hangs_on_the_sessions(there, engineer):
    version = there.flow.versions.get(number=1)
    decided = [{"id": "1", "node_id": "root", "title": "", "answer": "Yes", "at": NOW.isoformat()}]
    facts = {
        "user": engineer,
        "flow": there.flow,
        "started_at": NOW - timedelta(days=1),
        "decisions": decided,
    }
    SessionFactory(**facts, flow_version=version)
    SessionFactory.create_batch(2, **facts, flow_version=there.flow.current_version)
    SessionFactory(**facts)
    assert [row["visits"] for row in rows.steps(asked(there, engineer))] == [4]
    assert [row["visits"] for row in rows.steps(asked(there, engineer, version="1"))] == [1]
    assert rows.totals_and_before(asked(there, engineer, version="2"))[0]["sessions"] == 2


@pytest.mark.parametrize(
    ("zone", "first", "hours"),
    [
        ("Europe/London", datetime(2026, 3, 29, 0, 0, tzinfo=UTC), 23),  # clocks go forward
        ("Europe/London", datetime(2025, 10, 25, 23, 0, tzinfo=UTC), 25),  # and back
        ("America/Havana", datetime(2026, 3, 8, 5, 0, tzinfo=UTC), 23),  # there is no midnight
    ],
)
def test_a_day_on_which_clocks_change_is_a_whole_day(there, engineer, zone, first, hours):
    account = there.accounts[0]
    account.time_zone = zone
    account.save()
    decided = [{"id": "1", "node_id": "root", "title": "", "answer": "Yes", "at": first.isoformat()}]
    for moment in (
        first - timedelta(seconds=1),
        first,
        first + timedelta(hours=hours) - timedelta(seconds=1),
        first + timedelta(hours=hours),
    ):
        SessionFactory(user=engineer, flow=there.flow, started_at=moment, decisions=decided)
    day = (first + timedelta(hours=8)).astimezone(account.tz).date().isoformat()
    (row,) = rows.steps(asked(there, engineer, **{"from": day, "to": day}))
    assert row["visits"] == 2


def test_nothing_is_asked_once_a_session(there, engineer, django_assert_num_queries):
    facts = {"user": engineer, "flow": there.flow, "started_at": NOW - timedelta(days=1)}
    for count in (1, 60):
        Session.objects.bulk_create(
            SessionFactory.build(**facts, decisions=[_written(0, at("root", None))]) for _ in range(count)
        )
        with django_assert_num_queries(2):
            query = asked(there, engineer)
            assert rows.steps(query)
            assert rows.options(query)
