"""The editor of a flow: an outline of its steps beside the form of one of them.

Every change is a post of the whole form of the step in sight, so nothing typed is lost by whatever else is done. An
answer to htmx is the form (or, of a mere save, nothing that is being typed in) and, out of band, what else changed.
"""

from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, reswap, trigger_client_event

from flowpilot.flows import drafting, publishing
from flowpilot.flows.comparing import changes_between
from flowpilot.flows.editor import saving
from flowpilot.flows.editor.acts import act_of, as_sent
from flowpilot.flows.editor.changes import Refused, only_behind
from flowpilot.flows.editor.conflicts import Conflict, resolve
from flowpilot.flows.editor.forms import FlowForm, PublishForm
from flowpilot.flows.editor.outline import Outline
from flowpilot.flows.editor.pages import SHORTCUTS, bar_context, saved_context, step_context, walked
from flowpilot.flows.models import Flow, FlowDraft
from flowpilot.sessions.states import Outcome
from resolutionflow.accounts.models import AuditEntry
from resolutionflow.accounts.names import shown_name
from resolutionflow.accounts.scoping import AccountRequest, View, account_required
from resolutionflow.htmx import wants_panel

NO_ACCESS = "Flows are written by team admins and by engineers who are allowed to."
LONGEST_WALK = 300
MERGED = {
    "": "Both are merged. Undo brings back what was saved before.",
    "mine": "Yours is saved. Undo brings back what was saved before.",
    "theirs": "Theirs stays as it is. Nothing of yours was saved.",
}


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
        return view(request, flow, **kwargs)

    return wrapper


@require_GET
@author_required
def edit(request: AccountRequest, flow: Flow) -> HttpResponse:
    """The editor at the step named, else at the first one."""
    draft = saving.opened(flow)
    outline = Outline(draft.structure)
    row = outline.row(request.GET.get("step", ""))
    context = step_context(draft, outline, row, whole_lists=request.GET.get("lists") == "all")
    if not wants_panel(request):
        return _page(request, draft, outline, "_step.html", context)
    seen = request.headers.get("Editor-Mark", context["mark"])
    context |= bar_context(draft, outline, request.user) | {"tz": request.account.tz}
    if seen != context["mark"]:  # somebody else saved: the outline in sight is an old one
        context["outline_html"] = outline.html(_href(flow))
    response = render(request, "flows/editor/_step_answer.html", context)
    response["HX-Push-Url"] = _href(flow, row.id)
    return response


