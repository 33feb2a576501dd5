"""The library: the account's flows, the starter library to copy from, and new flows."""

from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models.functions import Lower
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from flowpilot.flows.copying import Copied, copy_flows
from flowpilot.flows.library import flows_about, starter_library
from flowpilot.flows.library_forms import NewFlowForm, StarterForm
from flowpilot.flows.listing import FlowListForm
from flowpilot.flows.models import Domain, Flow
from flowpilot.flows.outline import outline
from flowpilot.flows.search import marked, matching_step
from flowpilot.flows.structure import nodes_of
from resolutionflow.accounts.scoping import AccountRequest, account_required, authors_required
from resolutionflow.figures import counted
from resolutionflow.htmx import page_or_panel
from resolutionflow.links import url_with
from resolutionflow.numbered_pages import numbered_page

NAMED = 5  # flows in a message
FIND_LENGTH = 200


@require_GET
@account_required
def flow_list(request: AccountRequest) -> HttpResponse:
    """The flows that search and filters leave; a bad filter says so and filters nothing."""
    form = FlowListForm(request.GET, drafts=request.user.writes_flows)
    page = numbered_page(request, form.flows(), "flows")
    rows = _rows(request, form, page.rows)
    words = counted(page.total, "flow")
    blank = not rows and not Flow.objects.exclude(status=Flow.Status.ARCHIVED).exists()
    context = {
        "form": form,
        "selects": [form[name] for name in ("domain_id", "status", "origin", "sort")],
        "rows": rows,
        "words": words,
        "page": page,
        "as_of": max(
            (flow.quality_calculated_at for flow in page.rows if flow.quality_calculated_at), default=None
        ),
        "blank": blank,
        "nothing": "No flow has all of these words." if form.words else "No flow fits these filters.",
        "tz": request.account.tz,
    }
    return page_or_panel(request, "flows/list.html", "flows/_list.html", context)


def _rows(request: AccountRequest, form: FlowListForm, flows: list[Flow]) -> list[dict[str, Any]]:
    """What the list says of each flow. The sessions behind a figure are colleagues' too: only who leads the team can
    open them."""
    rows = []
    for flow in flows:
        found_in = getattr(flow, "found_in", None)
        title, excerpt = matching_step(found_in, form.words) if found_in else ("", "")
        linked = request.user.leads_team and flow.usage_count
        rows.append(
            {
                "flow": flow,
                "name": marked(flow.name, form.words),
                "about": marked(flow.description, form.words),
                "step": marked(title, form.words),
                "excerpt": marked(excerpt, form.words),
                "sessions_href": url_with("sessions:list", {"period": "all", "flow_id": flow.id})
                if linked
                else "",
            }
        )
    return rows


@require_http_methods(["GET", "POST"])
@authors_required
def new_flow(request: AccountRequest) -> HttpResponse:
    """What the flow is about; then on to the editor. `?domain_id=<id>` has the domain filled in."""
    domain = _domain_named_by(request)
    form = NewFlowForm(
        request.POST if request.method == "POST" else None, initial={"domain": domain.name if domain else ""}
    )
    if request.method == "POST" and form.is_valid() and (flow := form.save_unless_taken(request)):
        return redirect("flows:edit", flow.id)
    context = {"form": form, "trail": _trail(), "domains": form.domains()}
    return render(request, "flows/new.html", context, status=422 if form.errors else 200)


def _domain_named_by(request: AccountRequest) -> Domain | None:
    """The domain that the address names: 404 if the account has none of this id."""
    given = request.GET.get("domain_id", "")
    if not given:
        return None
    try:
        domain: Domain | None = Domain.objects.filter(id=UUID(given)).first()
    except ValueError:
        domain = None
    if domain is None:
        raise Http404("There is no such domain.")
    return domain


@require_http_methods(["GET", "POST"])
@authors_required
def starter(request: AccountRequest) -> HttpResponse:
    """The starter library, and which of it to copy. `?q=` leaves the flows with these words; what is ticked stays."""
    form = StarterForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        chosen = set(form.cleaned_data["flow"])
        copied = copy_flows(
            [flow for flow in starter_library() if flow.slug in chosen],
            request.account,
            published=form.cleaned_data["how"] == "published",
            user=request.user,
            now=request.now,
        )
        _say(request, copied, form.cleaned_data["how"])
        return redirect("flows:list")
    there = set(
        Flow.objects.exclude(status=Flow.Status.ARCHIVED)
        .annotate(lower=Lower("name"))
        .values_list("lower", flat=True)
    )
    find = request.GET.get("q", "").replace("\0", "")[:FIND_LENGTH]
    found = flows_about(find)
    kept = set(request.POST.getlist("flow") or request.GET.getlist("flow"))
    flows: list[dict[str, Any]] = [
        {
            "flow": flow,
            "there": flow.name.lower() in there,
            "chosen": flow.slug in kept,
            "steps": counted(sum(1 for _ in nodes_of(flow.structure)), "step"),
        }
        for flow in starter_library()
        if flow.slug in kept or flow in found
    ]
    domains = []
    for domain, group in groupby(flows, key=lambda row: row["flow"].domain):
        rows = list(group)
        domains.append((domain, rows, not all(row["there"] for row in rows)))
    context = {
        "form": form,
        "domains": domains,
        "trail": _trail(),
        "find": find,
        "all_there": all(flow.name.lower() in there for flow in starter_library()),
    }
    return render(request, "flows/starter.html", context, status=422 if form.errors else 200)


def _trail() -> list[tuple[str, str]]:
    return [("Flows", reverse("flows:list"))]


def _say(request: AccountRequest, copied: Copied, how: str) -> None:
    count = len(copied.flows)
    if count:
        are = "is" if count == 1 else "are"
        done = (
            "copied and published"
            if how == "published"
            else "copied as a draft"
            if count == 1
            else "copied as drafts"
        )
        messages.success(request, f"{counted(count, 'flow')} {are} {done}.")
    if left := copied.left_out:
        named = ", ".join(left[:NAMED]) + (f" and {len(left) - NAMED} more" if len(left) > NAMED else "")
        messages.info(request, f"Left out, because your library has a flow of that name already: {named}.")


@require_GET
@authors_required
def starter_flow(request: AccountRequest, slug: str) -> HttpResponse:
    """What one flow of the starter library does, step by step."""
    flow = next((flow for flow in starter_library() if flow.slug == slug), None)
    if flow is None:
        raise Http404("The starter library has no such flow")
    context = {
        "flow": flow,
        "steps": outline(flow.structure),
        "trail": [*_trail(), ("Starter library", reverse("flows:starter"))],
    }
    return page_or_panel(request, "flows/starter_flow.html", "flows/_starter_steps.html", context)
