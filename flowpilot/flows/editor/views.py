"""The editor of a flow: an outline of its steps beside the form of one of them.

Every change is a post of the whole form of the step in sight, so nothing typed is lost by whatever else is done. An
answer to htmx is the form (or, of a mere save, nothing that is being typed in) and, out of band, what else changed.
"""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import reswap, trigger_client_event

from flowpilot.flows import drafting
from flowpilot.flows.editor import saving
from flowpilot.flows.editor.acts import act_of, as_sent
from flowpilot.flows.editor.changes import Refused, only_behind
from flowpilot.flows.editor.conflicts import Conflict, resolve
from flowpilot.flows.editor.frame import author_required, href, sent_on, who_changed, whole_page
from flowpilot.flows.editor.outline import Outline
from flowpilot.flows.editor.pages import bar_context, saved_context, step_context
from flowpilot.flows.models import Flow
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.htmx import wants_panel

MERGED = {
    "": "Both are merged. Undo brings back what was saved before.",
    "mine": "Yours is saved. Undo brings back what was saved before.",
    "theirs": "Theirs stays as it is. Nothing of yours was saved.",
}


@require_GET
@author_required
def edit(request: AccountRequest, flow: Flow) -> HttpResponse:
    """The editor at the step named, else at the first one."""
    draft = saving.opened(flow)
    outline = Outline(draft.structure)
    row = outline.row(request.GET.get("step", ""))
    context = step_context(draft, outline, row, whole_lists=request.GET.get("lists") == "all")
    if not wants_panel(request):
        return whole_page(request, draft, outline, "_step.html", context)
    seen = request.headers.get("Editor-Mark", context["mark"])
    context |= bar_context(draft, outline, request.user) | {"tz": request.account.tz}
    if seen != context["mark"]:  # somebody else saved: the outline in sight is an old one
        context["outline_html"] = outline.html(href(flow))
    response = render(request, "flows/editor/_step_answer.html", context)
    response["HX-Push-Url"] = href(flow, row.id)
    return response


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
            request, flow, who_changed(request, stale.draft) + " Nothing was undone: look at it first."
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
        return redirect(href(saved.draft.flow, step))
    outline, here = Outline(saved.draft.structure), href(saved.draft.flow)
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
    response["HX-Push-Url"] = href(saved.draft.flow, row.id)
    return trigger_client_event(response, "toast", {"level": "success", "text": said}) if said else response


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
        context["outline_html"] = outline.html(href(flow))
        return render(request, "flows/editor/_step_answer.html", context, status=422)
    return whole_page(request, draft, outline, "_step.html", context, status=422)


def _told(request: AccountRequest, flow: Flow, words: str) -> HttpResponse:
    """The editor as the draft stands now, with why nothing was done."""
    messages.warning(request, words)
    return sent_on(request, href(flow, request.POST.get("step", "")))


def _conflict(request: AccountRequest, flow: Flow, stale: drafting.Stale) -> HttpResponse:
    """Mine and theirs side by side; the form that was sent goes along, so that nothing of it is lost."""
    draft = stale.draft
    draft.flow = flow
    try:
        conflict = Conflict.of(draft, request.POST)
    except Refused as refusal:
        return _told(request, flow, f"{who_changed(request, draft)} {refusal}")
    outline = Outline(draft.structure)
    context = {
        "flow": flow,
        "here": href(flow),
        "who": who_changed(request, draft),
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
        context |= {"outline_html": outline.html(href(flow))} | bar_context(draft, outline, request.user)
        return render(
            request, "flows/editor/_conflict_answer.html", context | {"tz": request.account.tz}, status=409
        )
    return whole_page(request, draft, outline, "_conflict.html", context, status=409)


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
    return sent_on(request, href(flow, saved.changed.step))


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
        "here": href(flow),
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
    return whole_page(request, draft, outline, f"_{what}.html", context)
