"""What is to reach the ticket system, written down in the transaction that makes it necessary.

A push is rendered once and never changed after: whoever edits a text, or links another ticket, makes a further
revision, whose pushes have markers of their own.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.crypto import salted_hmac

from flowpilot.psa import sealing
from flowpilot.psa.connections import ProviderOf, current_connection, offline_provider_of
from flowpilot.psa.models import PsaConnection, PsaMember, PsaPush
from flowpilot.psa.providers.base import (
    AddNote,
    Billing,
    Capabilities,
    LogTime,
    Op,
    PsaProvider,
    SetStatus,
    Visibility,
    WireRequest,
)
from flowpilot.psa.providers.errors import PsaError
from flowpilot.psa.providers.markers import ALPHABET, LENGTH
from flowpilot.psa.providers.texts import clean, note_parts
from flowpilot.psa.states import State
from flowpilot.psa.strangers import another_system
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import FINAL, BadValue, Refused

MOST_MINUTES = 24 * 60
NOT_LINKED = "Link a ticket first: there is nothing that this could be sent to."
NOT_CONNECTED = "No ticket system is connected. A team admin connects one in the settings."
NOT_ENDED = "This session has not ended yet: what is sent is chosen at its end."
NO_MEMBER = (
    "Nobody in the ticket system stands for the engineer yet. A team admin chooses who it is in the settings."
)
CHANGED_MEANWHILE = "Something was queued for this session meanwhile. Look at it before you send more."


@dataclass(frozen=True)
class PushChoices:
    """What the engineer wants sent. Refs are the ticket system's; None takes the connection's or member's default.

    status_seen: the status that the ticket had when the choice was made; if it has another one by then, it is left
    alone. revision: what the preview called it; another one by now means that somebody else was quicker.
    """

    note: bool = False
    note_text: str = ""
    visibility: Visibility = Visibility.INTERNAL
    time: bool = False
    minutes: int = 0
    time_text: str = ""
    work_type: str | None = None
    work_role: str | None = None
    location: str | None = None
    billing: Billing = Billing.DEFAULT
    status: str | None = None
    status_seen: str | None = None
    revision: int | None = None

    @property
    def kinds(self) -> list[PsaPush.Kind]:
        chosen = [
            (self.note, PsaPush.Kind.NOTE),
            (self.time, PsaPush.Kind.TIME_ENTRY),
            (bool(self.status), PsaPush.Kind.STATUS),
        ]
        return [kind for wanted, kind in chosen if wanted]


@dataclass(frozen=True)
class Planned:
    """A push as it will be written; `wire.text` is what people will read in the ticket, `ticket_url` where it is."""

    kind: PsaPush.Kind
    part: int
    revision: int
    wire: WireRequest
    hours: Decimal | None = None
    status_ref: str = ""
    ticket_url: str = ""


def preview(
    session: Session, choices: PushChoices, *, now: datetime, provider_of: ProviderOf = offline_provider_of
) -> list[Planned]:
    """What `enqueue` would write, to the letter. `now` is when an open session is taken to end. Raises as it does."""
    connection = _connection()
    return _plan(session, connection, choices, now=now, provider_of=provider_of)


def enqueue(
    session: Session, choices: PushChoices, *, now: datetime, provider_of: ProviderOf = offline_provider_of
) -> list[PsaPush]:
    """Writes the pushes of a session that has ended, in the open transaction, and queues the job that delivers them.

    Raises BadValue for a choice that cannot be sent, and Refused where the session or the connection allows none; then
    nothing is written.
    """
    if not choices.kinds:
        return []
    with transaction.atomic():
        session = Session.objects.select_for_update(of=("self",)).get(id=session.id)
        if session.status not in FINAL:
            raise Refused(NOT_ENDED)
        connection = _connection(locked=True)
        planned = _plan(session, connection, choices, now=now, provider_of=provider_of)
        if choices.revision is not None and planned[0].revision != choices.revision:
            raise Refused(CHANGED_MEANWHILE)
        return write(session, connection, planned, now=now)


def set_anyway(push: PsaPush, *, now: datetime, provider_of: ProviderOf = offline_provider_of) -> PsaPush:
    """The status once more, as a further revision for the same ticket of the same system, whatever the ticket has by
    then. In the open transaction, which holds the push. Raises as `enqueue`."""
    session = Session.objects.select_for_update(of=("self",)).get(id=push.session_id)
    connection = PsaConnection.objects.select_for_update(no_key=True).get(id=push.connection_id)
    if connection.system != push.system:
        raise Refused(another_system(push.system, connection.system))
    choices = PushChoices(status=push.status_ref)
    planned = _plan(session, connection, choices, ticket=push.psa_ticket_id, now=now, provider_of=provider_of)
    return write(session, connection, planned, now=now)[0]


def write(
    session: Session, connection: PsaConnection, planned: Sequence[Planned], *, now: datetime
) -> list[PsaPush]:
    from flowpilot.jobs import deliver_to

    rows = [
        PsaPush(
            connection=connection,
            session=session,
            system=connection.system,
            external_url=push.ticket_url,
            psa_ticket_id=push.wire.ticket,
            kind=push.kind,
            revision=push.revision,
            part=push.part,
            marker=push.wire.marker,
            payload=push.wire.as_json(),
            payload_sha256=digest(push.wire),
            hours=push.hours,
            status_ref=push.status_ref,
            status=State.PENDING,
            next_attempt_at=now,
            created_at=now,
        )
        for push in planned
    ]
    pushes: list[PsaPush] = PsaPush.objects.bulk_create(rows)
    deliver_to.defer(account_id=str(session.account_id))
    return pushes


def digest(wire: WireRequest) -> str:
    """By which a payload that was changed after it was written would be known."""
    return hashlib.sha256(json.dumps(wire.as_json(), sort_keys=True).encode()).hexdigest()


def next_revision(session: Session, connection: PsaConnection) -> int:
    pushes = PsaPush.objects.filter(session=session, connection=connection)
    newest: int | None = pushes.aggregate(newest=Max("revision"))["newest"]
    return (newest or 0) + 1


def marker_of(connection_id: UUID, session_id: UUID, kind: str, revision: int, part: int) -> str:
    """65 bits that nobody can guess, and the same each time: so a preview shows the very text that will be sent."""
    name = f"{connection_id}|{session_id}|{kind}|{revision}|{part}"
    number = int.from_bytes(salted_hmac("flowpilot.psa.marker", name, algorithm="sha256").digest()[:9])
    letters = [ALPHABET[number >> 5 * place & 31] for place in range(LENGTH)]
    return "RF-" + "".join(letters)


def _connection(*, locked: bool = False) -> PsaConnection:
    """locked: nobody makes it lead elsewhere before the open transaction ends."""
    connection = current_connection(locked=locked)
    if connection is None:
        raise Refused(NOT_CONNECTED)
    return connection


def _plan(
    session: Session,
    connection: PsaConnection,
    choices: PushChoices,
    *,
    ticket: str | None = None,
    now: datetime,
    provider_of: ProviderOf,
) -> list[Planned]:
    """ticket: another one than the session is linked to by now."""
    ticket = ticket or session.psa_ticket_id
    if not ticket:
        raise Refused(NOT_LINKED)
    revision = next_revision(session, connection)
    try:
        with closing(provider_of(connection)) as provider:
            return list(_rendered(session, ticket, connection, choices, provider, revision, now))
    except sealing.CannotOpen as error:
        raise Refused(str(error)) from error


def _rendered(
    session: Session,
    ticket: str,
    connection: PsaConnection,
    choices: PushChoices,
    provider: PsaProvider,
    revision: int,
    now: datetime,
) -> Iterator[Planned]:
    member = PsaMember.objects.filter(connection=connection, user=session.user_id).first()
    for field, kind, part, op in _operations(
        session, ticket, connection, member, choices, provider.caps, now
    ):
        marker = marker_of(connection.id, session.id, kind, revision, part)
        try:
            wire = provider.render(op, marker)
        except PsaError as error:
            raise BadValue(field, error.words) from error
        hours = op.hours if isinstance(op, LogTime) else None
        status = op.status if isinstance(op, SetStatus) else ""
        url = provider.ticket_url(ticket)[:500]
        yield Planned(kind, part, revision, wire, hours, status, url)


def _operations(
    session: Session,
    ticket: str,
    connection: PsaConnection,
    member: PsaMember | None,
    choices: PushChoices,
    caps: Capabilities,
    now: datetime,
) -> Iterator[tuple[str, PsaPush.Kind, int, Op]]:
    """The field of the choices that each comes from, its kind, its part and what is to be done; in the order of
    sending: a status may forbid time entries, so it is the last."""
    if choices.note:
        if not clean(choices.note_text):
            raise BadValue("note_text", "Write what the note is to say, or send none.")
        author = member.external_id if member else None
        for part, text in enumerate(note_parts(choices.note_text, caps), start=1):
            note = AddNote(ticket, text, choices.visibility, author=author, title=_title(session, caps))
            yield "note_text", PsaPush.Kind.NOTE, part, note
    if choices.time:
        yield (
            "minutes",
            PsaPush.Kind.TIME_ENTRY,
            1,
            _time(session, ticket, connection, member, choices, caps, now),
        )
    if choices.status:
        change = SetStatus(ticket, choices.status, only_if_current=choices.status_seen)
        yield "status", PsaPush.Kind.STATUS, 1, change


def _title(session: Session, caps: Capabilities) -> str | None:
    return session.problem_summary[:100] if caps.title_required else None


def _time(
    session: Session,
    ticket: str,
    connection: PsaConnection,
    member: PsaMember | None,
    choices: PushChoices,
    caps: Capabilities,
    now: datetime,
) -> LogTime:
    """The entry ends when the session did. All of it is in UTC, where neither midnight nor a clock change matters."""
    if member is None:
        raise BadValue("time", NO_MEMBER)
    if not 1 <= choices.minutes <= MOST_MINUTES:
        raise BadValue("minutes", f"A time entry takes from 1 to {MOST_MINUTES:,} minutes.")
    text = note_parts(choices.time_text or session.problem_summary, caps)
    if len(text) > 1:
        raise BadValue("time_text", f"The text of a time entry has at most {len(text[0]):,} characters.")
    end = (session.completed_at or now).replace(microsecond=0)
    defaults: dict[str, Any] = connection.defaults
    return LogTime(
        ticket,
        member.external_id,
        end - timedelta(minutes=choices.minutes),
        end,
        hours_of(choices.minutes),
        notes=text[0],
        visibility=choices.visibility,
        work_type=choices.work_type or defaults.get("work_type") or None,
        work_role=choices.work_role or member.work_role or defaults.get("work_role") or None,
        location=choices.location or member.location or defaults.get("location") or None,
        billing=choices.billing,
    )


def hours_of(minutes: int) -> Decimal:
    return (Decimal(minutes) / 60).quantize(Decimal("0.01"), ROUND_HALF_UP)
