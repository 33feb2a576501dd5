"""The thumbs on a step and the stars of a session: panels of the session's pages, and pages of their own."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from flowpilot.models import Session, Step
from flowpilot.sessions.states import FINAL
from ratings import thumbs
from ratings.access import session_to_rate, step_of_account
from ratings.forms import RatingForm, ThumbForm
from ratings.models import SessionRating
from ratings.rating import NotCompleted, RatedAlready, rate
from ratings.requesting import ask_once
from resolutionflow.accounts.scoping import AccountRequest, own_sessions_required
from resolutionflow.htmx import page_or_panel, wants_panel

engineers_only = own_sessions_required("A super admin looks at sessions, but rates none.")
SAID = {True: "Rated helpful.", False: "Rated not helpful.", None: "Your rating of this step is taken back."}
SAVED = "What you said of this step is saved."
THANKS = "Thank you. Your rating is saved."


@require_http_methods(["GET", "POST"])
@engineers_only
def thumb(request: AccountRequest, session_id: UUID, step_id: UUID) -> HttpResponse:
    """The two thumbs of one step in one session, and what was wrong with it."""
    session, step = session_to_rate(request.user, session_id), step_of_account(step_id)
    if step.flow_id != session.flow_id:
        raise Http404("No such step in the session's flow")
    ids, said = f"thumb-{step.id}-%s", ""
    form = ThumbForm(request.POST if request.method == "POST" else None, auto_id=ids)
    if form.is_valid():
        said = _put_thumb(request, session, step, form.cleaned_data)
        if not wants_panel(request):
            messages.success(request, said)
            return redirect("ratings:thumb", session.id, step.id)
    given = thumbs.thumb_on(step, session)
    if not form.errors:
        kept = {"reasons": given.reasons, "comment": given.comment} if given else {}
        form = ThumbForm(initial=kept, auto_id=ids)
    context = {
        "session": session,
        "step": step,
        "given": given,
        "form": form,
        "trail": [(str(session), reverse("sessions:detail", args=[session.id]))],
        "hint": not request.user.step_hint_seen_at,
        "said": said,
        "saved": said == SAVED,
    }
    status = 422 if form.errors else 200
    return page_or_panel(request, "ratings/thumb.html", "ratings/_thumb.html", context, status)


def _put_thumb(request: AccountRequest, session: Session, step: Step, wanted: dict[str, Any]) -> str:
    """Does what the form says; in words what was done."""
    helpful: bool | None = wanted["was_helpful"]
    if helpful is None:
        thumbs.take_back(step, session)
        return SAID[None]
    request.user.step_hint_seen_at = request.user.step_hint_seen_at or request.now
    if helpful or not wanted["explained"]:
        thumbs.give(step, session, was_helpful=helpful, now=request.now)
        return SAID[helpful]
    thumbs.explain(step, session, reasons=wanted["reasons"], comment=wanted["comment"], now=request.now)
    return SAVED


@engineers_only
@require_POST
def ask(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """The dialog that asks for stars, once a session; 204 where there is nothing to ask any more, or not yet."""
    session = session_to_rate(request.user, session_id)
    if not ask_once(session, now=request.now):
        return HttpResponse(status=204)
    return render(request, "ratings/_dialog.html", _asked(session, RatingForm(auto_id="ask-%s"), dialog=True))


@require_http_methods(["GET", "POST"])
@engineers_only
def csat(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """The stars of a session: to give where there are none, else as they were given."""
    session = session_to_rate(request.user, session_id)
    if request.method == "POST":
        return _rated(request, session)
    given = SessionRating.objects.filter(session=session).first()
    return _csat_answer(request, _asked(session, RatingForm(), given=given))


def _rated(request: AccountRequest, session: Session) -> HttpResponse:
    dialog = "dialog" in request.POST
    form = RatingForm(request.POST, auto_id="ask-%s" if dialog else "id_%s")
    if not form.is_valid():
        return _csat_answer(request, _asked(session, form, dialog=dialog), status=422)
    stars, comment = form.cleaned_data["rating"], form.cleaned_data["comment"]
    try:
        given = rate(session, stars=stars, comment=comment, now=request.now)
    except NotCompleted:
        return _csat_answer(request, _asked(session, form, dialog=dialog), status=409)
    except RatedAlready as earlier:
        given = earlier.rating
        if (given.rating, given.comment or "") != (stars, comment):
            context = _asked(session, form, given=given, dialog=dialog) | {"unsaved": comment, "late": True}
            return _csat_answer(request, context, status=409)
    if not wants_panel(request):
        messages.success(request, THANKS)
        return redirect("sessions:detail", session.id)
    answer = _csat_answer(request, _asked(session, form, given=given, dialog=dialog))
    trigger_client_event(answer, "toast", {"level": "success", "text": THANKS})
    return trigger_client_event(answer, "rated", {})


def _asked(
    session: Session, form: RatingForm, *, given: SessionRating | None = None, dialog: bool = False
) -> dict[str, Any]:
    return {
        "session": session,
        "trail": [(str(session), reverse("sessions:detail", args=[session.id]))],
        "title": "How was this flow?" if session.flow_id else "How did this session go?",
        "completed": session.status in FINAL,
        "form": form,
        "given": given,
        "dialog": dialog,
    }


def _csat_answer(request: AccountRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return page_or_panel(request, "ratings/csat.html", "ratings/_csat.html", context, status)
