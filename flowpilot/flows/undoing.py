"""What undo needs of a change: the part of the structure's text that the change replaced, not the whole of it.

The text is JSON with its keys in order, so it is the same whenever the same structure is read. A fraction may come back
from the database written in another way; with one in it the whole is kept.
"""

import json
import re
from typing import Any

from flowpilot.flows.models import DraftChange
from flowpilot.flows.structure import Node

FRACTION = re.compile(r"(?:^|[:\[,])-?\d+[.e]")  # or what looks like one within a text


def replaced(before: object, after: object) -> dict[str, Any]:
    """The fields of a DraftChange that lead from the structure after back to the one before."""
    old, new = _text(before), _text(after)
    if FRACTION.search(new):
        return {"before": old, "same_first": 0, "same_last": 0}
    first = _alike(old, new)
    last = _alike(old[first:][::-1], new[first:][::-1])
    return {"before": old[first : len(old) - last], "same_first": first, "same_last": last}


def restored(change: DraftChange, after: object) -> Node:
    """The structure before the change; `after` is the one that the change led to."""
    new = _text(after)
    text = new[: change.same_first] + change.before + new[len(new) - change.same_last :]
    structure: Node = json.loads(text)
    return structure


def _text(structure: object) -> str:
    return json.dumps(structure, sort_keys=True, separators=(",", ":"))


def _alike(one: str, two: str) -> int:
    """How many characters both begin with."""
    alike, most = 0, min(len(one), len(two))
    while alike < most:
        middle = (alike + most + 1) // 2
        if one[alike:middle] == two[alike:middle]:
            alike = middle
        else:
            most = middle - 1
    return alike
