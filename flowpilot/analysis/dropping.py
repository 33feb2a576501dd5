"""Steps of published flows that nobody needs: passed over, or thumbed down, nearly always.

Only an action can be dropped by itself; of a question somebody has to say which of its ways stays, and the knowledge
gaps show it. A session passes an action over when it took the step before and then the one after. Both count over the
sessions of the flow's current version, and thumbs over all of its time.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Q

from flowpilot.analysis.enhancing import without_step
from flowpilot.analysis.evidence import ENTIRE, change_of
from flowpilot.analysis.filing import RETURNS_AT, Filed
from flowpilot.analysis.locking import locked_account
from flowpilot.flows.editor.changes import Refused
from flowpilot.flows.models import Flow, Step
from flowpilot.flows.structure import Node, faults_of, nodes_of
from flowpilot.proposals.models import FlowProposal
from flowpilot.sessions.decisions import TAKEN_BACK, TAKEN_OVER
from flowpilot.sessions.position import next_of
from resolutionflow.accounts.models import Account

DAYS = 90
ENOUGH = 10  # sessions that came by a step, or thumbs that it has
NEARLY_ALWAYS = 0.6  # what the whole interval of the share lies above
MOST_SESSIONS = 200  # kept as evidence of one change

# One row for each step of the current version, the answer there and the step that was taken next.
PASSED = f"""
with walked as (
    select session.id, session.flow_id, session.completed_at, decision ->> 'node_id' as node_id,
           coalesce(decision ->> 'answer', '') as answer,
           lead(decision ->> 'node_id') over (partition by session.id order by position) as next_id
      from flowpilot_session session
      join flowpilot_flow flow
        on flow.account_id = session.account_id and flow.id = session.flow_id and flow.status = 'published'
       and flow.current_version_id = session.flow_version_id,
           jsonb_array_elements(session.decisions) with ordinality listed (decision, position)
     where session.account_id = %(account)s and session.started_at >= %(since)s
       and decision ->> 'node_id' is not null and decision -> 'left_flow' is null
       and not ({TAKEN_BACK}) and not ({TAKEN_OVER})
)
select flow_id, node_id, answer, next_id, count(distinct id),
       (array_agg(distinct id::text order by id::text))[1:{MOST_SESSIONS}]
  from walked
 where next_id is not null
 group by flow_id, node_id, answer, next_id
