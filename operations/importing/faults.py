"""What can be wrong with an import: with the whole file, or with one row of it."""

from dataclasses import dataclass


class Unusable(Exception):
    """The file, the mapping or an option is none to import from; the sentence is for the operator."""


class Fault(ValueError):
    """What is wrong with one row; the sentence is for the author of the file."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is not imported. `line` counts from 1 and includes the header."""

    line: int
    reason: str
    raw: str
