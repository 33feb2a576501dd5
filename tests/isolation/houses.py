"""Two accounts, each with a row in every tenant table, whose texts bear the account's mark."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from procrastinate.contrib.django.models import ProcrastinateJob

from analytics.tests.factories import DigestDeliveryFactory
from flowpilot.tests.factories import (
    ClientFactory,
    DomainFactory,
    DraftChangeFactory,
    FlowDraftFactory,
    FlowFactory,
    FlowProposalFactory,
    FlowVersionFactory,
    ProblemFactory,
    ProblemSessionFactory,
    PsaActivityLogFactory,
    PsaConnectionFactory,
    PsaMemberFactory,
    PsaPushAttemptFactory,
    PsaPushFactory,
    SessionFactory,
    StepFactory,
)
from ratings.tests.factories import SessionRatingFactory, StepRatingFactory
from resolutionflow.jobs import put_stalled_jobs_back
from resolutionflow.models import Account, ApiToken, AuditEntry, JobFailure, User
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory, TeamAdminFactory, UserFactory

STARS, COMMENT = 2, "quite private words"


@dataclass
class House:
    """`rows` has one row a model by its lower-case name; `colleague_session` and `wanted_session` are a colleague's."""

    mark: str
    account: Account
    engineer: User
    colleague: User
    team_admin: User
    rows: dict[str, Any] = field(default_factory=dict)
    colleague_session: Any = None
    wanted_session: Any = None
    token: str = ""

    def path(self, pattern: str) -> str:
        return pattern.format(**self.rows)


def build(mark: str, *, now: datetime) -> House:
    account = AccountFactory(name=f"{mark} MSP", slug=mark.lower())
    engineer = UserFactory(account=account, email=f"engineer@{mark.lower()}.example", name=f"{mark} engineer")
    colleague = UserFactory(
        account=account, email=f"colleague@{mark.lower()}.example", name=f"{mark} colleague"
    )
    lead = TeamAdminFactory(account=account, email=f"lead@{mark.lower()}.example", name=f"{mark} lead")
    house = House(mark, account, engineer, colleague, lead)
    with account_scope(account):
        _fill(house, now)
    token, house.token = ApiToken.issue(lead, f"{mark} token")
    audited = AuditEntry.record("account.opened", actor=lead, account=account, object=f"{mark} object")
    if (
        not ProcrastinateJob.objects.exists()
    ):  # the queue is the installation's: both houses have the same rows
        JobFailure.objects.create(
            job_id=put_stalled_jobs_back.defer(), kind="jobs.put_back", attempt=1, error="no"
        )
    job, failure = ProcrastinateJob.objects.get(), JobFailure.objects.get()
    house.rows |= {"procrastinatejob": job, "jobfailure": failure}
    house.rows |= {"account": account, "user": engineer, "apitoken": token, "auditentry": audited}
    return house


def _fill(house: House, now: datetime) -> None:
    mark = house.mark
    at = now - timedelta(days=2)
    client = ClientFactory(name=f"{mark} client", psa_company_id=f"{mark}-company")
    domain = DomainFactory(name=f"{mark} domain")
    flow = FlowFactory(name=f"{mark} flow", description=f"{mark} description", domain=domain)
    structure = {"id": "root", "type": "outcome", "outcome": "resolved", "title": f"{mark} leaf"}
    version = FlowVersionFactory(
        flow=flow, structure=structure, note=f"{mark} note", published_by=house.team_admin
    )
    draft = FlowDraftFactory(flow=flow, structure=structure, edited_by=house.team_admin)
    change = DraftChangeFactory(
        draft=draft, before=json.dumps(structure), words=f"{mark} change", made_by=house.team_admin
    )
    step = StepFactory(flow=flow, node_id=f"{mark}-node", title=f"{mark} step")
    decision = {
        "id": "1",
        "node_id": step.node_id,
        "title": f"{mark} decision",
        "answer": f"{mark} answer",
        "note": f"{mark} remark",
        "at": at.isoformat(),
        "undone_at": None,
        "taken_over": False,
    }
    facts = {
        "client": client,
        "domain": domain,
        "flow": flow,
        "flow_version": version,
        "started_at": at,
        "decisions": [decision],
        "psa_ticket_id": f"{mark}-1",
        "confidence_tier": "guided",
    }
    session = SessionFactory(
        user=house.engineer, problem_summary=f"{mark} problem", external_id=f"{mark}-ext", **facts
    )
    house.colleague_session = SessionFactory(
        user=house.colleague, problem_summary=f"{mark} other problem", **facts
    )
    house.wanted_session = SessionFactory(
        user=house.colleague, problem_summary=f"{mark} cry for help", status="requesting_escalation", **facts
    )
    rating = SessionRatingFactory(session=session, rating=STARS, comment=f"{mark} {COMMENT}")
    SessionRatingFactory(session=house.colleague_session, rating=STARS, comment=f"{mark} {COMMENT}")
    thumb = StepRatingFactory(step=step, session=session, comment=f"{mark} {COMMENT}")
    activity = PsaActivityLogFactory(
        session=session, psa_ticket_id=f"{mark}-1", external_key=f"{mark}-ext/note/0"
    )
    connection = PsaConnectionFactory(
        base_url=f"https://{mark.lower()}.example",
        credentials=f"{mark} cannot be opened",  # so nobody asks a ticket system
    )
    member = PsaMemberFactory(connection=connection, user=house.engineer, login=f"{mark}-login")
    push = PsaPushFactory(connection=connection, session=session, psa_ticket_id=f"{mark}-1")
    attempt = PsaPushAttemptFactory(push=push, message=f"{mark} answer of the ticket system")
    proposal = FlowProposalFactory(
        title=f"{mark} proposal",
        summary=f"{mark} summary",
        domain=domain,
        structure=structure,
        kind="enhancement",
        target_flow=flow,
    )
    problem = ProblemFactory(words={f"{mark.lower()}word": 1.0}, flow=flow, node_id="root", proposal=proposal)
    about = ProblemSessionFactory(problem=problem, session=session)
    delivery = DigestDeliveryFactory(user=house.engineer)
    for row in (
        connection,
        member,
        push,
        attempt,
        proposal,
        problem,
        about,
        delivery,
        client,
        domain,
        flow,
        draft,
        change,
        version,
        step,
        session,
        rating,
        thumb,
        activity,
    ):
        house.rows[row._meta.model_name] = row
