"""The named fields of the jsonl and csv formats: from values as JSON has them to an ImportedSession."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from operations.importing.faults import Fault
from operations.importing.records import (
    KNOWN_OUTCOMES,
    OUTCOMES,
    TIERS,
    ImportedActivity,
    ImportedDecision,
    ImportedSession,
    in_reach,
    outcome_status,
)
from ratings.models import COMMENT_LENGTH
from resolutionflow.storable import visible

REQUIRED = ("external_id", "engineer", "started_at")
FIELDS = (
    *("external_id", "engineer", "flow", "domain", "client", "problem_summary", "status", "outcome"),
    *("confidence_tier", "confidence", "started_at", "completed_at", "step_count", "psa_ticket_id", "rating"),
    *("comment", "decisions", "time_entries", "notes_posted"),
)
KNOWN = frozenset(FIELDS)
OF_DECISION = frozenset(["node_id", "title", "answer", "note", "at", "helpful", "undone_at", "taken_over"])
OF_TIME_ENTRY, OF_NOTE = frozenset(["hours", "at"]), frozenset(["at"])
MOST_DECISIONS = 5_000
LONGEST_TEXT = 20_000
MOST_STEPS = 2**31 - 1
MOST_HOURS = Decimal("9999.99")


def session_of(values: dict[str, Any], line: int, raw: str) -> ImportedSession:
    """What one row says. Raises Fault for the first thing that is wrong with it."""
    _only(values, KNOWN, "")
    external_id = text(values.get("external_id"), "external_id", 200)
    if external_id is None:
        raise Fault("external_id is missing.")
    email = text(values.get("engineer"), "engineer", 254)
    if email is None:
        raise Fault("engineer is missing.")
    email = email.lower()
    if not _is_email(email):
        raise Fault("engineer is no email address.")
    started_at = moment(values.get("started_at"), "started_at")
    if started_at is None:
        raise Fault("started_at is missing.")
    outcome = _one_of(KNOWN_OUTCOMES, values.get("outcome"), "outcome")
    session = ImportedSession(
        line=line,
        raw=raw,
        external_id=external_id,
        email=email,
        engineer=email.partition("@")[0][:200],
        flow=name_of(values.get("flow"), "flow", 300),
        domain=name_of(values.get("domain"), "domain", 200),
        client=name_of(values.get("client"), "client", 200),
        problem_summary=text(values.get("problem_summary"), "problem_summary", 500) or "",
        status=_one_of(OUTCOMES, values.get("status"), "status") or outcome_status(outcome),
        outcome=outcome,
        confidence_tier=_one_of(TIERS, values.get("confidence_tier"), "confidence_tier"),
        confidence=_confidence(values.get("confidence")),
        started_at=started_at,
        completed_at=moment(values.get("completed_at"), "completed_at"),
        stated_steps=_whole(values.get("step_count"), "step_count", 0, MOST_STEPS),
        psa_ticket_id=text(values.get("psa_ticket_id"), "psa_ticket_id", 100),
        rating=_whole(values.get("rating"), "rating", 1, 5),
        comment=text(values.get("comment"), "comment", COMMENT_LENGTH),
        decisions=_decisions(values.get("decisions")),
        activity=_activity(values.get("time_entries"), values.get("notes_posted")),
    )
    session.check()
    return session


def text(value: Any, name: str, longest: int) -> str | None:
    """Text without blanks around it; None where there is none. Raises Fault for what the database cannot hold."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Fault(f"{name} has to be text.")
    value = value.strip()
    if len(value) > longest:
        raise Fault(f"{name} is longer than {longest:,} characters.")
    if not value.isprintable():  # a quick look: line breaks and emoji joiners are not printable either
        if "\0" in value:
            raise Fault(f"{name} holds a NUL character.")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Fault(f"{name} holds half of a character (a lone surrogate).") from None
    return value or None


def name_of(value: Any, name: str, longest: int) -> str | None:
    """The same of a name: one that nobody can see is none."""
    given = text(value, name, longest)
    return given if given and visible(given) else None


