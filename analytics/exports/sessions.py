"""The sessions of a list as a table, one row each. However many there are, they pass through one lot at a time."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, IntegerField, Q, When

from flowpilot.metrics import SessionQuerySet
from flowpilot.sessions.filters import SessionFilterForm
from flowpilot.sessions.states import Outcome, Status, Tier
from resolutionflow.accounts.models import Account, User
from resolutionflow.accounts.names import shown_names
from resolutionflow.exports import Column, Table, named_by
from resolutionflow.tenancy import account_scope

ROWS_AT_ONCE = 2000

# With the names of the rows below; those of the query are the columns of the table.
COLUMNS = (
    Column("id", "Id"),
    Column("external_id", "External id"),
    Column("engineer", "Engineer"),
    Column("client__name", "Client"),
    Column("domain__name", "Domain"),
    Column("flow__name", "Flow"),
    Column("flow_version__number", "Flow version", "count"),
    Column("problem_summary", "Problem"),
    Column("status", "Status"),
    Column("outcome", "Outcome"),
    Column("confidence_tier", "Tier"),
    Column("confidence", "Confidence", "share"),
    Column("started_at", "Started", "moment"),
    Column("completed_at", "Completed", "moment"),
    Column("duration_seconds", "Duration", "duration"),
    Column("step_count", "Steps", "count"),
    Column("psa_ticket_id", "Ticket"),
    Column("rated", "Rated", "yes_no"),
    Column("own_stars", "Stars (own sessions)", "count"),
    Column("own_comment", "Comment (own sessions)"),
)
ADDED = {"engineer", "rated", "own_stars", "own_comment"}
LABELS = {
    "status": dict(Status.choices),
    "outcome": dict(Outcome.choices),
    "confidence_tier": dict(Tier.choices),
}


def sessions_table(form: SessionFilterForm) -> Table:
    """What the list shows for this form, which must be valid, newest first. Ask inside of the account's scope."""
    period = None if form.whole_time else form.chosen_period()
    rows = _rows(_values(form.sessions(), form.viewer), form.account, shown_names(form.account))
    return Table(named_by("sessions", period), "Sessions", COLUMNS, rows, form.tz)


def _values(sessions: SessionQuerySet, viewer: User) -> Any:
    """The columns and no more: the decisions of a session can be longer than all the rest of it."""
    own = {  # stars and comment are shown to their giver only
        "own_stars": Case(When(user=viewer, then=F("rating__rating")), output_field=IntegerField()),
        "own_comment": Case(When(user=viewer, then=F("rating__comment"))),
    }
    names = [column.key for column in COLUMNS if column.key not in ADDED]
    return sessions.order_by("-started_at", "-id").values(
        *names, "user_id", rated=Q(rating__isnull=False), **own
    )


def _rows(values: Any, account: Account, engineers: dict[UUID, str]) -> Iterator[dict[str, Any]]:
    """Read by a cursor of the server in one transaction, so all rows are of one moment.

    The account is in scope only while rows are fetched, not while whoever sends them has the turn. Closing the
    generator, which the server does when the reader goes away, ends the transaction.
    """
    with transaction.atomic(), closing(values.iterator(chunk_size=ROWS_AT_ONCE)) as found:
        while True:
            with account_scope(account):
                lot = list(islice(found, ROWS_AT_ONCE))
            if not lot:
                return
            for row in lot:
                row["engineer"] = engineers.get(row["user_id"])
                for name, labels in LABELS.items():
                    row[name] = labels.get(row[name])
                yield row
