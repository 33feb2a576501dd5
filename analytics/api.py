"""The dashboards as JSON. Shapes and units are those of the API's contract."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from ninja import Field, Query, Router, Schema

from analytics import rows
from analytics.dashboards import FLOW, MY, TEAM, Dashboard
from analytics.flows import rows as flow_rows
from analytics.query import DashboardQuery
from flowpilot.sessions.states import Outcome
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.api import ACCOUNT, ERRORS, in_account, own_sessions_only, refuse_invalid, team_only
from resolutionflow.metrics import round_half_up
from resolutionflow.periods import first_instant

router = Router(tags=["Analytics"])
router.add_decorator(in_account)

FRACTION = "Fraction 0..1, rounded to 3 decimals."
MINUTES = "Minutes, rounded to 1 decimal."


class PeriodQuery(Schema):
    period: Literal["7d", "30d", "90d"] | None = Field(None, description="Default 30d.")
    from_: date | None = Field(None, alias="from", description="First day; with `to`, without `period`.")
    to: date | None = Field(None, description="Last day, included; at most 366 days, not after today.")
    client_id: UUID | None = None
    account: str | None = Field(None, description=ACCOUNT)


class TeamQueryParameters(PeriodQuery):
    engineer_id: UUID | None = None


class OutcomeBreakdown(Schema):
    resolved: int
    escalated: int
    workaround: int
    unresolved: int


class AnalyticsSummary(Schema):
    total_sessions: int
    completed_sessions: int
    completion_rate: float = Field(description=FRACTION + " 0.0 without sessions.")
    median_duration_minutes: float = Field(description=MINUTES + " 0.0 without completed sessions.")
    active_engineers: int
    outcome_breakdown: OutcomeBreakdown


class TimeSeriesPoint(Schema):
    date: date
    sessions: int
    resolved: int
    escalated: int
    workaround: int
    unresolved: int


class TopFlow(Schema):
    tree_id: str = Field(description="The flow's id.")
    name: str
    sessions: int
    completion_rate: float = Field(description=FRACTION)
    median_duration_minutes: float = Field(description=MINUTES + " 0.0 without completed sessions.")
    avg_csat: float | None = Field(description="Mean stars 1..5, rounded to 1 decimal; null without ratings.")


class TopEngineer(Schema):
    user_id: str
    name: str
    sessions: int
    completion_rate: float = Field(description=FRACTION)
    median_duration_minutes: float = Field(description=MINUTES + " 0.0 without completed sessions.")


class TeamAnalytics(Schema):
    summary: AnalyticsSummary
    time_series: list[TimeSeriesPoint] = Field(description="One point for every local day of the period.")
    top_flows: list[TopFlow]
    top_engineers: list[TopEngineer]


class PersonalAnalytics(Schema):
    summary: AnalyticsSummary
    time_series: list[TimeSeriesPoint] = Field(description="One point for every local day of the period.")
    top_flows: list[TopFlow]


class StepFeedbackSummary(Schema):
    node_id: str
    node_title: str
    helpful_yes: int
    helpful_no: int
    helpful_rate: float | None = Field(description=FRACTION + " Null without thumbs.")
    visit_count: int
    dropoff_count: int
    dropoff_rate: float | None = Field(description=FRACTION + " Null without visits.")


class FlowRatingItem(Schema):
    rating: int
    comment: str
    created_at: datetime = Field(description="The first instant of that local day.")


class FlowAnalytics(Schema):
    summary: AnalyticsSummary
    avg_csat: float | None = Field(
        description="Mean stars 1..5 given in the period, rounded to 1 decimal; null without ratings."
    )
    total_ratings: int
    time_series: list[TimeSeriesPoint] = Field(description="One point for every local day of the period.")
    step_feedback: list[StepFeedbackSummary] = Field(description="By drop-off rate, then visits, descending.")
    recent_comments: list[FlowRatingItem] = Field(
        description="The 10 newest; none until there are 3 comments from 2 engineers in the period."
    )


@router.get("/team", response={200: TeamAnalytics, **ERRORS}, summary="Team analytics")
@team_only("You don't have access to team analytics")
def team_analytics(request: AccountRequest, parameters: Query[TeamQueryParameters]) -> dict[str, Any]:
    """The figures of the team page. For team admins and super admins."""
    query = asked(TEAM, request)
    engineers = [{"user_id": str(row["id"]), **_named(row)} for row in rows.top_engineers(query)]
    return _answer(query) | {"top_engineers": engineers}


@router.get("/me", response={200: PersonalAnalytics, **ERRORS}, summary="My analytics")
@own_sessions_only("A super admin has no sessions of their own")
def my_analytics(request: AccountRequest, parameters: Query[PeriodQuery]) -> dict[str, Any]:
    """The figures of one's own page. For engineers and team admins; `active_engineers` is always 1."""
    answer = _answer(asked(MY, request))
    answer["summary"]["active_engineers"] = 1
    return answer


