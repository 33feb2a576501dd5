"""The rows of the tab Flow Quality: how well each flow serves, and which of them need a hand."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, cast

from django.db.models import Avg, Count, Min, Q

from analytics.query import DashboardQuery
from flowpilot.metrics import ENDED, RESOLVED
from flowpilot.models import Flow
from resolutionflow.metrics import MINIMUM

Sort = Literal["quality", "usage", "success_rate", "name", "last_used", "confidence"]
UNUSED = timedelta(days=30)
LOW_SUCCESS = Decimal("0.5")
BEST = 5  # flows at either end
SORTED_BY: Mapping[Sort, str] = {
    "quality": "quality_score",
    "usage": "usage_count",
    "success_rate": "success_rate",
    "last_used": "last_matched_at",
    "confidence": "avg_confidence",
}


def flows(query: DashboardQuery) -> list[dict[str, Any]]:
    """Each flow that is not archived: `id`, `name`, `usage_count`, `ended` and `resolved` of the period, its rates and
    mean confidence, `last_matched_at` and `recency_score` ever, `quality_score`, `reasons` ("low_success", "unused").
    By name. Two queries."""
    within = Q(started_at__gte=query.period.start, started_at__lt=query.period.end)
    figures = query.sessions_ever.flow_quality(query.period).annotate(
        usage_count=Count("pk", filter=within),
        ended=Count("pk", filter=within & ENDED),
        resolved=Count("pk", filter=within & RESOLVED),
        avg_confidence=Avg("confidence", filter=within),
    )
    found = {row["flow_id"]: row for row in figures}
    rows = []
    published = Flow.objects.exclude(status=Flow.Status.ARCHIVED).annotate(
        first_published_at=Min("versions__published_at")
    )
    for id_, name, published_at in published.values_list("id", "name", "first_published_at"):
        row = {"id": id_, "name": name} | found.get(id_, NEVER_USED)
        row["reasons"] = reasons(row, published_at, query.now)
        rows.append(row)
    # Python orders names by code point, as COLLATE "C" does.
    return sorted(rows, key=lambda row: (row["name"], row["id"]))


NEVER_USED: Mapping[str, Any] = {
    "usage_count": 0,
    "ended": 0,
    "resolved": 0,
    "success_rate": None,
    "guided_rate": None,
    "avg_confidence": None,
    "last_matched_at": None,
    "recency_score": Decimal(0),
    "quality_score": None,
}


def reasons(row: Mapping[str, Any], published_at: datetime | None, now: datetime) -> list[str]:
    """Why a flow needs attention: fewer than half of its sessions that ended are resolved, or nobody has used it for
    30 days, since it was first published or since the last time."""
    found = []
    if row["success_rate"] is not None and row["success_rate"] < LOW_SUCCESS:
        found.append("low_success")
    newest = max((at for at in (row["last_matched_at"], published_at) if at), default=None)
    if newest is not None and now - newest >= UNUSED:
        found.append("unused")
    return found


def sorting(query: DashboardQuery) -> tuple[Sort, bool]:
    """What the table is sorted by, and whether upwards; names go up and figures down if nothing is said."""
    sort = cast(Sort, query.sort or "quality")
    return sort, query.order == "up" or (sort == "name" and not query.order)


def in_order(rows: Iterable[Mapping[str, Any]], sort: Sort, rising: bool = False) -> list[dict[str, Any]]:
    """Sorted by a figure, descending if nothing else is said; what has none comes last, ties are by name, then id."""
    by_name = sorted((dict(row) for row in rows), key=lambda row: (row["name"], row["id"]))
    if sort == "name":
        return by_name if rising else by_name[::-1]
    figure = SORTED_BY[sort]
    known = [row for row in by_name if row[figure] is not None]
    # a stable sort keeps the names in order, which `reverse` would turn round
    known.sort(key=lambda row: row[figure] if rising else _turned(row[figure]))
    return known + [row for row in by_name if row[figure] is None]


def _turned(value: Any) -> Any:
    return -value.timestamp() if isinstance(value, datetime) else -value


def ends(rows: Iterable[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The five with the highest score and the five with the lowest, of the flows with enough sessions that ended; of
    fewer than ten such flows the better half goes first."""
    judged = in_order((row for row in rows if row["ended"] >= MINIMUM), "quality")
    top = judged[: min(BEST, (len(judged) + 1) // 2)]
    bottom = judged[max(len(top), len(judged) - BEST) :]
    return top, bottom[::-1]


def in_need(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The flows that need attention, the least successful first; without a rate last, then by name."""
    return in_order((row for row in rows if row["reasons"]), "success_rate", True)
