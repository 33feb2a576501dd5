"""Half an hour after a push whose fate had not been certain: is it in the ticket system, and only once?

What arrived after all is taken as delivered. What is there twice is shown; whether the younger one is taken away is
for a person to say: it may have been mailed or billed already.
"""

import logging
from contextlib import closing
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from flowpilot.psa import outcomes, sealing
from flowpilot.psa.connections import Providers, provider_of
from flowpilot.psa.delivery import Means
from flowpilot.psa.models import PsaPush
from flowpilot.psa.providers.base import Receipt, Watermark
from flowpilot.psa.providers.errors import PsaError, TicketNotFound
from flowpilot.psa.states import FINISHED, State
from flowpilot.psa.strangers import another_system
from flowpilot.psa.waiting import SWEEP_AGAIN, SWEEP_AT_MOST
from flowpilot.sessions.states import Refused
from resolutionflow.accounts.models import AuditEntry, User
from resolutionflow.tenancy import account_scope, cross_account

logger = logging.getLogger("flowpilot.psa")

MOST_AT_ONCE = 200


def _due(now: datetime) -> Any:
    """Over a connection that is in use, and still leads to the system that they were made for."""
    return PsaPush.objects.of_its_system().filter(
        sweep_at__lte=now, status__in=FINISHED, connection__active=True
    )


def accounts_with_work(now: datetime) -> list[UUID]:
    with cross_account():
        rows = _due(now)
        return list(rows.order_by("account_id").values_list("account_id", flat=True).distinct())


def sweep(account_id: UUID, means: Means | None = None) -> int:
    """Looks at all that are due in the account; how many were looked at. A second run at the same time does no harm."""
    means = means or Means()
    with account_scope(account_id):
        due = _due(means.clock()).select_related("connection")
        pushes = list(due.order_by("sweep_at", "id")[:MOST_AT_ONCE])
        with closing(Providers(means.provider_of)) as providers:
            for push in pushes:
                _sweep(push, providers, means)
        return len(pushes)


def _sweep(push: PsaPush, providers: Providers, means: Means) -> None:
    try:
        since = Watermark.from_json(push.watermark) if push.watermark else Watermark()
        hits = providers.of(push.connection).find(push.wire, since)
    except TicketNotFound:
        hits = []
    except (PsaError, sealing.CannotOpen):
        _put_off(push, means.clock())
        return
    _conclude(push, hits, means.clock())


def _put_off(push: PsaPush, now: datetime) -> None:
    given_up = push.finished_at is None or push.finished_at + SWEEP_AT_MOST < now
    PsaPush.objects.filter(id=push.id, sweep_at=push.sweep_at).update(
        sweep_at=None if given_up else now + SWEEP_AGAIN
    )


def _conclude(push: PsaPush, hits: list[Receipt], now: datetime) -> None:
    with transaction.atomic():
        rows = PsaPush.objects.select_for_update(of=("self",)).select_related("session")
        row = rows.filter(id=push.id, sweep_at=push.sweep_at, status__in=FINISHED).first()
        if row is None:
            return  # it went on meanwhile, and will be swept again
        row.sweep_at = None
        if hits and row.status == State.NEEDS_ATTENTION:
            row.adopted = True
            outcomes.succeed(row, hits, now=now)
            row.sweep_at = None
        elif hits:
            row.external_id, row.external_url = hits[0].external_id[:100], hits[0].url[:500]
            row.doubles = outcomes.doubles_of(hits)
        row.save(update_fields=["sweep_at", "doubles", "external_id", "external_url"])
    if len(hits) > 1:
        context = {"account_id": str(row.account_id), "push_id": str(row.id), "hits": len(hits)}
        logger.warning("A push is there more than once", extra=context)


def delete_double(push: PsaPush, external_id: str, *, actor: User) -> None:
    """Takes a double away in the ticket system. Raises PsaError, `sealing.CannotOpen`, and Refused where it is none,
    the connection leads to another ticket system by now, or this one lets nothing be taken away."""
    push = PsaPush.objects.select_related("connection", "account").get(id=push.id)
    if push.system != push.connection.system:
        raise Refused(
            f"{another_system(push.system, push.connection.system)} Delete the double there by hand."
        )
    if all(double["external_id"] != external_id for double in push.doubles):
        raise Refused("This one is not there twice any more.")
    with closing(provider_of(push.connection)) as provider:
        if not provider.caps.can_delete:
            raise Refused(f"{provider.caps.name} lets nothing be deleted from here. Delete it there.")
        provider.delete(push.wire, external_id)
    _forget_double(push, external_id)
    AuditEntry.record(
        "psa.double_deleted", actor=actor, account=push.account, object=f"{push} ({external_id})"
    )


def keep_double(push: PsaPush, external_id: str, *, actor: User) -> None:
    """Leaves it where it is, and shows it no more."""
    _forget_double(push, external_id)
    AuditEntry.record("psa.double_kept", actor=actor, account=push.account, object=f"{push} ({external_id})")


def _forget_double(push: PsaPush, external_id: str) -> None:
    with transaction.atomic():
        row = PsaPush.objects.select_for_update().get(id=push.id)
        row.doubles = [double for double in row.doubles if double["external_id"] != external_id]
        row.save(update_fields=["doubles"])
