"""What a panel gives as a file: the rows that it shows, a rate with its part and its whole, a mean with its number."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analytics import rows
from analytics.query import DashboardQuery
from flowpilot.sessions.states import Outcome
from resolutionflow.exports import FORMATS, Column, Table, named_by

RATES = (
    Column("sessions", "Sessions", "count"),
    Column("completed", "Completed", "count"),
    Column("completion_rate", "Completion rate", "share"),
    Column("median_duration", "Median duration", "duration"),
)


@dataclass(frozen=True)
class Export:
    """`rows` is the very function that the panel asks; `chart` says that there is a picture too."""

    title: str
    columns: tuple[Column, ...]
    rows: Callable[[DashboardQuery], Iterable[Mapping[str, Any]]]
    chart: bool = False

    def table(self, panel: str, query: DashboardQuery) -> Table:
        return Table(_name(panel, query), self.title, self.columns, self.rows(query), query.account.tz)

    def menu(self, panel: str, query: DashboardQuery) -> dict[str, Any]:
        """The context of components/export.html."""
        menu: dict[str, Any] = {
            "what": self.title,
            "hrefs": {format: query.below("-export", query.parameters, panel, format) for format in FORMATS},
        }
        if self.chart:
            menu |= {"chart": f"chart-{panel}", "file": f"{_name(panel, query)}.png"}
        return menu


def _name(panel: str, query: DashboardQuery) -> str:
    return named_by(f"{query.url_name.partition(':')[2]}-{panel}", query.period)


OUTCOMES = Export(
    "Sessions per day",
    (
        Column("day", "Day", "day"),
        Column("sessions", "Sessions", "count"),
        *(Column(outcome.value, outcome.label, "count") for outcome in Outcome),
    ),
    rows.daily,
    chart=True,
)
DAYS = Export(
    "Sessions per day",
    (Column("day", "Day", "day"), Column("sessions", "Sessions", "count")),
    rows.daily,
    chart=True,
)
SHARES = Export(
    "Outcomes",
    (
        Column("label", "Outcome"),
        Column("sessions", "Sessions", "count"),
        Column("share", "Share of completed", "share"),
    ),
    rows.outcome_shares,
    chart=True,
)
FLOWS = Export(
    "Top flows",
    (
        Column("name", "Flow"),
        *RATES,
        Column("avg_csat", "CSAT of these sessions", "score"),
        Column("ratings", "Ratings", "count"),
    ),
    rows.top_flows,
)
ENGINEERS = Export("Top engineers", (Column("name", "Engineer"), *RATES), rows.top_engineers)
