"""FlowPilot analytics as JSON. Shapes and units are those of the API's contract: percent in the overview, fractions
in the other four."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from ninja import Field, Query, Router, Schema

from analytics.api import FRACTION, MINUTES, PeriodQuery, minutes, rounded
from analytics.flowpilot import coverage, gaps, overview, psa, quality
from analytics.query import DashboardForm, DashboardQuery
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.api import ERRORS, ErrorDetail, in_account, refuse_invalid, team_only
from resolutionflow.limits import limited

router = Router(tags=["FlowPilot"])
router.add_decorator(in_account)

PERCENT = "Percent 0..100, rounded to 1 decimal."
NULL = " Null without sessions."
HOURS = "Hours, rounded to 2 decimals."
NO_ACCESS = "You don't have access to FlowPilot analytics"
LIMITED: dict[int, Any] = {**ERRORS, 429: ErrorDetail}


class TrendPoint(Schema):
    date: date
    mttr_minutes: float | None = Field(description=MINUTES + " Null on a day without a resolved session.")
    session_count: int


class DomainSessions(Schema):
    domain: str
    total: int
    resolved: int
    escalated: int
    resolution_rate: float = Field(description=PERCENT)


class ConfidenceBreakdown(Schema):
    guided_sessions: int
    guided_resolution_rate: float | None = Field(description=PERCENT + NULL)
    exploring_sessions: int
    exploring_resolution_rate: float | None = Field(description=PERCENT + NULL)
    discovery_sessions: int
    discovery_resolution_rate: float | None = Field(description=PERCENT + NULL)


class DomainKnowledge(Schema):
    domain: str
    flow_count: int
    session_count: int
    guided_rate: float | None = Field(description=PERCENT + NULL)


class KnowledgeCoverage(Schema):
    total_flows: int
    ai_generated_flows: int
    total_proposals_pending: int
    proposals_approved_this_period: int
    proposals_rejected_this_period: int
    coverage_by_domain: list[DomainKnowledge]


class PsaMetrics(Schema):
    ticket_link_rate: float | None = Field(description=PERCENT)
    auto_push_success_rate: float | None = Field(description=PERCENT + " Null without a finished push.")
    auto_push_retry_success_rate: float | None = Field(description=PERCENT + " Null without a finished push.")
    total_time_entries_logged: int
    total_hours_logged: float = Field(description=HOURS)


class FlowPilotDashboard(Schema):
    period: str = Field(description='"30d", or "2026-01-01..2026-01-31".')
    total_sessions: int
    resolved_sessions: int
    escalated_sessions: int
    abandoned_sessions: int
    resolution_rate: float | None = Field(description=PERCENT + NULL)
    avg_steps_to_resolution: float | None = Field(description="Rounded to 1 decimal.")
    avg_session_duration_minutes: float | None = Field(description=MINUTES)
    avg_rating: float | None = Field(description="Mean stars 1..5, rounded to 2 decimals.")
    mttr_minutes: float | None = Field(description=MINUTES)
    time_saved_minutes: float | None = Field(description="An estimate. " + MINUTES)
    mttr_trend: list[TrendPoint]
    sessions_by_domain: list[DomainSessions]
    confidence_breakdown: ConfidenceBreakdown
    knowledge_coverage: KnowledgeCoverage
    psa_metrics: PsaMetrics | None = Field(description="Null when no session of the period has a ticket.")


class DomainCoverage(Schema):
    domain: str
    flow_count: int
    session_count: int
    resolution_rate: float | None = Field(description=FRACTION + NULL)
    escalation_rate: float | None = Field(description=FRACTION + NULL)
    guided_rate: float | None = Field(description=FRACTION + NULL)
    avg_resolution_minutes: float | None = Field(description=MINUTES)


class Coverage(Schema):
    domains: list[DomainCoverage]
    unmapped_session_count: int
    total_domains: int


class PushFunnel(Schema):
    total_sessions: int
    linked_to_ticket: int
    doc_pushed: int
    time_entry_logged: int


class PsaDay(Schema):
    date: date
    entries: int
    hours: float = Field(description=HOURS)


class PsaAnalytics(Schema):
    total_time_entries: int
    total_hours_logged: float = Field(description=HOURS)
    avg_hours_per_session: float | None = Field(description=HOURS + " Null without a time entry.")
    push_funnel: PushFunnel
    daily_trend: list[PsaDay]


class FlowQualityItem(Schema):
    flow_id: str
    name: str
    usage_count: int
    success_rate: float | None = Field(description=FRACTION + " Null where none ended.")
    last_matched_at: datetime | None
    avg_confidence: float | None = Field(description=FRACTION)
    quality_score: float | None = Field(description=FRACTION + " Null where none ended.")
    needs_attention: bool


class FlowQuality(Schema):
    flows: list[FlowQualityItem]
    top_performers: list[FlowQualityItem]
    needs_attention: list[FlowQualityItem]


class FlowQualityQuery(PeriodQuery):
    sort: Literal["quality", "usage", "success_rate"] = Field(
        "quality", description="Descending; what has none comes last, ties are by name."
    )


class Evidence(Schema):
    n: int
    part: int
    rate: float | None = Field(description=FRACTION)
    lower: float | None = Field(description=FRACTION)
    upper: float | None = Field(description=FRACTION)
    option: str | None = Field(None, description="Of a weak option only.")
    proposal_id: str | None = Field(None, description="Of a repeated discovery only.")


class Action(Schema):
    label: str
    url: str


class KnowledgeGap(Schema):
    kind: Literal[
        "uncovered_domain",
        "high_escalation",
        "weak_option",
        "unhelpful_step",
        "drop_off",
        "stale_flow",
        "repeated_discovery",
    ]
    severity: Literal["high", "medium", "low"]
    title: str
    domain: str | None
    flow_id: str | None
    node_id: str | None
    sessions: int
    evidence: Evidence
    action: Action


class KnowledgeGapReport(Schema):
    period: str = Field(description='"30d", or "2026-01-01..2026-01-31".')
    gaps: list[KnowledgeGap]


@router.get("", response={200: FlowPilotDashboard, **LIMITED}, summary="FlowPilot overview")
@team_only(NO_ACCESS)
@limited("flowpilot", calls=15)
def flowpilot_overview(request: AccountRequest, parameters: Query[PeriodQuery]) -> dict[str, Any]:
    """The figures of the tab Overview, 15 calls a minute. For team admins and super admins."""
    query = _asked(request)
    totals = overview.totals(query.sessions)
    return {
        "period": _period_name(query),
        "total_sessions": totals["sessions"],
        "resolved_sessions": totals["resolved_sessions"],
        "escalated_sessions": totals["escalated_sessions"],
        "abandoned_sessions": totals["abandoned_sessions"],
        "resolution_rate": percent(totals["resolution_rate"]),
        "avg_steps_to_resolution": rounded(totals["steps_to_resolution"], 1),
        "avg_session_duration_minutes": minutes(totals["mean_duration"]),
        "avg_rating": rounded(totals["avg_csat"], 2),
        "mttr_minutes": minutes(totals["mttr"]),
        "time_saved_minutes": minutes(overview.time_saved(query).seconds),
        "mttr_trend": [
            {"date": row["day"], "mttr_minutes": minutes(row["mttr"]), "session_count": row["count"]}
            for row in overview.mttr_trend(query)
        ],
        "sessions_by_domain": [
            {
                "domain": row["name"],
                "total": row["sessions"],
                "resolved": row["resolved_sessions"],
                "escalated": row["escalated_sessions"],
                "resolution_rate": percent(row["resolution_rate"]),
            }
            for row in overview.domains(query)
        ],
        "confidence_breakdown": _tiers(query),
        "knowledge_coverage": overview.knowledge(query) | {"coverage_by_domain": _knowledge_by_domain(query)},
        "psa_metrics": _psa_metrics(query, totals),
    }


@router.get("/coverage", response={200: Coverage, **ERRORS}, summary="Knowledge coverage")
@team_only(NO_ACCESS)
def flowpilot_coverage(request: AccountRequest, parameters: Query[PeriodQuery]) -> dict[str, Any]:
    """The heatmap of the tab Coverage. For team admins and super admins."""
    query = _asked(request)
    covered = coverage.covered(query)
    return {
        "domains": [
            {
                "domain": row["name"],
                "flow_count": row["flow_count"],
                "session_count": row["sessions"],
                "resolution_rate": rounded(row["resolution_rate"], 3),
                "escalation_rate": rounded(row["escalation_rate"], 3),
                "guided_rate": rounded(row["guided_rate"], 3),
                "avg_resolution_minutes": minutes(row["mttr"]),
            }
            for row in covered.domains
        ],
        "unmapped_session_count": covered.unmapped,
        "total_domains": len(covered.domains),
    }


@router.get("/psa", response={200: PsaAnalytics, **ERRORS}, summary="Work in the ticket system")
@team_only(NO_ACCESS)
def flowpilot_psa(request: AccountRequest, parameters: Query[PeriodQuery]) -> dict[str, Any]:
    """The figures of the tab PSA. For team admins and super admins."""
    query = _asked(request)
    logged = psa.time_logged(query)
    return {
        "total_time_entries": logged["entries"],
        "total_hours_logged": rounded(logged["hours"], 2),
        "avg_hours_per_session": rounded(logged["hours_per_session"], 2),
        "push_funnel": psa.funnel(query),
        "daily_trend": [
            {"date": row["day"], "entries": row["entries"], "hours": rounded(row["hours"], 2)}
            for row in psa.daily(query)
        ],
    }


@router.get("/flow-quality", response={200: FlowQuality, **ERRORS}, summary="Flow quality")
@team_only(NO_ACCESS)
def flowpilot_quality(request: AccountRequest, parameters: Query[FlowQualityQuery]) -> dict[str, Any]:
    """The flows of the tab Flow Quality. For team admins and super admins."""
    rows = quality.flows(_asked(request))
    return {
        "flows": [_quality(row) for row in quality.in_order(rows, parameters.sort)],
        "top_performers": [_quality(row) for row in quality.ends(rows)[0]],
        "needs_attention": [_quality(row) for row in quality.in_need(rows)],
    }


@router.get(
    "/knowledge-gaps",
    response={200: KnowledgeGapReport, **LIMITED},
    summary="Knowledge gaps",
    exclude_unset=True,
)
@team_only(NO_ACCESS)
@limited("knowledge-gaps", calls=10)
def flowpilot_gaps(request: AccountRequest, parameters: Query[PeriodQuery]) -> dict[str, Any]:
    """The gaps of the tab Coverage, the most severe first; 10 calls a minute. For team admins and super admins."""
    query = _asked(request)
    return {"period": _period_name(query), "gaps": [_gap(gap) for gap in gaps.gaps(query)]}


def _quality(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "flow_id": str(row["id"]),
        "name": row["name"],
        "usage_count": row["usage_count"],
        "success_rate": rounded(row["success_rate"], 3),
        "last_matched_at": row["last_matched_at"],
        "avg_confidence": rounded(row["avg_confidence"], 3),
        "quality_score": rounded(row["quality_score"], 3),
        "needs_attention": bool(row["reasons"]),
    }


def _gap(gap: gaps.Gap) -> dict[str, Any]:
    more = {"option": gap.option} if gap.option is not None else {}
    if gap.proposal_id:
        more["proposal_id"] = str(gap.proposal_id)
    evidence = {name: rounded(getattr(gap, name), 3) for name in ("rate", "lower", "upper")}
    return {
        "kind": gap.kind,
        "severity": gap.severity,
        "title": gap.title,
        "domain": gap.domain,
        "flow_id": gap.flow_id and str(gap.flow_id),
        "node_id": gap.node_id,
        "sessions": gap.n,
        "evidence": {"n": gap.n, "part": gap.part, **evidence, **more},
        "action": {"label": gap.action, "url": gap.url},
    }


def _asked(request: AccountRequest) -> DashboardQuery:
    form = DashboardForm(request.GET, account=request.account, now=request.now)
    refuse_invalid(form)
    return DashboardQuery.read(
        form,
        url_name="analytics:flowpilot",
        viewer=request.user,
        account=request.account,
        now=request.now,
    )


def _period_name(query: DashboardQuery) -> str:
    if query.period.length:
        return f"{query.period.length}d"
    return f"{query.period.first}..{query.period.last}"


def _tiers(query: DashboardQuery) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for row in overview.tiers(query):
        answer[f"{row['tier'].value}_sessions"] = row["count"]
        answer[f"{row['tier'].value}_resolution_rate"] = percent(row["resolution_rate"])
    return answer


def _knowledge_by_domain(query: DashboardQuery) -> list[dict[str, Any]]:
    return [
        {
            "domain": row["name"],
            "flow_count": row["flow_count"],
            "session_count": row["sessions"],
            "guided_rate": percent(row["guided_rate"]),
        }
        for row in coverage.covered(query).domains
    ]


def _psa_metrics(query: DashboardQuery, totals: dict[str, Any]) -> dict[str, Any] | None:
    if not totals["with_ticket"]:
        return None
    pushes, logged = psa.pushes(query), psa.time_logged(query)
    return {
        "ticket_link_rate": percent(share_of(totals["with_ticket"], totals["sessions"])),
        "auto_push_success_rate": percent(share_of(pushes["success"], pushes["finished"])),
        "auto_push_retry_success_rate": percent(share_of(pushes["retried"], pushes["finished"])),
        "total_time_entries_logged": logged["entries"],
        "total_hours_logged": rounded(logged["hours"], 2),
    }


def share_of(part: int, whole: int) -> Decimal | None:
    return Decimal(part) / whole if whole else None


def percent(share: Decimal | None) -> float | None:
    """A fraction as percent with one decimal; None stays None."""
    return None if share is None else rounded(share * 100, 1)
