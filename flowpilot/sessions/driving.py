"""What an engineer does in a session: decide, go back, note, ask for help, finish.

Each act locks the session's row, so two tabs, a double click or a repeated request never lose or double anything.
Whose session it is, the caller has settled. Each raises Refused where the session, as it stands, does not allow it, and
BadValue, which is one, where what was given fits no state of it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from flowpilot.flows.structure import nodes_of
from flowpilot.sessions.models import Session
from flowpilot.sessions.position import current_node, has_left, next_of
from flowpilot.sessions.starting import follow
from flowpilot.sessions.states import (
    CHANGES,
    FINAL,
    STATUS_OF_OUTCOME,
    BadValue,
    Outcome,
    Refused,
    Status,
    Tier,
)
from resolutionflow.accounts.models import User

MOST_DECISIONS = 1000
WENT_ON = "This session went on elsewhere, in another tab perhaps. It stands here now."
CALL_IS_OVER = "This call for help is over: somebody was quicker, or it was withdrawn."
HAS_ENDED = "This session has ended. Reopen it to go on with the problem."
LEFT_FLOW = "Went on without the flow"
ID_LENGTH, NOTE_LENGTH, ANSWER_LENGTH, TITLE_LENGTH, TEXT_LENGTH = 64, 4000, 500, 300, 10_000


Then = Callable[[Session], object]


def nothing_else(session: Session) -> None:
    """An end that nothing else belongs to."""


class WentOn(Refused):
    """The session stands elsewhere by now: it went on in another tab or on another machine."""


@contextmanager
def locked(session_id: UUID) -> Iterator[Session]:
    """The session, nobody else's to change until the block ends, which saves nothing by itself."""
    with transaction.atomic():
        rows = Session.objects.select_for_update(of=("self",)).select_related(
            "flow_version", "flow", "client"
        )
        yield rows.get(id=session_id)


def change_status(session: Session, status: Status) -> None:
    """The one place where a status changes. Raises Refused for a change that is not allowed."""
    before = Status(session.status)
    if status == before:
        return
    if before in FINAL:
        raise Refused(HAS_ENDED)
    if status not in CHANGES[before]:
        raise Refused(f"A session that is “{before.label.lower()}” cannot become “{status.label.lower()}”.")
    session.status = status


def _go_on(session: Session, now: datetime) -> None:
    """A sign of life; an abandoned session is taken up again by it. Raises Refused after the end.

    While help is wanted the last activity stays the call for it: that is how long the colleagues see it wait.
    """
    if session.status in FINAL:
        raise Refused(HAS_ENDED)
    if session.status == Status.ABANDONED:
        change_status(session, Status.ACTIVE)
    if session.status != Status.REQUESTING_ESCALATION:
        session.last_activity_at = max(now, session.last_activity_at)


def _save(session: Session) -> Session:
    session.step_count = sum(1 for decision in _own(session) if not decision.get("undone_at"))
    session.save()
    return session


def _own(session: Session) -> list[dict[str, Any]]:
    """The decisions that were not taken over, for ids are unique among these alone."""
    return [decision for decision in session.decisions if not decision.get("taken_over")]


def decide(
    session_id: UUID,
    *,
    decision_id: str,
    now: datetime,
    node_id: str | None = None,
    title: str = "",
    answer: str = "",
    note: str = "",
    expected_node_id: str | None = None,
) -> Session:
    """Records one step taken. `decision_id` is made by the client; the same one again changes nothing. A colleague's
    decision, taken over, may have the same: each client makes ids of its own.

    node_id: a node of the session's version, whose title is kept and of which a question takes one of its answers;
    None: a step beside the flow, with a title of its own. expected_node_id: where the client believes the session to
    stand; WentOn is raised if it stands elsewhere.
    """
    with locked(session_id) as session:
        if any(d.get("id") == decision_id for d in _own(session)):
            return session
        _go_on(session, now)
        if len(session.decisions) >= MOST_DECISIONS:
            raise Refused(f"A session has at most {MOST_DECISIONS:,} steps. Finish it and start another one.")
        if node_id is not None:
            title = _title_at(session, node_id, answer)
            if expected_node_id is not None and standing_at(session) != expected_node_id:
                raise WentOn(WENT_ON)
        elif not title.strip():
            raise BadValue("title", "Say what was done.")
        session.decisions = [
            *session.decisions,
            _decision(decision_id, node_id, title, answer, note, now),
        ]
        return _save(session)


