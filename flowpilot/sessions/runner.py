"""What the runner shows: where the session stands, what may be done there, and what was done so far."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from flowpilot.flows.models import Step
from flowpilot.flows.outline import SHELL_NAMES
from flowpilot.flows.scripts import fill, misplaced, secret_names
from flowpilot.flows.structure import Node, nodes_of
from flowpilot.psa.pushing.offering import push_form
from flowpilot.sessions.driving import is_own_step
from flowpilot.sessions.forms import BesideForm, FinishForm, HelpForm, ScriptForm
from flowpilot.sessions.known_steps import KnownStep, known_steps
from flowpilot.sessions.models import Session
from flowpilot.sessions.position import current_node, has_left
from flowpilot.sessions.states import Outcome, Status
from flowpilot.sessions.timeline import timeline
from flowpilot.sessions.words import proposed_summary
from resolutionflow.accounts.names import shown_names
from resolutionflow.accounts.scoping import AccountRequest

MOST_UNFOLDED, NEWEST = 9, 6  # of longer lists of what was done, these stay in sight


def runner_context(request: AccountRequest, session: Session, **given: Any) -> dict[str, Any]:
    """The context of sessions/_runner.html. `given` takes the place of what is made here: a form that came back with
    errors, a `fault` in one sentence, `typed` for the note of a decision that was refused, a `filled` script."""
    structure = session.flow_version.structure if session.flow_version else None
    left = structure is None or has_left(session.decisions)
    node = None if structure is None or left else current_node(structure, session.decisions)
    entries = timeline(session, shown_names(request.account, request.user), own=True)
    folded = len(entries) - NEWEST if len(entries) > MOST_UNFOLDED else 0
    standing = [d for d in session.decisions if not d.get("undone_at") and not d.get("taken_over")]
    context: dict[str, Any] = {
        "session": session,
        "node": node,
        "step_number": sum(1 for d in session.decisions if not d.get("undone_at") and not d.get("by")) + 1,
        "step": _step_of(session, node),
        "can_return": structure is not None and left,
        "left_at": current_node(structure, session.decisions)["title"] if structure and left else "",
        "newest": standing[-1] if standing else None,
        "earlier": entries[:folded],
        "entries": entries[folded:],
        "decision_id": uuid4(),
        "elapsed": max(0, int((request.now - session.started_at).total_seconds())),
        "waiting": session.status == Status.REQUESTING_ESCALATION,
        "beside_form": None if node else BesideForm(auto_id="beside-%s"),
        "finish_form": finish_form(session, node),
        "push": push_form(request, session),
        "help_form": HelpForm(initial={"reason": session.escalation_reason}, auto_id="help-%s"),
    }
    context |= script_context(session, node) if node else known_context(session, request.account.language)
    return context | given


def known_context(session: Session, language: str, typed: str = "") -> dict[str, Any]:
    """The steps that may be tried next. As long as it is not said what came of the last own step, what mostly did."""
    standing = [d for d in session.decisions if not d.get("undone_at") and not d.get("by")]
    steps = known_steps(session, typed, language=language)
    known = steps.offered((d.get("title") or "" for d in standing), typed)
    open_step = (
        standing[-1] if standing and is_own_step(standing[-1]) and not standing[-1]["answer"] else None
    )
    return {
        "session": session,
        "decision_id": uuid4(),
        "narrowed": bool(typed),
        "known": [(title, group) for title, group in _grouped(known, bool(typed)) if group],
        "open_step": open_step,
        "open_results": steps.results_of(open_step["title"]) if open_step else (),
    }


def _grouped(known: list[KnownStep], narrowed: bool) -> list[tuple[str, list[tuple[int, KnownStep]]]]:
    """The known steps with the keys that add them, under what can be said of them."""
    keyed = list(enumerate(known, 1))
    if narrowed:
        return [("Known steps with these words", keyed)]
    return [
        ("What helped with such problems before", [(key, step) for key, step in keyed if step.about]),
        ("Often done in this domain", [(key, step) for key, step in keyed if not step.about]),
    ]


def _step_of(session: Session, node: Node | None) -> Step | None:
    """The row that thumbs are given to; None for a step that was never published as one."""
    if node is None:
        return None
    return Step.objects.filter(flow=session.flow_id, node_id=node["id"]).first()


def proposed_outcome(node: Node | None) -> str:
    """What the flow proposes: the outcome of the leaf that the session stands at; "" anywhere else."""
    return str(node["outcome"]) if node and node["type"] == "outcome" else ""


def finish_form(
    session: Session,
    node: Node | None,
    data: Mapping[str, Any] | None = None,
    *,
    initial: Mapping[str, Any] | None = None,
) -> FinishForm:
    """initial: what was filled in already, in place of what is proposed."""
    if initial is not None:
        return FinishForm(session=session, initial=dict(initial), auto_id="finish-%s")
    proposed = {
        "outcome": proposed_outcome(node) or Outcome.RESOLVED,
        "resolution_summary": session.resolution_summary or proposed_summary(session.decisions),
        "escalation_reason": session.escalation_reason,
    }
    return FinishForm(data, session=session, initial=proposed, auto_id="finish-%s")


def script_context(session: Session, node: Node | None, form: ScriptForm | None = None) -> dict[str, Any]:
    """The step's script: as it stands if it has no blanks, filled in if all values are known, else with the form for
    them."""
    script = node.get("script") if node else None
    if not script:
        return {}
    context: dict[str, Any] = {
        "script": script,
        "shell": SHELL_NAMES.get(script["shell"], script["shell"]),
        "script_form": form,
        "filled": "",
        "script_broken": misplaced(script),
    }
    known = {name: str(value) for name, value in session.script_values.items()}
    if form is None:
        context["script_form"] = ScriptForm(script, known=known) if script.get("blanks") else None
        values = {} if _secrets_of(session) & {b["name"] for b in script.get("blanks", [])} else known
        form = ScriptForm(script, {f"blank-{name}": value for name, value in values.items()}, known=known)
    if form.is_valid():
        context["filled"] = fill(script, form.cleaned_data)
    return context


def values_to_keep(session: Session, values: Mapping[str, str]) -> dict[str, str]:
    """Those that may be kept for the session's further scripts: no step of its version calls them secret."""
    secret = _secrets_of(session)
    return {name: value for name, value in values.items() if name not in secret}


def _secrets_of(session: Session) -> set[str]:
    return secret_names(nodes_of(session.flow_version.structure)) if session.flow_version else set()


def waiting_since(session: Session, now: datetime) -> int:
    """Seconds since help was asked for."""
    return max(0, int((now - session.last_activity_at).total_seconds()))
