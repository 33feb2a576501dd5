"""Flows of the starter library into an account."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from flowpilot.flows import publishing
from flowpilot.flows.domains import domain_named
from flowpilot.flows.library import LibraryFlow
from flowpilot.flows.models import Flow
from resolutionflow.accounts.models import Account, AuditEntry, User

NOTE = "Copied from the starter library."


@dataclass
class Copied:
    """What came of it; `left_out` are names that the account has already."""

    flows: list[Flow] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@transaction.atomic
def copy_flows(
    flows: Iterable[LibraryFlow], account: Account, *, published: bool, user: User, now: datetime
) -> Copied:
    """Copies them as drafts, or published at once. Asked twice at the same moment, the second leaves all out."""
    Account.objects.select_for_update(no_key=True).get(id=account.id)
    copied = Copied()
    for template in flows:
        try:
            with transaction.atomic():
                copied.flows.append(_copy(template, published=published, user=user, now=now))
        except (ValidationError, IntegrityError):  # the name is the only thing of it that can be refused
            copied.left_out.append(template.name)
    if copied.flows:
        AuditEntry.record(
            "flow.copied",
            actor=user,
            account=account,
            object="Starter library",
            flows=[flow.name for flow in copied.flows],
            published=published,
        )
    return copied


def _copy(template: LibraryFlow, *, published: bool, user: User, now: datetime) -> Flow:
    flow = publishing.create(
        name=template.name,
        description=template.description,
        domain=domain_named(template.domain),
        kind=Flow.Kind(template.kind),
        structure=template.structure,
        user=user,
        now=now,
    )
    if published:
        publishing.publish(flow.id, revision=flow.draft.revision, user=user, note=NOTE, now=now)
    return flow
