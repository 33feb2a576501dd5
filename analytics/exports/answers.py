"""How a download is answered: the file and an entry in the audit trail, or what is wrong with the filters."""

from django.forms import BaseForm
from django.http import HttpResponseBase
from django.shortcuts import render

from resolutionflow.accounts.models import AuditEntry
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.exports import Table, TooMany, download

RETRY_AFTER = 20  # seconds


def refused(request: AccountRequest, form: BaseForm, back: str) -> HttpResponseBase:
    """422 with what is wrong: a file of something else than was asked for might go unnoticed."""
    context = {"form": form, "back": f"{back}?{request.GET.urlencode()}"}
    return render(request, "analytics/export_refused.html", context, status=422)


def sent(request: AccountRequest, form: BaseForm, table: Table, format: str) -> HttpResponseBase:
    """The file, written down as who had what by which filters, without any of the rows; 429 where too many are being
    written."""
    try:
        answer = download(table, format)
    except TooMany:
        busy = render(request, "analytics/export_busy.html", status=429)
        busy["Retry-After"] = str(RETRY_AFTER)
        return busy
    AuditEntry.record(
        "export.downloaded",
        actor=request.user,
        account=request.account,
        object=f"{table.name}.{format}",
        filters={name: request.GET.getlist(name) for name in form.fields if request.GET.get(name)},
    )
    return answer
