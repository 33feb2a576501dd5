"""New flows, and drafts that become versions."""

from datetime import datetime
from uuid import UUID

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max

from flowpilot.flows import drafting
from flowpilot.flows.models import Domain, Flow, FlowDraft, FlowVersion, Step
from flowpilot.flows.structure import Fault, Node, faults_of, nodes_of
from flowpilot.proposals import following
from resolutionflow.accounts.models import AuditEntry, User


class Invalid(Exception):
    """The structure cannot be published; `faults` say why and where."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


@transaction.atomic
def create(
    *,
    name: str,
    user: User,
    now: datetime,
    description: str = "",
    domain: Domain | None = None,
    kind: Flow.Kind = Flow.Kind.TROUBLESHOOTING,
    origin: Flow.Origin = Flow.Origin.MANUAL,
    structure: Node | None = None,
) -> Flow:
    """A flow that is still a draft. Raises ValidationError, by field, for a name that is missing or taken."""
    flow = Flow(
        name=name,
        description=description,
        domain=domain,
        kind=kind,
        origin=origin,
        created_by=user,
        created_at=now,
    )
    keep(flow)
    FlowDraft.objects.create(
        flow=flow, structure=structure or drafting.first_structure(), edited_by=user, edited_at=now
    )
    return flow


def keep(flow: Flow) -> None:
    """Saves the flow itself, not its steps. Raises ValidationError, by field, for a name that is missing, too long or
    taken, be it by somebody at the same moment."""
    taken = ValidationError({"name": "A flow with this name exists already."})
    try:
        flow.full_clean(exclude=["account"])
        with transaction.atomic():
            flow.save()
    except ValidationError as faults:
        if NON_FIELD_ERRORS in faults.error_dict:  # the row's only rule is about its name
            raise taken from None
        raise
    except IntegrityError as fault:
        if "flow_name_once_in_account" not in str(fault):
            raise
        raise taken from None


def publish(flow_id: UUID, *, revision: int, user: User, note: str, now: datetime) -> FlowVersion:
    """Makes the draft the next version and the flow published; the draft is gone then, its proposal decided.

    Raises drafting.Stale, and Invalid for a structure with faults. Sessions that run keep their version.
    """
    with drafting.locked_draft(flow_id, revision) as draft:
        faults = faults_of(draft.structure)
        if faults:
            raise Invalid(faults)
        flow = draft.flow
        if flow.status == Flow.Status.ARCHIVED:
            raise Invalid([Fault("", "This flow is archived. Restore it first.")])
        newest = flow.versions.aggregate(number=Max("number"))["number"] or 0
        version: FlowVersion = FlowVersion.objects.create(
            flow=flow,
            number=newest + 1,
            structure=draft.structure,
            published_at=now,
            published_by=user,
            note=note,
        )
        _keep_steps(flow, draft.structure)
        flow.current_version, flow.status = version, Flow.Status.PUBLISHED
        flow.save(update_fields=["current_version", "status", "updated_at"])
        drafting.put_away(draft)
        AuditEntry.record(
            "flow.published", actor=user, account=flow.account, object=flow.name, version=version.number
        )
        following.draft_published(flow, user=user, now=now)
        return version


def _keep_steps(flow: Flow, structure: Node) -> None:
    """A Step for each node, with its newest title; those of earlier versions stay, and so do their ratings."""
    Step.objects.bulk_create(
        [Step(flow=flow, node_id=node["id"], title=node["title"]) for node in nodes_of(structure)],
        update_conflicts=True,
        unique_fields=["account", "flow", "node_id"],
        update_fields=["title"],
    )
