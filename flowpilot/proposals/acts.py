"""What a reviewer does on a proposal's page: each act is a POST, and what it is refused for is said on that page."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from flowpilot.flows.comparing import changes_between
from flowpilot.proposals import reviewing
from flowpilot.proposals.forms import DismissForm, RejectForm
from flowpilot.proposals.views import detail_page, proposal_or_404, reviewers_required
from resolutionflow.accounts.scoping import AccountRequest


@reviewers_required
@require_POST
def approve(request: AccountRequest, proposal_id: UUID) -> HttpResponse:
    proposal_or_404(proposal_id)
    try:
        proposal = reviewing.approve(proposal_id, user=request.user, now=request.now)
    except reviewing.Invalid as invalid:
        return _refused(request, proposal_id, 422, "Nothing is published.", faults=invalid.faults)
    except reviewing.Refused as refused:
        return _refused(request, proposal_id, 409, str(refused))
    flow = proposal.published_flow
    if flow and flow.name != proposal.title:
        messages.success(
            request,
            f"Published as “{flow.name}”: your library has a flow called “{proposal.title}” already.",
        )
    else:
        messages.success(request, f"“{proposal.title}” is published. Engineers can run it now.")
    return _back(request, proposal_id)


@reviewers_required
@require_POST
def edit(request: AccountRequest, proposal_id: UUID) -> HttpResponse:
    """On to the editor, with the proposal as the draft. `over` is the revision of the draft that it may replace."""
    proposal_or_404(proposal_id)
    over = request.POST.get("over", "")
    number = int(over) if over.isascii() and over.isdigit() and len(over) < 10 else None
    try:
        flow = reviewing.open_draft(proposal_id, user=request.user, now=request.now, over=number)
    except reviewing.DraftInTheWay as refused:
        draft = refused.draft
        more: dict[str, Any] = {
            "in_the_way": draft,
            "against_draft": changes_between(draft.structure, refused.proposal.structure),
        }
        return _refused(request, proposal_id, 409, str(refused), **more)
    except reviewing.Invalid as invalid:
        return _refused(request, proposal_id, 422, "It cannot be opened.", faults=invalid.faults)
    except reviewing.Refused as refused:
        return _refused(request, proposal_id, 409, str(refused))
    return redirect("flows:edit", flow.id)


@reviewers_required
@require_POST
def reject(request: AccountRequest, proposal_id: UUID) -> HttpResponse:
    proposal = proposal_or_404(proposal_id)
    form = RejectForm(request.POST)
    if not form.is_valid():
        return detail_page(request, proposal, status=422, reject_form=form)
    try:
        done = reviewing.reject(
            proposal_id, reason=form.cleaned_data["reason"], user=request.user, now=request.now
        )
    except reviewing.Refused as refused:
        return _refused(request, proposal_id, 409, str(refused))
    _say(request, done, "rejected")
    return _back(request, proposal_id)


@reviewers_required
@require_POST
def dismiss(request: AccountRequest, proposal_id: UUID) -> HttpResponse:
    proposal = proposal_or_404(proposal_id)
    form = DismissForm(request.POST)
    if not form.is_valid():
        return detail_page(request, proposal, status=422, dismiss_form=form)
    try:
        done = reviewing.dismiss(
            proposal_id, note=form.cleaned_data["note"], user=request.user, now=request.now
        )
    except reviewing.Refused as refused:
        return _refused(request, proposal_id, 409, str(refused))
    _say(request, done, "dismissed")
    return _back(request, proposal_id)


def _say(request: AccountRequest, done: reviewing.Declined, how: str) -> None:
    messages.success(request, f"“{done.proposal.title}” is {how}.")
    if done.kept:
        messages.info(request, reviewing.kept_in_words(done.kept))


def _refused(
    request: AccountRequest, proposal_id: UUID, status: int, refusal: str, **more: Any
) -> HttpResponse:
    """The page as it stands now, with why nothing happened."""
    return detail_page(request, proposal_or_404(proposal_id), status=status, refusal=refusal, **more)


def _back(request: AccountRequest, proposal_id: UUID) -> HttpResponse:
    """To the proposal, in the same queue."""
    query = request.GET.urlencode()
    address = reverse("proposals:detail", args=[proposal_id])
    return redirect(f"{address}?{query}" if query else address)
