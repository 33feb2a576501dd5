"""A flow as one JSON object, the form of the files in library/: name, description, domain, kind and structure.

A file may also hold the structure alone. What else stands beside these keys is left out and named in `hints`.
"""

import json
from typing import Any

from flowpilot.flows.files import FlowFile, Refused
from flowpilot.flows.models import Flow
from flowpilot.flows.structure import Fault, Node
from resolutionflow.storable import UNSTORABLE

KEYS = ("name", "description", "domain", "kind", "structure")


def written(flow: Flow, structure: Node) -> str:
    content = {
        "name": flow.name,
        "description": flow.description,
        "domain": flow.domain.name if flow.domain else None,
        "kind": flow.kind,
        "structure": structure,
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def read(text: str) -> FlowFile:
    """Raises Refused where it is no JSON, or no flow."""
    content = _parsed(text)
    if not isinstance(content, dict):
        raise Refused([Fault("", "A flow is a JSON object: it begins with { and ends with }.")])
    if "structure" not in content and "type" in content:
        return FlowFile(structure=content)
    if not isinstance(content.get("structure"), dict):
        raise Refused([Fault("", "The object has no “structure” that holds the steps.")])
    hints = [f"“{key[:100]}” is no part of a flow and is left out." for key in content if key not in KEYS]
    for key in ("name", "description", "domain"):
        if not isinstance(content.get(key) or "", str):
            raise Refused([Fault("", f"“{key}” must be a text.")])
        if UNSTORABLE.search(content.get(key) or ""):
            raise Refused([Fault("", f"“{key}” has characters that cannot be stored.")])
    kind = content.get("kind") or Flow.Kind.TROUBLESHOOTING
    if kind not in Flow.Kind.values:
        raise Refused([Fault("", f"“kind” must be one of {', '.join(Flow.Kind.values)}.")])
    return FlowFile(
        name=content.get("name") or "",
        description=content.get("description") or "",
        domain=content.get("domain") or "",
        kind=kind,
        structure=content["structure"],
        hints=tuple(hints),
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        where = f"Line {error.lineno}, column {error.colno}"
        raise Refused([Fault("", f"{where}: this is no JSON ({error.msg}).")]) from None
    except RecursionError:
        raise Refused([Fault("", "The JSON is nested too deeply.")]) from None
    except ValueError as error:  # a number of thousands of digits, and what the two functions below refuse
        raise Refused([Fault("", f"This JSON cannot be read: {error}")]) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a key that stands twice the reader would lose one value without a word."""
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        id_ = made.get("id")
        where = f" with the id “{id_[:100]}”" if isinstance(id_, str) else ""
        raise ValueError(f"“{twice[:100]}” stands twice in the object{where}.")
    return made


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number.")
