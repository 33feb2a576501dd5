"""The rows of the tab Coverage: per domain what there is, what it met, and how that went."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from django.db.models import FilteredRelation, Q

from analytics.query import DashboardQuery
from flowpilot.models import Domain, Flow
from resolutionflow.figures import NOTHING
from resolutionflow.metrics import MINIMUM, round_half_up

Level = Literal["green", "amber", "red", "few", "none"]
FIGURES = (
    *("sessions", "resolved_sessions", "escalated_sessions", "guided_sessions"),
    *("resolution_rate", "escalation_rate", "guided_rate", "mttr"),
)


@dataclass(frozen=True)
class Bounds:
    """Both bounds belong to amber. `higher`: whether more is better."""

    low: Decimal
    high: Decimal
    higher: bool

    def level(self, value: Decimal) -> Level:
        good = value > self.high if self.higher else value < self.low
        bad = value < self.low if self.higher else value > self.high
        return "green" if good else "red" if bad else "amber"


BOUNDS: Mapping[str, Bounds] = {
    "resolution_rate": Bounds(Decimal("0.50"), Decimal("0.75"), higher=True),
    "escalation_rate": Bounds(Decimal("0.10"), Decimal("0.25"), higher=False),
    "guided_rate": Bounds(Decimal("0.30"), Decimal("0.60"), higher=True),
    "flow_count": Bounds(Decimal(1), Decimal(4), higher=True),
}


def level(name: str, part: int, whole: int) -> Level:
    """How a rate part / whole is judged, on its exact value; "few" where too few sessions are behind it, "none" without
    any."""
    if not whole:
        return "none"
    if whole < MINIMUM:
        return "few"
    return BOUNDS[name].level(Decimal(part) / whole)


def shown_percent(name: str, part: int, whole: int) -> str:
    """A rate as percent with one decimal; with two where one would look like a bound that it is not."""
    if not whole:
        return NOTHING
    exact = Decimal(part) / whole
    bounds = {BOUNDS[name].low, BOUNDS[name].high}
    one = round_half_up(exact * 100, 1)
    hides = exact not in bounds and any(one == bound * 100 for bound in bounds)
    return f"{round_half_up(exact * 100, 2) if hides else one} %"


def level_of_flows(count: int) -> Level:
    """How a number of flows is judged: a fact, which has no minimum."""
    return BOUNDS["flow_count"].level(Decimal(count))


@dataclass(frozen=True)
class Covered:
    """`domains`: one row each with a session in the period or a published flow: `id`, `name`, `flows` (id, name, by
    name), `flow_count` and FIGURES (rates and MTTR None without sessions); most sessions first, then by name.
    `unmapped`: the sessions of the period without a domain."""

    domains: list[dict[str, Any]]
    unmapped: int


def covered(query: DashboardQuery) -> Covered:
    """What the account knows, domain by domain. Two queries."""
    found = {row["domain_id"]: row for row in query.sessions.by("domain_id", *FIGURES)}
    nothing = dict.fromkeys(FIGURES, 0) | dict.fromkeys(
        ("resolution_rate", "escalation_rate", "guided_rate", "mttr")
    )
    published = FilteredRelation("flows", condition=Q(flows__status=Flow.Status.PUBLISHED))
    names = Domain.objects.annotate(published=published).values_list(
        "id", "name", "published__id", "published__name"
    )
    rows: dict[UUID, dict[str, Any]] = {}
    for id_, name, flow_id, flow in names:
        if not flow_id and id_ not in found:
            continue
        row = rows.setdefault(id_, {"id": id_, "name": name, "flows": [], **found.get(id_, nothing)})
        if flow_id:
            row["flows"].append((flow, flow_id))
    for row in rows.values():
        # Python orders names by code point, as COLLATE "C" does.
        row["flows"].sort()
        row["flow_count"] = len(row["flows"])
    unmapped = found[None]["sessions"] if None in found else 0
    return Covered(
        sorted(rows.values(), key=lambda row: (-row["sessions"], row["name"], row["id"])), unmapped
    )


def levels(row: Mapping[str, Any]) -> dict[str, Level]:
    """The level of each judged cell of a row of `covered`."""
    parts = {
        "resolution_rate": "resolved_sessions",
        "escalation_rate": "escalated_sessions",
        "guided_rate": "guided_sessions",
    }
    judged = {name: level(name, row[part], row["sessions"]) for name, part in parts.items()}
    return judged | {"flow_count": level_of_flows(row["flow_count"])}


def needs_flow(row: Mapping[str, Any]) -> bool:
    """Whether “Create flow” stands in the row: no flow, or a shown rate is red."""
    return "red" in levels(row).values()


@dataclass(frozen=True)
class Uncovered:
    """One domain's share of the work that no flow guided. `running` is the share of it and all before it."""

    id: UUID
    name: str
    sessions: int
    share: Decimal
    running: Decimal


def pareto(rows: list[dict[str, Any]]) -> list[Uncovered]:
    """What no flow covered – sessions that no flow guided –, the domain with the most first. `rows` are those of
    `covered`."""
    counts = [(row, row["sessions"] - row["guided_sessions"]) for row in rows]
    found = sorted(
        ((row, count) for row, count in counts if count), key=lambda pair: (-pair[1], pair[0]["name"])
    )
    total = sum(count for _, count in found)
    so_far, uncovered = 0, []
    for row, count in found:
        so_far += count
        uncovered.append(
            Uncovered(row["id"], row["name"], count, Decimal(count) / total, Decimal(so_far) / total)
        )
    return uncovered
