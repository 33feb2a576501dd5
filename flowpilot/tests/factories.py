"""Rows of the account in scope. Without an end given, a session takes ten minutes and is resolved."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import factory

from flowpilot.models import (
    Client,
    Domain,
    DraftChange,
    Flow,
    FlowDraft,
    FlowProposal,
    FlowVersion,
    Problem,
    ProblemSession,
    PsaActivityLog,
    PsaConnection,
    PsaMember,
    PsaPush,
    PsaPushAttempt,
    Session,
    Step,
)
from flowpilot.psa.providers.base import Kind, WireRequest
from resolutionflow.models import Account
from resolutionflow.tenancy import current_account_id
from resolutionflow.tests.factories import UserFactory

STARTED_AT = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


class TenantFactory(factory.django.DjangoModelFactory):
    class Meta:
        abstract = True

    account = factory.LazyFunction(lambda: Account.objects.get(id=current_account_id()))


class ClientFactory(TenantFactory):
    class Meta:
        model = Client

    name = factory.Sequence(lambda n: f"Client {n}")


class DomainFactory(TenantFactory):
    class Meta:
        model = Domain

    name = factory.Sequence(lambda n: f"Domain {n}")


class FlowFactory(TenantFactory):
    class Meta:
        model = Flow

    name = factory.Sequence(lambda n: f"Flow {n}")
    status = Flow.Status.PUBLISHED


def smallest_structure() -> dict[str, str]:
    return {"id": "root", "type": "outcome", "outcome": "resolved", "title": "Done"}


class FlowDraftFactory(TenantFactory):
    class Meta:
        model = FlowDraft

    flow = factory.SubFactory(FlowFactory, account=factory.SelfAttribute("..account"))
    structure = factory.LazyFunction(smallest_structure)
    edited_at = STARTED_AT


class DraftChangeFactory(TenantFactory):
    class Meta:
        model = DraftChange

    draft = factory.SubFactory(FlowDraftFactory, account=factory.SelfAttribute("..account"))
    revision = factory.Sequence(lambda n: n + 2)
    before = factory.LazyFunction(lambda: json.dumps(smallest_structure()))
    words = factory.Sequence(lambda n: f"Change {n}")
    made_at = STARTED_AT


class FlowVersionFactory(TenantFactory):
    class Meta:
        model = FlowVersion

    flow = factory.SubFactory(FlowFactory, account=factory.SelfAttribute("..account"))
    number = 1
    structure = factory.LazyFunction(smallest_structure)
    published_at = STARTED_AT


class StepFactory(TenantFactory):
    class Meta:
        model = Step

    flow = factory.SubFactory(FlowFactory, account=factory.SelfAttribute("..account"))
    node_id = factory.Sequence(lambda n: f"node-{n}")
    title = factory.Sequence(lambda n: f"Step {n}")


class SessionFactory(TenantFactory):
    class Meta:
        model = Session

    user = factory.SubFactory(UserFactory, account=factory.SelfAttribute("..account"))
    problem_summary = factory.Sequence(lambda n: f"Problem {n}")
    started_at = STARTED_AT
    status = "resolved"
    outcome = factory.LazyAttribute(
        lambda session: session.status if session.status in ("resolved", "escalated", "unresolved") else None
    )
    completed_at = factory.LazyAttribute(
        lambda session: session.started_at + timedelta(minutes=10) if session.outcome else None
    )
    last_activity_at = factory.LazyAttribute(lambda session: session.completed_at or session.started_at)


class PsaActivityLogFactory(TenantFactory):
    class Meta:
        model = PsaActivityLog

    session = factory.SubFactory(SessionFactory, account=factory.SelfAttribute("..account"))
    activity_type = PsaActivityLog.ActivityType.NOTE_POSTED
    created_at = STARTED_AT


class FlowProposalFactory(TenantFactory):
    """A new flow of one step, on no evidence. With `behind`, sessions that went ways through `proposed_structure`, it
    is that flow with all its evidence."""

    class Meta:
        model = FlowProposal

    class Params:
        behind = ()

    title = factory.Sequence(lambda n: f"Proposal {n}")
    structure = factory.LazyAttribute(
        lambda own: proposed_structure() if own.behind else smallest_structure()
    )
    evidence = factory.LazyAttribute(lambda own: evidence_of(own.behind) if own.behind else {})
    confidence = 0.8
    created_at = STARTED_AT


def proposed_structure() -> dict[str, Any]:
    return {
        "id": "spooler",
        "type": "question",
        "title": "Is the print spooler running?",
        "options": [{"label": "No", "next": "restart"}, {"label": "Yes", "next": "cable"}],
        "children": [
            {"id": "restart", "type": "action", "title": "Restart the spooler", "next": "solved"},
            {"id": "cable", "type": "action", "title": "Swap the network cable", "next": "around"},
            {"id": "solved", "type": "outcome", "outcome": "resolved", "title": "It prints again"},
            {"id": "around", "type": "outcome", "outcome": "workaround", "title": "Prints by USB"},
        ],
    }


def evidence_of(sessions: Sequence[Session]) -> dict[str, Any]:
    """As the analysis writes it: every third session went by the cable, the others by the spooler."""
    by_cable = [number % 3 == 2 for number, _ in enumerate(sessions)]
    few, all_ = sum(by_cable), len(sessions)
    return {
        "sessions": [str(session.id) for session in sessions],
        "terms": {"printer": 2.0, "offlin": 1.5},
        "summaries": [session.problem_summary for session in sessions[:10]],
        "visits": {"spooler": all_, "restart": all_ - few, "solved": all_ - few, "cable": few, "around": few},
        "branches": {"spooler": {"No": all_ - few, "Yes": few}},
        "outcomes": {"resolved": all_ - few, "workaround": few},
        "paths": [
            {
                "session": str(session.id),
                "steps": [
                    {"node_id": "spooler", "title": "Spooler?", "answer": "Yes" if cable else "No"},
                    {"node_id": "cable", "title": "New cable", "answer": ""}
                    if cable
                    else {"node_id": "restart", "title": "Restarted it", "answer": ""},
                ],
                "outcome": "workaround" if cable else "resolved",
            }
            for session, cable in zip(sessions[:20], by_cable, strict=False)
        ],
        "nearest_flow": None,
        "returned": None,
        "change": None,
    }


class ProblemFactory(TenantFactory):
    class Meta:
        model = Problem

    words = factory.Sequence(lambda n: {f"word{n}": 1.0})
    session_count = 1


class ProblemSessionFactory(TenantFactory):
    class Meta:
        model = ProblemSession

    problem = factory.SubFactory(ProblemFactory, account=factory.SelfAttribute("..account"))
    session = factory.SubFactory(SessionFactory, account=factory.SelfAttribute("..account"))


class PsaConnectionFactory(TenantFactory):
    class Meta:
        model = PsaConnection

    provider = PsaConnection.Provider.CONNECTWISE
    base_url = "https://psa.example"
    system = "connectwise psa.example acme"
    created_at = STARTED_AT


class PsaPushFactory(TenantFactory):
    class Meta:
        model = PsaPush

    connection = factory.SubFactory(PsaConnectionFactory, account=factory.SelfAttribute("..account"))
    session = factory.SubFactory(SessionFactory, account=factory.SelfAttribute("..account"))
    system = factory.LazyAttribute(lambda push: push.connection.system)
    psa_ticket_id = "48211"
    kind = PsaPush.Kind.NOTE
    marker = factory.Sequence(lambda n: f"RF-{n:013}")
    payload = factory.LazyAttribute(
        lambda push: WireRequest(
            Kind(push.kind), "POST", "/tickets", "{}", push.psa_ticket_id, push.marker
        ).as_json()
    )
    status = PsaPush.Status.PENDING
    created_at = STARTED_AT
    next_attempt_at = factory.LazyAttribute(
        lambda push: push.created_at if push.status in ("pending", "uncertain", "retry_wait") else None
    )
    lease_until = factory.LazyAttribute(
        lambda push: push.created_at + timedelta(minutes=5) if push.status == "sending" else None
    )
    first_sent_at = factory.LazyAttribute(lambda push: push.created_at if push.status == "sending" else None)
    finished_at = factory.LazyAttribute(
        lambda push: push.created_at if push.status in PsaPush.FINISHED else None
    )


class PsaMemberFactory(TenantFactory):
    class Meta:
        model = PsaMember

    connection = factory.SubFactory(PsaConnectionFactory, account=factory.SelfAttribute("..account"))
    user = factory.SubFactory(UserFactory, account=factory.SelfAttribute("..account"))
    external_id = factory.Sequence(lambda n: str(100 + n))
    login = factory.Sequence(lambda n: f"engineer{n}")


class PsaPushAttemptFactory(TenantFactory):
    class Meta:
        model = PsaPushAttempt

    push = factory.SubFactory(PsaPushFactory, account=factory.SelfAttribute("..account"))
    at = STARTED_AT
    sent = PsaPushAttempt.Sent.NOT_SENT
