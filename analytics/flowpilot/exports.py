"""What the panels of FlowPilot's tabs give as files: the rows that they show, a rate with its part and its whole."""

from typing import Any

from analytics.exports.tables import Export
from analytics.flowpilot import coverage, gaps, overview, psa, quality
from analytics.query import DashboardQuery
from resolutionflow.exports import Column

SESSIONS = Column("sessions", "Sessions", "count")
RESOLVED = Column("resolved_sessions", "Resolved", "count")
ESCALATED = Column("escalated_sessions", "Escalated", "count")
RESOLUTION = Column("resolution_rate", "Resolution rate", "share")
NAME = Column("name", "Domain")


def _heatmap(query: DashboardQuery) -> list[dict[str, Any]]:
    return coverage.covered(query).domains


def _pareto(query: DashboardQuery) -> list[dict[str, Any]]:
    return [vars(row) for row in coverage.pareto(coverage.covered(query).domains)]


def _gaps(query: DashboardQuery) -> list[dict[str, Any]]:
    return [vars(gap) | {"severity": gap.severity} for gap in gaps.gaps(query)]


def _quality(query: DashboardQuery) -> list[dict[str, Any]]:
    rows = quality.in_order(quality.flows(query), *quality.sorting(query))
    return [row | {"reasons": ", ".join(row["reasons"])} for row in rows]


def _funnel(query: DashboardQuery) -> list[dict[str, Any]]:
    labels = {
        "total_sessions": "Sessions",
        "linked_to_ticket": "With a ticket",
        "doc_pushed": "Note posted",
        "time_entry_logged": "Time logged",
    }
    return [{"stage": labels[name], "sessions": count} for name, count in psa.funnel(query).items()]


TREND = Export(
    "Mean time to resolve",
    (
        Column("day", "Day", "day"),
        Column("mttr", "Mean time to resolve", "duration"),
        Column("count", "Sessions resolved", "count"),
    ),
    overview.mttr_trend,
    chart=True,
)
TIERS = Export(
    "Confidence tiers",
    (
        Column("label", "Tier"),
        Column("count", "Sessions", "count"),
        Column("resolved", "Resolved", "count"),
        RESOLUTION,
    ),
    overview.tiers,
)
DOMAINS = Export("Domains", (NAME, SESSIONS, RESOLVED, ESCALATED, RESOLUTION), overview.domains)
HEATMAP = Export(
    "Coverage",
    (
        *(NAME, Column("flow_count", "Flows", "count"), SESSIONS, RESOLVED, RESOLUTION, ESCALATED),
        Column("escalation_rate", "Escalation rate", "share"),
        Column("guided_sessions", "Guided", "count"),
        Column("guided_rate", "Guided rate", "share"),
        Column("mttr", "Mean time to resolve", "duration"),
    ),
    _heatmap,
)
PARETO = Export(
    "Uncovered work",
    (
        *(NAME, Column("sessions", "Sessions without a guide", "count")),
        Column("share", "Share", "share"),
        Column("running", "Running share", "share"),
    ),
    _pareto,
    chart=True,
)
GAPS = Export(
    "Knowledge gaps",
    (
        Column("severity", "Severity"),
        Column("title", "Gap"),
        Column("kind", "Kind"),
        Column("domain", "Domain"),
        Column("n", "Out of", "count"),
        Column("part", "Count", "count"),
        Column("rate", "Rate", "share"),
        Column("lower", "Rate, lower end", "share"),
        Column("upper", "Rate, upper end", "share"),
        Column("action", "Action"),
    ),
    _gaps,
)
QUALITY = Export(
    "Flow quality",
    (
        Column("name", "Flow"),
        Column("usage_count", "Sessions", "count"),
        Column("ended", "Ended", "count"),
        Column("resolved", "Resolved", "count"),
        Column("success_rate", "Success rate", "share"),
        Column("guided_rate", "Guided rate", "share"),
        Column("last_matched_at", "Last used", "moment"),
        Column("recency_score", "Recency", "share"),
        Column("avg_confidence", "Mean confidence", "share"),
        Column("quality_score", "Quality score", "share"),
        Column("reasons", "Needs attention"),
    ),
    _quality,
)
FUNNEL = Export(
    "Way to the ticket system",
    (Column("stage", "Stage"), SESSIONS),
    _funnel,
    chart=True,
)
PSA_DAYS = Export(
    "Time logged",
    (
        Column("day", "Day", "day"),
        Column("entries", "Time entries", "count"),
        Column("hours", "Hours", "hours"),
        SESSIONS,
    ),
    psa.daily,
    chart=True,
)
