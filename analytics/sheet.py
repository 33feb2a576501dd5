"""One client's figures on a sheet of paper, which the client may keep: no engineer is named anywhere in it."""

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from analytics.dashboards import SHEET
from analytics.views import NO_ACCESS
from flowpilot.clients.choices import client_choices
from resolutionflow.accounts.scoping import AccountRequest, team_required
from resolutionflow.htmx import page_or_panel
from resolutionflow.links import url_with
from resolutionflow.period_form import PeriodForm


@require_GET
@team_required(NO_ACCESS)
def sheet(request: AccountRequest) -> HttpResponse:
    """The sheet of the client that is asked for; without one it asks which. Other clients are not named on it."""
    form = SHEET.form(request)
    fields: dict[str, Any] = form.fields
    fields["client_id"].widget.choices = lambda: [("", "Choose a client…"), *client_choices()[1:]]
    query = SHEET.query(request, form)
    chosen = {"period": query.period.query, "client": query.choice}
    context = {
        "form": form,
        "query": query,
        "account": request.account,
        "made_at": request.now,
        "only_period": PeriodForm(request.GET, now=request.now, tz=request.account.tz),
        "panels": [panel.html(query, menu=False) for panel in SHEET.panels] if query.client else [],
        "team_href": url_with("analytics:team", chosen["period"] | chosen["client"]),
        "other_href": url_with(SHEET.url_name, chosen["period"]),
    }
    return page_or_panel(request, "analytics/sheet.html", "analytics/_sheet.html", context)
