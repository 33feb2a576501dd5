"""A session in plain words: what solved it, as far as its decisions tell, and the note for its ticket."""

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from django.utils.formats import date_format

from flowpilot.sessions.models import Session
from flowpilot.sessions.states import Outcome, Status
from resolutionflow.figures import said

MOST_LINES = 12


def proposed_summary(decisions: Iterable[Mapping[str, Any]]) -> str:
    """What the engineer starts from when asked what solved it: what was noted, what was done beside the flow, what
    colleagues answered, and the last thing done in the flow; a question only where nothing was done."""
    standing = [
        d
        for d in decisions
        if not d.get("undone_at") and not d.get("left_flow") and (d.get("by") or not d.get("taken_over"))
    ]
    done = [d for d in standing if d.get("node_id") and not d.get("answer")] or standing
    telling = [d for d in standing if d.get("note") or d.get("node_id") is None or d is done[-1]]
    return "\n".join(_line(d) for d in telling[-MOST_LINES:])


def _line(decision: Mapping[str, Any]) -> str:
    note = " ".join((decision.get("note") or "").split())
    return f"{_done(decision)} – {note}" if note else _done(decision)


def _done(decision: Mapping[str, Any]) -> str:
    title, answer = decision.get("title") or "", decision.get("answer") or ""
    if not answer:
        return title
    return f"{title} {answer}" if title.endswith("?") else f"{title}: {answer}"


def told(session: Session, tz: tzinfo) -> dict[str, str]:
    """The same in parts, for a template; "" for what the session does not have."""
    ended = session.completed_at
    standing = [d for d in session.decisions if not d.get("undone_at")]
    flow = session.flow.name if session.flow else ""
    return {
        "problem": session.problem_summary,
        "details": session.problem_description,
        "client": session.client.name if session.client else "",
        "outcome": Outcome(session.outcome).label if session.outcome else Status(session.status).label,
        "duration": said(session.duration_seconds, "duration") if ended else "",
        "started": _moment(session.started_at, tz),
        "ended": _moment(ended, tz) if ended else "",
        "flow": f"{flow}, version {session.flow_version.number}" if session.flow_version else flow,
        "solution": session.resolution_summary,
        "escalation": session.escalation_reason if session.outcome == Outcome.ESCALATED else "",
        "steps": "\n".join(_steps(standing)),
    }


def ticket_note(session: Session, tz: tzinfo) -> str:
    """What happened, to be pasted into the ticket: readable as it stands, without names of colleagues."""
    ended = session.completed_at
    lines = [session.problem_summary]
    if session.problem_description:
        lines += [session.problem_description]
    lines += ["", *_facts(session, tz)]
    if session.resolution_summary:
        solved = session.outcome in (Outcome.RESOLVED, Outcome.WORKAROUND)
        lines += ["", "What solved it:" if solved else "What is known:", session.resolution_summary]
    if session.escalation_reason and session.outcome == Outcome.ESCALATED:
        lines += ["", "Why it was handed over:", session.escalation_reason]
    standing = [d for d in session.decisions if not d.get("undone_at")]
    if standing:
        lines += ["", "What was done:" if ended else "What was done so far:", *_steps(standing)]
    return "\n".join(lines)


def _facts(session: Session, tz: tzinfo) -> Iterable[str]:
    if session.client:
        yield f"Client: {session.client.name}"
    end = session.completed_at
    if end and session.outcome:
        when = f"{_moment(session.started_at, tz)} to {_moment(end, tz)}"
        yield f"{Outcome(session.outcome).label} after {said(session.duration_seconds, 'duration')} ({when})"
    else:
        yield f"{Status(session.status).label}, started {_moment(session.started_at, tz)}"
    if session.flow:
        version = f", version {session.flow_version.number}" if session.flow_version else ""
        yield f"Flow: {session.flow.name}{version}"


def _moment(at: datetime, tz: tzinfo) -> str:
    local = at.astimezone(tz)
    return f"{date_format(local, 'j M Y, H:i')} {local.tzname()}"


def _steps(decisions: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for number, decision in enumerate(decisions, start=1):
        yield f"{number}. {_done(decision)}"
        if decision.get("note"):
            yield from (f"   {line}" for line in decision["note"].splitlines())
