"""The base of every figure: what a metric is, how rows are asked for it, how it is rounded.

A metric is one entry beside the rows it counts (`flowpilot/metrics.py`, `ratings/metrics.py`). Page, API and export ask
the QuerySet; nobody else does arithmetic. docs/metrics.md has each definition in words.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from math import exp, isqrt, lgamma, log, sqrt
from typing import Any, ClassVar, Literal, Self

from django.db import models
from django.db.models import Count, DecimalField, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, NullIf, TruncDate

from resolutionflow.periods import Period, PeriodBefore
from resolutionflow.tenancy.models import TenantQuerySet

Z = 1.959964  # of the two-sided 95 % interval
MINIMUM = 5  # sessions behind a rate before it is coloured or blamed


@dataclass(frozen=True)
class Metric:
    """One figure. Durations are in seconds, shares in 0..1; both turn into minutes and percent where they are shown."""

    label: str
    unit: Literal["count", "share", "duration", "score", "hours"]
    better: Literal["higher", "lower"] | None
    expression: Combinable


def share(part: Q, *, of: Q) -> Combinable:
    """A ratio in 0..1, divided as exact numerics; NULL, never 0, when there is nothing to divide by."""
    exact = DecimalField(max_digits=20, decimal_places=0)
    whole = Cast(NullIf(Count("pk", filter=of), 0), exact)
    return Cast(Count("pk", filter=of & part), exact) / whole


class Mean(models.Aggregate):
    """Mean of a whole number over the filtered rows, as an exact numeric; NULL over none."""

    function = "AVG"
    name = "mean"
    output_field = DecimalField()


class Median(models.Aggregate):
    """Continuous median (percentile_cont 0.5) of the expression over the filtered rows; NULL over none."""

    function = "PERCENTILE_CONT"
    name = "median"
    output_field = models.FloatField()
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"


class Ranked(models.Aggregate):
    """The value of this rank, from 1 on, among `count` filtered rows in order."""

    function = "PERCENTILE_DISC"
    name = "ranked"
    output_field = models.FloatField()
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"

    def __init__(self, expression: str, *, rank: int, count: int, filter: Q | None = None) -> None:
        # half a row before its end, so that no rounding of the fraction reaches another one
        fraction = (Decimal(rank) - Decimal("0.5")) / count
        super().__init__(expression, fraction=f"{fraction:f}", filter=filter)


def median_of_groups(figure: str) -> Combinable:
    """Over grouped rows, the median of what each group has there, groups with NULL left out; NULL of none.

    The mean of the middle two as exact numerics: a share that went through a float could round the other way.
    """
    return (_Middle(figure) + _Middle(figure, direction="DESC")) / 2


class _Middle(models.Aggregate):
    """The middle value; of an even number the one before the middle, in the given direction."""

    function = "PERCENTILE_DISC"
    name = "middle"
    output_field = DecimalField()
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY (%(expressions)s)::numeric %(direction)s)"
    direction = "ASC"

    def __init__(self, expression: str, *, direction: str = "ASC") -> None:
        super().__init__(expression, direction=direction)


class MetricQuerySet(TenantQuerySet):
    """Rows that can be asked for their metrics. Filters say which rows; `totals`, `by` and `daily` end the chain."""

    time_field: ClassVar[str]
    metrics: ClassVar[Mapping[str, Metric]]

    def during(self, period: Period | PeriodBefore) -> Self:
        return self.filter(**{f"{self.time_field}__gte": period.start, f"{self.time_field}__lt": period.end})

    def totals(self, *names: str) -> dict[str, Any]:
        return self.aggregate(**self._pick(names))

    def by(self, dimension: str, *names: str) -> models.QuerySet:
        rows: models.QuerySet = self.values(dimension).annotate(**self._pick(names)).order_by(dimension)
        return rows

    def daily(self, *names: str, tz: tzinfo) -> models.QuerySet:
        """One row a local day that has rows, as {"day": date, name: value}; `every_day` puts in the missing ones."""
        days: MetricQuerySet = self.annotate(day=TruncDate(self.time_field, tzinfo=tz))
        return days.by("day", *names)

    def _pick(self, names: Iterable[str]) -> dict[str, Combinable]:
        return {name: self.metrics[name].expression for name in names}


def every_day(rows: Iterable[Mapping[str, Any]], period: Period, *names: str) -> list[dict[str, Any]]:
    """One row for every day of the period: the one given for it, or zeros for the named counts."""
    found: dict[date, Mapping[str, Any]] = {row["day"]: row for row in rows}
    empty = dict.fromkeys(names, 0)
    return [{"day": day, **{name: found.get(day, empty)[name] for name in names}} for day in period.days]


def round_half_up(value: Decimal | float | int, places: int) -> Decimal:
    """The value rounded once, half away from zero, on its exact decimal form: 0.0375 to three places is 0.038."""
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    return exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def wilson(part: float, whole: int) -> tuple[float, float]:
    """The Wilson 95 % interval of part/whole as fractions; `whole` must be above 0 (E. B. Wilson, JASA 22, 1927)."""
    rate, z2 = part / whole, Z * Z
    centre = rate + z2 / (2 * whole)
    spread = Z * sqrt(rate * (1 - rate) / whole + z2 / (4 * whole * whole))
    scale = 1 + z2 / whole
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def median_ranks(count: int, *, outside: float = 0.025) -> tuple[int, int] | None:
    """Between the values of which ranks, from 1 on, the median of `count` values lies with at least 95 %, whatever
    their distribution; None of fewer than 6, which are too few for any. outside: the chance that is left at each end.

    Each value lies below the median as a coin falls, so the ranks are those of a binomial distribution
    (W. J. Conover, Practical Nonparametric Statistics, 3rd ed. 1999, section 3.2).
    """
    # The chance that at most `rank` values lie below. What is left out at the start is below 1e-30.
    below = 0.0
    for rank in range(max(0, count // 2 - 6 * isqrt(count) - 1), count // 2 + 1):
        below += exp(lgamma(count + 1) - lgamma(rank + 1) - lgamma(count - rank + 1) - count * log(2))
        if below > outside:
            return (rank, count + 1 - rank) if rank else None
    return None
