"""What somebody has at hand: the own sessions that are not done, and the flows that they use."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Case, Count, Max, QuerySet, Value, When

from flowpilot.flows.models import Flow
from flowpilot.metrics import SessionQuerySet
from flowpilot.sessions.filters import SessionFilterForm
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import OPEN, Status
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.folding import by_name
from resolutionflow.links import url_with

MOST_SESSIONS = 8
MOST_TO_TAKE_UP = 4
MOST_FLOWS = 6
LATELY = timedelta(days=14)  # for so long an abandoned session is offered to be taken up again


@dataclass(frozen=True)
class UsedFlow:
    """`sessions` are the viewer's own with the address of their list, or everybody's and without one."""

    flow: Flow
    sessions: int
    href: str


def sessions_in(request: AccountRequest, *statuses: Status) -> tuple[int, str]:
    """How many sessions of the viewer have one of these, and the address of their list."""
    filters = _own(request, period="all", status=[status.value for status in statuses])
    return _listed(request, filters).count(), url_with("sessions:list", filters)


def open_sessions(request: AccountRequest) -> QuerySet[Session]:
    """The viewer's open sessions: who waits for help first, then the latest touched."""
    waits = Case(When(status=Status.REQUESTING_ESCALATION, then=Value(0)), default=Value(1))
    rows = _sessions_of(request).filter(status__in=OPEN)
    return rows.order_by(waits, "-last_activity_at", "-id")[:MOST_SESSIONS]


def sessions_to_take_up(request: AccountRequest) -> QuerySet[Session]:
    """The viewer's sessions that were abandoned lately, the latest touched first."""
    rows = _sessions_of(request).filter(status=Status.ABANDONED, last_activity_at__gte=request.now - LATELY)
    return rows.order_by("-last_activity_at", "-id")[:MOST_TO_TAKE_UP]


def _sessions_of(request: AccountRequest) -> QuerySet[Session]:
    rows: QuerySet[Session] = Session.objects.filter(user=request.user)
    return rows.select_related("client", "flow").defer("decisions")


def flows_in_use(request: AccountRequest) -> list[UsedFlow]:
    """The published flows that the viewer ran most in the last 90 days."""
    filters = _own(request, period="90d")
    counts = list(
        _listed(request, filters)
        .filter(flow__status=Flow.Status.PUBLISHED)
        .values("flow_id")
        .annotate(sessions=Count("pk"), newest=Max("started_at"))
        .order_by("-sessions", "-newest", "flow_id")[:MOST_FLOWS]
    )
    flows = Flow.objects.select_related("domain").in_bulk([row["flow_id"] for row in counts])
    return [
        UsedFlow(
            flows[row["flow_id"]],
            row["sessions"],
            url_with("sessions:list", filters | {"flow_id": row["flow_id"]}),
        )
        for row in counts
    ]


def flows_of_the_account() -> list[UsedFlow]:
    """The published flows that were run most, by whomever."""
    flows = Flow.objects.filter(status=Flow.Status.PUBLISHED).select_related("domain")
    most = flows.order_by("-usage_count", *by_name())[:MOST_FLOWS]
    return [UsedFlow(flow, flow.usage_count, "") for flow in most]


def help_wanted(request: AccountRequest) -> tuple[int, str]:
    """How many sessions of the account ask for help, and the address of their list."""
    filters = {"help": "wanted"}
    return _listed(request, filters).count(), url_with("sessions:list", filters)


def _own(request: AccountRequest, **filters: str | list[str]) -> dict[str, Any]:
    """Filters of the session list that leave the viewer's own; an engineer's list has no others anyway."""
    return filters | {"engineer_id": [str(request.user.pk)]} if request.user.leads_team else filters


def _listed(request: AccountRequest, filters: dict[str, Any]) -> SessionQuerySet:
    form = SessionFilterForm(filters, viewer=request.user, account=request.account, now=request.now)
    return form.sessions()
