"""Comma-separated lines as rows of cells; one bad line costs that line only."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from operations.importing.faults import Unusable
from operations.importing.reading import LONGEST_LINE, Line

csv.field_size_limit(LONGEST_LINE)
UNPAIRED = "The quotation marks of the line do not pair up."


class Row(NamedTuple):
    line: int
    cells: list[str]
    raw: str
    fault: str | None  # why the cells are not to be trusted


def read_table(lines: Iterable[Line]) -> tuple[list[str], Iterator[Row]]:
    """The names in the header, and the rows below it. Raises Unusable for a header that is none."""
    rows = _rows(lines)
    header = next(rows, None)
    if header is None or header.fault:
        raise Unusable(f"The header in line 1 cannot be read. {header.fault if header else ''}".strip())
    names = [name.strip() for name in header.cells]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Unusable(
            f"The header names a column twice: {', '.join(name or '(no name)' for name in twice)}."
        )
    return names, _of_width(rows, len(names))


def _of_width(rows: Iterator[Row], width: int) -> Iterator[Row]:
    for row in rows:
        if len(row.cells) == width or row.fault:
            yield row
        else:
            cells = "1 cell" if len(row.cells) == 1 else f"{len(row.cells)} cells"
            yield row._replace(fault=f"The line has {cells}, the header has {width}.")


def _rows(lines: Iterable[Line]) -> Iterator[Row]:
    """A record may span lines inside quotation marks. Where they never pair up, or what they enclose makes no row of
    the header's width, the first line is at fault and the lines after it are read on their own."""
    source, put_back = iter(lines), deque[Line]()
    width = 0
    while line := put_back.popleft() if put_back else next(source, None):
        number, text, fault = line
        if '"' not in text:  # most lines: splitting is three times as fast as the csv module
            if text := text.rstrip("\r\n"):
                cells = text.split(",")
                width = width or len(cells)
                yield Row(number, cells, text, fault)
            continue
        record, quotes, size = [line], text.count('"'), len(text)
        while quotes % 2 and size < LONGEST_LINE:
            following = put_back.popleft() if put_back else next(source, None)
            if following is None:
                break
            record.append(following)
            quotes += following.text.count('"')
            size += len(following.text)
        raw = "".join(part.text for part in record).rstrip("\r\n")
        try:
            cells = [] if quotes % 2 else next(csv.reader([raw], strict=True))
        except csv.Error:
            cells = []
        if not cells or (width and len(record) > 1 and len(cells) != width):
            put_back.extendleft(reversed(record[1:]))
            raw = text.rstrip("\r\n")
            yield Row(number, raw.split(","), raw, fault or UNPAIRED)
            continue
        width = width or len(cells)
        yield Row(number, cells, raw, next((part.fault for part in record if part.fault), None))
