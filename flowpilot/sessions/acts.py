"""Everything that is done in a session: one POST each, answered with where the session stands then.

runner.js sends the forms by itself and swaps the answer in; without JavaScript the browser is sent on to the page.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from flowpilot.psa.pushing.form import ending_of
from flowpilot.psa.pushing.offering import push as send
from flowpilot.psa.pushing.offering import push_form, was_filled_in
from flowpilot.psa.pushing.views import looked_at, push_context
from flowpilot.sessions import driving, starting
from flowpilot.sessions.access import driven, helped
from flowpilot.sessions.forms import (
    AnswerForm,
    BesideForm,
    DecideForm,
    DecisionForm,
    HelpForm,
    NoteForm,
    ScriptForm,
)
from flowpilot.sessions.models import Session
from flowpilot.sessions.position import current_node, has_left
from flowpilot.sessions.runner import (
    finish_form,
    known_context,
    runner_context,
    script_context,
    values_to_keep,
)
from flowpilot.sessions.states import OPEN, BadValue, Outcome, Refused, Status
from resolutionflow.accounts.scoping import AccountRequest, account_required
from resolutionflow.htmx import wants_panel

JUST_FINISHED = "just_finished"  # the key in the login: the page of this session asks how it went, once
MANGLED = "That did not come in whole. Try again."

Act = Callable[[], Session]


def runner_page(request: AccountRequest, session: Session, status: int = 200, **given: Any) -> HttpResponse:
    """Where the session stands; for runner.js only what it swaps in."""
    template = "sessions/_runner.html" if wants_panel(request) else "sessions/runner.html"
    response = render(request, template, runner_context(request, session, **given), status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def to_page(request: AccountRequest, session_id: UUID) -> HttpResponse:
    address = reverse("sessions:detail", args=[session_id])
    return HttpResponseClientRedirect(address) if wants_panel(request) else redirect(address)


def carried_out(
    request: AccountRequest, session_id: UUID, act: Act, *, anew: bool = False, **given: Any
) -> HttpResponse:
    """Does it and shows where the session stands then. What is refused is said there; `given` keeps what was typed.

    anew: the whole page, for the act changes what stands around the runner too: the count of calls for help.
    """
    try:
        session = act()
    except Refused as refusal:
        session = driven(request.user, session_id)
        if session.status not in OPEN:
            messages.error(request, str(refusal))
            return to_page(request, session_id)
        status = 422 if isinstance(refusal, BadValue) else 409
        went_on = isinstance(refusal, driving.WentOn)
        return runner_page(request, session, status, fault=str(refusal), went_on=went_on, **given)
    if anew or session.status not in OPEN or not wants_panel(request):
        return to_page(request, session_id)
    return runner_page(request, session)


def mangled(request: AccountRequest, session: Session, form: forms.Form, **given: Any) -> HttpResponse:
    """Some field is wrong: the page with what was typed and what is wrong with it."""
    if session.status not in OPEN:
        return to_page(request, session.id)
    hidden = [name for name in form.errors if name in ("decision_id", "node_id", "answer")]
    words = MANGLED if hidden else next(iter(form.errors.values()))[0]
    return runner_page(request, session, 422, **{"fault": words} | given)


@account_required
@require_POST
def decide(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """An answer at the step of the flow where the session stands."""
    session, form = driven(request.user, session_id), DecideForm(request.POST)
    typed = request.POST.get("note", "")
    if not form.is_valid():
        return mangled(request, session, form, typed=typed)
    data = form.cleaned_data

    def act() -> Session:
        return driving.decide(session_id, now=request.now, expected_node_id=data["node_id"], **data)

    return carried_out(request, session_id, act, typed=typed)


@account_required
@require_POST
def beside(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """A step beside the flow, or in a session that has none."""
    session, form = driven(request.user, session_id), BesideForm(request.POST, auto_id="beside-%s")
    if not form.is_valid():
        words = "" if "decision_id" not in form.errors else MANGLED
        return mangled(request, session, form, beside_form=form, fault=words)
    return carried_out(
        request,
        session_id,
        lambda: driving.decide(session_id, now=request.now, **form.cleaned_data),
        beside_form=form,
    )


def _with_decision(request: AccountRequest, session_id: UUID, act: Callable[..., Session]) -> HttpResponse:
    session, form = driven(request.user, session_id), DecisionForm(request.POST)
    if not form.is_valid():
        return mangled(request, session, form)
    return carried_out(request, session_id, lambda: act(session_id, now=request.now, **form.cleaned_data))


@account_required
@require_POST
def back(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """Takes the newest decision back."""
    return _with_decision(request, session_id, driving.take_back)


@account_required
@require_POST
def note(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """The note of a step that was done already, and what came of it."""
    session, form = driven(request.user, session_id), NoteForm(request.POST)
    if not form.is_valid():
        return mangled(request, session, form)
    return carried_out(
        request, session_id, lambda: driving.annotate(session_id, now=request.now, **form.said())
    )


@account_required
@require_POST
def leave(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """Goes on without the flow."""
    return _with_decision(request, session_id, driving.leave_flow)


@account_required
@require_POST
def return_to_flow(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """Back to the step at which the flow was left."""
    driven(request.user, session_id)
    return carried_out(request, session_id, lambda: driving.return_to_flow(session_id, now=request.now))


@sensitive_post_parameters()
@account_required
@require_POST
def script(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """The step's script with its blanks filled in: shown in the answer and, of secrets, nowhere else."""
    session = driven(request.user, session_id)
    version = session.flow_version
    if session.status not in OPEN or version is None or has_left(session.decisions):
        return to_page(request, session_id)
    node = current_node(version.structure, session.decisions)
    if "script" not in node or request.POST.get("node_id") != node["id"]:
        words = f"{driving.WENT_ON} Nothing was filled in."
        return runner_page(request, session, 409, fault=words, went_on=True)
    form = ScriptForm(node["script"], request.POST, known={})
    if not form.is_valid():
        return runner_page(request, session, 422, **script_context(session, node, form), asks_again=True)
    keep = values_to_keep(session, form.cleaned_data)
    try:
        session = driving.keep_script_values(session_id, keep, now=request.now)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return to_page(request, session_id)
    return runner_page(request, session, **script_context(session, node, form))


