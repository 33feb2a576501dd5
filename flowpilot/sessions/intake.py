"""The start of a session: the problem, for whom, on which ticket, and with which flow."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, Concat
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from flowpilot.flows.models import Flow
from flowpilot.flows.search import has, words_of
from flowpilot.sessions.forms import StartForm
from flowpilot.sessions.models import Session
from flowpilot.sessions.starting import PROBLEM_LENGTH, start
from flowpilot.sessions.states import Refused
from resolutionflow.accounts.scoping import AccountRequest, own_sessions_required
from resolutionflow.folding import by_name, folded

OFFERED = 8
FIND_LENGTH = 200
works_sessions = own_sessions_required(
    "You work no sessions yourself: engineers and team admins do.", instead=("Sessions", "sessions:list")
)


@works_sessions
@require_http_methods(["GET", "POST"])
def new_session(request: AccountRequest) -> HttpResponse:
    """Describes the problem and starts. `?problem=` has it written down already, `?flow=<id>` a flow chosen; without
    JavaScript a button filters them."""
    chosen = _preselected(request)
    if request.method == "GET":
        problem = request.GET.get("problem", "").replace("\0", "")[:PROBLEM_LENGTH]
        return _page(request, StartForm(initial={"problem_summary": problem}), chosen)
    form = StartForm(request.POST)
    if "find_flows" in request.POST:
        return _page(request, StartForm(initial=request.POST.dict()), _posted(request))
    if not form.is_valid():
        return _page(request, form, _posted(request), status=422)
    data = form.cleaned_data
    started = Session.objects.filter(id=data["session_id"], user=request.user).first()
    if started is None:
        try:
            started = _start(request, data)
        except Refused as refusal:
            form.add_error("flow", str(refusal))
            return _page(request, form, None, status=422)
    return redirect("sessions:detail", started.id)


def _start(request: AccountRequest, data: dict[str, Any]) -> Session:
    """The session of the form's id; of a double click the second one gets what the first one made."""
    id_ = data.pop("session_id")
    try:
        with transaction.atomic():
            return start(request.user, now=request.now, id_=id_, **data)
    except IntegrityError:
        made = Session.objects.filter(id=id_, user=request.user).first()
        return made or start(request.user, now=request.now, **data)


@works_sessions
@require_GET
def find_flows(request: AccountRequest) -> HttpResponse:
    """The flows that fit what is typed, for the list of the page. `chosen` stays in it."""
    chosen = _flow_of(request.GET.get("flow", ""))
    return render(request, "sessions/_flow_choices.html", _choices(request.GET.get("find", ""), chosen))


def _page(request: AccountRequest, form: StartForm, chosen: Flow | None, status: int = 200) -> HttpResponse:
    find = request.POST.get("find", "")[:FIND_LENGTH]
    return render(request, "sessions/new.html", {"form": form} | _choices(find, chosen), status=status)


def _preselected(request: AccountRequest) -> Flow | None:
    """The flow that the address names: 404 if the account has none of this id, a word if no session can run it."""
    given = request.GET.get("flow", "")
    if not given:
        return None
    try:
        flow: Flow | None = Flow.objects.filter(id=UUID(given)).first()
    except ValueError:
        flow = None
    if flow is None:
        raise Http404("There is no such flow.")
    if flow.status != Flow.Status.PUBLISHED:
        messages.warning(request, f"“{flow.name}” is not published, so no session can run it.")
        return None
    return flow


def _posted(request: AccountRequest) -> Flow | None:
    return _flow_of(request.POST.get("flow", ""))


def _flow_of(given: str) -> Flow | None:
    try:
        return published().filter(id=UUID(given)).first()
    except ValueError:
        return None


def published() -> QuerySet[Flow]:
    """The flows that a session can run, the most used first."""
    return (
        Flow.objects.filter(status=Flow.Status.PUBLISHED, current_version__isnull=False)
        .select_related("domain")
        .order_by("-usage_count", *by_name())
    )


def _choices(find: str, chosen: Flow | None) -> dict[str, Any]:
    """The context of the list: the flows with every word typed, the chosen one first whether it has them or not."""
    flows = published()
    parts = "name", Value(" "), "description", Value(" "), Coalesce("domain__name", Value(""))
    about = folded(Concat(*parts, output_field=TextField()))
    for word in words_of(find.replace("\0", "")[:FIND_LENGTH]):
        flows = flows.filter(Q(has(word, about)) | Q(has(word, F("current_version__step_texts"))))
    found = list(flows[: OFFERED + 1])
    shown = [flow for flow in found[:OFFERED] if chosen is None or flow.id != chosen.id]
    return {
        "find": find,
        "chosen": chosen,
        "flows": shown,
        "more": len(found) > OFFERED,
        "found": bool(found),
    }
