"""The dashboards as pages. A page holds its panels; each panel is also an address of its own, which htmx swaps in."""

from django.http import HttpResponse, HttpResponseBase
from django.views.decorators.http import require_GET

from analytics.dashboards import TEAM
from resolutionflow.accounts.scoping import AccountRequest, team_required

NO_ACCESS = "You don't have access to team analytics."


@require_GET
@team_required(NO_ACCESS)
def team_page(request: AccountRequest) -> HttpResponse:
    """Team analytics."""
    return TEAM.page(request)


@require_GET
@team_required(NO_ACCESS)
def team_panel(request: AccountRequest, panel: str) -> HttpResponse:
    """One panel of team analytics."""
    return TEAM.panel(request, panel)


@require_GET
@team_required(NO_ACCESS)
def team_export(request: AccountRequest, panel: str, format: str) -> HttpResponseBase:
    """The rows of one panel of team analytics as a file."""
    return TEAM.export(request, panel, format)
