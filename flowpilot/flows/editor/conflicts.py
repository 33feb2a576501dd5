"""When somebody else saved first: what is mine, what is theirs, and what the author makes of both."""

from dataclasses import dataclass

from django.http import QueryDict

from flowpilot.flows.editor import saving
from flowpilot.flows.editor.acts import act_of, content_of
from flowpilot.flows.editor.changes import Changed, Refused
from flowpilot.flows.editor.comparing import Difference, Side, differences, merge
from flowpilot.flows.editor.tree import Tree
from flowpilot.flows.models import Flow, FlowDraft


@dataclass(frozen=True)
class Conflict:
    """base_known: whether it could be told who changed what; where not, everything but mine is theirs."""

    differences: list[Difference]
    base_known: bool

    @classmethod
    def of(cls, theirs: FlowDraft, sent: QueryDict) -> "Conflict":
        """sent: the form of the second author, with the mark that it started from. Raises Refused."""
        base = saving.structure_at(theirs, sent.get("mark", ""))
        mine = _mine(theirs.structure, base, sent)
        start = theirs.structure if base is None else base
        return cls(differences(mine.structure, theirs.structure, start), base is not None)


def resolve(flow: Flow, theirs: object, sent: QueryDict) -> Changed:
    """The structure made of both, as chosen for each difference, or all of mine. Raises Refused."""
    draft = saving.opened(flow)
    base = saving.structure_at(draft, sent.get("mark", ""))
    mine = _mine(theirs, base, sent)
    start = theirs if base is None else base
    found = differences(mine.structure, theirs, start)
    choices: dict[str, Side] = {}
    for number, difference in enumerate(found):
        chosen = sent.get("all") or sent.get(f"choice-{number}", difference.suggested)
        choices[difference.key] = "theirs" if chosen == "theirs" else "mine"
    made = merge(mine.structure, theirs, choices)
    # These words are kept: they name nobody, for names can be hidden later on.
    return Changed(made, mine.step, f"Merged with other changes: {mine.words or 'a step'}")


def _mine(theirs: object, base: object | None, sent: QueryDict) -> Changed:
    """What the second author's form would have made of the draft that it was made for."""
    act = act_of(sent)
    if base is not None:
        return act(base)
    tree, step = Tree(theirs), sent.get("step", "")
    if step in tree.nodes or not step or "title" not in sent:
        return act(theirs)
    # The step is gone, and so is what it was: it comes back as the form has it.
    kind = "question" if "option-label" in sent else "outcome" if "outcome" in sent else "action"
    blank = {"id": step, "type": kind, "title": "", "options": [], "next": "", "outcome": ""}
    tree.put({"id": step} | content_of(sent, blank), tree.root["id"])
    if step not in tree.nodes:
        raise Refused("The step is gone.")
    return Changed(tree.root, step, "Put a step back")
