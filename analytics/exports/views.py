"""The session list as a download. Who may see the list may have its rows, by the same form."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_GET

from analytics.exports.answers import refused, sent
from analytics.exports.sessions import sessions_table
from flowpilot.sessions.filters import SessionFilterForm
from resolutionflow.accounts.scoping import AccountRequest, account_required
from resolutionflow.exports import FORMATS

COLLEAGUES = "Help wanted lists colleagues' sessions, so only a team admin can export it."


@require_GET
@account_required
def sessions_export(request: AccountRequest, format: str) -> HttpResponseBase:
    """The sessions of the list with these very filters."""
    if format not in FORMATS:
        raise Http404("No such format")
    form = SessionFilterForm(request.GET, viewer=request.user, account=request.account, now=request.now)
    if not form.is_valid():
        return refused(request, form, reverse("sessions:list"))
    if form.cleaned_data["help"] and not request.user.leads_team:
        raise PermissionDenied(COLLEAGUES)
    return sent(request, form, sessions_table(form), format)
