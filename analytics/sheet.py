"""One client's figures on a sheet of paper, which the client may keep: no engineer is named anywhere in it."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from analytics import panels
from analytics.query import DashboardForm, DashboardQuery
from analytics.views import NO_ACCESS
from resolutionflow.accounts.scoping import AccountRequest, team_required
from resolutionflow.htmx import page_or_panel
from resolutionflow.links import url_with
from resolutionflow.period_form import PeriodForm

URL_NAME = "analytics:sheet"
PANELS = (panels.SUMMARY, panels.OUTCOMES, panels.FLOWS)


class SheetForm(DashboardForm):
    without_client = "Choose a client…"


@require_GET
@team_required(NO_ACCESS)
def sheet(request: AccountRequest) -> HttpResponse:
    """The sheet of the client that is asked for; without one it asks which. Other clients are not named on it."""
    form = SheetForm(request.GET, account=request.account, now=request.now)
    query = DashboardQuery.read(
        form, url_name=URL_NAME, viewer=request.user, account=request.account, now=request.now
    )
    chosen = {"period": query.period.query, "client": query.choice}
    context = {
        "form": form,
        "query": query,
        "account": request.account,
        "made_at": request.now,
        "only_period": PeriodForm(request.GET, now=request.now, tz=request.account.tz),
        "panels": [panel.html(query, menu=False) for panel in PANELS] if query.client else [],
        "team_href": url_with("analytics:team", chosen["period"] | chosen["client"]),
        "other_href": url_with(URL_NAME, chosen["period"]),
    }
    return page_or_panel(request, "analytics/sheet.html", "analytics/_sheet.html", context)
