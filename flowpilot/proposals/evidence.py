"""What a proposal's `evidence` says, read with care: it is JSON that no constraint holds.

    {"sessions": [ids, oldest first], "terms": {"stem": weight}, "summaries": ["the problem in an engineer's words"],
     "also_told": ["another name of the problem"],
     "visits": {node_id: n}, "branches": {node_id: {label: n}}, "outcomes": {outcome: n},
     "paths": [{"session": id, "steps": [{"node_id", "title", "answer"}], "outcome", "count": n}],
     "left_out": {node_id: n},
     "nearest_flow": {"flow_id", "name", "similarity"} | null,
     "returned": {"proposal_id", "sessions_before": n} | null,
     "change": {"kind", "node_id", "title", "label" | null, "n", "of", "lower", "upper",
                "engineers": n, of thumbs} | null,
     "back_test": {"days", "covered", "median", "bounds": [lower, upper] | null, "guided_median"}, in seconds: of a new
                  flow once it is published, as the back-test was at that moment}

Whatever is missing or of another kind is read as nothing there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flowpilot.sessions.states import Outcome

MOST = 1e12  # what is above is no number of anything here
MOST_PATHS = 20
MOST_SUMMARIES = 10
CHANGES = {
    "missing_option": "Engineers add this answer by hand",
    "skipped_step": "Engineers skip this step",
    "disliked_step": "Engineers say that this step does not help",
}


@dataclass(frozen=True)
class PathStep:
    node_id: str
    title: str
    answer: str


@dataclass(frozen=True)
class Path:
    session_id: UUID | None
    steps: tuple[PathStep, ...]
    outcome: str
    count: int = 1  # sessions that went this way


@dataclass(frozen=True)
class Nearest:
    flow_id: UUID
    name: str
    similarity: float


@dataclass(frozen=True)
class Returned:
    proposal_id: UUID | None
    sessions_before: int


@dataclass(frozen=True)
class ProposedChange:
    """Of an enhancement: `n` of `of` sessions, or thumbs, with the interval of that rate as fractions."""

    kind: str
    node_id: str
    title: str
    label: str
    n: int
    of: int
    engineers: int = 0  # who gave the thumbs

    @property
    def by_thumbs(self) -> bool:
        return self.kind == "disliked_step"

    @property
    def words(self) -> str:
        return CHANGES.get(self.kind, "What engineers do")


@dataclass(frozen=True)
class BackTestThen:
    """What the back-test said when the flow was published; medians in seconds, with the bounds of the first."""

    days: int
    covered: int
    median: float | None
    bounds: tuple[float, float] | None
    guided_median: float | None


@dataclass(frozen=True)
class Evidence:
    sessions: tuple[UUID, ...]
    terms: dict[str, float]
    summaries: tuple[str, ...]
    also_told: tuple[str, ...]
    visits: dict[str, int]
    branches: dict[tuple[str, str], int]
    left_out: dict[str, int]
    outcomes: dict[str, int]
    paths: tuple[Path, ...]
    nearest: Nearest | None
    returned: Returned | None
    change: ProposedChange | None
    back_test: BackTestThen | None

    @classmethod
    def read(cls, evidence: object) -> "Evidence":
        given = _object(evidence)
        return cls(
            sessions=tuple(sessions_behind(evidence)),
            terms={term: float(weight) for term, weight in _numbers(given.get("terms"))},
            summaries=tuple(dict.fromkeys(map(_text, _list(given.get("summaries")))))[:MOST_SUMMARIES],
            also_told=tuple(filter(None, map(_text, _list(given.get("also_told")))))[:MOST_SUMMARIES],
            visits={node: int(n) for node, n in _numbers(given.get("visits"))},
            branches={
                (node, label): int(n)
                for node, labels in _object(given.get("branches")).items()
                for label, n in _numbers(labels)
            },
            left_out={node: int(n) for node, n in _numbers(given.get("left_out"))},
            outcomes={outcome: int(n) for outcome, n in _numbers(given.get("outcomes"))},
            paths=tuple(_paths(given.get("paths")))[:MOST_PATHS],
            nearest=_nearest(_object(given.get("nearest_flow"))),
            returned=_returned(_object(given.get("returned"))),
            change=_change(_object(given.get("change"))),
            back_test=_back_test(_object(given.get("back_test"))),
        )


def sessions_behind(evidence: object) -> list[UUID]:
    """The ids of the sessions, each once, in their order."""
    ids = (_uuid(id_) for id_ in _list(_object(evidence).get("sessions")))
    return list(dict.fromkeys(id_ for id_ in ids if id_))


def _paths(given: object) -> Iterator[Path]:
    for path in map(_object, _list(given)):
        steps = [
            PathStep(_text(step.get("node_id")), _text(step.get("title")), _text(step.get("answer")))
            for step in map(_object, _list(path.get("steps")))
        ]
        if steps:
            outcome = path.get("outcome")
            yield Path(
                session_id=_uuid(path.get("session")),
                steps=tuple(steps),
                outcome=outcome if outcome in Outcome.values else "",
                count=max(1, int(_number(path.get("count")))),
            )


def _nearest(given: dict[str, Any]) -> Nearest | None:
    flow_id = _uuid(given.get("flow_id"))
    similarity = min(1.0, max(0.0, float(_number(given.get("similarity")))))
    return Nearest(flow_id, _text(given.get("name")), similarity) if flow_id else None


def _returned(given: dict[str, Any]) -> Returned | None:
    if not given:
        return None
    return Returned(_uuid(given.get("proposal_id")), int(_number(given.get("sessions_before"))))


def _change(given: dict[str, Any]) -> ProposedChange | None:
    if not given:
        return None
    of = max(0, int(_number(given.get("of"))))
    return ProposedChange(
        kind=_text(given.get("kind")),
        node_id=_text(given.get("node_id")),
        title=_text(given.get("title")),
        label=_text(given.get("label")),
        n=min(of, max(0, int(_number(given.get("n"))))),
        of=of,
        engineers=max(0, int(_number(given.get("engineers")))),
    )


def _back_test(given: dict[str, Any]) -> BackTestThen | None:
    if not given:
        return None
    bounds = [_number(bound) for bound in _list(given.get("bounds"))]
    medians = [
        float(_number(given[name])) if given.get(name) is not None else None
        for name in ("median", "guided_median")
    ]
    return BackTestThen(
        days=max(1, int(_number(given.get("days")))),
        covered=int(_number(given.get("covered"))),
        median=medians[0],
        bounds=(bounds[0], bounds[1]) if len(bounds) == 2 else None,
        guided_median=medians[1],
    )


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return value if abs(value) < MOST else 0


def _numbers(value: object) -> Iterator[tuple[str, int | float]]:
    for key, number in _object(value).items():
        if _number(number) > 0:
            yield key, _number(number)


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