def moment(value: Any, name: str) -> datetime | None:
    """A time in UTC. Raises Fault without an offset, as a time of day in no zone is no moment."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Fault(f"{name} has to be text such as 2026-01-31T09:30:00+01:00.")
    try:
        at = datetime.fromisoformat(value.strip())
        if at.tzinfo is not None:
            at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Fault(f"{name} is no time such as 2026-01-31T09:30:00+01:00.") from None
    if at.tzinfo is None:
        raise Fault(f"{name} has no offset from UTC, such as Z or +01:00.")
    if not in_reach(at):
        raise Fault(f"{name} is not between the years 1970 and 2100.")
    return at


def _decisions(value: Any) -> list[ImportedDecision]:
    decisions = []
    for index, item in enumerate(_objects(value, "decisions", OF_DECISION, "Decision")):
        name = f"Decision {index + 1}: "
        at = moment(item.get("at"), f"{name}at")
        if at is None:
            raise Fault(f"{name}at is missing.")
        node_id = text(item.get("node_id"), f"{name}node_id", 100)
        helpful = _yes_or_no(item.get("helpful"), f"{name}helpful")
        if helpful is not None and node_id is None:
            raise Fault(f"{name}helpful needs a node_id.")
        decisions.append(
            ImportedDecision(
                index=index,
                at=at,
                node_id=node_id,
                title=text(item.get("title"), f"{name}title", 300) or "",
                answer=text(item.get("answer"), f"{name}answer", LONGEST_TEXT) or "",
                note=text(item.get("note"), f"{name}note", LONGEST_TEXT) or "",
                undone_at=moment(item.get("undone_at"), f"{name}undone_at"),
                taken_over=_yes_or_no(item.get("taken_over"), f"{name}taken_over") or False,
                helpful=helpful,
            )
        )
    return decisions


def _activity(time_entries: Any, notes: Any) -> list[ImportedActivity]:
    activity = []
    for index, item in enumerate(_objects(time_entries, "time_entries", OF_TIME_ENTRY, "Time entry")):
        name = f"Time entry {index + 1}: "
        hours, at = item.get("hours"), moment(item.get("at"), f"{name}at")
        if isinstance(hours, bool) or not isinstance(hours, int | float):
            raise Fault(f"{name}hours has to be a number.")
        if not 0 < hours <= MOST_HOURS or not (rounded := round(Decimal(str(hours)), 2)):
            raise Fault(f"{name}hours has to be between 0.01 and {MOST_HOURS}.")
        if at is None:
            raise Fault(f"{name}at is missing.")
        activity.append(ImportedActivity("time_entry", index, at, rounded))
    for index, item in enumerate(_objects(notes, "notes_posted", OF_NOTE, "Note")):
        at = moment(item.get("at"), f"Note {index + 1}: at")
        if at is None:
            raise Fault(f"Note {index + 1}: at is missing.")
        activity.append(ImportedActivity("note", index, at))
    return activity


def _objects(value: Any, name: str, known: frozenset[str], each: str) -> Iterable[dict[str, Any]]:
    if value is None:
        return
    if not isinstance(value, list):
        raise Fault(f"{name} has to be a list.")
    if len(value) > MOST_DECISIONS:
        raise Fault(f"{name} has more than {MOST_DECISIONS:,} entries.")
    for number, item in enumerate(value, 1):
        if not isinstance(item, dict):
            raise Fault(f"{each} {number} has to be an object.")
        _only(item, known, f"{each} {number}: ")
        yield item


def _only(values: dict[str, Any], known: frozenset[str], where: str) -> None:
    if not known.issuperset(values):
        name = next(name for name in values if name not in known)
        shown = name if name.isprintable() and len(name) <= 60 else ascii(name[:60])
        raise Fault(f"{where}There is no field {shown}.")


def _one_of(allowed: Iterable[str], value: Any, name: str) -> str | None:
    given = text(value, name, LONGEST_TEXT)
    if given is not None and given not in allowed:
        raise Fault(f"{name} has to be one of {', '.join(sorted(allowed))}.")
    return given


def _whole(value: Any, name: str, least: int, most: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Fault(f"{name} has to be a whole number from {least} to {most}.")
    return value


def _confidence(value: Any) -> float | None:
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 <= value <= 1
        or math.isnan(value)
    ):
        raise Fault("confidence has to be a number from 0 to 1.")
    return float(value)


def _yes_or_no(value: Any, name: str) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise Fault(f"{name} has to be true or false.")
    return value


@lru_cache(maxsize=10_000)
def _is_email(value: str) -> bool:
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True
