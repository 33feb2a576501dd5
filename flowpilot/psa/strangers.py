"""Pushes that were made for another ticket system than the one that their connection leads to by now.

The number of their ticket means another ticket there. So they are never sent, nor looked up: they wait for a person,
and go on only if the connection leads to the old system again.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from flowpilot.psa.claiming import finish
from flowpilot.psa.models import PsaPush
from flowpilot.psa.providers.systems import named
from flowpilot.psa.states import WAITING, State

OTHER_SYSTEM = "OtherSystem"


def another_system(was: str, is_now: str) -> str:
    return (
        f"This was made for {named(was)}, and the connection leads to {named(is_now)} now, where the number is another "
        "ticket's. Link the session to its ticket there and send anew, or dismiss this one."
    )


def park_strangers(now: datetime) -> int:
    """Leaves what waits in the account in scope, and was made for another system, to a person; how many.

    One that a worker holds is left out: it is refused when it begins, and otherwise parked when its lease is over.
    """
    with transaction.atomic():
        waiting = PsaPush.objects.filter(status__in=WAITING, lease_until=None).exclude(
            system=F("connection__system")
        )
        rows = list(waiting.select_related("connection").select_for_update(skip_locked=True, of=("self",)))
        for push in rows:
            park(push, now=now)
        return len(rows)


def park(push: PsaPush, *, now: datetime) -> None:
    """On a row that is locked. Where it may have arrived, that stays to be looked for in its own system."""
    push.last_code = OTHER_SYSTEM
    push.last_error = another_system(push.system, push.connection.system)
    finish(push, State.NEEDS_ATTENTION, now=now)
