"""Brings an account to what a file says, one batch a transaction."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import Case, F, IntegerField, OuterRef, QuerySet, Subquery, Value, When
from uuid6 import uuid7

from flowpilot.models import Client, Domain, Flow, Session, Step
from flowpilot.sessions.states import Source
from operations.importing import belongings
from operations.importing.belongings import Belongings
from operations.importing.copying import copy_rows
from operations.importing.faults import Rejected
from operations.importing.names import Engineers, Names, StepKey, Steps
from operations.importing.records import ImportedSession
from resolutionflow.accounts.models import Account

# The facts of a session that a file decides, in one order for comparing, copying and updating.
FACTS = (
    *("user_id", "client_id", "flow_id", "domain_id", "problem_summary", "confidence_tier", "confidence"),
    *("status", "outcome", "started_at", "completed_at", "last_activity_at", "decisions", "step_count"),
    "psa_ticket_id",
)
FLOW, STARTED, DECISIONS = FACTS.index("flow_id"), FACTS.index("started_at"), FACTS.index("decisions")
Facts = tuple[Any, ...]

FOREIGN_EMAIL = "This email cannot be used in this account."


@dataclass(slots=True)
class Written:
    """What became of a batch."""

    created: int = 0
    unchanged: int = 0
    updated: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def __add__(self, other: "Written") -> "Written":
        return Written(
            self.created + other.created,
            self.unchanged + other.unchanged,
            self.updated + other.updated,
            self.rejected + other.rejected,
        )


class Writer:
    """Writes batches into the account in scope.

    `analysed_at` goes to sessions that are never to be analysed, null for those that may be. With `dry_run` each
    batch is written, counted and rolled back.
    """

    def __init__(
        self, account: Account, *, create_flows: bool, analysed_at: datetime | None, dry_run: bool = False
    ) -> None:
        self._account, self._create_flows, self._dry_run = account, create_flows, dry_run
        self._analysed_at = analysed_at
        self._engineers = Engineers(account)
        self._clients, self._domains = Names(Client), Names(Domain)
        self._flows = Names(Flow, prefer=_in_use_last)
        self._steps = Steps()
        self._titles: dict[StepKey, tuple[datetime, str]] = {}
        self._was_empty = not Session.objects.exists()  # then nothing that the file names is there

    def write(self, batch: Sequence[ImportedSession]) -> Written:
        """One transaction. Should the database refuse it, the row at fault is found by halving and rejected."""
        if not batch:
            return Written()
        try:
            with transaction.atomic():
                written = self._write(batch)
                if self._dry_run:
                    transaction.set_rollback(True)
        except (DataError, IntegrityError) as error:
            self._forget()
            if len(batch) == 1:
                reason = str(error).partition("\n")[0]
                return Written(rejected=[_rejected(batch[0], f"The database refused the row: {reason}.")])
            half = len(batch) // 2
            return self.write(batch[:half]) + self.write(batch[half:])
        if self._dry_run:
            self._forget()
        return written

    def _forget(self) -> None:
        for names in (self._engineers, self._clients, self._domains, self._flows, self._steps):
            names.forget()

    def _write(self, batch: Sequence[ImportedSession]) -> Written:
        written = Written()
        there = {} if self._was_empty else _existing(batch)
        accepted = []
        users = self._engineers.look_up(session.email for session in batch)
        flows = self._flows.look_up(session.flow for session in batch if session.flow)
        for session in batch:
            if reason := self._refusal(session, users, flows, there):
                written.rejected.append(_rejected(session, reason))
            else:
                accepted.append(session)
        facts, own = self._facts(accepted)
        new: list[tuple[UUID, str, Facts]] = []
        changed: list[tuple[UUID, str, Facts]] = []
        before: dict[UUID, Belongings] = {}
        after: dict[UUID, Belongings] = {}
        moved: list[
            tuple[Facts | None, Facts]
        ] = []  # a session's facts before and after, for the flows' figures
        stored = belongings.stored(
            there[session.external_id].id for session in accepted if session.external_id in there
        )
        for session, now, has in zip(accepted, facts, own, strict=True):
            known = there.get(session.external_id)
            if known is None:
                id = uuid7()
                new.append((id, session.external_id, now))
                moved.append((None, now))
                if has:
                    after[id] = has
                written.created += 1
                continue
            had = stored.get(known.id, Belongings())
            same_facts = known.facts == now and (known.analysed or self._analysed_at is None)
            if same_facts and had == has:
                written.unchanged += 1
                continue
            written.updated += 1
            if not same_facts:
                changed.append((known.id, session.external_id, now))
                moved.append((known.facts, now))
            if had != has:
                before[known.id], after[known.id] = had, has
        self._insert(new)
        self._update(changed)
        belongings.replace(self._account.id, before, after)
        _count_matches(moved)
        return written

    def _refusal(
        self,
        session: ImportedSession,
        users: dict[str, UUID | None],
        flows: dict[str, UUID],
        there: dict[str, "_Existing"],
    ) -> str | None:
        if session.email in users and users[session.email] is None:
            return FOREIGN_EMAIL
        known = there.get(session.external_id)
        if known and not known.imported:
            return "The account has a session with this external_id that was not imported."
        if session.flow and session.flow not in flows and not self._create_flows:
            return (
                f"There is no flow with the name {session.flow}. With --create-flows it is made as a draft."
            )
        return None

    def _facts(self, sessions: Sequence[ImportedSession]) -> tuple[list[Facts], list[Belongings]]:
        """What is to be stored of each session; makes the users, clients, domains, flows and steps that are new."""
        users = self._engineers.ensure({session.email: session.engineer for session in reversed(sessions)})
        clients = self._clients.ensure({session.client: {} for session in sessions if session.client})
        domains = self._domains.ensure({session.domain: {} for session in sessions if session.domain})
        of_flows: dict[str, dict[str, Any]] = {}
        for session in sessions:
            if session.flow:
                of_flows.setdefault(
                    session.flow, {"domain_id": domains[session.domain] if session.domain else None}
                )
        flows = self._flows.ensure(of_flows)
        steps = self._steps.ensure(self._titles_met(sessions, flows))
        facts, own = [], []
        for session in sessions:
            user_id = users[session.email]
            if user_id is None:  # taken in another account since it was looked up: halving rejects the row
                raise IntegrityError(FOREIGN_EMAIL)
            flow_id = flows[session.flow] if session.flow else None
            facts.append(
                (
                    user_id,
                    clients[session.client] if session.client else None,
                    flow_id,
                    domains[session.domain] if session.domain else None,
                    session.problem_summary,
                    session.confidence_tier,
                    session.confidence,
                    session.status,
                    session.outcome,
                    session.started_at,
                    session.completed_at,
                    session.last_activity_at,
                    [decision.stored() for decision in session.decisions],
                    session.step_count,
                    session.psa_ticket_id,
                )
            )
            own.append(belongings.wanted(session, user_id, flow_id, steps))
        return facts, own

    def _titles_met(self, sessions: Iterable[ImportedSession], flows: dict[str, UUID]) -> dict[StepKey, str]:
        """The newest title of each step that the sessions name, so far in this file."""
        met = set()
        for session in sessions:
            for decision in session.decisions:
                if session.flow and decision.node_id is not None:
                    key = flows[session.flow], decision.node_id
                    met.add(key)
                    if key not in self._titles or decision.at >= self._titles[key][0]:
                        self._titles[key] = decision.at, decision.title or decision.node_id
        return {key: self._titles[key][1] for key in met}

    def _insert(self, sessions: list[tuple[UUID, str, Facts]]) -> None:
        if not sessions:
            return
        columns = ["id", "account_id", "external_id", "source", "analysed_at", *FACTS]
        fixed = (Source.IMPORT.value, self._analysed_at)
        rows = (
            (id, self._account.id, external_id, *fixed, *_as_columns(facts))
            for id, external_id, facts in sessions
        )
        copy_rows(Session, columns, rows)

    def _update(self, sessions: list[tuple[UUID, str, Facts]]) -> None:
        if not sessions:
            return
        more = {} if self._analysed_at is None else {"analysed_at": self._analysed_at}
        Session.objects.bulk_create(
            [
                Session(
                    id=id,
                    external_id=external_id,
                    source=Source.IMPORT,
                    **dict(zip(FACTS, facts, strict=True)),
                    **more,
                )
                for id, external_id, facts in sessions
            ],
            update_conflicts=True,
            unique_fields=["account", "external_id"],
            update_fields=[
                *(name.removesuffix("_id") if name != "psa_ticket_id" else name for name in FACTS),
                *more,
            ],
        )

    def settle_titles(self) -> None:
        """After the last batch: a step bears its newest title, in this file or in what was imported before.

        Steps of a published flow keep the title of its structure.
        """
        titles = iter(self._titles.items())
        while some := dict(islice(titles, 1000)):
            steps = Step.objects.filter(
                flow__current_version=None,
                flow_id__in={flow_id for flow_id, _ in some},
                node_id__in={node_id for _, node_id in some},
            )
            stale = [
                step
                for step in steps
                if some.get((step.flow_id, step.node_id), (None, step.title))[1] != step.title
            ]
            for step in stale:
                step.title = _newest_title(step)
            Step.objects.bulk_update(stale, ["title"])


@dataclass(slots=True)
class _Existing:
    id: UUID
    imported: bool
    analysed: bool
    facts: Facts


def _existing(batch: Iterable[ImportedSession]) -> dict[str, _Existing]:
    rows = Session.objects.filter(external_id__in=[session.external_id for session in batch])
    return {
        external_id: _Existing(id, source == Source.IMPORT, analysed_at is not None, tuple(facts))
        for external_id, id, source, analysed_at, *facts in rows.values_list(
            "external_id", "id", "source", "analysed_at", *FACTS
        )
    }


def _as_columns(facts: Facts) -> Facts:
    return (*facts[:DECISIONS], json.dumps(facts[DECISIONS]), *facts[DECISIONS + 1 :])


def _in_use_last(flows: QuerySet) -> QuerySet:
    """Archived flows share a name with others: the one in use, else the newest one, comes last and wins."""
    archived = Case(
        When(status=Flow.Status.ARCHIVED, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    return flows.order_by(archived, "created_at", "id")


def _rejected(session: ImportedSession, reason: str) -> Rejected:
    return Rejected(session.line, reason, session.raw)


def _count_matches(moved: Iterable[tuple[Facts | None, Facts]]) -> None:
    """usage_count and last_matched_at of the flows whose sessions came, went or changed their start."""
    change: Counter[UUID] = Counter()
    touched: set[UUID] = set()
    for before, after in moved:
        if before is not None and (before[FLOW], before[STARTED]) == (after[FLOW], after[STARTED]):
            continue
        for facts, sign in ((before, -1), (after, 1)):
            if facts is not None and facts[FLOW] is not None:
                change[facts[FLOW]] += sign
                touched.add(facts[FLOW])
    newest = Session.objects.filter(flow=OuterRef("pk")).order_by("-started_at").values("started_at")[:1]
    by_change: dict[int, list[UUID]] = defaultdict(list)
    for flow_id in touched:
        by_change[change[flow_id]].append(flow_id)
    for number, flow_ids in sorted(by_change.items()):  # few: most flows move by the same small numbers
        Flow.objects.filter(id__in=flow_ids).update(
            usage_count=F("usage_count") + number, last_matched_at=Subquery(newest)
        )


def _newest_title(step: Step) -> str:
    """Asks the decisions of all imported sessions: what is stored may be newer than the file."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(nullif(decision ->> 'title', ''), decision ->> 'node_id')
              FROM flowpilot_session session, jsonb_array_elements(session.decisions) decision
             WHERE session.account_id = %s AND session.flow_id = %s AND session.decisions @> %s
               AND decision ->> 'node_id' = %s
             ORDER BY (decision ->> 'at')::timestamptz DESC, session.id DESC
             LIMIT 1
            """,
            [step.account_id, step.flow_id, json.dumps([{"node_id": step.node_id}]), step.node_id],
        )
        row = cursor.fetchone()
        return row[0] if row else step.title
