"""What a file holds of a flow, and what makes it one that cannot be taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flowpilot.flows.models import Flow
from flowpilot.flows.structure import ID_LENGTH, KEYS, MOST_DEPTH, MOST_NODES, Fault, Node
from resolutionflow.storable import UNSTORABLE, texts_of

LARGEST = 2_000_000  # bytes; the longest flow of the library has some 100,000


class Refused(Exception):
    """The file gives no structure that could be kept as a draft; `faults` say why and where."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = list(faults)


@dataclass(frozen=True)
class FlowFile:
    """A structure, faulty or not, and what the file says beside it; "" where it says nothing.

    `hints` tell what was left out or guessed.
    """

    structure: Node
    name: str = ""
    description: str = ""
    domain: str = ""
    kind: str = Flow.Kind.TROUBLESHOOTING
    hints: tuple[str, ...] = ()


def decoded(content: bytes) -> str:
    """Raises Refused for what is too large, or no text."""
    if len(content) > LARGEST:
        raise Refused([Fault("", f"The file has more than {LARGEST // 1_000_000} MB.")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Refused([Fault("", f"Line {line}: this is no UTF-8 text. Save the file as UTF-8.")]) from None


def check_keepable(structure: Any) -> None:
    """Raises Refused for what no draft can hold: an editor needs steps that are objects with ids of their own, of a
    known type, with texts where texts belong. Everything else can be mended in the draft."""
    faults: list[Fault] = []
    seen: set[str] = set()
    waiting, count = [(structure, 1, "")], 0
    while waiting and len(faults) < 20:
        node, depth, parent = waiting.pop()
        count += 1
        if count > MOST_NODES:
            raise Refused([Fault("", f"A flow has at most {MOST_NODES} steps.")])
        if not isinstance(node, dict):
            faults.append(Fault(parent, "A step must be an object."))
            continue
        id_ = node.get("id")
        shown = UNSTORABLE.sub("?", id_[:ID_LENGTH]) if isinstance(id_, str) else ""
        faults += [Fault(shown, message) for message in _unkeepable(node, seen)]
        seen.add(shown)
        children = node.get("children") or []
        if children and depth == MOST_DEPTH:
            raise Refused([Fault(shown, f"Steps are nested at most {MOST_DEPTH} deep.")])
        if isinstance(children, list):
            waiting += [(child, depth + 1, shown) for child in reversed(children)]
    if faults:
        raise Refused(faults)


def _unkeepable(node: Node, seen: set[str]) -> list[str]:
    id_, faults = node.get("id"), []
    if not isinstance(id_, str) or not id_.strip():
        faults.append("The id is missing.")
    elif len(id_) > ID_LENGTH:
        faults.append(f"The id has more than {ID_LENGTH} characters.")
    elif id_ in seen:
        faults.append("Another step has this id already.")
    kind = node.get("type")
    if not isinstance(kind, str) or kind not in KEYS:
        faults.append(f"The type must be one of {', '.join(KEYS)}.")
    shapes = {
        "title": str,
        "help": str,
        "next": str,
        "outcome": str,
        "options": list,
        "children": list,
        "script": dict,
    }
    words = {str: "a text", list: "a list", dict: "an object"}
    faults += [
        f"“{key}” must be {words[shape]}."
        for key, shape in shapes.items()
        if key in node and not isinstance(node[key], shape)
    ]
    options = node.get("options")
    for number, option in enumerate(options if isinstance(options, list) else [], start=1):
        if not (isinstance(option, dict) and all(isinstance(value, str) for value in option.values())):
            faults.append(f"Option {number} must be an object with a label and what comes next, both texts.")
    script = node.get("script")
    if isinstance(script, dict) and not _texts_only(script):
        faults.append("A script has a shell and a text, both texts, and a list of blanks.")
    own = {key: value for key, value in node.items() if key != "children"}
    if UNSTORABLE.search("".join(texts_of(own))):
        faults.append("A text has characters that cannot be stored.")
    return faults


def _texts_only(script: dict[str, Any]) -> bool:
    blanks = script.get("blanks", [])
    return (
        all(isinstance(script.get(key, ""), str) for key in ("shell", "text"))
        and isinstance(blanks, list)
        and all(isinstance(blank, dict) for blank in blanks)
        and all(isinstance(blank.get(key, ""), str) for blank in blanks for key in ("name", "label"))
    )
