"""Faults on demand: which requests something goes wrong with, what, and how often."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Self

# Whether the request is carried out all the same.
COMMITS = {
    "500_after_commit": True,
    "timeout_after_commit": True,
    "close_after_commit": True,
    "partial_body": True,
    "200_without_id": True,
    "429": False,
    "500_before_commit": False,
    "late_commit": False,  # later
    "timeout_before_commit": False,
    "503_html": False,
    "401": False,
    "403": False,
    "404_endpoint": False,
    "409": False,
    "slow": False,  # it is handled as ever, after a while
    "stale_reads": False,
    "reject": False,
}
HANGING = {"late_commit", "timeout_before_commit", "timeout_after_commit"}  # until the client gives up
WITH_ARGUMENT = re.compile(r"(\w+)\(([^()]*)\)")


@dataclass
class Fault:
    """path: a pattern such as /service/tickets/*/notes. delay: seconds. rows: how many a stale read leaves out."""

    name: str
    method: str = "*"
    path: str = "*"
    times: int = 1
    delay: float = 0.0
    retry_after: int = 30
    field: str = "text"
    rows: int = 1
    moved_to: str = ""

    def __post_init__(self) -> None:
        if self.name not in COMMITS:
            raise ValueError(f"There is no fault {self.name!r}")

    @property
    def commits(self) -> bool:
        return COMMITS[self.name]

    @property
    def hangs(self) -> bool:
        return self.name in HANGING

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Self:
        """{"match": {"method", "path"}, "fault": "429(30)", "times", "delay", …}; the argument may stand alone too."""
        rest = {name: value for name, value in given.items() if name not in {"match", "fault"}}
        name = str(given["fault"])
        written = WITH_ARGUMENT.fullmatch(name)
        if written:
            name, argument = written.groups()
            if name == "429":
                rest["retry_after"] = int(argument)
            elif name in {"late_commit", "slow"}:
                rest["delay"] = float(argument)
            elif name == "stale_reads":
                rest["times"] = int(argument)
            elif name == "reject":
                rest["field"] = argument
            else:
                raise ValueError(f"{name} takes no argument")
        return cls(name=name, **given.get("match", {}), **rest)


class Faults:
    """What waits to go wrong. Each request takes the first that fits it, and uses one of its times."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def clear(self) -> None:
        self.waiting.clear()

    def next_of(self, method: str, path: str) -> Fault | None:
        for fault in self.waiting:
            if fault.method in {"*", method} and fnmatchcase(path, fault.path):
                return fault
        return None

    def take(self, method: str, path: str) -> Fault | None:
        fault = self.next_of(method, path)
        if fault is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.waiting.remove(fault)
        return fault
