"""The stored figures of the flows, against a plain computation from lists, and how they are written."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from io import StringIO
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from analytics.flow_quality import recalculate
from analytics.jobs import recalculate_flow_quality
from flowpilot.models import Flow, Session
from flowpilot.sessions import starting
from flowpilot.tests.factories import FlowFactory, FlowVersionFactory, SessionFactory
from resolutionflow.jobs import KINDS
from resolutionflow.models import Account
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory, UserFactory

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)  # noon in London, two days after the clocks went forward
STATUSES = ["resolved", "escalated", "unresolved", "abandoned", "active", "requesting_escalation"]
TIERS = ["guided", "exploring", "discovery", None]


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@dataclass(frozen=True)
class Plain:
    """One session, as the definition in words speaks of it."""

    started_at: datetime
    status: str
    tier: str | None


def expected(sessions, now, zone):
    """docs/metrics.md, read literally: usage, last use, success rate, quality score."""
    if not sessions:
        return 0, None, None, None
    today = now.astimezone(zone).date()
    within = [
        one
        for one in sessions
        if today - timedelta(days=89) <= one.started_at.astimezone(zone).date() <= today
    ]
    ended = [one for one in within if one.status not in ("active", "requesting_escalation")]
    newest = max(one.started_at for one in sessions)
    if not ended:
        return len(sessions), newest, None, None
    success = Fraction(sum(one.status == "resolved" for one in ended), len(ended))
    guided = Fraction(sum(one.tier == "guided" for one in within), len(within))
    idle = Fraction((now - newest) // timedelta(microseconds=1), 86_400_000_000)
    recency = max(Fraction(0), 1 - idle / 90)
    score = Fraction(5, 10) * success + Fraction(3, 10) * guided + Fraction(2, 10) * recency
    return len(sessions), newest, float(success), float(score)


def made_up(number):
    """Sessions of the flow of that number: near and far, about the edges of the period and of days, in each state."""
    return [
        Plain(
            NOW - timedelta(days=(number * 7 + place * 13) % 120, minutes=place * 97 + number),
            STATUSES[(place * 5 + number) % 6],
            TIERS[(place + number) % 4],
        )
        for place in range(number * 3 % 17)
    ]


def stored(flow):
    flow.refresh_from_db()
    return flow.usage_count, flow.last_matched_at, flow.success_rate, flow.quality_score


@pytest.mark.parametrize("zone", ["Europe/London", "Pacific/Auckland", "America/Los_Angeles"])
def test_they_agree_with_a_plain_computation(account, engineer, zone):
    account.time_zone = zone
    account.save()
    told = {FlowFactory(usage_count=99, success_rate=0.1): made_up(number) for number in range(12)}
    for flow, sessions in told.items():
        for one in sessions:
            SessionFactory(
                user=engineer,
                flow=flow,
                started_at=one.started_at,
                status=one.status,
                confidence_tier=one.tier,
            )
    recalculate(account, now=NOW)
    for flow, sessions in told.items():
        usage, newest, success, score = expected(sessions, NOW, ZoneInfo(zone))
        assert stored(flow) == (
            usage,
            newest,
            success if success is None else pytest.approx(success, abs=1e-12),
            score if score is None else pytest.approx(score, abs=1e-12),
        )
        assert flow.quality_calculated_at == NOW
    assert sum(len(sessions) for sessions in told.values()) > 60


def test_one_update_for_all_flows_and_none_of_another_accounts(account, other_account):
    flows = [FlowFactory() for _ in range(5)]
    with account_scope(other_account):
        theirs = FlowFactory(usage_count=7)
    with CaptureQueriesContext(connection) as queries:
        done = recalculate(account, now=NOW)
    assert done.flows == len(flows)
    assert len([query for query in queries if query["sql"].strip().startswith("UPDATE")]) == 1
    assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) == 2
    with account_scope(other_account):
        theirs.refresh_from_db()
        assert (theirs.usage_count, theirs.quality_calculated_at) == (7, None)


def test_archived_flows_are_reckoned_too(account):
    flow = FlowFactory(status="archived")
    SessionFactory(flow=flow, started_at=NOW)
    recalculate(account, now=NOW)
    assert stored(flow) == (1, NOW, 1.0, 0.7)


def run(*arguments):
    out = StringIO()
    call_command("recalculate_flow_quality", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_the_command_says_what_it_changed_and_nothing_the_second_time(account):
    flow = FlowFactory(name="VPN does not connect")
    FlowFactory(name="Never used")
    for hours, status in ((1, "resolved"), (2, "escalated"), (3, "resolved")):
        SessionFactory(
            flow=flow, started_at=NOW - timedelta(hours=hours), status=status, confidence_tier="guided"
        )
    assert run() == [
        "northgate: 2 flows, 1 changed.",
        "  VPN does not connect: sessions 0 → 3, last used never → 2026-03-31 10:00:00 UTC, "
        "success rate – → 66.7 %, quality score – → 83.3 %",
    ]
    assert run() == ["northgate: 2 flows, 0 changed."]


def test_the_command_can_keep_to_one_account(account, other_account):
    assert run("--account", "southgate") == ["southgate: 0 flows, 0 changed."]
    assert run() == ["northgate: 0 flows, 0 changed.", "southgate: 0 flows, 0 changed."]
    with pytest.raises(CommandError, match="There is no account with the slug eastgate"):
        run("--account", "eastgate")


def test_the_worker_does_it_every_night(account, other_account):
    flow = FlowFactory()
    kind = KINDS["flow_quality.recalculate"]
    assert kind.schedule.words == "every day at 02:40 UTC"
    recalculate_flow_quality(now=NOW)
    flow.refresh_from_db()
    assert flow.quality_calculated_at == NOW


def test_the_back_office_has_it_as_an_action(client, super_admin, account):
    flow = FlowFactory()
    other = FlowFactory(usage_count=4)
    client.force_login(super_admin)
    client.post("/accounts/choose/", {"account": account.slug})
    chosen = {"action": "recalculate_all", "_selected_action": [str(flow.id)]}
    page = client.post("/admin/flowpilot/flow/", chosen, follow=True)
    assert "2 flows recalculated, 1 changed." in page.content.decode()
    assert stored(other)[0] == 0


@pytest.mark.django_db(transaction=True)
def test_a_session_that_starts_meanwhile_is_counted_once():
    """The session is written, not yet committed, when the figures are asked for."""
    account = AccountFactory()
    with account_scope(account):
        flow = FlowFactory()
        flow.current_version = FlowVersionFactory(flow=flow)
        flow.save()
        SessionFactory(flow=flow, started_at=NOW - timedelta(days=1))
    engineer = UserFactory(account=account)

    def reckon():
        recalculate(Account.objects.get(id=account.id), now=NOW)
        connection.close()

    other = Thread(target=reckon)
    with account_scope(account), transaction.atomic():
        starting.start(engineer, problem_summary="Meanwhile", flow=flow, now=NOW)
        other.start()
        other.join(timeout=0.5)
        assert other.is_alive()  # it waits for the flow
    other.join(timeout=10)
    with account_scope(account):
        assert stored(flow)[:2] == (2, NOW)
        assert Session.objects.count() == 2
        assert Flow.objects.get().usage_count == 2
