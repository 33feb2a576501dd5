"""Starting a session, with a flow or without one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest

from flowpilot.clients.models import Client
from flowpilot.flows.models import Domain, Flow
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import OPEN, Refused, Source, Status, Tier
from resolutionflow.accounts.models import User

PROBLEM_LENGTH, TICKET_LENGTH = 500, 100


@transaction.atomic
def start(
    engineer: User,
    *,
    problem_summary: str,
    now: datetime,
    problem_description: str = "",
    flow: Flow | None = None,
    domain: Domain | None = None,
    client: Client | None = None,
    psa_ticket_id: str | None = None,
    tier: Tier | None = None,
    confidence: float | None = None,
    source: Source = Source.APP,
    id_: UUID | None = None,
) -> Session:
    """A new active session of the engineer. A flow gives its current version and, without a domain, its own one; the
    tier is guided with a flow and discovery without one, if nothing else is said. id_: made by whoever asks, so that
    asking twice starts one; IntegrityError if there is a session of this id.

    Raises Refused for a flow that is not published.
    """
    if flow is not None:
        flow = (
            Flow.objects.select_for_update(of=("self",))
            .select_related("current_version", "domain")
            .get(id=flow.id)
        )
        if flow.status != Flow.Status.PUBLISHED or flow.current_version is None:
            raise Refused("This flow is not published, so no session can run it.")
    session = Session(
        user=engineer,
        flow=flow,
        flow_version=flow.current_version if flow else None,
        domain=domain or (flow.domain if flow else None),
        client=client,
        problem_summary=problem_summary,
        problem_description=problem_description,
        psa_ticket_id=psa_ticket_id or None,
        confidence_tier=tier or (Tier.GUIDED if flow else Tier.DISCOVERY),
        confidence=confidence,
        started_at=now,
        last_activity_at=now,
        source=source,
    )
    if id_ is not None:
        session.id = id_
    session.save(force_insert=True)
    if flow:
        count_use(flow, now)
    return session


@transaction.atomic
def follow(previous: Session, engineer: User, *, taken_over: bool, now: datetime) -> Session:
    """A session of the engineer that goes on with an earlier one: same problem, client, ticket and version.

    taken_over: a colleague's, whose decisions come along, marked; they count in no figure. A reopened one begins anew.
    """
    kept: dict[str, Any] = {
        name: getattr(previous, name)
        for name in (
            *(
                "client_id",
                "domain_id",
                "flow_id",
                "flow_version_id",
                "problem_summary",
                "problem_description",
            ),
            *("psa_ticket_id", "confidence_tier", "confidence", "script_values"),
        )
    }
    decisions = [decision | {"taken_over": True} for decision in previous.decisions] if taken_over else []
    session: Session = Session.objects.create(
        user=engineer,
        previous_session=previous,
        decisions=decisions,
        started_at=now,
        last_activity_at=now,
        source=Source.APP,
        **kept,
    )
    if previous.flow:
        count_use(previous.flow, now)
    return session


@transaction.atomic
def reopen(session: Session, engineer: User, *, now: datetime) -> Session:
    """A further session of its engineer about what was thought to be done; the one that is open already, if there is
    one. Raises Refused for a session that has not ended."""
    if session.status in (*OPEN, Status.ABANDONED):
        raise Refused("This session has not ended, so it can simply go on.")
    # Of two clicks the second one waits here.
    Session.objects.select_for_update(of=("self",)).get(id=session.id)
    again: Session | None = session.next_sessions.filter(user=engineer, status__in=OPEN).first()
    return again or follow(session, engineer, taken_over=False, now=now)


def count_use(flow: Flow, at: datetime) -> None:
    """One more session of the flow; belongs into the transaction that writes the session."""
    Flow.objects.filter(id=flow.id).update(
        usage_count=F("usage_count") + 1, last_matched_at=Greatest(Coalesce("last_matched_at", at), at)
    )
