"""The session list and a session's page."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from flowpilot.psa.pushing.followed import followed
from flowpilot.sessions.access import may_drive, may_help, may_read
from flowpilot.sessions.acts import JUST_FINISHED, runner_page
from flowpilot.sessions.chips import chips
from flowpilot.sessions.filters import SessionFilterForm
from flowpilot.sessions.forms import AnswerForm
from flowpilot.sessions.mapping import offered
from flowpilot.sessions.models import Session
from flowpilot.sessions.position import current_node, has_left
from flowpilot.sessions.runner import proposed_outcome, waiting_since
from flowpilot.sessions.selects import SessionSelects
from flowpilot.sessions.states import FINAL, OPEN, Outcome, Status
from flowpilot.sessions.timeline import timeline
from flowpilot.sessions.words import ticket_note
from resolutionflow.accounts.models import User
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
    """The sessions that the filters leave, newest first; who asks for help, longest waiting first. A bad filter says so
    and filters nothing."""
    form = SessionFilterForm(request.GET, viewer=request.user, account=request.account, now=request.now)
    sessions = form.sessions()
    page_fault, cursors = _cursors(request)
    help_wanted = bool(form.cleaned_data.get("help"))
    page = page_of(
        sessions.select_related("client", "flow", "domain").defer("decisions"),
        "last_activity_at" if help_wanted else "started_at",
        PAGE_SIZE,
        oldest_first=help_wanted,
        **cursors,
    )
    names = shown_names(request.account, request.user)
    count = sessions.count()
    words = counted(count, "session")
    title = "Sessions" if request.user.leads_team else "My sessions"
    kept = {name: values for name, values in request.GET.lists() if name not in ("before", "after")}
    context = {
        "form": form,
        "title": "Help wanted" if help_wanted else title,
        "help_wanted": help_wanted,
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
        "sessions": [
            (session, names[session.user_id], waiting_since(session, request.now)) for session in page.rows
        ],
        "previous_href": url_with("sessions:list", kept | {"before": page.before}) if page.before else "",
        "next_href": url_with("sessions:list", kept | {"after": page.after}) if page.after else "",
        "empty": None if page.rows else _empty(form, kept),
        "export": _export(form, kept, words) if page.rows else None,
        "mapping": offered(request.user, form) if page.rows else None,
        "filters": request.GET.urlencode(),
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
    if form.cleaned_data.get("help") and set(kept) <= {"help", "period"}:
        return {
            "title": "Nobody asks for help",
            "text": "Calls of your team appear here, who waits longest first.",
            "action_href": "",
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
    """One session: for its engineer the runner while it is open, else to read what it was about and how it went."""
    relations = ("client", "flow", "flow_version", "domain", "previous_session")
    # the runner reads the structure, and it alone
    rows = Session.objects.select_related(*relations).defer(
        "flow_version__structure", "previous_session__decisions"
    )
    session = get_object_or_404(rows, id=session_id)
    if not may_read(request.user, session):
        raise PermissionDenied("This is a colleague's session.")
    drives = may_drive(request.user, session)
    if drives and session.status in OPEN:
        return runner_page(request, session)
    own = session.user_id == request.user.id
    names = shown_names(request.account, request.user)
    rating = getattr(session, "rating", None) if own else None
    just_finished = request.session.get(JUST_FINISHED) == str(session.id)
    if just_finished:
        del request.session[JUST_FINISHED]
    context: dict[str, Any] = {
        "session": session,
        "engineer": names[session.user_id],
        "how": session.outcome or session.status,
        "proposed": _proposed(session),
        "trail": _trail(request, session),
        "entries": timeline(session, names, own=own),
        "activity": session.psa_activity.filter(push=None).order_by("created_at", "id"),
        "pushes": followed(request.user, session, request.now),
        "rating": rating,
        "asks_rating": drives and just_finished and not rating and session.csat_asked_at is None,
        "can_rate": drives and session.status in FINAL and not rating,
        "drives": drives,
        "taken_up": drives and session.status == Status.ABANDONED,
        "reopens": drives and session.status in FINAL,
        "waited": waiting_since(session, request.now)
        if session.status == Status.REQUESTING_ESCALATION
        else None,
        "answer_form": AnswerForm() if may_help(request.user, session) else None,
        "note": ticket_note(session, request.account.tz),
        "chain": _chain(request.user, session, names),
    }
    return render(request, "sessions/detail.html", context)


def _proposed(session: Session) -> str:
    """What the flow proposed, in words, where its engineer chose another outcome; else ""."""
    if not session.outcome or session.flow_version is None or has_left(session.decisions):
        return ""
    proposed = proposed_outcome(current_node(session.flow_version.structure, session.decisions))
    return Outcome(proposed).label if proposed not in ("", session.outcome) else ""


def _trail(request: AccountRequest, session: Session) -> list[tuple[str, str]]:
    """Where the session lies: a colleague came to it by the list of calls for help."""
    listed = reverse("sessions:list")
    if session.user_id != request.user.id and not request.user.leads_team:
        return [("Help wanted", f"{listed}?help=wanted")]
    return [("Sessions" if request.user.leads_team else "My sessions", listed)]


def _chain(user: User, session: Session, names: Mapping[UUID, str]) -> list[dict[str, Any]]:
    """The sessions about the same problem before and after this one; a link where the user may read it."""
    found: list[dict[str, Any]] = []
    later = session.next_sessions.defer("decisions").order_by("started_at", "id")
    further = [("Went on in", next_) for next_ in later]
    before = [("Goes on from", session.previous_session)] if session.previous_session else []
    for words, other in before + further:
        found.append(
            {
                "words": words,
                "session": other,
                "engineer": names[other.user_id],
                "href": reverse("sessions:detail", args=[other.id]) if may_read(user, other) else "",
            }
        )
    return found
