"""The review queue and a proposal's page. What a reviewer does there is in acts.py."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from flowpilot.proposals.forms import DismissForm, RejectForm
from flowpilot.proposals.listing import BEHIND, RETURNED, THUMBS, ProposalListForm, beside
from flowpilot.proposals.models import FlowProposal
from flowpilot.proposals.page import acts, proposal_page
from resolutionflow.accounts.scoping import AccountRequest, team_required
from resolutionflow.figures import counted
from resolutionflow.htmx import page_or_panel
from resolutionflow.links import url_with
from resolutionflow.numbered_pages import numbered_page

NO_ACCESS = "Proposals are reviewed by team admins."
reviewers_required = team_required(NO_ACCESS, instead=("Open the library", "flows:list"))


@require_GET
@reviewers_required
def proposal_list(request: AccountRequest) -> HttpResponse:
    """The proposals that the filters leave, those that wait unless something else is asked for. A bad filter says so
    and filters nothing."""
    form = ProposalListForm(request.GET, account=request.account)
    rows = (
        form.proposals()
        .annotate(thumbs=THUMBS, returned=RETURNED)
        .select_related("domain", "target_flow")
        .defer("structure", "evidence")
    )
    page = numbered_page(request, rows, "proposals")
    kept = {name: value for name, value in request.GET.items() if name in form.fields and value}
    context = {
        "form": form,
        "selects": [form[name] for name in ("status", "kind", "domain_id", "confidence", "sort")],
        "rows": [(proposal, url_with("proposals:detail", kept, proposal.id)) for proposal in page.rows],
        "page": page,
        "words": counted(page.total, "proposal"),
        "reviewed": [
            (name, form.cleaned_data[name])
            for name in ("reviewed_from", "reviewed_to")
            if form.cleaned_data.get(name)
        ],
        "blank": not page.rows and not form.narrowed,
        "decided_href": "" if page.rows or not form.pending_only else _decided(request, kept),
        "tz": request.account.tz,
    }
    return page_or_panel(request, "proposals/list.html", "proposals/_list.html", context)


def _decided(request: AccountRequest, kept: dict[str, Any]) -> str:
    """Where nothing that waits was found: the address of what was decided already, if something of that is."""
    everything = kept | {"status": "all"}
    found = ProposalListForm(everything, account=request.account).proposals().exists()
    return url_with("proposals:list", everything) if found else ""


@require_GET
@reviewers_required
def proposal_detail(request: AccountRequest, proposal_id: UUID) -> HttpResponse:
    return detail_page(request, proposal_or_404(proposal_id))


def proposal_or_404(proposal_id: UUID) -> FlowProposal:
    rows = FlowProposal.objects.annotate(behind=BEHIND).select_related(
        *("account", "domain", "draft_flow", "published_flow", "reviewed_by")
    )
    proposal: FlowProposal = get_object_or_404(rows, id=proposal_id)
    return proposal


def detail_page(
    request: AccountRequest, proposal: FlowProposal, *, status: int = 200, **given: Any
) -> HttpResponse:
    """The whole page; `given` is what an act that was refused has to say, and its form."""
    form = ProposalListForm(request.GET, account=request.account)
    form.is_valid()
    query = {name: value for name, value in request.GET.items() if name in form.fields and value}
    before, after, place, count = beside(form, proposal)
    listed = url_with("proposals:list", query)
    context = {
        "trail": [("Proposals", listed)],
        "previous_href": url_with("proposals:detail", query, before) if before else "",
        "next_href": url_with("proposals:detail", query, after) if after else "",
        "place": f"{place:,} of {count:,}" if place else "",
        "list_href": listed,
        "query": request.GET.urlencode(),
        "reject_form": RejectForm(),
        "dismiss_form": DismissForm(),
        "tz": request.account.tz,
    }
    context |= proposal_page(proposal, viewer=request.user, account=request.account, now=request.now)
    return render(request, "proposals/detail.html", context | acts(proposal) | given, status=status)
