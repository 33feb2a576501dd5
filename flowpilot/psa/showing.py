"""Pushes as pages show them: in their order, with where they stand and what a person can do about each.

The ledger and the session's page both ask here, so that they say the same of a push.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, IntegerField, OuterRef, QuerySet, Value, When
from django.db.models.functions import JSONObject

from flowpilot.psa.claiming import ORDER
from flowpilot.psa.models import PsaPush
from flowpilot.psa.providers.errors import TicketMerged
from flowpilot.psa.resending import NO_GOOD_TICKET
from flowpilot.psa.states import UNFINISHED, State
from flowpilot.psa.words import STANDINGS, Place, Standing, in_order, merged_into, standing

PAUSING = (STANDINGS[State.RETRY_WAIT], STANDINGS[State.UNCERTAIN])


@dataclass(frozen=True)
class Shown:
    """words: where it stands, or why it needs somebody. trouble: what was wrong with the last try of one that goes on
    by itself, for who may put it right. next_try: when it is sent or looked up next, where that takes a while.
    other_ticket: the one that took its ticket over, as far as that is known.

    What a person can do: repeats, send it again as it is, or after all; sets_now, set a status without waiting any
    longer, unless its ticket was merged into another one; relinks, link another ticket in place of one that is no good;
    moves, send it to the ticket that is linked by now; dismisses, say that it is not needed.
    """

    push: PsaPush
    standing: Standing
    words: str
    replaced: bool
    goes_on: bool
    trouble: str = ""
    next_try: datetime | None = None
    other_ticket: str = ""
    repeats: bool = False
    sets_now: bool = False
    relinks: bool = False
    moves: bool = False
    dismisses: bool = False


def placed(pushes: QuerySet[PsaPush]) -> QuerySet[Any]:
    """With what `shown` has to know, asked in the same query; note, time entry and status in this order."""
    place = Case(
        *[When(kind=kind, then=Value(number)) for kind, number in ORDER.items()], output_field=IntegerField()
    )
    itself: Any = PsaPush.objects.filter(account=OuterRef("account"), pk=OuterRef("pk"))
    siblings: Any = PsaPush.objects.annotate(place=place).filter(
        account=OuterRef("account"),
        connection=OuterRef("connection"),
        session=OuterRef("session"),
        psa_ticket_id=OuterRef("psa_ticket_id"),
        place__lt=OuterRef("place"),
    )
    rows: QuerySet[Any] = pushes.annotate(place=place).annotate(
        is_replaced=Exists(itself.superseded()),
        is_stuck=Exists(itself.stuck()),
        before=ArraySubquery(
            siblings.undelivered().values(json=JSONObject(kind="kind", status="status", code="last_code"))
        ),
    )
    return rows.select_related("connection").defer("payload")


def shown(pushes: Iterable[PsaPush], now: datetime) -> list[Shown]:
    """Of rows of `placed`, with their session at hand."""
    return [_shown(push, now) for push in pushes]


def _shown(row: Any, now: datetime) -> Shown:
    push: PsaPush = row
    place = Place(
        replaced=row.is_replaced,
        stuck=row.is_stuck,
        before=_kinds(row.before, UNFINISHED),
        refused=_kinds(row.before, (State.NEEDS_ATTENTION,)),
        merged=any(other["code"] == TicketMerged.__name__ for other in row.before),
    )
    stands = standing(push, place, now)
    at_home = push.system == push.connection.system
    connected = push.connection.active and at_home
    refused = push.status == State.NEEDS_ATTENTION and not place.replaced
    wants = refused and push.dismissed_at is None
    elsewhere = push.psa_ticket_id != push.session.psa_ticket_id
    return Shown(
        push,
        stands,
        push.last_error if wants and push.last_error and not push.doubles else stands.words,
        place.replaced,
        goes_on=push.status in UNFINISHED and not place.stuck,
        trouble=push.last_error if stands in PAUSING else "",
        next_try=push.next_attempt_at if stands in PAUSING else None,
        other_ticket=merged_into(push),
        repeats=refused and connected and push.last_code != TicketMerged.__name__,
        sets_now=place.stuck and connected and not place.merged,
        relinks=wants and (push.last_code in NO_GOOD_TICKET or not at_home) and not elsewhere,
        moves=wants and elsewhere and bool(push.session.psa_ticket_id),
        dismisses=wants or (place.stuck and push.status != State.UNCERTAIN),
    )


def _kinds(before: list[dict[str, str]], states: Iterable[str]) -> tuple[str, ...]:
    return in_order(row["kind"] for row in before if row["status"] in states)
