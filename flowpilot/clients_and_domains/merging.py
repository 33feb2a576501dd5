"""Two clients, or two domains, become one."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from flowpilot.clients_and_domains.kinds import Entry, Kind, referring
from flowpilot.models import Client, Flow, Session
from resolutionflow.accounts.models import AuditEntry
from resolutionflow.accounts.scoping import AccountRequest


@dataclass(frozen=True)
class Merged:
    name: str
    into: str
    sessions: int
    flows: int


@transaction.atomic
def merge(kind: Kind, source_id: UUID, target_id: UUID, request: AccountRequest) -> Merged | None:
    """Gives everything that refers to the source to the target and deletes the source; None if one of them is gone.

    What comes to the source meanwhile waits, and is refused when it is gone: it would have to be asked again.
    """
    found: dict[UUID, Entry] = {}
    for id_ in sorted([source_id, target_id]):  # always in this order: two merges at once wait for each other
        # the target only has to stay; to lock it in full would keep new sessions of it waiting
        rows = kind.entries.select_for_update(no_key=id_ == target_id)
        if entry := rows.filter(id=id_).first():
            found[id_] = entry
    if len(found) < 2:
        return None
    source, target = found[source_id], found[target_id]
    moved = {
        model: model.objects.filter(**{name: source}).update(**{name: target})
        for model, name in referring(kind.model)
    }
    source.delete()
    if isinstance(source, Client) and isinstance(target, Client) and not target.psa_company_id:
        target.psa_company_id = source.psa_company_id
        target.save(update_fields=["psa_company_id"])
    done = Merged(source.name, target.name, moved.get(Session, 0), moved.get(Flow, 0))
    AuditEntry.record(
        f"{kind.noun}.merged",
        actor=request.user,
        account=request.account,
        object=done.name,
        into=done.into,
        sessions=done.sessions,
        flows=done.flows,
    )
    return done
