"""The session list and a session's page."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from flowpilot.sessions.access import may_read
from flowpilot.sessions.chips import chips
from flowpilot.sessions.filters import SessionFilterForm
from flowpilot.sessions.models import Session
from flowpilot.sessions.selects import SessionSelects
from flowpilot.sessions.timeline import timeline
from resolutionflow.accounts.names import shown_names
from resolutionflow.accounts.scoping import AccountRequest, account_required
from resolutionflow.exports import export_menu
from resolutionflow.figures import counted
from resolutionflow.htmx import page_or_panel
from resolutionflow.links import url_with
from resolutionflow.paging import Cursor, page_of

PAGE_SIZE = 50


@require_GET
@account_required
def session_list(request: AccountRequest) -> HttpResponse:
    """The sessions that the filters leave, newest first; a bad filter says so and filters nothing."""
    form = SessionFilterForm(request.GET, viewer=request.user, account=request.account, now=request.now)
    sessions = form.sessions()
    page_fault, cursors = _cursors(request)
    page = page_of(
        sessions.select_related("client", "flow", "domain").defer("decisions"),
        "started_at",
        PAGE_SIZE,
        **cursors,
    )
    names = shown_names(request.account, request.user)
    count = sessions.count()
    words = counted(count, "session")
    kept = {name: values for name, values in request.GET.lists() if name not in ("before", "after")}
    context = {
        "form": form,
        "title": "Sessions" if request.user.leads_team else "My sessions",
        "where": f"{words} · {request.account.name} · {request.account.time_zone}",
        "period": form.chosen_period(),
        "whole_time": form.whole_time,
        "selects": SessionSelects(request.GET, viewer=request.user, account=request.account),
        "chips": chips(form, kept),
        "clear_href": url_with("sessions:list", {name: kept.get(name) for name in ("period", "from", "to")}),
        "kept_beside_search": [
            (name, value) for name, values in kept.items() if name != "q" for value in values
        ],
        "page_fault": page_fault,
        "words": words,
        "sessions": [(session, names[session.user_id]) for session in page.rows],
        "previous_href": url_with("sessions:list", kept | {"before": page.before}) if page.before else "",
        "next_href": url_with("sessions:list", kept | {"after": page.after}) if page.after else "",
        "empty": None if page.rows else _empty(form, kept),
        "export": _export(form, kept, words) if page.rows else None,
    }
    return page_or_panel(request, "sessions/list.html", "sessions/_list.html", context)


def _export(form: SessionFilterForm, kept: dict[str, list[str]], words: str) -> dict[str, Any] | None:
    """The Export menu; None where there is none: a file never guesses what a faulty filter meant, and Help wanted shows
    an engineer the sessions of colleagues."""
    if form.errors or (form.cleaned_data["help"] and not form.viewer.leads_team):
        return None
    return export_menu("sessions", words, "analytics:sessions-export", kept)


def _empty(form: SessionFilterForm, kept: dict[str, list[str]]) -> dict[str, str]:
    """Why the list is empty, and the way to one that is not."""
    if not form.whole_time:
        every = {name: values for name, values in kept.items() if name not in ("period", "from", "to")}
        href = url_with("sessions:list", every | {"period": "all"})
        text = "No session of this period fits. There may be older ones."
        return {
            "title": "No sessions here",
            "text": text,
            "action_label": "Show all time",
            "action_href": href,
        }
    if set(kept) - {"period"}:
        text = "No session fits these filters."
        return {
            "title": "No sessions here",
            "text": text,
            "action_label": "Clear the filters",
            "action_href": "?period=all",
        }
    return {
        "title": "No sessions yet",
        "text": "Sessions appear here as soon as there are any.",
        "action_href": "",
    }


def _cursors(request: AccountRequest) -> tuple[str, dict[str, Cursor | None]]:
    cursors: dict[str, Cursor | None] = {"before": None, "after": None}
    for name in cursors:
        try:
            if text := request.GET.get(name):
                cursors[name] = Cursor.read(text)
        except ValidationError as fault:
            return str(fault.message), {"before": None, "after": None}
    return "", cursors


@require_GET
@account_required
def session_detail(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """One session, to read: what it was about, how it went, how it ended."""
    session = get_object_or_404(
        Session.objects.select_related("client", "flow", "flow_version", "domain"), id=session_id
    )
    if not may_read(request.user, session):
        raise PermissionDenied("This is a colleague's session.")
    own = session.user_id == request.user.id
    context: dict[str, Any] = {
        "session": session,
        "engineer": shown_names(request.account, request.user)[session.user_id],
        "how": session.outcome or session.status,
        "trail": [("Sessions" if request.user.leads_team else "My sessions", reverse("sessions:list"))],
        "entries": timeline(session),
        "activity": session.psa_activity.order_by("created_at", "id"),
        "rating": getattr(session, "rating", None) if own else None,
    }
    return render(request, "sessions/detail.html", context)
