"""The stored figures of the flows, which library, admin and matcher show."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from flowpilot.models import Flow, Session
from resolutionflow.accounts.models import Account
from resolutionflow.figures import said
from resolutionflow.periods import Period
from resolutionflow.tenancy import account_scope

DAYS = 90
COLUMNS = ("usage_count", "last_matched_at", "success_rate", "quality_score")

# Flows of which nobody ever started a session have no row in `figures` and are set to nothing.
UPDATE = """
UPDATE {flow} AS flow
SET usage_count = COALESCE(figures.sessions_ever, 0), last_matched_at = figures.last_matched_at,
    success_rate = figures.success_rate, quality_score = figures.quality_score, quality_calculated_at = %s
FROM {flow} AS same LEFT JOIN ({figures}) AS figures ON figures.flow_id = same.id
WHERE flow.account_id = %s AND same.account_id = flow.account_id AND same.id = flow.id
RETURNING flow.id, flow.usage_count, flow.last_matched_at, flow.success_rate, flow.quality_score
"""


@dataclass(frozen=True)
class Figures:
    """What is stored of a flow, but for the moment at which it was reckoned."""

    usage_count: int
    last_matched_at: datetime | None
    success_rate: float | None
    quality_score: float | None

    def changes(self, before: "Figures") -> list[str]:
        """What is not as before, in words. Shares that look the same with one decimal are no news."""
        said_of = (
            ("sessions", said(before.usage_count, "count"), said(self.usage_count, "count")),
            ("last used", _moment(before.last_matched_at), _moment(self.last_matched_at)),
            ("success rate", said(before.success_rate, "share"), said(self.success_rate, "share")),
            ("quality score", said(before.quality_score, "share"), said(self.quality_score, "share")),
        )
        return [f"{what} {old} → {new}" for what, old, new in said_of if old != new]


@dataclass(frozen=True)
class Recalculated:
    """`changed` are the names of the flows with other figures than before, and what is new, in words."""

    flows: int
    changed: list[tuple[str, list[str]]]


def recalculate(account: Account, *, now: datetime) -> Recalculated:
    """Writes the stored figures of all flows of the account, as of now.

    The flows are locked first, and the figures read by a statement that begins after that. Whoever starts a session
    counts it in the same transaction, under the same lock: so it is either seen here or counted afterwards.
    """
    with account_scope(account), transaction.atomic():
        flows = Flow.objects.order_by("id").select_for_update(no_key=True)
        before = {id_: (name, Figures(*row)) for id_, name, *row in flows.values_list("id", "name", *COLUMNS)}
        after = _write(account, now)
    changed = [(name, words) for id_, (name, old) in before.items() if (words := after[id_].changes(old))]
    return Recalculated(len(before), sorted(changed))


def _write(account: Account, now: datetime) -> dict[UUID, Figures]:
    period = Period.of_days(DAYS, now=now, tz=account.tz)
    figures, parameters = Session.objects.flow_quality(period).query.sql_with_params()
    statement = UPDATE.format(flow=connection.ops.quote_name(Flow._meta.db_table), figures=figures)
    with connection.cursor() as cursor:
        cursor.execute(statement, [now, *parameters, account.pk])
        return {id_: Figures(*row) for id_, *row in cursor.fetchall()}


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "never"