@account_required
@require_http_methods(["GET", "POST"])
def finish(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """Ends the session; as a page of its own for browsers without JavaScript."""
    session = driven(request.user, session_id)
    if session.status not in (*OPEN, Status.ABANDONED):
        if request.method == "POST":
            messages.error(request, "This session has ended already.")
        return to_page(request, session_id)
    structure = session.flow_version.structure if session.flow_version else None
    node = current_node(structure, session.decisions) if structure else None
    posted = request.POST if request.method == "POST" else None
    form = finish_form(session, node, posted)
    push = push_form(request, session, posted if posted and was_filled_in(posted) else None)
    if posted and "push-look" in posted:
        form = finish_form(session, node, initial=posted.dict())
        looked = looked_at(request, session)
        more = push_context(request, session, looked) if looked else {}
        return _form_page(request, session, "finish", form, **more)
    if posted is None or not form.is_valid() or (push and push.is_bound and not push.is_valid()):
        return _form_page(request, session, "finish", form, push=push)
    data = form.cleaned_data
    reason = data["escalation_reason"] if data["outcome"] == Outcome.ESCALATED else None

    def act() -> Session:
        with transaction.atomic():
            ended = driving.complete(
                session_id,
                outcome=Outcome(data["outcome"]),
                now=request.now,
                resolution_summary=data["resolution_summary"],
                escalation_reason=reason,
            )
            if push and push.is_bound:
                send(push, ended, ending_of(data), now=request.now)
        request.session[JUST_FINISHED] = str(session_id)
        return ended

    return carried_out(request, session_id, act, finish_form=form, push=push, opened="finish")


@account_required
@require_http_methods(["GET", "POST"])
def ask_for_help(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """Asks the colleagues; asking again changes the reason."""
    session = driven(request.user, session_id)
    if session.status not in (*OPEN, Status.ABANDONED):
        return to_page(request, session_id)
    data = request.POST if request.method == "POST" else None
    form = HelpForm(data, initial={"reason": session.escalation_reason}, auto_id="help-%s")
    if request.method == "GET" or not form.is_valid():
        return _form_page(request, session, "help", form)
    return carried_out(
        request,
        session_id,
        lambda: driving.ask_for_help(session_id, reason=form.cleaned_data["reason"], now=request.now),
        anew=True,
    )


def _form_page(
    request: AccountRequest, session: Session, kind: str, form: forms.Form, **more: Any
) -> HttpResponse:
    """Finishing or asking for help as a page; runner.js gets the runner with the form's dialog open."""
    status = 422 if form.is_bound else 200
    if wants_panel(request) and session.status in OPEN:
        return runner_page(request, session, status, **{f"{kind}_form": form, "opened": kind} | more)
    context = {
        "session": session,
        "form": form,
        "look_on": "" if form.is_bound or "looked" in more else "load",
    } | more
    return render(request, f"sessions/{kind}.html", context, status=status)


@account_required
@require_POST
def take_up(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """Goes on with an abandoned session, or withdraws the call for help."""
    driven(request.user, session_id)
    return carried_out(request, session_id, lambda: driving.take_up(session_id, now=request.now), anew=True)


@account_required
@require_POST
def reopen(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """A further session about the same problem. A double click finds the one that the first click made."""
    session = driven(request.user, session_id)
    try:
        again = starting.reopen(session, request.user, now=request.now)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("sessions:detail", session_id)
    return redirect("sessions:detail", again.id)


@account_required
@require_POST
def take_over(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """A colleague goes on in a session of the own; of two at once one wins."""
    helped(request.user, session_id)
    try:
        mine = driving.take_over(session_id, request.user, now=request.now)
    except Refused as refusal:
        return _too_late(request, refusal)
    return redirect("sessions:detail", mine.id)


@account_required
@require_POST
def answer(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """A colleague's answer; the session is active again."""
    session, form = helped(request.user, session_id), AnswerForm(request.POST)
    if not form.is_valid():
        if session.status != Status.REQUESTING_ESCALATION:
            return _too_late(request, Refused(driving.CALL_IS_OVER), lost=request.POST.get("answer", ""))
        return render(request, "sessions/answer.html", {"session": session, "form": form}, status=422)
    try:
        driving.answer_call(session_id, request.user, answer=form.cleaned_data["answer"], now=request.now)
    except Refused as refusal:
        return _too_late(request, refusal, lost=form.cleaned_data["answer"])
    messages.success(request, "Your answer stands in the session, which is active again.")
    return redirect(f"{reverse('sessions:list')}?help=wanted")


def _too_late(request: AccountRequest, refusal: Refused, lost: str = "") -> HttpResponse:
    """A page of its own, for the session may be no longer to be read; an answer is not lost by it."""
    return render(request, "sessions/too_late.html", {"words": str(refusal), "lost": lost}, status=409)


@account_required
@require_GET
def known(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """The known steps that have what is typed in the title."""
    session = driven(request.user, session_id)
    typed = request.GET.get("title", "").replace("\0", "")[: driving.TITLE_LENGTH]
    return render(
        request, "sessions/_known_steps.html", known_context(session, request.account.language, typed)
    )


@account_required
@require_GET
def waiting(request: AccountRequest, session_id: UUID) -> HttpResponse:
    """204 while the session still asks for help, 200 once it does not: then its page has something new."""
    session = driven(request.user, session_id)
    return HttpResponse(status=204 if session.status == Status.REQUESTING_ESCALATION else 200)
