"""Writes the story into an account of its own, all of it in one transaction."""

import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.db import transaction
from uuid6 import uuid7

from flowpilot.flows.library import LibraryFlow, starter_library
from flowpilot.flows.structure import nodes_of
from flowpilot.models import Client, Domain, Flow, FlowDraft, FlowVersion, PsaActivityLog, Session, Step
from flowpilot.sessions.states import Source, Status
from flowpilot.sessions.words import proposed_summary
from operations.demo.msp import cast, ticket_system
from operations.demo.msp.days import TZ, first_day
from operations.demo.msp.story import Story, Told, versions
from operations.importing.copying import copy_rows
from operations.importing.records import iso
from ratings.models import SessionRating, StepRating
from resolutionflow.accounts.models import Account, Role, User
from resolutionflow.tenancy import account_scope

OWN = ("id", "account_id")
SESSION_COLUMNS = (
    *(*OWN, "user_id", "client_id", "domain_id", "flow_id", "flow_version_id", "problem_summary"),
    *("confidence_tier", "confidence", "status", "outcome", "started_at", "completed_at", "last_activity_at"),
    *("decisions", "step_count", "psa_ticket_id", "source", "resolution_summary", "escalation_reason"),
)
RATING_COLUMNS = (*OWN, "session_id", "user_id", "flow_id", "rating", "comment", "created_at")
ACTIVITY_COLUMNS = (*OWN, "session_id", "activity_type", "hours_logged", "psa_ticket_id", "created_at")
THUMB_COLUMNS = (
    *(*OWN, "session_id", "step_id", "user_id", "was_helpful", "reasons", "created_at", "updated_at"),
)
AT_THE_DESK = timedelta(minutes=7)  # from signing in to the first session
CALL = "What I tried is in the timeline, and it comes back each time. Who has seen this before?"
BEFORE = timedelta(days=30)  # the flows were there before the story begins


SLUG, NAME = cast.SLUG, cast.NAME
TEAM_ADMIN_EMAIL, ENGINEER_EMAIL = (engineer.email for engineer in cast.LOGINS)


def is_loaded(account: Account) -> bool:
    """It comes in one transaction: an account that is there is complete."""
    return True


@transaction.atomic
def load(
    account: Account | None, *, password_hash: str, now: datetime, progress: Callable[[int, int], None]
) -> str:
    """Makes the account and everything in it, unless it is there. `progress` takes days and all days."""
    if account is not None:
        return f"{NAME} is there already."
    account = Account.objects.create(name=cast.NAME, slug=cast.SLUG, time_zone=cast.TIME_ZONE)
    start = datetime.combine(first_day(now), datetime.min.time(), TZ)
    users = _people(account, password_hash, start)
    with account_scope(account):
        clients, domains = _named(Client, cast.CLIENTS), _named(Domain, cast.DOMAINS)
        for number, client in enumerate(clients.values(), start=1):
            client.psa_company_id = str(250 + 3 * number)
        Client.objects.bulk_create(clients.values())
        Domain.objects.bulk_create(domains.values())
        library = starter_library()
        flows = _Flows(library, domains, users[0], start)
        writer = _Writer(account, [user.id for user in users], clients, domains, flows)
        for day, told in enumerate(Story(library).tell(now), start=1):
            writer.write(told)
            progress(day, cast.DAYS)
        flows.settle(writer)
        ticket_system.connect(users)
        writer.write_thumbs()
    for user in users:
        if user.id in writer.last_seen:
            user.last_login = writer.last_seen[user.id] - AT_THE_DESK
    User.objects.bulk_update(users, ["last_login"])
    return f"{cast.NAME}: {writer.count:,} sessions of {len(users)} people over {cast.DAYS} days, {len(library)} flows."


def _people(account: Account, password_hash: str, start: datetime) -> list[User]:
    """In the order of `cast.ENGINEERS`. Nobody knows the password of those who are no login of the demo."""
    # one round: what nobody can guess needs no slow hash
    secret = PBKDF2PasswordHasher().encode(secrets.token_urlsafe(), secrets.token_hex(), iterations=1)
    users: list[User] = []
    for engineer in cast.ENGINEERS:
        gone = engineer.last_day < cast.DAYS
        own = make_password(None) if gone else secret
        users.append(
            User(
                account=account,
                email=engineer.email,
                name=engineer.name,
                role=Role.TEAM_ADMIN if engineer is cast.LEAD else Role.ENGINEER,
                password=password_hash if engineer in cast.LOGINS else own,
                is_active=not gone,
                created_at=start - BEFORE + timedelta(days=engineer.first_day),
            )
        )
    return User.objects.bulk_create(users)


