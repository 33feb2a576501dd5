"""Comma-separated values with the field names of the JSON Lines format in the header; empty cells are null."""

from collections.abc import Callable, Iterator
from typing import Any

from operations.importing.faults import Fault, Rejected, Unusable
from operations.importing.formats.fields import FIELDS, KNOWN, REQUIRED, session_of
from operations.importing.formats.jsonl import parse
from operations.importing.formats.rows import Row, read_table
from operations.importing.reading import Source
from operations.importing.records import ImportedSession


def read(source: Source) -> Iterator[ImportedSession | Rejected]:
    """Raises Unusable where the header lacks a required column or names one that does not exist."""
    header, rows = read_table(source.lines())
    if missing := [name for name in REQUIRED if name not in header]:
        hint = ""
        if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
            hint = " Columns have to be separated by commas."
        raise Unusable(f"{source.path} has no column {', '.join(missing)}.{hint}")
    if unknown := [name or "(no name)" for name in header if name not in KNOWN]:
        shown = ", ".join(name if name.isprintable() else ascii(name) for name in unknown)
        raise Unusable(
            f"{source.path} has columns that mean nothing: {shown}. Known are {', '.join(FIELDS)}."
        )
    return _sessions(header, rows)


def _sessions(header: list[str], rows: Iterator[Row]) -> Iterator[ImportedSession | Rejected]:
    readers = [READERS.get(name) for name in header]
    for row in rows:
        try:
            if row.fault:
                raise Fault(row.fault)
            values: dict[str, Any] = {}
            for name, cell, reader in zip(header, row.cells, readers, strict=True):
                cell = cell.strip()
                values[name] = (reader(cell, name) if reader else cell) if cell else None
            yield session_of(values, row.line, row.raw)
        except Fault as error:
            yield Rejected(row.line, str(error), row.raw)


def _number(cell: str, name: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell  # what is wrong with it is said where the field is checked


def _whole(cell: str, name: str) -> int | str:
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 20 else cell


READERS: dict[str, Callable[[str, str], Any]] = {
    "confidence": _number,
    "step_count": _whole,
    "rating": _whole,
    "decisions": parse,
    "time_entries": parse,
    "notes_posted": parse,
}
