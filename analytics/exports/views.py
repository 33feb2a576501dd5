"""Lists as downloads: sessions, pushes, those of the settings. Who may see a list may have its rows, by its form."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_GET

from analytics.exports.answers import refused, sent
from analytics.exports.pushes import pushes_table, without_time_table
from analytics.exports.sessions import sessions_table
from analytics.exports.settings import entries_table, users_table
from flowpilot.clients_and_domains.forms import SearchForm
from flowpilot.clients_and_domains.kinds import Kind
from flowpilot.clients_and_domains.views import NO_ACCESS
from flowpilot.psa.ledger.listing import LedgerForm, WithoutTimeForm
from flowpilot.psa.ledger.views import leads_only as pushes_leads_only
from flowpilot.sessions.filters import SessionFilterForm
from flowpilot.users.forms import UserListForm
from flowpilot.users.views import leads_only
from resolutionflow.accounts.scoping import AccountRequest, account_required, team_required
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


@require_GET
@leads_only
def users_export(request: AccountRequest, format: str) -> HttpResponseBase:
    """The users of Settings → Users and roles with these very filters."""
    if format not in FORMATS:
        raise Http404("No such format")
    form = UserListForm(request.GET)
    if not form.is_valid():
        return refused(request, form, reverse("settings:users:list"))
    return sent(request, form, users_table(form, request), format)


@require_GET
@team_required(NO_ACCESS)
def entries_export(request: AccountRequest, kind: Kind, format: str) -> HttpResponseBase:
    """The clients or domains of the settings that this search finds."""
    if format not in FORMATS:
        raise Http404("No such format")
    form = SearchForm(request.GET)
    if not form.is_valid():
        return refused(request, form, kind.url())
    return sent(request, form, entries_table(kind, form, request), format)


@require_GET
@pushes_leads_only
def pushes_export(request: AccountRequest, format: str) -> HttpResponseBase:
    """The pushes that the ledger shows with these very filters."""
    if format not in FORMATS:
        raise Http404("No such format")
    form = LedgerForm(request.GET)
    if not form.is_valid():
        return refused(request, form, reverse("psa:ledger"))
    return sent(request, form, pushes_table(form, request), format)


@require_GET
@pushes_leads_only
def without_time_export(request: AccountRequest, format: str) -> HttpResponseBase:
    """The resolved sessions without time of this period."""
    if format not in FORMATS:
        raise Http404("No such format")
    form = WithoutTimeForm(request.GET)
    if not form.is_valid():
        return refused(request, form, reverse("psa:without-time"))
    return sent(request, form, without_time_table(form, request), format)
