"""Downloads. Who may see a page may have its rows as a file, by the same form; nothing else is sent in their place."""

from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.http import Http404, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from analytics.exports.sessions import sessions_table
from flowpilot.sessions.filters import SessionFilterForm
from resolutionflow.accounts.models import AuditEntry
from resolutionflow.accounts.scoping import AccountRequest, account_required
from resolutionflow.exports import FORMATS, Table, download

COLLEAGUES = "Help wanted lists colleagues' sessions, so only a team admin can export it."


@require_GET
@account_required
def sessions_export(request: AccountRequest, format: str) -> HttpResponseBase:
    """The sessions of the list with these very filters."""
    form = SessionFilterForm(request.GET, viewer=request.user, account=request.account, now=request.now)
    if format not in FORMATS:
        raise Http404("No such format")
    if not form.is_valid():
        return refused(request, form, reverse("sessions:list"))
    if form.cleaned_data["help"] and not request.user.leads_team:
        raise PermissionDenied(COLLEAGUES)
    return sent(request, form, sessions_table(form), format)


def refused(request: AccountRequest, form: BaseForm, back: str) -> HttpResponseBase:
    """422 with what is wrong: a file of something else than was asked for might go unnoticed."""
    context = {"form": form, "back": f"{back}?{request.GET.urlencode()}"}
    return render(request, "analytics/export_refused.html", context, status=422)


def sent(request: AccountRequest, form: BaseForm, table: Table, format: str) -> HttpResponseBase:
    """The table as a file, and an entry in the audit trail: who had what by which filters, none of the rows."""
    filters = {name: request.GET.getlist(name) for name in form.fields if request.GET.get(name)}
    AuditEntry.record(
        "export.downloaded",
        actor=request.user,
        account=request.account,
        object=f"{table.name}.{format}",
        filters=filters,
    )
    return download(table, format)
