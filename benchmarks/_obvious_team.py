"""The Team page as one writes it first: one query a figure, joined through the flow, and one query a table row.

Each function stands in for the one of the same name in analytics.rows or SessionQuerySet and gives the same figures.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from django.db.models import Avg, Count
from django.db.models.functions import Collate, TruncDate

from analytics import rows
from analytics.query import DashboardQuery
from flowpilot.metrics import SessionQuerySet
from ratings.models import SessionRating
from resolutionflow.metrics import every_day
from resolutionflow.tenancy.scope import current_account_id


@contextmanager
def obvious_way() -> Iterator[None]:
    """Inside, the page and its panels get their rows the obvious way; the templates are the same."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(SessionQuerySet, "totals", totals))
        for replacement in (daily, top_flows, top_engineers):
            stack.enter_context(patch.object(rows, replacement.__name__, replacement))
        yield


def _of_account(sessions: SessionQuerySet) -> SessionQuerySet:
    return sessions.filter(flow__account=current_account_id())


def totals(sessions: SessionQuerySet, *names: str) -> dict[str, Any]:
    counted = _of_account(sessions)
    return {name: counted.aggregate(value=sessions.metrics[name].expression)["value"] for name in names}


def daily(query: DashboardQuery) -> list[dict[str, Any]]:
    found: dict[Any, dict[str, Any]] = {}
    dated = _of_account(query.sessions).annotate(day=TruncDate("started_at", tzinfo=query.account.tz))
    for name in rows.SERIES:
        for row in dated.values("day").annotate(value=query.sessions.metrics[name].expression):
            found.setdefault(row["day"], {"day": row["day"]})[name] = row["value"]
    return every_day(found.values(), query.period, *rows.SERIES)


def top_flows(query: DashboardQuery) -> list[dict[str, Any]]:
    shown = _top(query, "flow")
    for row in shown:
        of_row = query.sessions.filter(flow=row["id"]).values("id")
        rated = SessionRating.objects.filter(session__in=of_row)
        row |= rated.aggregate(avg_csat=Avg("rating"), ratings=Count("rating"))
    return shown


def top_engineers(query: DashboardQuery) -> list[dict[str, Any]]:
    return _top(query, "user")


def _top(query: DashboardQuery, of: str) -> list[dict[str, Any]]:
    grouped = _of_account(query.sessions).values(f"{of}_id", f"{of}__name").annotate(count=Count("pk"))
    ranked = grouped.order_by("-count", Collate(f"{of}__name", "C"), f"{of}_id")[: rows.TOP]
    return [
        {"id": row[f"{of}_id"], "name": row[f"{of}__name"]}
        | totals(query.sessions.filter(**{of: row[f"{of}_id"]}), *rows.ROW)
        for row in ranked
    ]
