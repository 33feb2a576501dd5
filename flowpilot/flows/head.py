"""What the pages of a flow have in common: templates/flows/_head.html with the flow's name, tabs and actions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from flowpilot.flows.models import Flow
from resolutionflow.accounts.models import User
from resolutionflow.figures import Tone
from resolutionflow.links import url_with
from resolutionflow.templatetags.interface import badge

TONES: dict[str, Tone] = {
    Flow.Status.PUBLISHED: "good",
    Flow.Status.DRAFT: "watch",
    Flow.Status.ARCHIVED: "none",
}


@contextmanager
def gone_is_404() -> Iterator[None]:
    """Around an act: the draft of a proposal that was turned down a moment ago is deleted."""
    try:
        yield
    except Flow.DoesNotExist:
        raise Http404("This flow was deleted a moment ago.") from None


def flow_or_404(flow_id: UUID) -> Flow:
    """The flow of the account in scope with what its pages show of it, its version without the structure."""
    flows = Flow.objects.select_related("domain", "current_version").defer("current_version__structure")
    flow: Flow = get_object_or_404(flows, id=flow_id)
    return flow


def flow_head(flow: Flow, viewer: User, tab: str) -> dict[str, Any]:
    """What templates/flows/_head.html calls `head`; `tab` is "flow" or "analytics", "" on a page below the flow."""
    version, own = flow.current_version, reverse("flows:detail", args=[flow.id])
    return {
        "flow": flow,
        "tab": tab,
        "facts": _facts(flow),
        "start_href": url_with("sessions:new", {"flow": flow.id})
        if flow.status == Flow.Status.PUBLISHED and version and viewer.works_sessions
        else "",
        "edit_href": reverse("flows:edit", args=[flow.id])
        if viewer.writes_flows and flow.status != Flow.Status.ARCHIVED
        else "",
        "exports": bool(version) or viewer.writes_flows,
        "archived": flow.status == Flow.Status.ARCHIVED,
        "writes": viewer.writes_flows,
        "trail": [("Flows", reverse("flows:list")), *([] if tab else [(flow.name, own)])],
    }


def _facts(flow: Flow) -> SafeString:
    version = flow.current_version
    words = [
        flow.domain.name if flow.domain else "No domain",
        flow.get_kind_display(),
        flow.get_origin_display(),
        *([f"Version {version.number}"] if version else []),
    ]
    return format_html("{} {}", badge(flow.get_status_display(), TONES[flow.status]), " · ".join(words))