def _decision(
    id_: str, node_id: str | None, title: str, answer: str, note: str, now: datetime
) -> dict[str, Any]:
    return {
        "id": id_,
        "node_id": node_id,
        "title": title,
        "answer": answer,
        "note": note,
        "at": _written(now),
        "undone_at": None,
        "taken_over": False,
    }


def standing_at(session: Session) -> str | None:
    """The id of the step to be done next; None without a flow."""
    if session.flow_version is None:
        return None
    id_: str = current_node(session.flow_version.structure, session.decisions)["id"]
    return id_


def _title_at(session: Session, node_id: str, answer: str) -> str:
    version = session.flow_version
    nodes = {node["id"]: node for node in nodes_of(version.structure)} if version else {}
    node = nodes.get(node_id)
    if node is None:
        raise BadValue("node_id", "This step is not one of the flow that the session runs.")
    if node["type"] == "outcome":
        raise BadValue("node_id", "This step is an end: finish the session there.")
    if next_of(node, answer) is None:
        raise BadValue("answer", "This answer is not one of the step's.")
    title: str = node["title"]
    return title


def take_back(session_id: UUID, *, decision_id: str, now: datetime) -> Session:
    """Takes back the newest decision that stands. A decision that is taken back already stays so; an older one is
    WentOn, for another tab went on."""
    with locked(session_id) as session:
        own = _own(session)
        if any(d.get("id") == decision_id and d.get("undone_at") for d in own):
            return session
        _go_on(session, now)
        standing = [d for d in own if not d.get("undone_at")]
        if not standing or standing[-1].get("id") != decision_id:
            raise WentOn(WENT_ON)
        return _save(_without(session, standing[-1], now))


def _without(session: Session, decision: dict[str, Any], now: datetime) -> Session:
    """Marks the decision as taken back; with the one that left the flow goes what leaving it changed."""
    session.decisions = [d | {"undone_at": _written(now)} if d is decision else d for d in session.decisions]
    if decision.get("left_flow"):
        session.confidence_tier = decision["left_flow"]
    return session


def annotate(session_id: UUID, *, decision_id: str, note: str, now: datetime) -> Session:
    """Puts the note of one of the engineer's own decisions. Raises Refused where there is no such decision."""
    with locked(session_id) as session:
        _go_on(session, now)
        if not any(d.get("id") == decision_id for d in _own(session)):
            raise BadValue("decision_id", "This step is not one of the session's.")
        session.decisions = [
            d | {"note": note} if d.get("id") == decision_id and not d.get("taken_over") else d
            for d in session.decisions
        ]
        return _save(session)


def keep_script_values(session_id: UUID, values: dict[str, str], *, now: datetime) -> Session:
    """Keeps what was filled into the blanks of a script; the caller leaves out those marked secret."""
    with locked(session_id) as session:
        _go_on(session, now)
        session.script_values = session.script_values | values
        return _save(session)


def leave_flow(session_id: UUID, *, decision_id: str, now: datetime) -> Session:
    """From here on the engineer goes an own way: the session is one of exploration.

    It is a decision at the step that nothing fitted at, so it stands on the path and can be taken back; `left_flow` in
    it is the tier from before. Where the flow was left already, or there is none, nothing changes.
    """
    with locked(session_id) as session:
        if any(d.get("id") == decision_id for d in _own(session)):
            return session
        _go_on(session, now)
        if session.flow_version is None or has_left(session.decisions):
            return _save(session)
        node = current_node(session.flow_version.structure, session.decisions)
        leaf = node["type"] == "outcome"
        session.decisions = [
            *session.decisions,
            _decision(decision_id, None if leaf else node["id"], node["title"], LEFT_FLOW, "", now)
            | {"left_flow": session.confidence_tier or Tier.GUIDED.value},
        ]
        session.confidence_tier = Tier.EXPLORING
        return _save(session)


