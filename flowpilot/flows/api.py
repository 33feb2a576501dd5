"""Flows as JSON: the list of the library, one flow, and what authors put in.

A list has the structures too, for the contract has one shape of a flow. They can be heavy, so a page ends early where
its structures come to more than PAGE_WEIGHT; `next` goes on from there.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import accumulate
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import ValidationError as ModelError
from django.db.models import F, Func, IntegerField
from django.db.models.functions import Coalesce
from django.http import Http404
from ninja import Field, Query, Router, Schema
from ninja.errors import HttpError, ValidationError
from ninja.responses import Status as Answer

from flowpilot.flows import drafting, publishing
from flowpilot.flows.domains import known_domain
from flowpilot.flows.listing import ORDERS, FlowListForm
from flowpilot.flows.models import Domain, Flow, FlowVersion
from flowpilot.flows.replacing import ANY_VERSION, replace
from flowpilot.flows.structure import TEXT_LENGTH, Node, faults_of
from resolutionflow.accounts.models import User
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.api import (
    ERRORS,
    AccountSlug,
    ErrorDetail,
    Given,
    Storable,
    Text,
    body_of,
    in_account,
    read_body,
    refuse_invalid,
    refuse_value,
)
from resolutionflow.api_lists import COUNT, NEXT, ListForm, ListQuery, listed
from resolutionflow.metrics import round_half_up
from resolutionflow.paging import key_names, page_behind, place_of, read_place

COLUMNS = (
    *("id", "name", "description", "kind", "status", "origin"),
    *("usage_count", "last_matched_at", "success_rate", "quality_score"),
)
FACTS = {
    "domain_name": F("domain__name"),
    "version": F("current_version__number"),
    "revision": Coalesce("draft__revision", 0),
}

router = Router(tags=["Flows"])
router.add_decorator(in_account)

PAGE_WEIGHT = 2_000_000  # bytes as they are stored, compressed; about twice that as JSON
FRACTION = "Fraction 0..1 over 90 days, rounded to 3 decimals; null where nothing ended."
EXAMPLE: dict[str, Any] = {
    "name": "Outlook asks for the password again",
    "description": "For Microsoft 365 mailboxes",
    "domain": None,
    "kind": "troubleshooting",
    "structure": drafting.first_structure(),
}


class FlowOut(Schema):
    id: str
    name: str
    description: str
    domain: str | None = Field(description="Its name.")
    kind: Literal["troubleshooting", "procedural"]
    status: Literal["draft", "published", "archived"]
    origin: Literal["manual", "ai_generated", "ai_enhanced"]
    version: int | None = Field(description="The number of the published version; null if there is none yet.")
    structure: dict[str, Any] | None = Field(
        description="For authors the draft's, else the published version's; null for others where none is published."
    )
    revision: int = Field(description="The draft's; 0 where there is none. A PUT names it.")
    usage_count: int = Field(description="Its sessions, ever.")
    last_matched_at: datetime | None = Field(description="When its newest session began.")
    success_rate: float | None = Field(description=FRACTION)
    quality_score: float | None = Field(description=FRACTION)


class FlowList(Schema):
    items: list[FlowOut]
    next: str | None = NEXT
    count: int | None = COUNT


class FlowQuery(ListQuery):
    """The filters of the library. Its form checks them."""

    q: str | None = Field(None, description="Words of the name, the description or a step.")
    domain_id: str | None = Field(None, description="An id, or `none`.")
    status: str | None = Field(
        None, description="draft, published, archived or all; drafts and published if nothing is said."
    )
    origin: str | None = Field(None, description=f"{', '.join(Flow.Origin.values)}.")
    sort: str | None = Field(None, description=f"{', '.join(ORDERS)}; name if nothing is said.")


class FlowIn(Schema):
    name: Given = Field(max_length=300)
    description: Annotated[str, Field(max_length=TEXT_LENGTH), Storable] = ""
    domain: Text | None = Field(None, description="The name of one that the account has.")
    kind: Literal["troubleshooting", "procedural"] = "troubleshooting"
    structure: dict[str, Any] | None = Field(None, description="Left out, the flow begins with a small one.")


class FlowReplacement(Schema):
    """All of it is replaced, so nothing may be left out but `version`."""

    name: Given = Field(max_length=300)
    description: Annotated[str, Field(max_length=TEXT_LENGTH), Storable]
    domain: Text | None = Field(description="The name of one that the account has.")
    kind: Literal["troubleshooting", "procedural"]
    structure: dict[str, Any]
    revision: int = Field(ge=0, description="That of the flow as you read it.")
    version: int | None = Field(
        None,
        description="That of the flow as you read it; where it is given, a new version since is a conflict too.",
    )


@router.get("", response={200: FlowList, **ERRORS}, summary="List flows")
def list_flows(request: AccountRequest, parameters: Query[FlowQuery]) -> dict[str, Any]:
    """The library, with its filters and orders. A page may have fewer flows than `limit` where they are large."""
    form = FlowListForm(request.GET, drafts=request.user.writes_flows)
    flows = form.flows()
    paging = ListForm(request.GET, place=partial(read_place, rows=flows))
    refuse_invalid(form, paging)
    behind = page_behind(flows, paging.cleaned_data["after"])
    weight = Func(_structure_for(request.user), function="pg_column_size", output_field=IntegerField())
    facts = behind.annotate(**FACTS, weight=weight).values(*COLUMNS, *FACTS, *key_names(flows), "weight")
    found = list(facts[: paging.size + 1])
    page = _light_enough(found[: paging.size])
    structures = _structures([row["id"] for row in page], request.user)
    return listed(
        request,
        [_shown(row, structures[row["id"]], request.user) for row in page],
        after=place_of(page[-1], flows) if len(page) < len(found) else None,
        rows=flows,
    )


@router.get("/{uuid:flow_id}", response={200: FlowOut, **ERRORS}, summary="Read a flow")
def read_flow(
    request: AccountRequest,
    flow_id: UUID,
    version: Annotated[int | None, Query(None, ge=1, lt=2**31, description="Its structure instead.")] = None,
    account: AccountSlug = None,
) -> dict[str, Any]:
    """`structure` is what a PUT starts from: for authors the draft's, if there is one. With `version=N` it is that of
    the version published as number N; everything else is of the flow as it is now."""
    answer = _flow(flow_id, request.user)
    if version is None:
        return answer
    structure = (
        FlowVersion.objects.filter(flow=flow_id, number=version).values_list("structure", flat=True).first()
    )
    if structure is None:
        raise Http404("No such version")
    return answer | {"structure": structure}


@router.post(
    "",
    response={201: FlowOut, **ERRORS},
    summary="Create a flow",
    openapi_extra=body_of(FlowIn, **EXAMPLE),
)
def create_flow(request: AccountRequest, account: AccountSlug = None) -> Answer[dict[str, Any]]:
    """A draft, which becomes a flow to run when an author publishes it. For authors."""
    _refuse_readers(request.user)
    given = read_body(request, FlowIn)
    if given.structure is not None:
        _refuse_faulty(given.structure)
    domain = _domain(given.domain)
    with _faults_in_body():
        flow = publishing.create(
            name=given.name,
            description=given.description,
            domain=domain,
            kind=Flow.Kind(given.kind),
            structure=given.structure,
            user=request.user,
            now=request.now,
        )
    return Answer(201, _flow(flow.id, request.user))


@router.put(
    "/{uuid:flow_id}",
    response={200: FlowOut, 409: ErrorDetail, **ERRORS},
    summary="Replace a flow's draft",
    openapi_extra=body_of(FlowReplacement, **EXAMPLE, revision=1, version=None),
)
def replace_flow(request: AccountRequest, flow_id: UUID, account: AccountSlug = None) -> dict[str, Any]:
    """Name, description, domain and kind count at once; the structure becomes the draft, which an author publishes.
    409 where somebody changed it since you read it: read it again. For authors."""
    _refuse_readers(request.user)
    if not Flow.objects.filter(id=flow_id).exists():
        raise Http404("No such flow")
    given = read_body(request, FlowReplacement)
    _refuse_faulty(given.structure)
    domain = _domain(given.domain)
    try:
        with _faults_in_body():
            replace(
                flow_id,
                name=given.name,
                description=given.description,
                domain=domain,
                kind=Flow.Kind(given.kind),
                structure=given.structure,
                revision=given.revision,
                version=given.version if "version" in given.model_fields_set else ANY_VERSION,
                user=request.user,
                now=request.now,
            )
    except drafting.Stale as stale:
        raise HttpError(409, str(stale)) from None
    return _flow(flow_id, request.user)


def _refuse_readers(user: User) -> None:
    if not user.writes_flows:
        raise HttpError(403, "You may not change flows. A team admin can let you.")


def _refuse_faulty(structure: Node) -> None:
    """Raises the 422 that names each node and its fault."""
    faults = [
        {
            "loc": ["body", "structure", *filter(None, [fault.node_id])],
            "msg": str(fault),
            "type": "value_error",
        }
        for fault in faults_of(structure)
    ]
    if faults:
        raise ValidationError(faults)


def _domain(name: str | None) -> Domain | None:
    if name is None:
        return None
    domain = known_domain(name.strip())
    if domain is None:
        refuse_value("There is no domain of this name.", "domain")
    return domain


@contextmanager
def _faults_in_body() -> Iterator[None]:
    """Tells the faults of a model by field, as faults of the body."""
    try:
        yield
    except ModelError as faults:
        raise ValidationError(
            [
                {"loc": ["body", field], "msg": message, "type": "value_error"}
                for field, messages in faults.message_dict.items()
                for message in messages
            ]
        ) from None


def _structure_for(user: User) -> Coalesce | F:
    """What a viewer is shown of a flow; NULL where there is nothing to see."""
    published = F("current_version__structure")
    return Coalesce("draft__structure", published) if user.writes_flows else published


def _structures(ids: Iterable[UUID], user: User) -> dict[UUID, Node | None]:
    rows = Flow.objects.filter(id__in=ids).annotate(shown=_structure_for(user))
    return dict(rows.values_list("id", "shown"))


def _light_enough(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many of the first ones as a page may carry, one at least."""
    weights = accumulate(row["weight"] or 0 for row in rows)
    return [row for row, weight in zip(rows, weights, strict=True) if row is rows[0] or weight <= PAGE_WEIGHT]


def _flow(flow_id: UUID, user: User) -> dict[str, Any]:
    row = Flow.objects.filter(id=flow_id).annotate(**FACTS).values(*COLUMNS, *FACTS).first()
    if row is None:
        raise Http404("No such flow")
    return _shown(row, _structures([flow_id], user)[flow_id], user)


def _shown(row: dict[str, Any], structure: Node | None, user: User) -> dict[str, Any]:
    if structure is None and user.writes_flows:
        structure = drafting.first_structure()
    rates = {
        name: None if row[name] is None else float(round_half_up(row[name], 3))
        for name in ("success_rate", "quality_score")
    }
    named = {"id": str(row["id"]), "domain": row["domain_name"], "structure": structure}
    return row | rates | named
