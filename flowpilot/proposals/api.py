"""Proposals as JSON: the queue with its filters, one proposal, and the acts of review."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import F
from django.http import Http404
from ninja import Field, Query, Router, Schema
from ninja.errors import HttpError, ValidationError

from flowpilot.proposals import reviewing
from flowpilot.proposals.listing import CONFIDENCES, ORDERS, STATUSES, ProposalListForm
from flowpilot.proposals.models import FlowProposal
from flowpilot.proposals.reviewing import NAME_LENGTH, NOTE_LENGTH
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.api import (
    ERRORS,
    AccountSlug,
    ErrorDetail,
    Given,
    Storable,
    body_of,
    in_account,
    read_body,
    refuse_invalid,
    team_only,
)
from resolutionflow.api_lists import COUNT, NEXT, ListForm, ListQuery, listed
from resolutionflow.metrics import round_half_up
from resolutionflow.paging import key_names, page_behind, place_of, read_place

NO_ACCESS = "Proposals are reviewed by team admins."
COLUMNS = (
    *("id", "kind", "title", "summary", "target_flow_id", "confidence", "status", "structure", "evidence"),
    *("created_at", "reviewed_at", "review_note", "published_flow_id"),
)
CONFLICTS = {409: ErrorDetail, **ERRORS}

router = Router(tags=["Proposals"])
router.add_decorator(in_account)


class ProposalOut(Schema):
    id: str
    kind: Literal["new_flow", "enhancement"]
    title: str
    summary: str
    domain: str | None = Field(description="Its name.")
    target_flow_id: str | None = Field(description="The flow that an enhancement changes.")
    confidence: float = Field(description="Fraction 0..1, rounded to 3 decimals.")
    status: Literal["pending", "approved", "modified", "rejected", "dismissed"]
    structure: dict[str, Any]
    evidence: dict[str, Any] = Field(
        description="The sessions behind it, and how often each step and answer was taken."
    )
    created_at: datetime
    reviewed_at: datetime | None
    review_note: str
    published_flow_id: str | None


class ProposalList(Schema):
    items: list[ProposalOut]
    next: str | None = NEXT
    count: int | None = COUNT


class ProposalQuery(ListQuery):
    """The filters of the queue. Its form checks them."""

    q: str | None = Field(None, description="Words of the title or the summary.")
    status: str | None = Field(
        None, description=f"{', '.join(filter(None, STATUSES))}; those that wait if nothing is said."
    )
    kind: str | None = Field(None, description="new_flow or enhancement.")
    domain_id: str | None = Field(None, description="An id, or `none`.")
    confidence: str | None = Field(None, description=f"{', '.join(CONFIDENCES)}.")
    reviewed_from: str | None = Field(None, description="A local day, YYYY-MM-DD.")
    reviewed_to: str | None = Field(None, description="A local day, YYYY-MM-DD.")
    sort: str | None = Field(
        None, description=f"{', '.join(filter(None, ORDERS))}; most sure first if nothing is said."
    )


Note = Annotated[str, Field(max_length=NOTE_LENGTH), Storable]


class Rejection(Schema):
    reason: Given = Field(max_length=NOTE_LENGTH)


class Dismissal(Schema):
    note: Note = ""


class Edited(Schema):
    structure: dict[str, Any] = Field(description="What is published in the place of the proposed one.")
    name: Given | None = Field(
        None, max_length=NAME_LENGTH, description="Of a new flow; its title if left out."
    )
    note: Note = ""


@router.get("", response={200: ProposalList, **ERRORS}, summary="List proposals")
@team_only(NO_ACCESS)
def list_proposals(request: AccountRequest, parameters: Query[ProposalQuery]) -> dict[str, Any]:
    """The review queue, with its filters and orders."""
    form = ProposalListForm(request.GET, account=request.account)
    rows = form.proposals()
    paging = ListForm(request.GET, place=partial(read_place, rows=rows))
    refuse_invalid(form, paging)
    behind = page_behind(rows, paging.cleaned_data["after"])
    facts = behind.annotate(domain_name=F("domain__name")).values(*COLUMNS, "domain_name", *key_names(rows))
    found = list(facts[: paging.size + 1])
    page = found[: paging.size]
    return listed(
        request,
        [_shown(row) for row in page],
        after=place_of(page[-1], rows) if len(page) < len(found) else None,
        rows=rows,
    )


@router.get("/{uuid:proposal_id}", response={200: ProposalOut, **ERRORS}, summary="Read a proposal")
@team_only(NO_ACCESS)
def read_proposal(request: AccountRequest, proposal_id: UUID, account: AccountSlug = None) -> dict[str, Any]:
    return _proposal(proposal_id)


@router.post(
    "/{uuid:proposal_id}/approve", response={200: ProposalOut, **CONFLICTS}, summary="Approve a new flow"
)
@team_only(NO_ACCESS)
def approve(request: AccountRequest, proposal_id: UUID, account: AccountSlug = None) -> dict[str, Any]:
    """Publishes it as it is proposed. A change of a flow cannot be approved, only published (422)."""
    _known(proposal_id)
    return _done(proposal_id, partial(reviewing.approve, user=request.user, now=request.now))


@router.post(
    "/{uuid:proposal_id}/reject",
    response={200: ProposalOut, **CONFLICTS},
    summary="Reject a proposal",
    openapi_extra=body_of(Rejection, reason="We solve this another way since March."),
)
@team_only(NO_ACCESS)
def reject(request: AccountRequest, proposal_id: UUID, account: AccountSlug = None) -> dict[str, Any]:
    _known(proposal_id)
    given = read_body(request, Rejection)
    return _done(
        proposal_id,
        partial(reviewing.reject, reason=given.reason, user=request.user, now=request.now),
    )


@router.post(
    "/{uuid:proposal_id}/dismiss",
    response={200: ProposalOut, **CONFLICTS},
    summary="Dismiss a proposal",
    openapi_extra=body_of(Dismissal, note=""),
)
@team_only(NO_ACCESS)
def dismiss(request: AccountRequest, proposal_id: UUID, account: AccountSlug = None) -> dict[str, Any]:
    _known(proposal_id)
    given = read_body(request, Dismissal)
    return _done(proposal_id, partial(reviewing.dismiss, note=given.note, user=request.user, now=request.now))


@router.post(
    "/{uuid:proposal_id}/publish",
    response={200: ProposalOut, **CONFLICTS},
    summary="Publish an edited proposal",
    openapi_extra=body_of(
        Edited, structure={"id": "root", "type": "outcome", "outcome": "resolved", "title": "Solved"}
    ),
)
@team_only(NO_ACCESS)
def publish(request: AccountRequest, proposal_id: UUID, account: AccountSlug = None) -> dict[str, Any]:
    """Takes the edited structure. 409 too where the flow has a draft with other work in it."""
    _known(proposal_id)
    given = read_body(request, Edited)
    return _done(
        proposal_id,
        partial(
            reviewing.publish,
            structure=given.structure,
            name=given.name or "",
            note=given.note,
            user=request.user,
            now=request.now,
        ),
    )


def _known(proposal_id: UUID) -> None:
    if not FlowProposal.objects.filter(id=proposal_id).exists():
        raise Http404("No such proposal")


def _done(proposal_id: UUID, act: Callable[[UUID], object]) -> dict[str, Any]:
    try:
        act(proposal_id)
    except reviewing.Refused as refused:
        raise HttpError(409, str(refused)) from None
    except reviewing.Invalid as invalid:
        raise ValidationError(
            [
                {
                    "loc": ["body", "structure", *filter(None, [fault.node_id])],
                    "msg": str(fault),
                    "type": "value_error",
                }
                for fault in invalid.faults
            ]
        ) from None
    return _proposal(proposal_id)


def _proposal(proposal_id: UUID) -> dict[str, Any]:
    rows = FlowProposal.objects.filter(id=proposal_id).annotate(domain_name=F("domain__name"))
    row = rows.values(*COLUMNS, "domain_name").first()
    if row is None:
        raise Http404("No such proposal")
    return _shown(row)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    ids = {
        name: str(row[name]) if row[name] else None for name in ("id", "target_flow_id", "published_flow_id")
    }
    return {name: row[name] for name in COLUMNS} | {
        "domain": row["domain_name"],
        "confidence": float(round_half_up(row["confidence"], 3)),
        **ids,
    }
