"""What all pages of the editor have in common: who may open them, the frame around a panel, where an answer leads."""

from functools import wraps
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from flowpilot.flows.editor import saving
from flowpilot.flows.editor.outline import Outline
from flowpilot.flows.editor.pages import SHORTCUTS, bar_context
from flowpilot.flows.head import gone_is_404
from flowpilot.flows.models import Flow, FlowDraft
from resolutionflow.accounts.names import shown_name
from resolutionflow.accounts.scoping import AccountRequest, View, account_required

NO_ACCESS = "Flows are written by team admins and by engineers who are allowed to."


def author_required(view: View) -> View:
    """For authors; the view is given the flow. Another account's is 404, an archived one 403."""

    @account_required
    @wraps(view)
    def wrapper(request: AccountRequest, flow_id: UUID, **kwargs: Any) -> HttpResponseBase:
        flow = get_object_or_404(Flow.objects.select_related("current_version", "domain"), id=flow_id)
        if not request.user.writes_flows:
            raise PermissionDenied(NO_ACCESS)
        if flow.status == Flow.Status.ARCHIVED:
            raise PermissionDenied("This flow is archived. Bring it back before you change it.")
        with gone_is_404():
            return view(request, flow, **kwargs)

    return wrapper


def whole_page(
    request: AccountRequest,
    draft: FlowDraft,
    outline: Outline,
    panel: str,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    """The whole page around one of the panels that stand beside the outline."""
    frame = bar_context(draft, outline, request.user) | {
        "outline_html": outline.html(href(draft.flow)),
        "mark": saving.mark_of(draft),
        "panel": f"flows/editor/{panel}",
        "shortcuts": SHORTCUTS,
        "tz": request.account.tz,
    }
    return render(request, "flows/editor/page.html", frame | context, status=status)


def href(flow: Flow, step: str = "") -> str:
    return resolve_url("flows:edit", flow.id) + (f"?{urlencode({'step': step})}" if step else "")


def sent_on(request: AccountRequest, target: str) -> HttpResponse:
    """The browser opens another page, also where htmx asked for a panel."""
    return HttpResponseClientRedirect(target) if request.htmx else redirect(target)


def who_changed(request: AccountRequest, draft: FlowDraft) -> str:
    """Why a form is stale, in words."""
    if draft.revision and draft.edited_by_id == request.user.pk:
        return "You changed this flow meanwhile, in another tab or on another machine."
    if draft.revision and draft.edited_by:
        return f"{shown_name(request.account, draft.edited_by)} changed this flow meanwhile."
    return "This flow was published or its draft discarded meanwhile."
