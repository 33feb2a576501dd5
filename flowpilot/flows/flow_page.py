"""A flow's own pages: the map of a version or the draft, its versions, what one changed, and the flow as a file."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from flowpilot.flows import archiving, json_files, mermaid
from flowpilot.flows.comparing import changes_between
from flowpilot.flows.drawing import draw
from flowpilot.flows.head import flow_head, flow_or_404, gone_is_404
from flowpilot.flows.models import Flow, FlowDraft, FlowVersion
from flowpilot.flows.structure import Node
from flowpilot.proposals.measured import origin_of
from resolutionflow.accounts.models import AuditEntry, User
from resolutionflow.accounts.names import shown_names
from resolutionflow.accounts.scoping import AccountRequest, account_required
from resolutionflow.links import url_with

NOT_AN_AUTHOR = "Flows are changed by their authors. A team admin can let you write flows."
DRAFT = "draft"


@dataclass(frozen=True)
class VersionRow:
    number: int
    at: datetime
    by: str
    note: str
    current: bool
    before: int | None  # the version before, to compare with


@require_GET
@account_required
def detail(request: AccountRequest, flow_id: UUID) -> HttpResponse:
    """The flow as it runs now; for authors, one that was never published as it is being written."""
    flow = flow_or_404(flow_id)
    draft = _draft(flow, request.user)
    version = _current(flow)
    structure = version.structure if version else draft.structure if draft else None
    names = shown_names(request.account, request.user)
    context = {
        "head": flow_head(flow, request.user, "flow"),
        "flow": flow,
        "drawing": draw(structure) if structure else None,
        "version": version,
        "draft": draft,
        "drafted_by": _name(draft.edited_by, names) if draft else "",
        "draft_href": _compare_href(flow, version.number, DRAFT) if version and draft else "",
        "versions": _versions(flow, names),
        "usage_href": _sessions_href(flow, request.user),
    }
    context |= origin_of(flow, request.user, now=request.now)
    return render(request, "flows/detail.html", context)


@require_GET
@account_required
def version(request: AccountRequest, flow_id: UUID, number: int) -> HttpResponse:
    """One version, as sessions that began on it go on to run it."""
    flow = flow_or_404(flow_id)
    shown = get_object_or_404(FlowVersion.objects.select_related("published_by"), flow=flow, number=number)
    before = (
        FlowVersion.objects.filter(flow=flow, number__lt=number)
        .order_by("-number")
        .defer("structure")
        .first()
    )
    context = {
        "head": flow_head(flow, request.user, ""),
        "flow": flow,
        "version": shown,
        "drawing": draw(shown.structure),
        "by": _name(shown.published_by, shown_names(request.account, request.user)),
        "compare_href": _compare_href(flow, before.number, number) if before else "",
    }
    return render(request, "flows/version.html", context)


@require_GET
@account_required
def compare(request: AccountRequest, flow_id: UUID) -> HttpResponse:
    """What changed from one version to another; authors may compare with the draft."""
    flow = flow_or_404(flow_id)
    sides = [_side(flow, request.GET.get(name, ""), request.user) for name in ("from", "to")]
    context = {
        "head": flow_head(flow, request.user, ""),
        "flow": flow,
        "choices": _choices(flow, request.user),
        "chosen": [side.key for side in sides],
        "labels": [side.label for side in sides],
        "changes": changes_between(*(side.structure for side in sides)),
    }
    return render(request, "flows/compare.html", context)


@require_GET
@account_required
def export(request: AccountRequest, flow_id: UUID, format: str) -> HttpResponse:
    """What the flow's page shows as a file, or the version that `version` names."""
    flow = flow_or_404(flow_id)
    key = request.GET.get("version")
    side = _shown(flow, request.user) if key is None else _side(flow, key, request.user)
    writers = {"json": (json_files.written, "application/json"), "mmd": (mermaid.written, "text/vnd.mermaid")}
    if format not in writers or side is None:
        raise Http404
    write, content_type = writers[format]
    AuditEntry.record(
        "flow.exported",
        actor=request.user,
        account=request.account,
        object=flow.name,
        format=format,
        version=side.key,
    )
    response = HttpResponse(write(flow, side.structure), content_type=f"{content_type}; charset=utf-8")
    name = f"{slugify(flow.name)[:80] or 'flow'}-{side.file_part}.{format}"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    return response


