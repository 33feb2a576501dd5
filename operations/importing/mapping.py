"""What the columns of an event log mean: a TOML file, checked whole before a line of the log is read."""

import re
import tomllib
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from operations.importing.faults import Unusable
from operations.importing.records import KNOWN_OUTCOMES, TIERS

SHIPPED = Path(__file__).parent / "mappings" / "servicenow.toml"
NEEDED = ("external_id", "started_at", "completed_at", "engineer")
COLUMNS = (*NEEDED, "psa_ticket_id", "client", "domain", "decision", "decision_at")
TEXTS = ("engineer", "problem_summary", "decision_title")
PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Template:
    """Text with columns in braces: `parts` alternates between plain text and column names."""

    parts: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.parts[1::2]

    @classmethod
    def of(cls, text: str) -> "Template":
        return cls(tuple(PLACE.split(text)))


@dataclass(frozen=True)
class Rule:
    """What holds for an incident whose last row has `column` equal to `equals` or above `above`; no column: for any."""

    value: str
    column: str | None
    equals: str | None
    above: float | None
    flow: Template | None


@dataclass(frozen=True)
class Mapping:
    create_flows: bool
    missing: frozenset[str]
    date_format: str
    time_format: str
    time_zone: ZoneInfo
    columns: dict[str, tuple[str, ...]]  # a fact of a session → the columns to ask, first to last
    engineer: str
    problem_summary: Template
    decision_title: str
    outcomes: tuple[Rule, ...]
    tiers: tuple[Rule, ...]

    @property
    def named_columns(self) -> set[str]:
        """Every column that the log has to have."""
        named = {column for columns in self.columns.values() for column in columns}
        named.update(self.problem_summary.columns)
        for rule in (*self.outcomes, *self.tiers):
            named.update(rule.flow.columns if rule.flow else (), [rule.column] if rule.column else ())
        return named


class _Wrong(Exception):
    pass


def read_mapping(path: Path) -> Mapping:
    """Raises Unusable with the first thing that is wrong."""
    try:
        return _mapping(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise Unusable(f"There is no mapping file {path}.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Unusable(f"The mapping {path} cannot be read: {reason.rstrip('.')}.") from None
    except _Wrong as error:
        raise Unusable(f"The mapping {path} is wrong: {error}") from None


def _mapping(given: dict[str, Any]) -> Mapping:
    known = ("create_flows", "missing", "date_format", "time_format", "time_zone", "columns", "texts")
    _only(given, (*known, "outcomes", "tiers"), "")
    columns = _table(given, "columns", COLUMNS)
    texts = {name: _text(value, f"texts.{name}") for name, value in _table(given, "texts", TEXTS).items()}
    for name in NEEDED:
        if name not in columns:
            raise _Wrong(f"[columns] has no {name}.")
    if ("decision" in columns) != ("decision_at" in columns):
        raise _Wrong("[columns] needs decision and decision_at together.")
    if not 0 < len(texts.get("engineer", "").strip()) <= 200:
        raise _Wrong("[texts] needs engineer, of at most 200 characters.")
    create_flows = given.get("create_flows", False)
    if not isinstance(create_flows, bool):
        raise _Wrong("create_flows has to be true or false.")
    return Mapping(
        create_flows=create_flows,
        missing=frozenset(_texts(given.get("missing", [""]), "missing")),
        date_format=_format(given, "date_format"),
        time_format=_format(given, "time_format"),
        time_zone=_zone(given.get("time_zone", "UTC")),
        columns={name: _texts(value, f"columns.{name}") for name, value in columns.items()},
        engineer=texts["engineer"],
        problem_summary=Template.of(texts.get("problem_summary", "")),
        decision_title=texts.get("decision_title", ""),
        outcomes=_rules(given.get("outcomes"), "outcomes", "outcome", KNOWN_OUTCOMES),
        tiers=_rules(given.get("tiers"), "tiers", "tier", TIERS),
    )


def _rules(given: Any, name: str, value: str, allowed: frozenset[str]) -> tuple[Rule, ...]:
    if not isinstance(given, list) or not given or not all(isinstance(rule, dict) for rule in given):
        raise _Wrong(f"There has to be at least one [[{name}]].")
    rules = []
    for number, rule in enumerate(given, 1):
        where = f"[[{name}]] {number}"
        _only(
            rule, (value, "column", "equals", "above", *(["flow"] if value == "tier" else [])), f" in {where}"
        )
        if rule.get(value) not in allowed:
            raise _Wrong(f"{where} needs {value}, one of {', '.join(sorted(allowed))}.")
        column, equals, above, flow = (rule.get(key) for key in ("column", "equals", "above", "flow"))
        if (column is None) != (equals is None and above is None) or not (equals is None or above is None):
            raise _Wrong(f"{where} needs column with either equals or above, or none of them.")
        if above is not None and (isinstance(above, bool) or not isinstance(above, int | float)):
            raise _Wrong(f"above in {where} has to be a number.")
        rules.append(
            Rule(
                value=rule[value],
                column=None if column is None else _text(column, f"column in {where}"),
                equals=None if equals is None else _text(equals, f"equals in {where}"),
                above=above,
                flow=None if flow is None else Template.of(_text(flow, f"flow in {where}")),
            )
        )
    if rules[-1].column is not None or rules[-1].flow is not None:
        raise _Wrong(f"The last [[{name}]] has to fit always: without column and flow.")
    return tuple(rules)


def _table(given: dict[str, Any], name: str, known: tuple[str, ...]) -> dict[str, Any]:
    table = given.get(name)
    if not isinstance(table, dict):
        raise _Wrong(f"There has to be a table [{name}].")
    _only(table, known, f" in [{name}]")
    return table


def _only(given: Dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in given:
        if name not in known:
            raise _Wrong(f"There is no key {name}{where}; known are {', '.join(known)}.")


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or "\0" in value or len(value) > 300:
        raise _Wrong(f"{name} has to be text of at most 300 characters.")
    return value


def _texts(value: Any, name: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not values:
        raise _Wrong(f"{name} is an empty list.")
    return tuple(_text(item, name) for item in values)


def _format(given: dict[str, Any], name: str) -> str:
    value = _text(given.get(name), name)
    try:
        datetime.strptime(datetime(2024, 2, 29, 13, 45, tzinfo=UTC).strftime(value), value)  # noqa: DTZ007
    except ValueError:
        raise _Wrong(f"{name} is no format of Python's strptime.") from None
    if not value or " " in value:
        raise _Wrong(f"{name} has to be a format without blanks.")
    return value


def _zone(value: Any) -> ZoneInfo:
    try:
        return ZoneInfo(_text(value, "time_zone"))
    except (KeyError, ValueError, OSError):
        raise _Wrong(f"time_zone: there is no zone {value}.") from None