def _named(model: type[Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: model(name=name) for name in names}


class _Flows:
    """The flows of the library as the account has them: published, some revised, or drafts."""

    def __init__(
        self, library: Sequence[LibraryFlow], domains: dict[str, Domain], author: User, start: datetime
    ) -> None:
        self.flows: dict[str, Flow] = {}
        self.versions: dict[tuple[str, int], FlowVersion] = {}
        self.drafts: list[FlowDraft] = []
        self.steps: dict[tuple[str, str], Step] = {}
        for place, template in enumerate(library):
            made_at = start - BEFORE + timedelta(days=place % 20, hours=9 + place % 8)
            flow = Flow(
                name=template.name,
                description=template.description,
                domain=domains[template.domain],
                kind=template.kind,
                origin=_origin(template.name),
                created_by=author,
                created_at=made_at,
            )
            self.flows[template.name] = flow
            for node in nodes_of(template.structure):
                step = Step(flow=flow, node_id=node["id"], title=node["title"])
                self.steps[template.name, node["id"]] = step
            if template.domain in cast.UNCOVERED:
                self.drafts.append(
                    FlowDraft(flow=flow, structure=template.structure, edited_by=author, edited_at=made_at)
                )
            else:
                self._publish(template, flow, author, made_at, start)
        Flow.objects.bulk_create(self.flows.values())
        FlowVersion.objects.bulk_create(self.versions.values())
        FlowDraft.objects.bulk_create(self.drafts)

    def _publish(
        self, template: LibraryFlow, flow: Flow, author: User, made_at: datetime, start: datetime
    ) -> None:
        flow.status = Flow.Status.PUBLISHED
        for number, structure in enumerate(versions(template), start=1):
            revised_at = start + timedelta(days=cast.REVISED.get(template.name, 0))
            self.versions[template.name, number] = FlowVersion(
                flow=flow,
                number=number,
                structure=structure,
                published_at=made_at + timedelta(hours=1) if number == 1 else revised_at,
                published_by=author,
                note="First version." if number == 1 else "Added the step that colleagues missed.",
            )

    def settle(self, writer: "_Writer") -> None:
        """Figures of the flows, steps with their thumbs: what the sessions made of them."""
        for name, flow in self.flows.items():
            mine = [version for (of, _), version in self.versions.items() if of == name]
            flow.usage_count, flow.last_matched_at = writer.usage[name], writer.newest.get(name)
            flow.current_version = mine[-1] if mine else None
            flow.updated_at = mine[-1].published_at if mine else flow.created_at
        Flow.objects.bulk_update(
            self.flows.values(), ["usage_count", "last_matched_at", "current_version", "updated_at"]
        )
        for key, step in self.steps.items():
            step.helpful_yes, step.helpful_no = writer.thumbs[*key, True], writer.thumbs[*key, False]
        Step.objects.bulk_create(self.steps.values())


class _Writer:
    """Writes told sessions, a day at a time, and what hangs on them; thumbs wait until the steps are there."""

    def __init__(
        self,
        account: Account,
        users: Sequence[UUID],
        clients: Mapping[str, Client],
        domains: Mapping[str, Domain],
        flows: _Flows,
    ) -> None:
        self._account, self._users, self._clients, self._domains = account, users, clients, domains
        self._flows = flows
        self.count = 0
        self.usage: Counter[str] = Counter()
        self.newest: dict[str, datetime] = {}
        self.last_seen: dict[UUID, datetime] = {}
        self.thumbs: Counter[tuple[str, str, bool]] = Counter()
        self._thumb_rows: list[tuple[Any, ...]] = []

    def write(self, sessions: Sequence[Told]) -> None:
        ids = [uuid7() for _ in sessions]
        self.count += len(ids)
        rows = [self._row(id_, told) for id_, told in zip(ids, sessions, strict=True)]
        copy_rows(Session, SESSION_COLUMNS, rows)
        ratings, activity = [], []
        for id_, told in zip(ids, sessions, strict=True):
            user_id = self._users[told.engineer]
            self.last_seen[user_id] = told.started_at
            if told.flow:
                self.usage[told.flow] += 1
                self.newest[told.flow] = told.started_at
            if told.rating:
                flow_id = self._flows.flows[told.flow].id if told.flow else None
                ratings.append((uuid7(), self._account.id, id_, user_id, flow_id, *told.rating))
            for kind, hours, at in told.activity:
                activity.append((uuid7(), self._account.id, id_, kind, hours, told.ticket, at))
            for node_id, helpful, at in told.thumbs:
                step = self._flows.steps[str(told.flow), node_id]
                self.thumbs[str(told.flow), node_id, helpful] += 1
                self._thumb_rows.append(
                    (uuid7(), self._account.id, id_, step.id, user_id, helpful, "[]", at, at)
                )
        copy_rows(SessionRating, RATING_COLUMNS, ratings)
        copy_rows(PsaActivityLog, ACTIVITY_COLUMNS, activity)

    def write_thumbs(self) -> None:
        copy_rows(StepRating, THUMB_COLUMNS, self._thumb_rows)

    def _row(self, id_: UUID, told: Told) -> tuple[Any, ...]:
        decisions = [
            decision
            | {
                "at": iso(decision["at"]),
                "undone_at": iso(decision["undone_at"]) if decision["undone_at"] else None,
            }
            for decision in told.decisions
        ]
        problem = told.problem
        return (
            *(id_, self._account.id, self._users[told.engineer]),
            self._clients[told.client].id if told.client else None,
            self._domains[problem.domain].id if problem.domain else None,
            self._flows.flows[told.flow].id if told.flow else None,
            self._flows.versions[told.flow, told.version].id if told.flow and told.version else None,
            *(problem.summary, told.tier.value, told.confidence, told.status, told.outcome),
            *(told.started_at, told.completed_at, told.last_activity_at, json.dumps(decisions)),
            sum(1 for decision in told.decisions if not decision["undone_at"]),
            *(told.ticket, Source.APP.value),
            proposed_summary(decisions) if told.status == Status.RESOLVED else "",
            CALL if told.status == Status.REQUESTING_ESCALATION else "",
        )


def _origin(name: str) -> Flow.Origin:
    if name in cast.GENERATED:
        return Flow.Origin.AI_GENERATED
    return Flow.Origin.AI_ENHANCED if name in cast.ENHANCED else Flow.Origin.MANUAL
