"""What a proposal's page says: the sessions behind it, their paths, the drawn flow, and what it would change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse

from flowpilot.flows.comparing import Comparison, changes_between
from flowpilot.flows.drawing import Drawing, Notes, StepNote, Tone, WayNote, draw
from flowpilot.flows.models import Flow, FlowDraft, FlowVersion
from flowpilot.proposals.back_test import DAYS, ENOUGH, BackTest, back_test
from flowpilot.proposals.basis import moved_on
from flowpilot.proposals.evidence import Evidence, Path
from flowpilot.proposals.models import FlowProposal
from flowpilot.proposals.reviewing import decision_in_words, free_name
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import Outcome
from resolutionflow.accounts.models import Account, User
from resolutionflow.accounts.names import shown_name, shown_names
from resolutionflow.figures import Rate, counted

LISTED = 200  # sessions of a list on the page
WAYS = 6  # shown at once, the others behind a click


@dataclass(frozen=True)
class SessionRow:
    href: str
    problem: str
    engineer: str
    at: datetime
    how: str  # its outcome, or the status of an unfinished one
    seconds: int | None


@dataclass(frozen=True)
class Column:
    """One way beside others, which `count` sessions went."""

    path: Path
    count: int
    href: str


@dataclass(frozen=True)
class SessionsBehind:
    rows: tuple[SessionRow, ...]  # newest first, LISTED at most
    count: int
    engineers: int
    days: int
    first: datetime | None
    last: datetime | None
    gone: int  # ids of sessions that are no longer there

    @property
    def more(self) -> int:
        return self.count - len(self.rows)


def proposal_page(proposal: FlowProposal, *, viewer: User, account: Account, now: datetime) -> dict[str, Any]:
    """The context of templates/proposals/_evidence.html and those around it."""
    evidence = Evidence.read(proposal.evidence)
    columns = _columns(evidence)
    names = shown_names(account, viewer)
    behind = _behind(evidence, names, account)
    target = _target(proposal, evidence)
    return {
        "proposal": proposal,
        "evidence": evidence,
        "behind": behind,
        "outcomes": _outcomes(evidence),
        "columns": columns[:WAYS],
        "more_columns": columns[WAYS:],
        "other_paths": max(0, behind.count - sum(path.count for path in evidence.paths)),
        "nearest": _nearest(evidence),
        "returned": _returned(evidence, behind),
        "drawing": _drawing(proposal, evidence, behind.count, target["changes"]),
        "opens_at": _opens_at(evidence, target["changes"]),
        "change_rate": Rate(evidence.change.n, evidence.change.of) if evidence.change else None,
        "test": _test(proposal, names, now),
        "days": DAYS,
        "enough": ENOUGH,
        **target,
    }


def acts(proposal: FlowProposal) -> dict[str, Any]:
    """What can be done with it now: the context of templates/proposals/_acts.html."""
    drafts = FlowDraft.objects.filter(flow=proposal.draft_flow_id).select_related("edited_by")
    draft = drafts.first() if proposal.draft_flow_id else None
    name = free_name(proposal.title) if proposal.kind == FlowProposal.Kind.NEW_FLOW else ""
    return {
        "pending": proposal.status == FlowProposal.Status.PENDING,
        "decision": "" if proposal.status == FlowProposal.Status.PENDING else decision_in_words(proposal),
        "drafted": draft,
        "drafted_by": shown_name(proposal.account, draft.edited_by) if draft and draft.edited_by else "",
        "changed_there": bool(draft) and draft.structure != proposal.structure if draft else False,
        "new_flow": proposal.kind == FlowProposal.Kind.NEW_FLOW,
        "renamed": name if name != proposal.title and not draft else "",
    }


def _behind(evidence: Evidence, names: Mapping[UUID, str], account: Account) -> SessionsBehind:
    """One query."""
    rows = list(
        Session.objects.filter(id__in=evidence.sessions)
        .order_by("-started_at", "-id")
        .values_list(
            *("id", "problem_summary", "user_id", "started_at", "outcome", "status", "duration_seconds")
        )
    )
    days = {at.astimezone(account.tz).date() for _, _, _, at, *_ in rows}
    return SessionsBehind(
        rows=tuple(
            SessionRow(
                reverse("sessions:detail", args=[id_]),
                problem,
                names.get(user_id, ""),
                at,
                outcome or status,
                seconds,
            )
            for id_, problem, user_id, at, outcome, status, seconds in rows[:LISTED]
        ),
        count=len(rows),
        engineers=len({user_id for _, _, user_id, *_ in rows}),
        days=len(days),
        first=rows[-1][3] if rows else None,
        last=rows[0][3] if rows else None,
        gone=len(evidence.sessions) - len(rows),
    )


def _outcomes(evidence: Evidence) -> list[tuple[str, int]]:
    return [
        (outcome.value, evidence.outcomes[outcome.value])
        for outcome in Outcome
        if evidence.outcomes.get(outcome.value)
    ]


def _columns(evidence: Evidence) -> list[Column]:
    """Each way once, that of most sessions first; one of its sessions stands for it."""
    ways: dict[tuple[Any, ...], list[Path]] = {}
    for path in evidence.paths:
        ways.setdefault((path.steps, path.outcome), []).append(path)
    columns = [
        Column(
            path=same[0],
            count=sum(path.count for path in same),
            href=reverse("sessions:detail", args=[same[0].session_id]) if same[0].session_id else "",
        )
        for same in ways.values()
    ]
    return sorted(columns, key=lambda column: -column.count)


def _nearest(evidence: Evidence) -> dict[str, Any] | None:
    """The flow that is most like it, by the name it has now; without a link if it is gone."""
    nearest = evidence.nearest
    if nearest is None:
        return None
    flow = Flow.objects.filter(id=nearest.flow_id).only("id", "name", "status").first()
    return {
        "name": flow.name if flow else nearest.name,
        "href": reverse("flows:detail", args=[flow.id]) if flow else "",
        "archived": bool(flow) and flow.status == Flow.Status.ARCHIVED if flow else False,
        "similarity": nearest.similarity,
    }


def _returned(evidence: Evidence, behind: SessionsBehind) -> dict[str, Any] | None:
    """The rejected proposal about the same problem, and how the evidence has grown since."""
    returned = evidence.returned
    if returned is None:
        return None
    before = (
        FlowProposal.objects.filter(id=returned.proposal_id)
        .select_related("reviewed_by", "account")
        .defer("structure", "evidence")
        .first()
        if returned.proposal_id
        else None
    )
    return {
        "before": returned.sessions_before,
        "now": behind.count,
        "by": shown_name(before.account, before.reviewed_by) if before and before.reviewed_by else "",
        "at": before.reviewed_at if before else None,
        "note": before.review_note if before else "",
        "href": reverse("proposals:detail", args=[before.id]) if before else "",
    }


def _drawing(proposal: FlowProposal, evidence: Evidence, count: int, changes: Comparison | None) -> Drawing:
    """The proposed flow with the number of sessions that took each step and each answer, and where it differs from the
    flow that it changes."""
    most = max([*evidence.branches.values(), 1])
    steps = {
        node: StepNote(
            lines=(f"{counted(visits, 'session')} of {count}" if count else counted(visits, "session"),)
        )
        for node, visits in evidence.visits.items()
    }
    for node, alone in evidence.left_out.items():
        lines = steps[node].lines if node in steps else ()
        steps[node] = StepNote(lines=(*lines, f"{alone:,} on by themselves"))
    marks: list[tuple[str, str, Tone]] = []
    if changes:
        marks += [(step.id, "changed here", "watch") for step in changes.changed]
        marks += [(step.id, "new here", "good") for step in changes.added]
    for node, words, tone in marks:
        lines = steps[node].lines if node in steps else ()
        steps[node] = StepNote(lines=(*lines, words), tone=tone)
    ways = {way: WayNote(suffix=f"{taken:,}", share=taken / most) for way, taken in evidence.branches.items()}
    return draw(proposal.structure, Notes(steps=steps, ways=ways))


def _opens_at(evidence: Evidence, changes: Comparison | None) -> int | None:
    """The number of the step where a change begins: that of the evidence if it is one that differs, else the first."""
    if not changes:
        return None
    about = evidence.change.node_id if evidence.change else ""
    differing = sorted((*changes.changed, *changes.added), key=lambda step: (step.id != about, step.number))
    return differing[0].number if differing else None


def _target(proposal: FlowProposal, evidence: Evidence) -> dict[str, Any]:
    """Of an enhancement: the flow as it runs now, what would change in it, and whether it moved on since."""
    if not proposal.target_flow_id:
        return {"target": None, "changes": None, "version": None, "moved_on": False}
    flow = Flow.objects.select_related("current_version").get(id=proposal.target_flow_id)
    version: FlowVersion | None = flow.current_version
    changes: Comparison | None = changes_between(version.structure, proposal.structure) if version else None
    pending = proposal.status == FlowProposal.Status.PENDING
    return {
        "target": flow,
        "version": version,
        "changes": changes,
        "moved_on": bool(
            pending and version and changes and moved_on(proposal, version, changes, evidence.change)
        ),
    }


def _test(proposal: FlowProposal, names: Mapping[UUID, str], now: datetime) -> dict[str, Any] | None:
    """The back-test of a new flow: a change of one has its own evidence."""
    if proposal.kind != FlowProposal.Kind.NEW_FLOW:
        return None
    found: BackTest = back_test(proposal, now=now)
    rows = [
        SessionRow(
            reverse("sessions:detail", args=[session.id]),
            session.problem,
            names.get(session.engineer_id, ""),
            session.started_at,
            session.how,
            session.seconds,
        )
        for session in found.covered[:LISTED]
    ]
    return {
        "found": found,
        "rows": rows,
        "more": len(found.covered) - len(rows),
        "covered_rate": Rate(len(found.covered), found.unguided),
    }
