"""The draft as a whole: its flow's name and details, publishing, discarding, and a walk through it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods

from flowpilot.flows import drafting, publishing
from flowpilot.flows.comparing import changes_between
from flowpilot.flows.editor import saving
from flowpilot.flows.editor.forms import FlowForm, PublishForm
from flowpilot.flows.editor.frame import author_required, href, sent_on, who_changed, whole_page
from flowpilot.flows.editor.outline import Outline
from flowpilot.flows.editor.pages import walked
from flowpilot.flows.models import Flow
from flowpilot.proposals.following import proposal_in
from flowpilot.sessions.states import Outcome
from resolutionflow.accounts.models import AuditEntry
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.htmx import wants_panel

LONGEST_WALK = 300


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
        return sent_on(request, href(flow))
    if form.errors:
        flow = Flow.objects.select_related("current_version", "domain").get(id=flow.id)
    status = 422 if form.errors else 200
    if wants_panel(request):
        return render(
            request,
            "flows/editor/_flow.html",
            {"flow": flow, "here": href(flow), "form": form},
            status=status,
        )
    draft = saving.opened(flow)
    return whole_page(request, draft, Outline(draft.structure), "_flow.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
@author_required
def publish(request: AccountRequest, flow: Flow) -> HttpResponse:
    """What would be new, and the note that goes with it."""
    form = PublishForm(request.POST if request.method == "POST" else None)
    proposal = proposal_in(flow)
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
                None, f"{who_changed(request, stale.draft)} Nothing is published. Below is what it is now."
            )
        except publishing.Invalid as invalid:
            form.add_error(
                None, f"{len(invalid.faults)} faults have to be mended first. Nothing is published."
            )
        else:
            words = f" The proposal “{proposal.title}” is decided with it." if proposal else ""
            messages.success(request, f"Version {version.number} of {flow.name} is published.{words}")
            return sent_on(request, resolve_url("flows:detail", flow.id))
    context = {"form": form, "proposal": proposal}
    return _draft_page(request, flow, "_publish.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@author_required
def discard(request: AccountRequest, flow: Flow) -> HttpResponse:
    status = 200
    context: dict[str, Any] = {}
    proposal = proposal_in(flow)
    if request.method == "POST":
        try:
            saving.discard(flow.id, mark=request.POST.get("mark", ""))
        except drafting.Stale as stale:
            status, context = 409, {"refusal": f"{who_changed(request, stale.draft)} Nothing is discarded."}
        else:
            words = f" The proposal “{proposal.title}” waits for review as before." if proposal else ""
            messages.success(request, f"The draft is discarded.{words}")
            there = Flow.objects.filter(id=flow.id).exists()  # one that a proposal made goes with its draft
            return sent_on(request, href(flow) if there else resolve_url("flows:list"))
    return _draft_page(request, flow, "_discard.html", context | {"proposal": proposal}, status=status)


def _draft_page(
    request: AccountRequest, flow: Flow, panel: str, context: dict[str, Any], status: int
) -> HttpResponse:
    draft = saving.opened(flow)
    outline = Outline(draft.structure)
    version = flow.current_version
    context |= {
        "flow": flow,
        "here": href(flow),
        "mark": saving.mark_of(draft),
        "changes": changes_between(version.structure, draft.structure) if version else None,
        "faulty_rows": [row for row in outline.rows if row.faults],
        "general": outline.general,
        "step_count": len(outline.rows),
    }
    if wants_panel(request):
        return render(request, f"flows/editor/{panel}", context, status=status)
    return whole_page(request, draft, outline, panel, context, status=status)


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
        "edit_href": href(flow, node["id"]),
    }
    return render(request, "flows/editor/preview.html", context)
