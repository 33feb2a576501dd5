"""FlowPilot's tabs as one writes them first: one query a figure and one a table row; for the knowledge gaps sessions
are fetched, and Python goes through them.

Each function stands in for the one of the same name and gives the same rows.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch

from django.db.models import Avg, Count, Min, Sum
from django.db.models.functions import TruncDate

from analytics.flowpilot import coverage, gaps, overview, psa, quality
from analytics.query import DashboardQuery
from flowpilot.metrics import ENDED, GUIDED, RESOLVED, UNGUIDED, SessionQuerySet
from flowpilot.models import Domain, Flow, FlowProposal, PsaActivityLog, Session, Step
from flowpilot.sessions.states import OPEN
from ratings.models import StepRating
from resolutionflow.metrics import Mean, Median

COUNTED = {
    overview: ("totals_and_before", "time_saved_and_before", "mttr_trend", "domains"),
    coverage: ("covered",),
    quality: ("flows",),
    psa: ("time_logged_and_before", "funnel", "daily"),
    gaps: ("_rows",),
}


@contextmanager
def obvious_way() -> Iterator[None]:
    """Inside, the tabs and their panels get their rows the obvious way; the templates are the same."""
    with ExitStack() as stack:
        for module, names in COUNTED.items():
            for name in names:
                stack.enter_context(patch.object(module, name, globals()[name]))
        yield


def _each(sessions: SessionQuerySet, *names: str) -> dict[str, Any]:
    return {name: sessions.aggregate(value=sessions.metrics[name].expression)["value"] for name in names}


def totals_and_before(query: DashboardQuery) -> tuple[dict[str, Any], dict[str, Any]]:
    now, before = (
        {
            name: sessions.aggregate(value=expression)["value"]
            for name, expression in overview._figures().items()
        }
        for sessions in (query.sessions, query.sessions_before)
    )
    return now, before


def time_saved_and_before(query: DashboardQuery) -> tuple[overview.TimeSaved, overview.TimeSaved]:
    now, before = (_time_saved(sessions) for sessions in (query.sessions, query.sessions_before))
    return now, before


def _time_saved(sessions: SessionQuerySet) -> overview.TimeSaved:
    rows = []
    for domain in Domain.objects.all():
        of_domain = sessions.filter(domain=domain)
        if of_domain.exists():
            guided, unguided = of_domain.filter(RESOLVED, GUIDED), of_domain.filter(RESOLVED, UNGUIDED)
            rows.append(
                {
                    "guided": guided.count(),
                    "unguided": unguided.count(),
                    "guided_median": guided.aggregate(value=Median("duration_seconds"))["value"],
                    "unguided_median": unguided.aggregate(value=Median("duration_seconds"))["value"],
                }
            )
    return overview._saved(rows)


def mttr_trend(query: DashboardQuery) -> list[dict[str, Any]]:
    resolved = query.sessions.filter(RESOLVED).annotate(
        day=TruncDate("completed_at", tzinfo=query.account.tz)
    )
    counts = dict(resolved.values_list("day").annotate(count=Count("pk")))
    means = dict(resolved.values_list("day").annotate(mttr=Mean("duration_seconds")))
    return [{"day": day, "count": counts.get(day, 0), "mttr": means.get(day)} for day in query.period.days]


def domains(query: DashboardQuery) -> list[dict[str, Any]]:
    names = ("sessions", "resolved_sessions", "escalated_sessions", "resolution_rate")
    rows = [
        {"id": domain.id, "name": domain.name} | _each(query.sessions.filter(domain=domain), *names)
        for domain in Domain.objects.all()
    ]
    found = [row for row in rows if row["sessions"]]
    return sorted(found, key=lambda row: (-row["sessions"], row["name"], row["id"]))


def covered(query: DashboardQuery) -> coverage.Covered:
    rows = []
    for domain in Domain.objects.all():
        published = domain.flows.filter(status=Flow.Status.PUBLISHED)
        row = {"id": domain.id, "name": domain.name}
        row |= {"flows": sorted((flow.name, flow.id) for flow in published), "flow_count": published.count()}
        row |= _each(query.sessions.filter(domain=domain), *coverage.FIGURES)
        if row["flow_count"] or row["sessions"]:
            rows.append(row)
    rows.sort(key=lambda row: (-row["sessions"], row["name"], row["id"]))
    return coverage.Covered(rows, query.sessions.filter(domain=None).count())


def flows(query: DashboardQuery) -> list[dict[str, Any]]:
    rows = []
    for flow in Flow.objects.exclude(status=Flow.Status.ARCHIVED):
        row = {"id": flow.id, "name": flow.name} | dict(quality.NEVER_USED)
        ever = query.sessions_ever.filter(flow=flow)
        if ever.exists():
            within = query.sessions.filter(flow=flow)
            (figures,) = ever.flow_quality(query.period)
            row |= figures | {
                "usage_count": within.count(),
                "ended": within.filter(ENDED).count(),
                "resolved": within.filter(RESOLVED).count(),
                "avg_confidence": within.aggregate(value=Avg("confidence"))["value"],
            }
        published_at = flow.versions.aggregate(at=Min("published_at"))["at"]
        rows.append(row | {"reasons": quality.reasons(row, published_at, query.now)})
    return sorted(rows, key=lambda row: (row["name"], row["id"]))


def time_logged_and_before(query: DashboardQuery) -> tuple[dict[str, Any], dict[str, Any]]:
    entries = PsaActivityLog.objects.filter(activity_type="time_entry_posted")
    now, before = (
        {
            name: entries.filter(created_at__gte=period.start, created_at__lt=period.end).aggregate(
                value=figure
            )["value"]
            for name, figure in psa.FIGURES.items()
        }
        for period in (query.period, query.period.before)
    )
    return now, before


def funnel(query: DashboardQuery) -> dict[str, int]:
    linked = query.sessions.filter(psa_ticket_id__isnull=False)
    reached = {
        kind: PsaActivityLog.objects.filter(activity_type=kind).values("session")
        for kind in ("note_posted", "time_entry_posted")
    }
    return {
        "total_sessions": query.sessions.count(),
        "linked_to_ticket": linked.count(),
        "doc_pushed": linked.filter(id__in=reached["note_posted"]).count(),
        "time_entry_logged": linked.filter(id__in=reached["time_entry_posted"]).count(),
    }


def daily(query: DashboardQuery) -> list[dict[str, Any]]:
    entries = psa._entries(query, query.period.start)
    dated = entries.annotate(day=TruncDate("created_at", tzinfo=query.account.tz)).values_list("day")
    counts, hours = dict(dated.annotate(Count("pk"))), dict(dated.annotate(Sum("hours_logged")))
    sessions = dict(dated.annotate(Count("session_id", distinct=True)))
    return [
        {
            "day": day,
            "entries": counts.get(day, 0),
            "hours": hours.get(day, 0),
            "sessions": sessions.get(day, 0),
        }
        for day in query.period.days
    ]


class _Met:
    """Who met what, and for whom it ended badly: `met` and `bad` hold sessions by kind, subject, node and answer."""

    def __init__(self, query: DashboardQuery) -> None:
        self.met: dict[Any, set[Any]] = defaultdict(set)
        self.bad: dict[Any, set[Any]] = defaultdict(set)
        self.closed: set[str] = set()
        idle_since = query.now - query.account.idle_limit
        for session in query.sessions:
            closed = session.status not in OPEN
            idle = session.status == "active" and session.last_activity_at < idle_since
            if closed:
                self._ended(session)
            if session.flow_id and (closed or idle):
                self._walked(session, closed=closed, left=idle or session.status == "abandoned")

    def _add(self, key: tuple[Any, ...], session: Session, *, bad: bool) -> None:
        self.met[key].add(session.id)
        if bad:
            self.bad[key].add(session.id)

    def _ended(self, session: Session) -> None:
        self.closed.add(str(session.id))
        escalated = session.status == "escalated"
        self._add(("escalated domain", session.domain_id), session, bad=escalated)
        self._add(("escalated flow", session.flow_id), session, bad=escalated)

    def _walked(self, session: Session, *, closed: bool, left: bool) -> None:
        path = [d for d in session.decisions if not d["undone_at"] and not d["taken_over"]]
        path.sort(key=lambda decision: decision["at"])
        for place, decision in enumerate(path, 1):
            node = (session.flow_id, decision["node_id"])
            self._add(("drop_off", *node), session, bad=left and place == len(path))
            if closed:
                badly = session.status in gaps.BAD_ENDS
                self._add(("weak_option", *node, decision["answer"]), session, bad=badly)


def _rows(query: DashboardQuery) -> Iterator[gaps._Row]:
    found = _Met(query)
    flows = {flow.id: flow for flow in Flow.objects.select_related("domain")}
    for key, sessions in found.met.items():
        kind, subject, *at = key
        counts = len(sessions), len(found.bad[key])
        if kind == "escalated flow" and subject:
            yield _row("high_escalation", *counts, flow=flows[subject])
        elif kind in ("weak_option", "drop_off") and counts[0] >= gaps.ENOUGH:
            yield _row(kind, *counts, flow=flows[subject], at=at)
    yield from _domains(found)
    yield from _unhelpful(found.closed)
    for flow in flows.values():
        if meanwhile := _stale(flow, query.now - gaps.UNUSED):
            yield _row("stale_flow", meanwhile, 0, flow=flow)
    for proposal in FlowProposal.objects.filter(status="pending", kind="new_flow"):
        behind = len(found.closed & set(proposal.evidence["sessions"]))
        if behind >= gaps.ENOUGH_BEHIND_PROPOSAL:
            yield _row("repeated_discovery", behind, behind, proposal=proposal)


def _domains(found: _Met) -> Iterator[gaps._Row]:
    for domain in Domain.objects.all():
        key = ("escalated domain", domain.id)
        sessions = len(found.met[key])
        if sessions:
            yield _row("high_escalation", sessions, len(found.bad[key]), domain=domain)
        if sessions >= gaps.ENOUGH and not domain.flows.filter(status="published").exists():
            yield _row("uncovered_domain", sessions, sessions, domain=domain)


def _unhelpful(closed: set[str]) -> Iterator[gaps._Row]:
    given: dict[Step, list[bool]] = defaultdict(list)
    for thumb in StepRating.objects.select_related("step__flow__domain"):
        if str(thumb.session_id) in closed:
            given[thumb.step].append(thumb.was_helpful)
    for step, thumbs in given.items():
        if len(thumbs) >= gaps.ENOUGH:
            yield _row("unhelpful_step", len(thumbs), sum(thumbs), flow=step.flow, at=[step.node_id])


def _stale(flow: Flow, since: datetime) -> int:
    """The sessions of its domain meanwhile; 0 of a flow that is not stale."""
    published_at = flow.versions.aggregate(at=Min("published_at"))["at"]
    if flow.status != "published" or not flow.domain or not published_at or published_at > since:
        return 0
    sessions = Session.objects.filter(started_at__gte=since)
    if sessions.filter(flow=flow).exists():
        return 0
    return sessions.filter(domain=flow.domain).exclude(status__in=OPEN).count()


def _row(
    kind: str,
    n: int,
    part: int,
    *,
    domain: Domain | None = None,
    flow: Flow | None = None,
    at: Sequence[str] = (),
    proposal: FlowProposal | None = None,
) -> gaps._Row:
    node_id, answer = (*at, None, None)[:2]
    step = Step.objects.filter(flow=flow, node_id=node_id).first() if node_id else None
    of = domain or (flow.domain if flow else None)
    return gaps._Row(
        kind=kind,
        domain_id=of.id if of else None,
        domain=of.name if of else None,
        flow_id=flow.id if flow else None,
        flow=flow.name if flow else None,
        node_id=node_id,
        step=step.title if step else None,
        answer=answer,
        n=n,
        part=part,
        proposal_id=proposal.id if proposal else None,
        proposal=proposal.title if proposal else None,
        of_domain=domain is not None,
    )
