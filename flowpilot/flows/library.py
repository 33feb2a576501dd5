"""The starter library: flows that ship with the product and can be copied into any account."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flowpilot.flows.search import has_all, texts_of, words_of
from flowpilot.flows.structure import Node

FOLDER = Path(__file__).parent / "library"


@dataclass(frozen=True)
class LibraryFlow:
    """One flow of the library; `domain` is a name, `kind` one of Flow.Kind, `slug` the name of its file."""

    slug: str
    name: str
    description: str
    domain: str
    kind: str
    structure: Node


@cache
def starter_library() -> tuple[LibraryFlow, ...]:
    """All flows of the library, by domain, then name. The structures are shared: copy before you change one."""
    flows = [
        LibraryFlow(slug=file.stem, **json.loads(file.read_text(encoding="utf-8")))
        for file in FOLDER.glob("*.json")
    ]
    return tuple(sorted(flows, key=lambda flow: (flow.domain, flow.name)))


def flows_about(query: str) -> list[LibraryFlow]:
    """Those with every word in name, description or domain; only where there is none, those with them in a step: that
    a step mentions a VPN says little of what a flow is about."""
    words, flows = words_of(query), starter_library()
    about = [flow for flow in flows if has_all(words, flow.name, flow.description, flow.domain)]
    return about or [flow for flow in flows if has_all(words, flow.name, *texts_of(flow.structure))]
