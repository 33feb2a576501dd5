"""How a figure is said: by its unit, with its change, with its certainty. Pure; the tags of the templates use it."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from django.utils.formats import date_format

from resolutionflow.metrics import MINIMUM, Metric, round_half_up, wilson

NOTHING = "–"
Number = Decimal | float | int
Tone = Literal["good", "watch", "bad", "none"]


def parts(value: Number | None, unit: str) -> tuple[str, str]:
    """The figure and its unit's sign: ("84.6", "%") of 0.846, ("14.8", "min") of 888 seconds, ("1.25", "h")
    of 1.25 hours, ("–", "") of None."""
    if value is None:
        return NOTHING, ""
    if unit == "share":
        return f"{round_half_up(_exact(value) * 100, 1)}", "%"
    if unit == "duration":
        return f"{round_half_up(_exact(value) / 60, 1):,}", "min"
    if unit == "hours":
        return f"{round_half_up(value, 2):,}", "h"
    if unit == "score":
        return f"{round_half_up(value, 1)}", ""
    return f"{round_half_up(value, 0):,}", ""


def said(value: Any, unit: str) -> str:
    """A figure by its unit, in tables also "day" or "text": "84.6 %". None, which is not zero, gives "–"."""
    if unit == "text":
        return NOTHING if value in (None, "") else str(value)
    if unit == "day":
        return date_format(value, "j M Y")
    return " ".join(parts(value, unit)).rstrip()


def counted(count: int, noun: str) -> str:
    """A number of things in words: "1,234 sessions", "1 session"."""
    return f"{said(count, 'count')} {noun}{'' if count == 1 else 's'}"


def timespan(seconds: Number | None) -> str:
    """A long duration as people say it, for titles: 100800 → "1 d 4 h"; "" below two hours, where minutes will do."""
    if seconds is None or abs(_exact(seconds)) < 7200:
        return ""
    sign = "−" if seconds < 0 else ""
    minutes = int(abs(_exact(seconds))) // 60
    days, hours, minutes = minutes // 1440, minutes % 1440 // 60, minutes % 60
    steps = [(days, "d"), (hours, "h"), (minutes, "min")]
    first = next(n for n, (amount, _) in enumerate(steps) if amount)
    return sign + " ".join(f"{amount} {word}" for amount, word in steps[first : first + 2] if amount)


@dataclass(frozen=True)
class Change:
    """How a figure moved against the period before, in words, and whether that is welcome."""

    words: str
    direction: Literal["up", "down", "same"]
    tone: Tone


def change(metric: Metric, value: Number | None, before: Number | None) -> Change | None:
    """How a figure moved: counts in percent, shares in points, durations in minutes, hours in hours.

    None where there is nothing to compare with: either is None, or a count was 0.
    """
    if value is None or before is None or (metric.unit == "count" and not before):
        return None
    moved = _exact(value) - _exact(before)
    size = abs(moved)
    if metric.unit == "share":
        rounded = round_half_up(size * 100, 1)
        words = f"{rounded} point{'' if rounded == 1 else 's'}"
    elif metric.unit == "duration":
        rounded = round_half_up(size / 60, 1)
        words = f"{rounded:,} min"
    elif metric.unit == "score":
        rounded = round_half_up(size, 1)
        words = f"{rounded}"
    elif metric.unit == "hours":
        rounded = round_half_up(size, 2)
        words = f"{rounded:,} h"
    else:
        percent = size / abs(_exact(before)) * 100
        rounded = round_half_up(percent, 1 if percent < 10 else 0)
        words = f"{rounded:,} %"
    if not rounded:
        return Change("no change", "same", "none")
    direction: Literal["up", "down"] = "up" if moved > 0 else "down"
    if metric.better is None:
        return Change(words, direction, "none")
    welcome = (direction == "up") == (metric.better == "higher")
    return Change(words, direction, "good" if welcome else "bad")


@dataclass(frozen=True)
class Rate:
    """A share with its Wilson 95 % interval, all in percent for the page; `few` if nothing may be judged from it."""

    part: int
    whole: int

    @property
    def few(self) -> bool:
        return 0 < self.whole < MINIMUM

    @property
    def value(self) -> Decimal | None:
        return Decimal(self.part) / self.whole if self.whole else None

    @property
    def percent(self) -> str:
        return parts(self.value, "share")[0]

    @cached_property
    def interval(self) -> tuple[float, float]:
        return wilson(self.part, self.whole)

    @property
    def low(self) -> str:
        return parts(self.interval[0], "share")[0]

    @property
    def high(self) -> str:
        return parts(self.interval[1], "share")[0]

    @property
    def width(self) -> str:
        low, high = self.interval
        return parts(high - low, "share")[0]


def _exact(value: Number) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))