@account_required
@require_POST
def archive(request: AccountRequest, flow_id: UUID) -> HttpResponse:
    flow = _flow_of_author(request, flow_id)
    with gone_is_404():
        archiving.archive(flow.id, user=request.user)
    messages.success(request, f"{flow.name} is archived. Nobody can start it; its sessions and figures stay.")
    return redirect("flows:detail", flow.id)


@account_required
@require_POST
def restore(request: AccountRequest, flow_id: UUID) -> HttpResponse:
    flow = _flow_of_author(request, flow_id)
    try:
        with gone_is_404():
            archiving.restore(flow.id, user=request.user)
    except ValidationError:
        messages.error(
            request,
            f"Another flow has the name {flow.name} now. Rename or archive that one, then restore this one.",
        )
    else:
        messages.success(request, f"{flow.name} is back.")
    return redirect("flows:detail", flow.id)


def _flow_of_author(request: AccountRequest, flow_id: UUID) -> Flow:
    flow = flow_or_404(flow_id)
    if not request.user.writes_flows:
        raise PermissionDenied(NOT_AN_AUTHOR)
    return flow


def _current(flow: Flow) -> FlowVersion | None:
    """The current version with its structure."""
    id_ = flow.current_version_id
    return FlowVersion.objects.get(id=id_) if id_ else None


def _versions(flow: Flow, names: dict[UUID, str]) -> list[VersionRow]:
    """Newest first."""
    versions = list(flow.versions.select_related("published_by").defer("structure").order_by("-number"))
    before = [version.number for version in versions[1:]] + [None]
    return [
        VersionRow(
            version.number,
            version.published_at,
            _name(version.published_by, names),
            version.note,
            version.id == flow.current_version_id,
            earlier,
        )
        for version, earlier in zip(versions, before, strict=False)
    ]


def _name(person: User | None, names: dict[UUID, str]) -> str:
    """A super admin belongs to no account, so has no name there."""
    return "" if person is None else names.get(person.id, person.role_label)


def _sessions_href(flow: Flow, viewer: User) -> str:
    """Every session of the flow; "" for who may not read those of colleagues."""
    return url_with("sessions:list", {"flow_id": flow.id, "period": "all"}) if viewer.leads_team else ""


def _compare_href(flow: Flow, one: int | str, other: int | str) -> str:
    return url_with("flows:compare", {"from": one, "to": other}, flow.id)


@dataclass(frozen=True)
class Side:
    """A structure of a flow that can be shown: a version or the draft."""

    key: str
    label: str
    structure: Node

    @property
    def file_part(self) -> str:
        return self.key if self.key == DRAFT else f"v{self.key}"


def _side(flow: Flow, key: str, viewer: User) -> Side:
    if key == DRAFT:
        if not viewer.writes_flows:
            raise PermissionDenied(NOT_AN_AUTHOR)
        return _of_draft(get_object_or_404(FlowDraft, flow=flow))
    number = int(key) if key.isascii() and key.isdigit() and len(key) < 9 else 0
    return _of_version(get_object_or_404(FlowVersion, flow=flow, number=number))


def _draft(flow: Flow, viewer: User) -> FlowDraft | None:
    """The draft, for who writes flows: nobody else sees what is not published."""
    drafts = FlowDraft.objects.filter(flow=flow).select_related("edited_by")
    return drafts.first() if viewer.writes_flows else None


def _shown(flow: Flow, viewer: User) -> Side | None:
    """What the flow's page shows."""
    version = _current(flow)
    draft = None if version else _draft(flow, viewer)
    return _of_version(version) if version else _of_draft(draft) if draft else None


def _of_version(version: FlowVersion) -> Side:
    return Side(str(version.number), f"Version {version.number}", version.structure)


def _of_draft(draft: FlowDraft) -> Side:
    return Side(DRAFT, "Draft", draft.structure)


def _choices(flow: Flow, viewer: User) -> list[tuple[str, str]]:
    numbers = flow.versions.order_by("-number").values_list("number", flat=True)
    choices = [(str(number), f"Version {number}") for number in numbers]
    if viewer.writes_flows and FlowDraft.objects.filter(flow=flow).exists():
        choices.insert(0, (DRAFT, "Draft"))
    return choices
