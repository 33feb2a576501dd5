"""Where a flow came from, and 30 days after its publication what was predicted of it against what is measured."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.urls import reverse

from flowpilot.flows.models import Flow
from flowpilot.metrics import GUIDED
from flowpilot.proposals.back_test import DAYS, ENOUGH, Bounds, bounds_of_median, difference, verdict
from flowpilot.proposals.evidence import BackTestThen, Evidence
from flowpilot.proposals.models import FlowProposal
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import FINAL
from resolutionflow.accounts.models import User
from resolutionflow.links import url_with

AFTER = timedelta(days=30)
MONTH = 30


@dataclass(frozen=True)
class Origin:
    """A proposal that was published as this flow, or as a change of it. `href` is "" for who may not open it."""

    words: str
    sessions: int
    at: datetime
    published_at: datetime
    href: str


@dataclass(frozen=True)
class Measured:
    """Sessions are per 30 days, seconds medians. `lower` and `upper` bound how many seconds less a guided session takes
    than one without the flow did; None where a side has too few."""

    predicted: float
    predicted_seconds: float | None
    expected_seconds: float | None  # of guided sessions of the domain, when it was published
    guided: int
    per_month: float
    completed: int
    seconds: float | None
    bounds: Bounds | None
    href: str
    completed_href: str

    @property
    def verdict(self) -> str:
        return verdict(self.bounds)

    @property
    def saved(self) -> float | None:
        if self.predicted_seconds is None or self.seconds is None:
            return None
        return self.predicted_seconds - self.seconds


def origin_of(flow: Flow, viewer: User, *, now: datetime) -> dict[str, Any]:
    """The context of templates/flows/_origin.html: at most two queries, one for a flow that no proposal made."""
    if flow.origin == Flow.Origin.MANUAL:
        return {"origins": [], "measured": None, "measured_from": None}
    proposals = list(
        FlowProposal.objects.filter(published_flow=flow).defer("structure").order_by("reviewed_at")
    )
    origins = [_origin(proposal, viewer) for proposal in proposals]
    first = next((one for one in proposals if one.kind == FlowProposal.Kind.NEW_FLOW), None)
    then = Evidence.read(first.evidence).back_test if first else None
    if first is None or then is None or first.reviewed_at is None:
        return {"origins": origins, "measured": None, "measured_from": None}
    due = first.reviewed_at + AFTER
    return {
        "origins": origins,
        "measured": _measured(flow, viewer, then, first.reviewed_at, now) if now >= due else None,
        "measured_from": due if now < due else None,
        "days": DAYS,
        "enough": ENOUGH,
    }


def _origin(proposal: FlowProposal, viewer: User) -> Origin:
    return Origin(
        words="From" if proposal.kind == FlowProposal.Kind.NEW_FLOW else "Changed from",
        sessions=len(Evidence.read(proposal.evidence).sessions),
        at=proposal.created_at,
        published_at=proposal.reviewed_at or proposal.created_at,
        href=reverse("proposals:detail", args=[proposal.id]) if viewer.leads_team else "",
    )


def _measured(
    flow: Flow, viewer: User, then: BackTestThen, published_at: datetime, now: datetime
) -> Measured:
    """Over all guided sessions of the flow: there were none before it was published."""
    rows = list(Session.objects.filter(GUIDED, flow=flow).values_list("duration_seconds", flat=True))
    seconds = [value for value in rows if value is not None]
    days = max(1.0, (now - published_at) / timedelta(days=1))
    own = bounds_of_median(seconds)
    of_flow = {"flow_id": flow.id, "tier": "guided", "period": "all"}
    linked = viewer.leads_team
    return Measured(
        predicted=then.covered / then.days * MONTH,
        predicted_seconds=then.median,
        expected_seconds=then.guided_median,
        guided=len(rows),
        per_month=len(rows) / days * MONTH,
        completed=len(seconds),
        seconds=median(seconds) if seconds else None,
        bounds=difference(then.bounds, own),
        href=url_with("sessions:list", of_flow) if linked else "",
        completed_href=url_with("sessions:list", of_flow | {"status": [status.value for status in FINAL]})
        if linked
        else "",
    )
