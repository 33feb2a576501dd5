"""The dashboards as pages. A page holds its panels; each panel is also an address of its own, which htmx swaps in."""

from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.views.decorators.http import require_GET

from analytics.dashboards import FLOW, MY, TEAM, flowpilot_tab
from resolutionflow.accounts.scoping import (
    AccountRequest,
    account_required,
    own_sessions_required,
    team_required,
)

NO_ACCESS = "You don't have access to team analytics."
NO_FLOWPILOT = "You don't have access to FlowPilot analytics."
NOTHING_OWN = "A super admin works no sessions, so there are no figures of your own."
team_only = team_required(NO_ACCESS, instead=("Open my analytics", MY.url_name))
flowpilot_only = team_required(NO_FLOWPILOT, instead=("Open my analytics", MY.url_name))
own_only = own_sessions_required(NOTHING_OWN, instead=("Open team analytics", TEAM.url_name))


@require_GET
@team_only
def team_page(request: AccountRequest) -> HttpResponse:
    """Team analytics."""
    return TEAM.page(request)


@require_GET
@team_only
def team_panel(request: AccountRequest, panel: str) -> HttpResponse:
    """One panel of team analytics."""
    return TEAM.panel(request, panel)


@require_GET
@team_only
def team_export(request: AccountRequest, panel: str, format: str) -> HttpResponseBase:
    """The rows of one panel of team analytics as a file."""
    return TEAM.export(request, panel, format)


@require_GET
@own_only
def my_page(request: AccountRequest) -> HttpResponse:
    """My analytics."""
    return MY.page(request)


@require_GET
@own_only
def my_panel(request: AccountRequest, panel: str) -> HttpResponse:
    """One panel of my analytics."""
    return MY.panel(request, panel)


@require_GET
@own_only
def my_export(request: AccountRequest, panel: str, format: str) -> HttpResponseBase:
    """The rows of one panel of my analytics as a file."""
    return MY.export(request, panel, format)


@require_GET
@account_required
def flow_page(request: AccountRequest, flow_id: UUID) -> HttpResponse:
    """The analytics of one flow, for everyone in the account."""
    return FLOW.about(flow_id).page(request)


@require_GET
@account_required
def flow_panel(request: AccountRequest, flow_id: UUID, panel: str) -> HttpResponse:
    """One panel of a flow's analytics."""
    return FLOW.about(flow_id).panel(request, panel)


@require_GET
@account_required
def flow_export(request: AccountRequest, flow_id: UUID, panel: str, format: str) -> HttpResponseBase:
    """The rows of one panel of a flow's analytics as a file."""
    return FLOW.about(flow_id).export(request, panel, format)


@require_GET
@flowpilot_only
def flowpilot_page(request: AccountRequest) -> HttpResponse:
    """FlowPilot analytics, the tab that `tab` names."""
    return flowpilot_tab(request.GET.get("tab", "")).page(request)


@require_GET
@flowpilot_only
def flowpilot_panel(request: AccountRequest, tab: str, panel: str) -> HttpResponse:
    """One panel of a tab."""
    return flowpilot_tab(tab).panel(request, panel)


@require_GET
@flowpilot_only
def flowpilot_export(request: AccountRequest, tab: str, panel: str, format: str) -> HttpResponseBase:
    """The rows of one panel of a tab as a file."""
    return flowpilot_tab(tab).export(request, panel, format)
