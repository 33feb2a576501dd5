"""The figures of a flow's quality, worked out by hand. The stored ones are in analytics/tests/test_flow_quality.py."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from flowpilot.metrics import flow_quality
from flowpilot.models import Session
from flowpilot.tests.factories import FlowFactory, SessionFactory
from resolutionflow.periods import Period
from resolutionflow.tests.pages import read

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
PERIOD = Period.of_days(90, now=NOW, tz=UTC)


def quality_of(flow):
    return next(row for row in Session.objects.flow_quality(PERIOD) if row["flow_id"] == flow.id)


def test_a_flow_that_was_used_nine_days_ago(account):
    flow = FlowFactory()
    for days, status, tier in [
        (9, "resolved", "guided"),
        (10, "resolved", "exploring"),
        (11, "abandoned", "guided"),
        (12, "escalated", "guided"),
        (13, "active", None),
    ]:
        SessionFactory(flow=flow, started_at=NOW - timedelta(days=days), status=status, confidence_tier=tier)
    row = quality_of(flow)
    assert row["success_rate"] == Decimal("0.5")  # 2 of 4 that ended
    assert row["guided_rate"] == Decimal("0.6")  # 3 of 5
    assert row["recency_score"] == Decimal("0.9")
    assert row["quality_score"] == Decimal("0.61")  # 0.25 + 0.18 + 0.18
    assert row["sessions_ever"] == 5


def test_what_lies_before_the_period_counts_as_use_only(account):
    flow = FlowFactory()
    SessionFactory(flow=flow, started_at=PERIOD.start - timedelta(seconds=1), confidence_tier="guided")
    row = quality_of(flow)
    assert (row["success_rate"], row["guided_rate"], row["quality_score"]) == (None, None, None)
    assert row["sessions_ever"] == 1
    assert row["recency_score"] < Decimal("0.01")


def test_the_first_instant_of_the_period_counts(account):
    flow = FlowFactory()
    SessionFactory(flow=flow, started_at=PERIOD.start)
    assert quality_of(flow)["success_rate"] == 1


def test_recency_never_falls_below_nothing(account):
    flow = FlowFactory()
    SessionFactory(flow=flow, started_at=NOW - timedelta(days=400))
    assert quality_of(flow)["recency_score"] == 0


def test_open_sessions_alone_give_no_quality(account):
    flow = FlowFactory()
    for status in ("active", "requesting_escalation"):
        SessionFactory(flow=flow, started_at=NOW, status=status, confidence_tier="guided")
    row = quality_of(flow)
    assert (row["success_rate"], row["guided_rate"], row["quality_score"]) == (None, 1, None)


def test_sessions_without_a_flow_are_nobodys(account):
    SessionFactory(started_at=NOW)
    assert list(Session.objects.flow_quality(PERIOD)) == []


def test_success_and_guided_rate_of_any_sessions(account):
    for status, tier in [("resolved", "guided"), ("unresolved", None), ("active", "discovery")]:
        SessionFactory(status=status, confidence_tier=tier)
    totals = Session.objects.totals("success_rate", "guided_rate")
    assert totals["success_rate"] == Decimal("0.5")
    assert round(totals["guided_rate"], 6) == Decimal("0.333333")


@pytest.mark.parametrize("metric", flow_quality(PERIOD).values(), ids=lambda metric: metric.label)
def test_each_figure_is_defined(client, engineer, metric):
    client.force_login(engineer)
    anchor = metric.label.lower().replace(" ", "-")
    assert read(client.get("/help/metrics/")).one("h3", id=anchor)