def return_to_flow(session_id: UUID, *, now: datetime) -> Session:
    """Back to the step at which the flow was left; what was done beside it stays. In the flow nothing changes."""
    with locked(session_id) as session:
        _go_on(session, now)
        if has_left(session.decisions):
            left = [d for d in session.decisions if d.get("left_flow") and not d.get("undone_at")]
            session = _without(session, left[-1], now)
        return _save(session)


def take_up(session_id: UUID, *, now: datetime) -> Session:
    """Goes on with an abandoned session, or withdraws the call for help."""
    with locked(session_id) as session:
        _go_on(session, now)
        change_status(session, Status.ACTIVE)
        session.last_activity_at = max(now, session.last_activity_at)
        return _save(session)


def complete(
    session_id: UUID,
    *,
    outcome: Outcome,
    now: datetime,
    resolution_summary: str = "",
    escalation_reason: str | None = None,
    then: Then = nothing_else,
) -> Session:
    """Ends the session. Solved, or got around, without a guide, it needs to say what solved it.

    escalation_reason: why it is handed over; None leaves what was said when help was asked for. then: what belongs to
    the end, done with the ended session in the same transaction; what it raises leaves the session as it was.
    """
    with locked(session_id) as session:
        if session.status == Status.ABANDONED:
            change_status(session, Status.ACTIVE)
        change_status(session, _ending(session, outcome))
        if needs_summary(session, outcome) and not resolution_summary.strip():
            raise BadValue("resolution_summary", "Say what solved it: nobody else knows yet.")
        session.outcome = outcome
        session.resolution_summary = resolution_summary
        if escalation_reason is not None:
            session.escalation_reason = escalation_reason
        _end(session, now)
        _save(session)
        then(session)
        return session


def _ending(session: Session, outcome: Outcome) -> Status:
    if session.status in FINAL:
        raise Refused(HAS_ENDED)
    return STATUS_OF_OUTCOME[outcome]


def needs_summary(session: Session, outcome: str) -> bool:
    """Whether the end has to say what solved it: without a guide, the words are all that is left for the next time."""
    return outcome in (Outcome.RESOLVED, Outcome.WORKAROUND) and session.confidence_tier != Tier.GUIDED


def _end(session: Session, now: datetime) -> None:
    session.completed_at = max(now, session.started_at)
    session.last_activity_at = session.completed_at


def ask_for_help(session_id: UUID, *, reason: str, now: datetime) -> Session:
    """Asks the colleagues to take over or answer. Asking again changes the reason."""
    with locked(session_id) as session:
        _go_on(session, now)
        change_status(session, Status.REQUESTING_ESCALATION)
        session.escalation_reason = reason
        return _save(session)


def answer_call(session_id: UUID, helper: User, *, answer: str, now: datetime) -> Session:
    """A colleague's answer, as a note that counts in no figure and names its writer by id (`by`), for names can be
    hidden; the session is active again. Raises Refused if nobody waits any more."""
    with locked(session_id) as session:
        _still_waiting(session)
        change_status(session, Status.ACTIVE)
        session.last_activity_at = max(now, session.last_activity_at)
        session.decisions = [
            *session.decisions,
            _decision(f"answer-{helper.id}-{_written(now)}", None, "Answer from a colleague", "", answer, now)
            | {"taken_over": True, "by": str(helper.id)},
        ]
        return _save(session)


def take_over(session_id: UUID, helper: User, *, now: datetime, then: Then = nothing_else) -> Session:
    """Ends the colleague's session as escalated and starts the helper's own, which is returned. One wins; for the
    other Refused is raised. then: as with `complete`, of the colleague's."""
    with locked(session_id) as session:
        _still_waiting(session)
        change_status(session, Status.ESCALATED)
        session.outcome = Outcome.ESCALATED
        _end(session, now)
        _save(session)
        then(session)
        return follow(session, helper, taken_over=True, now=now)


def _still_waiting(session: Session) -> None:
    if session.status != Status.REQUESTING_ESCALATION:
        raise Refused(CALL_IS_OVER)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
