"""A flow from a file: into a new flow, or into the draft of one that there is."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from flowpilot.flows import drafting, json_files, mermaid, publishing
from flowpilot.flows.domains import domain_named, known_domain
from flowpilot.flows.files import FlowFile, check_keepable
from flowpilot.flows.models import Domain, Flow
from resolutionflow.accounts.models import AuditEntry, User

FENCE = "```"


def read(text: str) -> FlowFile:
    """JSON or a Mermaid flowchart, which is told by how it begins. Raises files.Refused."""
    if text.lstrip().startswith(FENCE):  # as it stands in Markdown; the lines keep their numbers
        text = "\n".join("" if line.strip().startswith(FENCE) else line for line in text.split("\n"))
    file = json_files.read(text) if text.lstrip()[:1] in ("{", "[", '"') else mermaid.read(text)
    check_keepable(file.structure)
    return file


@transaction.atomic
def as_new_flow(file: FlowFile, *, name: str, user: User, now: datetime) -> Flow:
    """A flow that is a draft; its domain is made where the account has none of that name. Raises ValidationError."""
    flow = publishing.create(
        name=name,
        description=file.description,
        domain=_domain(file.domain),
        kind=Flow.Kind(file.kind),
        structure=file.structure,
        user=user,
        now=now,
    )
    AuditEntry.record("flow.imported", actor=user, account=flow.account, object=flow.name, into="a new flow")
    return flow


@transaction.atomic
def into_draft(file: FlowFile, flow: Flow, *, user: User, now: datetime) -> None:
    """The steps take the place of the draft's, as a change that can be undone. Raises drafting.Stale."""
    revision = drafting.draft_of(flow).revision
    drafting.save(flow.id, file.structure, revision=revision, user=user, words="Import of a file", now=now)
    AuditEntry.record("flow.imported", actor=user, account=flow.account, object=flow.name, into="its draft")


def _domain(name: str) -> Domain | None:
    name = " ".join(name.split())
    if not name:
        return None
    if found := known_domain(name):
        return found
    domain = Domain(name=name)
    domain.take_account_from_scope()
    try:
        domain.full_clean(exclude=["account"])
    except ValidationError as error:
        raise ValidationError({"domain": error.messages}) from None
    return domain_named(name)
