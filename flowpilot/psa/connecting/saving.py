"""Every change of a connection: one transaction each, with an entry in the audit trail that holds no secret."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from flowpilot.psa.connecting import options
from flowpilot.psa.connecting.providers import System
from flowpilot.psa.connections import NOTHING_HELD
from flowpilot.psa.models import PsaConnection, PsaMember, PsaPush
from flowpilot.psa.providers.systems import system_of
from flowpilot.psa.sealing import CannotOpen, open_sealed, seal
from flowpilot.psa.states import GRAVE, UNFINISHED
from flowpilot.psa.strangers import park_strangers
from resolutionflow.accounts.models import Account, AuditEntry, User


class UnderWay(Exception):
    """The ticket system cannot become another one: `count` pushes are on their way to this one."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


@contextmanager
def _alone(account: Account) -> Iterator[None]:
    """One change of the account's connections at a time: two would make two of them the one in use."""
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        yield


@sensitive_variables()
def connect(
    account: Account, system: System, *, base_url: str, credentials: Mapping[str, str], by: User
) -> PsaConnection:
    """Makes the connection or changes it, and puts it in use in the place of any other. The ticket system has answered
    to these keys (`asking.try_out`). What was made for another system waits for a person then. Raises UnderWay."""
    with _alone(account):
        connection = PsaConnection.objects.select_for_update().filter(provider=system.key).first()
        leads_to = system_of(system.key, base_url=base_url, credentials=credentials)
        before = read_credentials(connection) if connection else {}
        changed = {name for name, value in credentials.items() if before.get(name, "") != value}
        elsewhere = connection is not None and connection.system != leads_to
        if connection is not None and elsewhere and before and (count := unarrived(connection)):
            raise UnderWay(count)
        detail: dict[str, Any] = {"changed": sorted(changed)}  # names, never what stands in them
        if connection is None or connection.base_url != base_url:
            detail["address"] = [connection.base_url if connection else None, base_url]
        was_new = connection is None or not connection.credentials
        connection = connection or PsaConnection(provider=system.key)
        connection.base_url, connection.system, connection.credentials = base_url, leads_to, seal(credentials)
        if elsewhere or connection.held_reason in GRAVE:
            _forget_hold(connection)
        if was_new:
            connection.active = True
            _switch_others_off(account, connection, by)
        connection.save()
        if elsewhere:
            options.forget(connection)
            park_strangers(timezone.now())
        _record("psa.connected" if was_new else "psa.changed", account, by, connection, **detail)
        return connection


def unarrived(connection: PsaConnection) -> int:
    """How many pushes have neither arrived nor been left to a person."""
    return int(PsaPush.objects.filter(connection=connection, status__in=UNFINISHED).count())


def change(account: Account, connection: PsaConnection, values: Mapping[str, Any], *, by: User) -> list[str]:
    """Sets columns of the connection; the names of those that changed."""
    with _alone(account):
        held = PsaConnection.objects.select_for_update().get(pk=connection.pk)
        changes = {name: value for name, value in values.items() if getattr(held, name) != value}
        if changes:
            for name, value in changes.items():
                setattr(held, name, value)
            held.save(update_fields=list(changes))
            _record("psa.changed", account, by, held, changed=sorted(changes))
        return list(changes)


def switch(account: Account, connection: PsaConnection, *, on: bool, by: User) -> None:
    """On: it is the one in use, in the place of any other. Off: its pushes wait."""
    with _alone(account):
        held = PsaConnection.objects.select_for_update().get(pk=connection.pk)
        if held.active == on or (on and not held.credentials):
            return
        if on:
            _switch_others_off(account, held, by)
        held.active = on
        held.save(update_fields=["active"])
        _record("psa.switched_on" if on else "psa.switched_off", account, by, held)


def _switch_others_off(account: Account, connection: PsaConnection, by: User) -> None:
    for other in PsaConnection.objects.filter(active=True).exclude(pk=connection.pk):
        other.active = False
        other.save(update_fields=["active"])
        _record("psa.switched_off", account, by, other)


def remove(account: Account, connection: PsaConnection, *, by: User) -> None:
    """The keys and the mapping of members go. The row stays where pushes refer to it: no figure loses anything."""
    with _alone(account):
        held = PsaConnection.objects.select_for_update().get(pk=connection.pk)
        PsaMember.objects.filter(connection=held).delete()
        options.forget(held)
        _record("psa.removed", account, by, held, address=held.base_url)
        if not PsaPush.objects.filter(connection=held).exists():
            held.delete()
            return
        held.active, held.credentials, held.defaults, held.note_template = False, "", {}, ""
        _forget_hold(held)
        held.save()


def _forget_hold(connection: PsaConnection) -> None:
    for name, value in NOTHING_HELD.items():
        setattr(connection, name, value)


@sensitive_variables()
def read_credentials(connection: PsaConnection) -> dict[str, str]:
    """What is saved; nothing where it cannot be read any more, so that it is asked for anew."""
    try:
        return open_sealed(connection.credentials) if connection.credentials else {}
    except CannotOpen:
        return {}


def _record(action: str, account: Account, by: User, connection: PsaConnection, **detail: Any) -> None:
    AuditEntry.record(action, actor=by, account=account, object=str(connection), **detail)