"""  # noqa: S608 - pieces of a module and a number


@dataclass(frozen=True)
class Unneeded:
    """A step to drop; `n` of `of` speak for it. `sessions` are those that passed it over, `engineers` those who
    thumbed it down."""

    flow: Flow
    kind: str
    node: Node
    n: int
    of: int
    sessions: tuple[str, ...] = ()
    engineers: int = 0

    @property
    def change(self) -> dict[str, Any]:
        """Of thumbs it is kept how many engineers gave them, but not in which sessions: that would name each."""
        change = change_of(self.kind, self.node["id"], self.node["title"], n=self.n, of=self.of)
        return change | ({"engineers": self.engineers} if self.kind == "disliked_step" else {})


def file_unneeded(account: Account, now: datetime) -> Filed:
    """Files or updates one proposal for each step to drop, in the account in scope."""
    filed = Filed()
    for unneeded in [*_passed_over(account, now - timedelta(days=DAYS)), *_disliked()]:
        if unneeded.of >= ENOUGH and unneeded.change["lower"] > NEARLY_ALWAYS:
            with locked_account(account):
                filed += _file(unneeded)
    return filed


def _file(unneeded: Unneeded) -> Filed:
    change = unneeded.change
    same = Q(evidence__change__kind=unneeded.kind, evidence__change__node_id=unneeded.node["id"])
    newest = (
        FlowProposal.objects.select_for_update(of=("self",))
        .filter(same, target_flow=unneeded.flow)
        .order_by("-created_at", "-id")
        .first()
    )
    returned = None
    if newest is not None and newest.status == FlowProposal.Status.REJECTED:
        before = int(newest.evidence["change"]["n"])
        if unneeded.n < RETURNS_AT * before:
            return Filed()
        returned, newest = {"proposal_id": str(newest.id), "sessions_before": before}, None
    if newest is not None and newest.status != FlowProposal.Status.PENDING:
        return Filed()
    structure = _without(unneeded)
    if structure is None:
        return Filed()
    proposal = newest or FlowProposal(kind=FlowProposal.Kind.ENHANCEMENT, target_flow=unneeded.flow)
    if newest is not None:
        returned = newest.evidence.get("returned")
    sessions = list(unneeded.sessions)
    evidence = ENTIRE | {"change": change, "returned": returned, "sessions": sessions}
    if newest is not None and (newest.evidence, newest.structure) == (evidence, structure):
        return Filed()
    proposal.domain_id = unneeded.flow.domain_id
    proposal.title = f"{unneeded.flow.name}: drop “{unneeded.node['title']}”"[:300]
    proposal.summary = _summary(unneeded)
    proposal.structure, proposal.evidence, proposal.confidence = structure, evidence, change["lower"]
    proposal.save()
    return Filed(new=int(newest is None), updated=int(newest is not None))


def _without(unneeded: Unneeded) -> Node | None:
    version = unneeded.flow.current_version
    try:
        structure = without_step(version.structure, unneeded.node["id"]) if version else None
    except Refused:
        return None
    return None if structure is None or faults_of(structure) else structure


def _summary(unneeded: Unneeded) -> str:
    title = unneeded.node["title"]
    if unneeded.kind == "skipped_step":
        return f"Of {unneeded.of} sessions that came by “{title}”, {unneeded.n} passed it over and went on behind it."
    return f"Of {unneeded.of} thumbs on “{title}”, {unneeded.n} say that it does not help."


def _passed_over(account: Account, since: datetime) -> Iterator[Unneeded]:
    with connection.cursor() as cursor:
        cursor.execute(PASSED, {"account": account.id, "since": since})
        rows = cursor.fetchall()
    for flow, structure in _published({row[0] for row in rows}):
        nodes = {node["id"]: node for node in nodes_of(structure)}
        came, passed = Counter[str](), Counter[str]()
        sessions: dict[str, list[str]] = {}
        for flow_id, node_id, answer, next_id, count, ids in rows:
            target = next_of(nodes[node_id], answer) if flow_id == flow.id and node_id in nodes else None
            if target is None or nodes[target]["type"] != "action":
                continue
            came[target] += count
            if next_id == nodes[target]["next"]:
                passed[target] += count
                sessions.setdefault(target, []).extend(ids)
        for node_id, count in passed.items():
            ids = sorted(set(sessions[node_id]))[:MOST_SESSIONS]
            yield Unneeded(flow, "skipped_step", nodes[node_id], count, came[node_id], tuple(ids))


def _disliked() -> Iterator[Unneeded]:
    steps = Step.objects.filter(helpful_no__gte=F("helpful_yes"), helpful_no__gt=0).order_by(
        "flow_id", "node_id"
    )
    people = Count("ratings__user", distinct=True, filter=Q(ratings__was_helpful=False))
    columns = ("flow_id", "node_id", "helpful_yes", "helpful_no", "people")
    thumbs: dict[UUID, list[tuple[str, int, int, int]]] = {}
    for flow_id, *told in steps.annotate(people=people).values_list(*columns):
        thumbs.setdefault(flow_id, []).append(tuple(told))
    for flow, structure in _published(thumbs.keys()):
        nodes = {node["id"]: node for node in nodes_of(structure)}
        for node_id, yes, no, engineers in thumbs[flow.id]:
            if node_id in nodes and nodes[node_id]["type"] == "action":
                yield Unneeded(flow, "disliked_step", nodes[node_id], no, yes + no, engineers=engineers)


def _published(ids: Collection[UUID]) -> Iterator[tuple[Flow, Node]]:
    flows = Flow.objects.filter(id__in=ids, status=Flow.Status.PUBLISHED).select_related("current_version")
    for flow in flows.order_by("id"):
        if flow.current_version is not None:
            yield flow, flow.current_version.structure
