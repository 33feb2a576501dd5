"""Whether the flow that an enhancement changes has moved on: to a version that says other things than the one on
which the change was made. No version is kept with a proposal; its structure tells, as it is that version with the
change in it."""

from flowpilot.analysis.enhancing import without_step
from flowpilot.flows.comparing import Comparison, changes_between
from flowpilot.flows.editor.changes import Refused
from flowpilot.flows.models import FlowVersion
from flowpilot.flows.outline import outline
from flowpilot.proposals.evidence import ProposedChange
from flowpilot.proposals.models import FlowProposal

DROPPED = ("skipped_step", "disliked_step")


def moved_on(
    proposal: FlowProposal, version: FlowVersion, changes: Comparison, change: ProposedChange | None
) -> bool:
    """Takes the version that runs and what differs from it. When the version was published says nothing: a pending
    proposal is brought up to date, and a version can be one that says the same. Only of a change that is none of ours
    there is nothing else to go by."""
    if change and change.kind == "missing_option":
        return not _adds_the_option(proposal, version, changes, change)
    if change and change.kind in DROPPED:
        return not _drops_the_step(proposal, version, changes, change.node_id)
    return version.published_at > proposal.created_at


def _adds_the_option(
    proposal: FlowProposal, version: FlowVersion, changes: Comparison, change: ProposedChange
) -> bool:
    if changes.empty:  # somebody added it already
        return True
    if changes.start or changes.removed or [step.id for step in changes.changed] != [change.node_id]:
        return False
    before, after = (
        [
            (way.label, way.target)
            for step in outline(structure)
            if step.id == change.node_id
            for way in step.ways
        ]
        for structure in (version.structure, proposal.structure)
    )
    kept = [way for way in after if way[0] != change.label]
    return len(changes.changed[0].details) == 1 and kept == before


def _drops_the_step(proposal: FlowProposal, version: FlowVersion, changes: Comparison, node_id: str) -> bool:
    types = {step.id: step.type for step in outline(version.structure)}
    if types.get(node_id) != "action":  # somebody dropped it already, or made a question of it
        return changes.empty
    try:
        return changes_between(without_step(version.structure, node_id), proposal.structure).empty
    except Refused:
        return False
