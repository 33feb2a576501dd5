"""The dashboards as pages. A page holds its panels; each panel is also an address of its own, which htmx swaps in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from analytics import charts, team
from flowpilot.metrics import SessionQuerySet
from flowpilot.sessions.states import Outcome
from resolutionflow.accounts.scoping import AccountRequest, team_required
from resolutionflow.htmx import page_or_panel, wants_panel
from resolutionflow.links import url_with
from resolutionflow.metrics import MINIMUM
from resolutionflow.periods import Period

OUTCOME_COLUMNS = [(outcome.value, outcome.label, "count") for outcome in Outcome]
NO_ACCESS = "You don't have access to team analytics."


@dataclass(frozen=True)
class Panel:
    """One panel of team analytics: its template's context from the query, at most two queries."""

    name: str
    context: Callable[[team.TeamQuery], dict[str, Any]]
    skeleton: str
    places: tuple[int, ...] = (1,)
    wide: bool = False

    @property
    def file(self) -> str:
        return f"analytics/panels/_{self.name}.html"

    def url(self, query: team.TeamQuery) -> str:
        return url_with("analytics:team-panel", query.parameters, self.name)

    def html(self, query: team.TeamQuery) -> SafeString:
        """Rendered by itself, so that no panel sees what another one was given."""
        return render_to_string(self.file, self.context(query))


@require_GET
@team_required(NO_ACCESS)
def team_page(request: AccountRequest) -> HttpResponse:
    """Team analytics. A swap brings the frame at once and lets each panel load by itself; a page brings it all."""
    query, form = _read(request)
    lazy = wants_panel(request)
    context: dict[str, Any] = {
        "query": query,
        "form": form,
        "where": f"{request.account.name} · {request.account.time_zone}",
        "panels": [
            (panel, panel.url(query), "" if lazy else panel.html(query)) for panel in TEAM_PANELS.values()
        ],
    }
    return page_or_panel(request, "analytics/team.html", "analytics/_team.html", context)


@require_GET
@team_required(NO_ACCESS)
def team_panel(request: AccountRequest, panel: str) -> HttpResponse:
    """One panel of team analytics, for htmx and for "Try again"."""
    if panel not in TEAM_PANELS:
        raise Http404("No such panel")
    query, _ = _read(request)
    return HttpResponse(TEAM_PANELS[panel].html(query))


def _read(request: AccountRequest) -> tuple[team.TeamQuery, team.TeamForm]:
    form = team.TeamForm(request.GET, account=request.account, now=request.now)
    query = team.TeamQuery.read(form, viewer=request.user, account=request.account, now=request.now)
    return query, form


def _summary(query: team.TeamQuery) -> dict[str, Any]:
    now = query.sessions.totals(*team.SUMMARY)
    if not now["sessions"]:
        return {"empty": _empty(query)}
    before = query.sessions_before.totals(*team.SUMMARY)
    return {
        "metrics": SessionQuerySet.metrics,
        "now": now,
        "before": before,
        "few_before": before["sessions"] < MINIMUM,
        "few_medians": min(now["completed"], before["completed"]) < MINIMUM,
        "since": query.period.before.words,
        "all_href": query.href(),
        "completed_href": query.href(**team.COMPLETED),
    }


def _empty(query: team.TeamQuery) -> dict[str, Any]:
    """What to say, and where to go, when the period has no session."""
    newest = team.newest_session_at(query)
    if newest is None:
        narrowed = bool(query.engineer or query.client)
        return {"narrowed": narrowed, "clear_href": url_with("analytics:team", query.period.query)}
    day = newest.astimezone(query.account.tz).date()
    last_90 = Period.ending(day, 90, now=query.now, tz=query.account.tz)
    return {
        "text": f"The newest one started on {date_format(day, 'j F Y')}.",
        "newest_href": url_with("analytics:team", last_90.query | query.choice),
    }


def _outcomes(query: team.TeamQuery) -> dict[str, Any]:
    points = [{"date": row["day"], **row} for row in team.daily(query)]
    if not any(point["sessions"] for point in points):
        return {"chart_summary": charts.summary(points)}
    every = query.href()  # always has a query string: the period

    def href(day: date, outcome: str | None) -> str:
        return f"{every}&day={day}" + (f"&outcome={outcome}" if outcome else "")

    def hrefs(point: dict[str, Any]) -> dict[str, str]:
        names = {"sessions": None} | {outcome: outcome for outcome in Outcome.values}
        return {name: href(point["date"], outcome) for name, outcome in names.items() if point[name]}

    return {
        "points": [point | {"hrefs": hrefs(point)} for point in points],
        "chart": charts.outcomes_per_day(points, href=href),
        "chart_summary": charts.summary(points),
        "columns": [("date", "Day", "day"), ("sessions", "Sessions", "count"), *OUTCOME_COLUMNS],
    }


def _flows(query: team.TeamQuery) -> dict[str, Any]:
    rows = team.top_flows(query)
    return {"flows": [row | _hrefs(query, flow_id=row["id"]) for row in rows]}


def _engineers(query: team.TeamQuery) -> dict[str, Any]:
    rows = team.top_engineers(query)
    return {"engineers": [row | _hrefs(query, engineer_id=row["id"]) for row in rows]}


def _hrefs(query: team.TeamQuery, **of: Any) -> dict[str, str]:
    return {
        "href": query.href(**of),
        "completed_href": query.href(**of, **team.COMPLETED),
        "rated_href": query.href(**of, rated="yes"),
    }


TEAM_PANELS = {
    panel.name: panel
    for panel in [
        Panel("summary", _summary, skeleton="card", places=(1, 2, 3, 4), wide=True),
        Panel("outcomes", _outcomes, skeleton="chart", wide=True),
        Panel("flows", _flows, skeleton="table"),
        Panel("engineers", _engineers, skeleton="table"),
    ]
}
