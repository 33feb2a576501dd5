"""The panels of FlowPilot's tabs: what each shows, as its template's context, from the query alone."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse

from analytics import panels
from analytics.flowpilot import charts, coverage, exports, gaps, overview, psa, quality
from analytics.flowpilot.filters import COMPLETED, DECIDED, ESCALATED, RESOLVED, UNGUIDED
from analytics.panels import Panel, Together, no_sessions
from analytics.query import DashboardQuery
from flowpilot.metrics import SessionQuerySet
from flowpilot.sessions.states import Status, Tier
from ratings.metrics import RATINGS_OF_SESSIONS
from resolutionflow.figures import Rate, counted
from resolutionflow.links import url_with
from resolutionflow.metrics import MINIMUM

WORDS_OF_LEVEL = {"green": "good", "amber": "watch", "red": "poor", "few": "too few sessions", "none": ""}
TONES = {"green": "good", "amber": "watch", "red": "bad", "few": "none", "none": "none"}
REASONS = {"low_success": "fewer than half resolved", "unused": "not used for 30 days"}


def _summary(query: DashboardQuery) -> dict[str, Any]:
    now, before = overview.totals_and_before(query)
    if not now["sessions"]:
        return {"empty": no_sessions(query)}
    saved, saved_before = overview.time_saved_and_before(query)
    return {
        "metrics": SessionQuerySet.metrics,
        "csat": RATINGS_OF_SESSIONS["avg_csat"],
        "now": now,
        "before": before,
        "since": query.period.before.words,
        "few_before": before["sessions"] < MINIMUM,
        "few_resolved": min(now["resolved_sessions"], before["resolved_sessions"]) < MINIMUM,
        "few_completed": min(now["completed"], before["completed"]) < MINIMUM,
        "few_ratings": min(now["ratings"], before["ratings"]) < MINIMUM,
        "time_saved": overview.TIME_SAVED,
        "saved_hours": _hours(saved),
        "saved_hours_before": _hours(saved_before),
        "saved_words": _rests_on(saved),
        "saved_since": query.period.before.words if saved.domains else "",
        "rated_words": f"n = {now['ratings']:,} · {Rate(now['ratings'], now['completed']).percent} % of completed",
        "all_href": query.href(),
        "resolved_href": query.href(**RESOLVED),
        "completed_href": query.href(**COMPLETED),
        "abandoned_href": query.href(status=Status.ABANDONED.value),
        "rated_href": query.href(rated="yes"),
    }


def _hours(saved: overview.TimeSaved) -> Decimal | None:
    return None if saved.seconds is None else saved.seconds / 3600


def _rests_on(saved: overview.TimeSaved) -> str:
    if not saved.domains:
        return f"no domain has {overview.ENOUGH} resolved sessions both with and without a guide"
    rests_on = f"{counted(saved.sessions, 'guided session')} in {counted(saved.domains, 'domain')}"
    return f"{rests_on}; {counted(saved.left_out, 'domain')} left out, too few to compare"


def _trend(query: DashboardQuery) -> dict[str, Any]:
    points = overview.mttr_trend(query)
    resolved = query.sessions.totals("resolved_sessions")["resolved_sessions"]
    about: dict[str, Any] = {
        "name": "trend",
        "title": "Mean time to resolve, per day",
        "anchor": "mttr-trend",
        "wide": True,
        "chart_summary": charts.mttr_summary(points, resolved),
    }
    if not any(point["count"] for point in points):
        return about
    every = query.href(**RESOLVED)

    def href(day: date) -> str:
        return f"{every}&completed_day={day}"

    return about | {
        "points": [
            {
                "date": point["day"],
                "mttr": point["mttr"],
                "count": point["count"],
                "hrefs": {"count": href(point["day"])} if point["count"] else {},
            }
            for point in points
        ],
        "chart": charts.mttr_trend(points, href=href),
        "columns": [
            ("date", "Day", "day"),
            ("mttr", "Mean time to resolve", "duration"),
            ("count", "Sessions resolved", "count"),
        ],
    }


def _tiers(query: DashboardQuery) -> dict[str, Any]:
    rows = overview.tiers(query)
    return {
        "tiers": [
            row
            | {
                "href": query.href(tier=row["tier"].value, **DECIDED),
                "resolved_href": query.href(tier=row["tier"].value, **RESOLVED),
            }
            for row in rows
        ],
        "any": any(row["count"] for row in rows),
    }


def _domains(query: DashboardQuery) -> dict[str, Any]:
    return {
        "domains": [
            row
            | {
                "href": query.href(domain_id=row["id"]),
                "resolved_href": query.href(domain_id=row["id"], **RESOLVED),
                "escalated_href": query.href(domain_id=row["id"], **ESCALATED),
            }
            for row in overview.domains(query)
        ]
    }


def _knowledge(query: DashboardQuery) -> dict[str, Any]:
    reviewed = {"reviewed_from": query.period.first, "reviewed_to": query.period.last}
    return {
        "counts": overview.knowledge(query),
        "pending_href": reverse("proposals:list"),
        "approved_href": url_with("proposals:list", {"status": "published"} | reviewed),
        "rejected_href": url_with("proposals:list", {"status": "rejected"} | reviewed),
    }


def _heatmap(query: DashboardQuery) -> dict[str, Any]:
    covered = coverage.covered(query)
    rows = []
    for row in covered.domains:
        of = {"domain_id": row["id"]}
        levels = coverage.levels(row)
        cells = [
            _cell(
                "Resolved", row, levels, "resolution_rate", "resolved_sessions", query.href(**of, **RESOLVED)
            ),
            _cell(
                "Escalated",
                row,
                levels,
                "escalation_rate",
                "escalated_sessions",
                query.href(**of, **ESCALATED),
            ),
            _cell(
                "Guided",
                row,
                levels,
                "guided_rate",
                "guided_sessions",
                query.href(**of, tier=Tier.GUIDED.value),
            ),
        ]
        rows.append(
            row
            | {
                "href": query.href(**of),
                "resolved_href": query.href(**of, **RESOLVED),
                "flows_tone": TONES[levels["flow_count"]],
                "flows_word": WORDS_OF_LEVEL[levels["flow_count"]],
                "flows_href": url_with("flows:list", {"domain_id": str(row["id"]), "status": "published"}),
                "cells": cells,
                "create_href": url_with("flows:new", {"domain_id": str(row["id"])})
                if coverage.needs_flow(row)
                else "",
            }
        )
    return {
        "domains": rows,
        "unmapped": covered.unmapped,
        "unmapped_href": query.href(domain_id="none"),
    }


def _cell(
    label: str, row: dict[str, Any], levels: dict[str, coverage.Level], name: str, part: str, href: str
) -> dict[str, Any]:
    rate, level = Rate(row[part], row["sessions"]), levels[name]
    return {
        "label": label,
        "rate": rate,
        "percent": coverage.shown_percent(name, rate.part, rate.whole),
        "tone": TONES[level],
        "word": WORDS_OF_LEVEL[level],
        "href": href if rate.whole else "",
    }


def _pareto(query: DashboardQuery) -> dict[str, Any]:
    uncovered = coverage.pareto(coverage.covered(query).domains)
    about: dict[str, Any] = {
        "name": "pareto",
        "title": "Uncovered work",
        "anchor": "uncovered-work",
        "wide": True,
        "chart_summary": charts.pareto_summary(uncovered),
    }
    if not uncovered:
        return about

    def href(row: coverage.Uncovered) -> str:
        return query.href(domain_id=row.id, **UNGUIDED)

    return about | {
        "chart": charts.pareto(uncovered, href=href),
        "points": [
            {
                "name": row.name,
                "sessions": row.sessions,
                "share": row.share,
                "running": row.running,
                "hrefs": {"sessions": href(row)},
            }
            for row in uncovered
        ],
        "columns": [
            ("name", "Domain", "text"),
            ("sessions", "Sessions without a guide", "count"),
            ("share", "Share", "share"),
            ("running", "Running share", "share"),
        ],
    }


def _gaps(query: DashboardQuery) -> dict[str, Any]:
    return {"gaps": [(gap, Rate(gap.part, gap.n)) for gap in gaps.gaps(query)]}


def _quality(query: DashboardQuery) -> dict[str, Any]:
    rows = quality.flows(query)
    top, bottom = quality.ends(rows)
    places = {row["id"]: "top" for row in top} | {row["id"]: "bottom" for row in bottom}
    shown = quality.in_order(rows, *quality.sorting(query))
    return {
        "flows": [
            row
            | {
                "place": places.get(row["id"], ""),
                "badge": _reasons_shown(row),
                "href": query.href(flow_id=row["id"]),
                "resolved_href": query.href(flow_id=row["id"], **RESOLVED),
                "parts": _parts(row),
            }
            for row in shown
        ],
        "columns": [_column(query, name, label) for name, label in COLUMNS],
        "tz": query.account.tz,
    }


COLUMNS: tuple[tuple[quality.Sort, str], ...] = (
    ("name", "Flow"),
    ("usage", "Sessions"),
    ("success_rate", "Success"),
    ("last_used", "Last used"),
    ("confidence", "Confidence"),
    ("quality", "Quality"),
)


def _column(query: DashboardQuery, name: quality.Sort, label: str) -> dict[str, Any]:
    """A heading, and the address that sorts by it: what is already first turns round."""
    sort, now_rising = quality.sorting(query)
    current = sort == name
    rising = not now_rising if current else name == "name"
    return {
        "name": name,
        "label": label,
        "sorted": ("ascending" if now_rising else "descending") if current else "",
        "href": query.page(**query.parameters | {"sort": name, "order": "up" if rising else "down"}),
    }


def _reasons_shown(row: dict[str, Any]) -> str:
    """Why it needs attention, in words; that few are resolved is said from five ended sessions on."""
    shown = [name for name in row["reasons"] if name != "low_success" or row["ended"] >= MINIMUM]
    return ", ".join(REASONS[name] for name in shown)


def _parts(row: dict[str, Any]) -> list[tuple[str, Any, str]]:
    """What the quality score is made of: the name, the value and the weight."""
    return [
        ("Success rate", row["success_rate"], "50 %"),
        ("Guided rate", row["guided_rate"], "30 %"),
        ("Recency", row["recency_score"], "20 %"),
    ]


def _psa_summary(query: DashboardQuery) -> dict[str, Any]:
    now, before = psa.time_logged_and_before(query)
    return {
        "metrics": psa.METRICS,
        "now": now,
        "before": before | {"hours": before["hours"] or None},  # as with counts: 0 compares with nothing
        "since": query.period.before.words,
        "known": bool(now["entries"] or before["entries"]) or psa.is_known(),
        "href": query.href(on="logged") if now["entries"] else "",
    }


def _psa_funnel(query: DashboardQuery) -> dict[str, Any]:
    found = psa.funnel(query)
    total, linked = found["total_sessions"], found["linked_to_ticket"]
    linked_only = "of those with a ticket"
    stages: list[dict[str, Any]] = [
        {"label": "Sessions", "sessions": total, "whole": total, "of": "of all", "href": query.href()},
        {
            "label": "With a ticket",
            "sessions": linked,
            "whole": total,
            "of": "of all",
            "href": query.href(ticket="yes"),
        },
        {
            "label": "Note posted",
            "sessions": found["doc_pushed"],
            "whole": linked,
            "of": linked_only,
            "href": query.href(ticket="yes", pushed="note"),
        },
        {
            "label": "Time logged",
            "sessions": found["time_entry_logged"],
            "whole": linked,
            "of": linked_only,
            "href": query.href(ticket="yes", pushed="time_entry"),
        },
    ]
    about: dict[str, Any] = {
        "name": "funnel",
        "title": "Way to the ticket system",
        "anchor": "push-funnel",
        "wide": True,
        "chart_summary": charts.funnel_summary(stages),
    }
    if not total:
        return about
    return about | {
        "chart": charts.funnel(stages),
        "points": [
            {
                "label": stage["label"],
                "sessions": stage["sessions"],
                "share": Rate(stage["sessions"], stage["whole"]).value,
                "of": stage["of"],
                "hrefs": {"sessions": stage["href"]} if stage["sessions"] else {},
            }
            for stage in stages
        ],
        "columns": [
            ("label", "Stage", "text"),
            ("sessions", "Sessions", "count"),
            ("share", "Share", "share"),
            ("of", "Of which", "text"),
        ],
    }


def _psa_days(query: DashboardQuery) -> dict[str, Any]:
    points = psa.daily(query)
    about: dict[str, Any] = {
        "name": "psa-days",
        "title": "Time logged, per day",
        "anchor": "time-logged-per-day",
        "wide": True,
        "chart_summary": charts.time_summary(points),
    }
    if not any(point["entries"] for point in points):
        return about

    def href(day: date) -> str:
        return query.href(on="logged", day=day.isoformat())

    return about | {
        "chart": charts.time_per_day(points, href=href),
        "points": [
            {
                "date": point["day"],
                **point,
                "hrefs": {"sessions": href(point["day"])} if point["sessions"] else {},
            }
            for point in points
        ],
        "columns": [
            ("date", "Day", "day"),
            ("entries", "Time entries", "count"),
            ("hours", "Hours", "hours"),
            ("sessions", "Sessions", "count"),
        ],
    }


SUMMARY = Panel("summary", _summary, skeleton="card", places=8, wide=True, template="flowpilot_summary")
TREND = Panel("trend", _trend, skeleton="chart", wide=True, template="chart", export=exports.TREND)
TIERS = Panel("tiers", _tiers, skeleton="table", template="flowpilot_tiers", export=exports.TIERS)
DOMAINS = Panel("domains", _domains, skeleton="table", template="flowpilot_domains", export=exports.DOMAINS)
KNOWLEDGE = Panel("knowledge", _knowledge, skeleton="table", template="flowpilot_knowledge")
HEATMAP = Panel(
    "heatmap", _heatmap, skeleton="table", wide=True, template="flowpilot_heatmap", export=exports.HEATMAP
)
PARETO = Panel("pareto", _pareto, skeleton="chart", wide=True, template="chart", export=exports.PARETO)
GAPS = Panel("gaps", _gaps, skeleton="table", wide=True, template="flowpilot_gaps", export=exports.GAPS)
QUALITY = Panel(
    "quality", _quality, skeleton="table", wide=True, template="flowpilot_quality", export=exports.QUALITY
)
PSA_SUMMARY = Panel(
    "summary", _psa_summary, skeleton="card", places=3, wide=True, template="flowpilot_psa_summary"
)
PSA_FUNNEL = Panel(
    "funnel", _psa_funnel, skeleton="chart", wide=True, template="chart", export=exports.FUNNEL
)
PSA_DAYS = Panel(
    "psa-days", _psa_days, skeleton="chart", wide=True, template="chart", export=exports.PSA_DAYS
)

OVERVIEW = (SUMMARY, TREND, panels.SHARES, DOMAINS, TIERS, KNOWLEDGE)
# The gaps read the decisions of every session: the heatmap need not wait for them.
COVERAGE = (HEATMAP, PARETO, Together("missing", (GAPS,), words="the knowledge gaps"))
FLOW_QUALITY = (QUALITY,)
PSA = (PSA_SUMMARY, PSA_FUNNEL, PSA_DAYS)
