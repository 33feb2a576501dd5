"""Every request that came and everything that was made or changed by one, so that doubles cannot hide."""

from collections import Counter
from datetime import datetime
from typing import Any

from flowpilot.psa.providers.markers import MARKER


class Ledger:
    """A commit is {kind, id, ticket, markers, at}: kind note, time_entry or status; a status has its `status` too."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.commits: list[dict[str, Any]] = []

    def note(self, at: datetime, method: str, path: str, fault: str) -> dict[str, Any]:
        entry = {"at": at.isoformat(), "method": method, "path": path, "fault": fault, "status": None}
        self.requests.append(entry)
        return entry

    def commit(
        self, at: datetime, kind: str, row_id: int, ticket: int, text: str = "", **more: object
    ) -> None:
        self.commits.append(
            {
                "at": at.isoformat(),
                "kind": kind,
                "id": row_id,
                "ticket": ticket,
                "markers": MARKER.findall(text),
            }
            | more
        )

    def clear(self) -> None:
        self.requests.clear()
        self.commits.clear()

    @property
    def markers(self) -> Counter[str]:
        """How many commits carry a marker; each should be 1."""
        return Counter(marker for commit in self.commits for marker in commit["markers"])

    def as_json(self) -> dict[str, Any]:
        return {"requests": self.requests, "commits": self.commits, "markers": dict(self.markers)}
