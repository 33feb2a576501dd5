"""The first page: where the working day starts."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from flowpilot.flows.models import Flow
from flowpilot.home import work
from flowpilot.sessions.states import OPEN, Status
from resolutionflow.accounts.scoping import AccountRequest, account_required


@require_GET
@account_required
def home(request: AccountRequest) -> HttpResponse:
    """The problem to start with, the own sessions and flows; for who leads the team its figures, which analytics
    brings. A super admin works no sessions and sees the rest."""
    has_flows = Flow.objects.exclude(status=Flow.Status.ARCHIVED).exists()
    wanted, wanted_href = work.help_wanted(request)
    context: dict[str, Any] = {
        "has_flows": has_flows,
        "help_wanted": wanted,
        "help_wanted_href": wanted_href,
        "mine": [],
        "tz": request.account.tz,
    }
    if request.user.works_sessions:
        context["open_count"], context["open_href"] = work.sessions_in(request, *OPEN)
        context["left_count"], context["left_href"] = work.sessions_in(request, Status.ABANDONED)
        context |= {"sessions": work.open_sessions(request), "left": work.sessions_to_take_up(request)}
        context["mine"] = work.flows_in_use(request)
    context["most_used"] = work.flows_of_the_account() if has_flows and not context["mine"] else []
    return render(request, "home/page.html", context)