def _page(
    request: AccountRequest,
    draft: FlowDraft,
    outline: Outline,
    panel: str,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    """The whole page around one of the panels that stand beside the outline."""
    frame = bar_context(draft, outline, request.user) | {
        "outline_html": outline.html(_href(draft.flow)),
        "mark": saving.mark_of(draft),
        "panel": f"flows/editor/{panel}",
        "shortcuts": SHORTCUTS,
        "tz": request.account.tz,
    }
    return render(request, "flows/editor/page.html", frame | context, status=status)


@author_required
@require_POST
def change(request: AccountRequest, flow: Flow) -> HttpResponse:
    """Saves the form of a step and does the act of the button that sent it."""
    try:
        saved = saving.change(
            flow.id,
            act_of(request.POST),
            mark=request.POST.get("mark", ""),
            user=request.user,
            now=request.now,
        )
    except drafting.Stale as stale:
        return _conflict(request, flow, stale)
    except (drafting.Unstorable, Refused) as refusal:
        return _refused(request, flow, str(refusal), unsaved=True)
    if saved.changed.refusal:
        return _refused(request, flow, saved.changed.refusal)
    return _answer(request, saved, plain=request.POST.get("act", "") == "")


@author_required
@require_POST
def undo(request: AccountRequest, flow: Flow) -> HttpResponse:
    try:
        saved = saving.undo(flow.id, mark=request.POST.get("mark", ""), user=request.user, now=request.now)
    except drafting.Stale as stale:
        return _told(
            request, flow, _who_changed(request, stale.draft) + " Nothing was undone: look at it first."
        )
    except drafting.NothingToUndo as nothing:
        return _told(request, flow, str(nothing))
    return _answer(request, saved, said=f"Undone: {saved.changed.words}")


def _answer(
    request: AccountRequest, saved: saving.Saved, *, plain: bool = False, said: str = ""
) -> HttpResponse:
    """What htmx swaps in after a change; without it, the page at the step."""
    step = saved.changed.step or request.POST.get("step", "")
    if not request.htmx:
        if said:
            messages.success(request, said)
        return redirect(_href(saved.draft.flow, step))
    outline, here = Outline(saved.draft.structure), _href(saved.draft.flow)
    row = outline.row(step)
    rows = outline.rows_about(step, saved.before, here) if plain else None
    context = (
        (saved_context if plain else step_context)(saved.draft, outline, row)
        | bar_context(saved.draft, outline, request.user)
        | {"tz": request.account.tz, "cursor": saved.changed.cursor, "said": said}
        | ({"outline_html": outline.html(here)} if rows is None else {"rows": rows})
    )
    if plain:
        return reswap(render(request, "flows/editor/_saved.html", context), "none")
    response = render(request, "flows/editor/_step_answer.html", context)
    response["HX-Push-Url"] = _href(saved.draft.flow, row.id)
    return trigger_client_event(response, "toast", {"level": "success", "text": said}) if said else response


def _href(flow: Flow, step: str = "") -> str:
    return resolve_url("flows:edit", flow.id) + (f"?{urlencode({'step': step})}" if step else "")


def _refused(request: AccountRequest, flow: Flow, words: str, *, unsaved: bool = False) -> HttpResponse:
    """The form again as it was sent, with why the act was not done. unsaved: its fields were not kept either."""
    draft = saving.opened(flow)
    outline = Outline(draft.structure)
    row = outline.row(request.POST.get("step", ""))
    node = outline.tree.nodes[row.id]
    if "title" in request.POST:
        node = node | as_sent(request.POST, node)
    context = step_context(draft, outline, row, node=node) | {"refusal": words, "unsaved": unsaved}
    if request.htmx:
        context |= bar_context(draft, outline, request.user) | {"tz": request.account.tz}
        context["outline_html"] = outline.html(_href(flow))
        return render(request, "flows/editor/_step_answer.html", context, status=422)
    return _page(request, draft, outline, "_step.html", context, status=422)


def _told(request: AccountRequest, flow: Flow, words: str) -> HttpResponse:
    """The editor as the draft stands now, with why nothing was done."""
    messages.warning(request, words)
    target = _href(flow, request.POST.get("step", ""))
    return HttpResponseClientRedirect(target) if request.htmx else redirect(target)


def _who_changed(request: AccountRequest, draft: FlowDraft) -> str:
    if draft.revision and draft.edited_by_id == request.user.pk:
        return "You changed this flow meanwhile, in another tab or on another machine."
    if draft.revision and draft.edited_by:
        return f"{shown_name(request.account, draft.edited_by)} changed this flow meanwhile."
    return "This flow was published or its draft discarded meanwhile."


def _conflict(request: AccountRequest, flow: Flow, stale: drafting.Stale) -> HttpResponse:
    """Mine and theirs side by side; the form that was sent goes along, so that nothing of it is lost."""
    draft = stale.draft
    draft.flow = flow
    try:
        conflict = Conflict.of(draft, request.POST)
    except Refused as refusal:
        return _told(request, flow, f"{_who_changed(request, draft)} {refusal}")
    outline = Outline(draft.structure)
    context = {
        "flow": flow,
        "here": _href(flow),
        "who": _who_changed(request, draft),
        "conflict": conflict,
        "mark": saving.mark_of(draft),
        "step": request.POST.get("step", ""),
        "sent": [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if name not in ("csrfmiddlewaretoken", "theirs") and not name.startswith("choice-")
        ],
    }
    if request.htmx:
        context |= {"outline_html": outline.html(_href(flow))} | bar_context(draft, outline, request.user)
        return render(
            request, "flows/editor/_conflict_answer.html", context | {"tz": request.account.tz}, status=409
        )
    return _page(request, draft, outline, "_conflict.html", context, status=409)


@author_required
@require_POST
def merge(request: AccountRequest, flow: Flow) -> HttpResponse:
    """Saves what the author made of mine and theirs."""
    try:
        saved = saving.change(
            flow.id,
            lambda theirs: resolve(flow, theirs, request.POST),
            mark=request.POST.get("theirs", ""),
            user=request.user,
            now=request.now,
        )
    except drafting.Stale as stale:
        return _conflict(request, flow, stale)
    except (drafting.Unstorable, Refused) as refusal:
        return _told(request, flow, str(refusal))
    chosen = "theirs" if saved.changed.structure == saved.before else request.POST.get("all", "")
    messages.success(request, MERGED.get(chosen, MERGED[""]))
    target = _href(flow, saved.changed.step)
    return HttpResponseClientRedirect(target) if request.htmx else redirect(target)


@require_GET
@author_required
def ask(request: AccountRequest, flow: Flow, what: str) -> HttpResponse:
    """What has to be known before a step is deleted or moved."""
    if what not in ("delete", "move"):
        raise Http404
    draft = saving.opened(flow)
    outline = Outline(draft.structure)
    row = outline.row(request.GET.get("step", ""))
    id_, node = row.id, outline.tree.nodes[row.id]
    behind = only_behind(outline.tree, id_)
    own = [target for target in (node.get("next", ""),) if row.type == "action" and target != id_]
    context = {
        "flow": flow,
        "here": _href(flow),
        "mark": saving.mark_of(draft),
        "row": row,
        "step": id_,
        "title": row.title,
        "led_from": [outline.called(link) for link in outline.tree.links_to(id_)],
        "behind": len(behind),
        "is_first": id_ == outline.tree.root["id"],
        "instead": [pair for pair in outline.steps() if pair[0] != id_] if what == "delete" else [],
        "suggested": own[0] if own else "",
        "places": [
            (str(link), words, outline.by_id[target].title if target in outline.by_id else "")
            for link, words, target in outline.links()
            if id_ not in (link.step, target) and (row.type == "action" or link.step not in behind)
        ]
        if what == "move"
        else [],
    }
    if wants_panel(request):
        return render(request, f"flows/editor/_{what}.html", context)
    return _page(request, draft, outline, f"_{what}.html", context)


@require_http_methods(["GET", "POST"])
@author_required
def flow_data(request: AccountRequest, flow: Flow) -> HttpResponse:
    """Name, description, domain and kind: they hold at once, without a new version."""
    form = FlowForm(request.POST if request.method == "POST" else None, instance=flow)
    before = flow.name
    if request.method == "POST" and form.is_valid() and form.save_unless_taken():
        if form.changed_data:
            AuditEntry.record(
                "flow.changed", actor=request.user, account=request.account, object=flow.name, before=before,
                fields=form.changed_data,
            )  # fmt: skip
        messages.success(request, f"{flow.name} is saved.")
        return HttpResponseClientRedirect(_href(flow)) if request.htmx else redirect(_href(flow))
    if form.errors:
        flow = Flow.objects.select_related("current_version", "domain").get(id=flow.id)
    status = 422 if form.errors else 200
    if wants_panel(request):
        return render(
            request,
            "flows/editor/_flow.html",
            {"flow": flow, "here": _href(flow), "form": form},
            status=status,
        )
    draft = saving.opened(flow)
    return _page(request, draft, Outline(draft.structure), "_flow.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
@author_required
def publish(request: AccountRequest, flow: Flow) -> HttpResponse:
    """What would be new, and the note that goes with it."""
    form = PublishForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            version = saving.publish(
                flow.id,
                mark=request.POST.get("mark", ""),
                user=request.user,
                note=form.cleaned_data["note"],
                now=request.now,
            )
        except drafting.Stale as stale:
            form.add_error(
                None, f"{_who_changed(request, stale.draft)} Nothing is published. Below is what it is now."
            )
        except publishing.Invalid as invalid:
            form.add_error(
                None, f"{len(invalid.faults)} faults have to be mended first. Nothing is published."
            )
        else:
            messages.success(request, f"Version {version.number} of {flow.name} is published.")
            target = resolve_url("flows:detail", flow.id)
            return HttpResponseClientRedirect(target) if request.htmx else redirect(target)
    return _draft_page(request, flow, "_publish.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@author_required
def discard(request: AccountRequest, flow: Flow) -> HttpResponse:
    status = 200
    context: dict[str, Any] = {}
    if request.method == "POST":
        try:
            saving.discard(flow.id, mark=request.POST.get("mark", ""))
        except drafting.Stale as stale:
            status, context = 409, {"refusal": f"{_who_changed(request, stale.draft)} Nothing is discarded."}
        else:
            messages.success(request, "The draft is discarded.")
            return HttpResponseClientRedirect(_href(flow)) if request.htmx else redirect(_href(flow))
    return _draft_page(request, flow, "_discard.html", context, status=status)


def _draft_page(
    request: AccountRequest, flow: Flow, panel: str, context: dict[str, Any], status: int
) -> HttpResponse:
    draft = saving.opened(flow)
    outline = Outline(draft.structure)
    version = flow.current_version
    context |= {
        "flow": flow,
        "here": _href(flow),
        "mark": saving.mark_of(draft),
        "changes": changes_between(version.structure, draft.structure) if version else None,
        "faulty_rows": [row for row in outline.rows if row.faults],
        "general": outline.general,
        "step_count": len(outline.rows),
    }
    if wants_panel(request):
        return render(request, f"flows/editor/{panel}", context, status=status)
    return _page(request, draft, outline, panel, context, status=status)


@require_GET
@author_required
def preview(request: AccountRequest, flow: Flow) -> HttpResponse:
    """A walk through the draft, as an engineer would meet it; where one stands is in the address, and nowhere else."""
    draft = saving.opened(flow)
    ids = request.GET.getlist("p")[-LONGEST_WALK:]
    outline, trail, row = walked(draft.structure, ids)
    path = [id_ for id_ in ids if id_ in outline.by_id] or [row.id]

    def way(*further: str) -> str:
        return f"?{urlencode([('p', id_) for id_ in [*path, *further]])}"

    node = outline.tree.nodes[row.id]
    targets = [(option["label"], option["next"]) for option in node.get("options", [])]
    if node["type"] == "action":
        targets = [("Done, go on", node.get("next", ""))]
    context = {
        "flow": flow,
        "row": row,
        "title": row.title,
        "node": node,
        "trail": trail,
        "ways": [(label, way(id_) if id_ in outline.by_id else "") for label, id_ in targets]
        if node["type"] != "outcome"
        else [],
        "proposes": node["outcome"] if node.get("outcome") in Outcome.values else "",
        "is_first": row.id == outline.rows[0].id,
        "back": f"?{urlencode([('p', id_) for id_ in path[:-1]])}" if len(path) > 1 else "",
        "edit_href": _href(flow, node["id"]),
    }
    return render(request, "flows/editor/preview.html", context)
