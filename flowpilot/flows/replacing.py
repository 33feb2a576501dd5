"""Putting something else in the place of a flow's draft and its particulars, all at once."""

from datetime import datetime
from uuid import UUID

from flowpilot.flows import drafting, publishing
from flowpilot.flows.models import Domain, Flow
from flowpilot.flows.structure import Node
from resolutionflow.accounts.models import User

ANY_VERSION = -1


def replace(
    flow_id: UUID,
    *,
    name: str,
    description: str,
    domain: Domain | None,
    kind: Flow.Kind,
    structure: Node,
    revision: int,
    user: User,
    now: datetime,
    version: int | None = ANY_VERSION,
) -> None:
    """All of it, or nothing. `revision` is that of the draft that the new one was made from, `version` the number of
    the published version then, None where there was none. The structure that stands already makes no draft.

    Raises drafting.Stale where either is another by now, and ValidationError, by field, for a name that cannot be.
    """
    with drafting.locked_draft(flow_id, revision) as draft:
        flow = draft.flow
        current = flow.current_version
        if version not in (ANY_VERSION, current.number if current else None):
            raise drafting.Stale(draft)
        flow.name, flow.description, flow.domain, flow.kind = name, description, domain, kind
        publishing.keep(flow)
        if structure != draft.structure or current is None:
            drafting.save(flow_id, structure, revision=revision, user=user, words="Replaced", now=now)
