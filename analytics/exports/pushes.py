"""The ledger of pushes, and the resolved sessions without time, as tables: all pages of what the page shows."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from flowpilot.psa.ledger.listing import LedgerForm, WithoutTimeForm
from flowpilot.psa.showing import Shown, shown
from resolutionflow.accounts.names import shown_names
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.exports import Column, Table
from resolutionflow.tenancy import account_scope

ROWS_AT_ONCE = 1000

PUSHES = (
    Column("made", "Made", "moment"),
    Column("problem", "Problem"),
    Column("client", "Client"),
    Column("engineer", "Engineer"),
    Column("ticket", "Ticket"),
    Column("what", "What"),
    Column("part", "Part", "count"),
    Column("version", "Version", "count"),
    Column("hours", "Time", "hours"),
    Column("state", "State"),
    Column("words", "Where it stands"),
    Column("attempts", "Attempts", "count"),
    Column("trouble", "Last trouble"),
    Column("external_id", "Id in the ticket system"),
    Column("finished", "Finished", "moment"),
    Column("session", "Session"),
)
WITHOUT_TIME = (
    Column("problem", "Problem"),
    Column("engineer", "Engineer"),
    Column("client", "Client"),
    Column("ticket", "Ticket"),
    Column("ended", "Ended", "moment"),
    Column("duration", "Duration", "duration"),
    Column("session", "Session"),
)


def pushes_table(form: LedgerForm, request: AccountRequest) -> Table:
    names = shown_names(request.account, request.user)

    def row(entry: Shown) -> dict[str, Any]:
        push = entry.push
        return {
            "made": push.created_at,
            "problem": push.session.problem_summary,
            "client": push.session.client.name if push.session.client else None,
            "engineer": names[push.session.user_id],
            "ticket": push.psa_ticket_id,
            "what": push.get_kind_display(),
            "part": push.part,
            "version": push.revision,
            "hours": push.hours,
            "state": entry.standing.label,
            "words": entry.words,
            "attempts": push.tries,
            "trouble": entry.trouble or None,
            "external_id": push.external_id or None,
            "finished": push.finished_at,
            "session": push.session_id,
        }

    rows = (row(entry) for lot in _lots(form.pushes(), request) for entry in shown(lot, request.now))
    return Table("psa-pushes", "PSA pushes", PUSHES, rows, request.account.tz)


def without_time_table(form: WithoutTimeForm, request: AccountRequest) -> Table:
    names = shown_names(request.account, request.user)
    rows = (
        {
            "problem": session.problem_summary,
            "engineer": names[session.user_id],
            "client": session.client.name if session.client else None,
            "ticket": session.psa_ticket_id,
            "ended": session.completed_at,
            "duration": session.duration_seconds,
            "session": session.pk,
        }
        for lot in _lots(form.sessions(request.now), request)
        for session in lot
    )
    return Table("sessions-without-time", "Sessions without time", WITHOUT_TIME, rows, request.account.tz)


def _lots(rows: QuerySet[Any], request: AccountRequest) -> Iterator[list[Any]]:
    """Read by a cursor of the server in one transaction, so all rows are of one moment. The account is in scope only
    while they are fetched, not while whoever sends them has the turn."""
    cursor: Any = rows.iterator(chunk_size=ROWS_AT_ONCE)
    with transaction.atomic(), closing(cursor) as found:
        while True:
            with account_scope(request.account):
                lot = list(islice(found, ROWS_AT_ONCE))
            if not lot:
                return
            yield lot