@router.get("/flows/{uuidstr:flow_id}", response={200: FlowAnalytics, **ERRORS}, summary="Flow analytics")
def flow_analytics(request: AccountRequest, flow_id: UUID, parameters: Query[PeriodQuery]) -> dict[str, Any]:
    """The figures of a flow over the sessions of all its versions, whoever's they are. For everyone in the account."""
    query = asked(FLOW.about(flow_id), request)
    given, _ = flow_rows.given_and_before(query)
    return {
        "summary": _summary(query),
        "avg_csat": rounded(given["avg_csat"], 1),
        "total_ratings": given["ratings"],
        "time_series": _series(query),
        "step_feedback": [
            {
                "node_id": row["node_id"],
                "node_title": row["title"],
                "helpful_yes": row["helpful_yes"],
                "helpful_no": row["helpful_no"],
                "helpful_rate": rounded(row["helpful_rate"], 3),
                "visit_count": row["visits"],
                "dropoff_count": row["dropped"],
                "dropoff_rate": rounded(row["dropoff_rate"], 3),
            }
            for row in flow_rows.steps(query)
        ],
        "recent_comments": [
            {
                "rating": row["rating"],
                "comment": row["comment"],
                "created_at": first_instant(row["day"], query.account.tz),
            }
            for row in flow_rows.comments(query)
        ],
    }


def asked(dashboard: Dashboard, request: AccountRequest) -> DashboardQuery:
    """What a call wants to know of a dashboard; faults of the query string are a 422."""
    form = dashboard.form(request)
    refuse_invalid(form)
    return dashboard.query(request, form)


def _summary(query: DashboardQuery) -> dict[str, Any]:
    totals = query.sessions.totals(*rows.SUMMARY)
    return {
        "total_sessions": totals["sessions"],
        "completed_sessions": totals["completed"],
        "active_engineers": totals["active_engineers"],
        "outcome_breakdown": {outcome: totals[outcome] for outcome in Outcome.values},
        **_rates(totals),
    }


def _series(query: DashboardQuery) -> list[dict[str, Any]]:
    return [{"date": row["day"], **{name: row[name] for name in rows.SERIES}} for row in rows.daily(query)]


def _answer(query: DashboardQuery) -> dict[str, Any]:
    return {
        "summary": _summary(query),
        "time_series": _series(query),
        "top_flows": [
            {"tree_id": str(row["id"]), "avg_csat": rounded(row["avg_csat"], 1), **_named(row)}
            for row in rows.top_flows(query)
        ],
    }


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {"name": row["name"], "sessions": row["sessions"], **_rates(row)}


def _rates(row: dict[str, Any]) -> dict[str, float]:
    # These two are 0.0, not null, where there is nothing to divide by: the contract's own exceptions.
    return {
        "completion_rate": rounded(row["completion_rate"], 3) or 0.0,
        "median_duration_minutes": minutes(row["median_duration"]) or 0.0,
    }


def minutes(seconds: Decimal | float | None) -> float | None:
    """Seconds as minutes with one decimal; None stays None."""
    return None if seconds is None else rounded(Decimal(str(seconds)) / 60, 1)


def rounded(value: Decimal | float | None, places: int) -> float | None:
    """Rounded half up, once; None stays None."""
    return None if value is None else float(round_half_up(value, places))
