"""A table as a download: described once, written as CSV while it streams or as an XLSX workbook.

Whoever asks gives columns with the units of the templates, and rows as the metrics gave them (seconds, shares,
instants). How a value is put is decided here alone, so that every export rounds as pages and JSON do:

* durations are minutes with one decimal, hours have two, scores one; shares are fractions with three, which XLSX
  shows as a percentage: 84.6 % on a page is 0.846 here;
* days and moments are real dates, moments in the account's zone; what there is none of is an empty cell, never 0;
* text stays text: see `plain_text`.
"""

import csv
import re
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import Decimal
from functools import partial
from io import StringIO
from itertools import islice
from threading import BoundedSemaphore
from typing import Any, BinaryIO, Literal, cast

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from xlsxwriter import Workbook

from resolutionflow.links import url_with
from resolutionflow.metrics import round_half_up
from resolutionflow.periods import Period

Unit = Literal["count", "share", "duration", "hours", "score", "day", "moment", "yes_no", "text"]
Cell = str | int | Decimal | date | None

FORMATS = ("csv", "xlsx")
CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LINES_AT_ONCE = 500
AT_ONCE = 2  # in one process, of its four threads or so: whoever waits for a page must not wait for files
SHEET_ROWS = 1_048_576  # more a sheet cannot have; what is left goes to the next one

BOM = "\ufeff"  # without it Excel takes a CSV for one of an old code page
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
AFTER_A_SEMICOLON = re.compile(
    r"(?<=;)(?=[=+\-@])"
)  # where spreadsheets of many countries begin the next cell
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

NUMBER_FORMATS: dict[Unit, str] = {
    "count": "#,##0",
    "share": "0.0%",
    "duration": "#,##0.0",
    "hours": "#,##0.00",
    "score": "0.0",
    "day": "yyyy-mm-dd",
    "moment": "yyyy-mm-dd hh:mm:ss",
}
# In characters; of others that of the heading.
WIDTHS: dict[Unit, int] = {"text": 28, "moment": 20, "day": 12}


_running = BoundedSemaphore(AT_ONCE)


class TooMany(Exception):
    """As many files as may be are being written just now."""


class _Held:
    """Chunks that are being sent: one of AT_ONCE until they are closed."""

    def __init__(self, chunks: Generator[bytes, None, None]) -> None:
        self._chunks, self._open = chunks, True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        if self._open:
            self._open = False
            _running.release()
            self._chunks.close()

    def __del__(self) -> None:
        self.close()


@dataclass(frozen=True)
class Column:
    """`key` finds the value in a row; `heading` is the page's, without the unit."""

    key: str
    heading: str
    unit: Unit = "text"


@dataclass(frozen=True)
class Table:
    """`name` begins the file's name and is ours, never a user's text; `title` names the sheet (at most 25 characters).

    `rows` are read once, while the answer is written: a generator opens what it needs itself and closes it.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Iterable[Mapping[str, Any]]
    tz: tzinfo


def plain_text(value: object) -> str:
    """Text that no spreadsheet takes for a formula, and without the control characters that XLSX cannot hold.

    They go first: what they hid must not become the beginning of a formula.
    """
    text = AFTER_A_SEMICOLON.sub("'", NOT_IN_XML.sub("", str(value)))
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def named_by(name: str, period: Period | None) -> str:
    """The beginning of a file's name with its period: "sessions-2026-10-23-to-2026-11-21"; None is all time."""
    return f"{name}-{period.first}-to-{period.last}" if period else f"{name}-all-time"


def export_menu(what: str, note: str, route: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The context of components/export.html for a route that takes the format."""
    return {
        "what": what,
        "note": note,
        "hrefs": {format: url_with(route, parameters, format) for format in FORMATS},
    }


def download(table: Table, format: str) -> HttpResponseBase:
    """The table as a file of one of FORMATS. CSV is written while it is sent; XLSX is complete before it starts.

    Raises TooMany where AT_ONCE others are being written by this process.
    """
    file_name = f"{table.name}.{format}"
    if not _running.acquire(blocking=False):
        raise TooMany
    if format == "csv":
        headers = {"Content-Disposition": content_disposition_header(True, file_name)}
        return StreamingHttpResponse(_Held(csv_chunks(table)), content_type=CSV_TYPE, headers=headers)
    file = cast(BinaryIO, tempfile.TemporaryFile(prefix="export-"))  # noqa: SIM115 - closed with the answer
    try:
        write_xlsx(table, file)
    except BaseException:
        file.close()
        raise
    finally:
        _running.release()
    file.seek(0)
    return FileResponse(file, content_type=XLSX_TYPE, as_attachment=True, filename=file_name)


def csv_chunks(table: Table) -> Generator[bytes, None, None]:
    """UTF-8 with a byte order mark, lines as in RFC 4180; the headings come before the first row is asked for."""
    buffer = StringIO()
    writer = csv.writer(buffer)  # quotes where it must, ends lines with CR LF
    writer.writerow(_headings(table, share="0 to 1"))
    yield (BOM + buffer.getvalue()).encode()
    for lines in _in_lots(_cells(table)):
        buffer.seek(0)
        buffer.truncate()
        writer.writerows(lines)
        yield buffer.getvalue().encode()


def write_xlsx(table: Table, file: BinaryIO) -> None:
    """A workbook with one sheet, or as many as the rows need. Row by row: memory does not grow with them."""
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        options = {"constant_memory": True, "tmpdir": folder, "use_zip64": True}
        texts = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        workbook = Workbook(file, options | texts)
        try:
            formats = [_format(workbook, column.unit) for column in table.columns]
            number, line = 1, 1
            sheet = _add_sheet(workbook, table, number)
            for cells in _cells(table):
                if line == SHEET_ROWS:
                    number, line = number + 1, 1
                    sheet = _add_sheet(workbook, table, number)
                _write_line(sheet, line, cells, formats)
                line += 1
        finally:
            workbook.close()  # also the files in the folder


def _format(workbook: Any, unit: Unit) -> Any:
    pattern = NUMBER_FORMATS.get(unit)
    return workbook.add_format({"num_format": pattern}) if pattern else None


def _add_sheet(workbook: Any, table: Table, number: int) -> Any:
    sheet = workbook.add_worksheet(table.title if number == 1 else f"{table.title} {number}")
    sheet.freeze_panes(1, 0)
    bold = workbook.add_format({"bold": True, "bottom": 1})
    for index, (column, heading) in enumerate(zip(table.columns, _headings(table), strict=True)):
        sheet.set_column(index, index, max(WIDTHS.get(column.unit, 8), len(heading) + 2))
        sheet.write_string(0, index, heading, bold)
    return sheet


def _write_line(sheet: Any, line: int, cells: Sequence[Cell], formats: Sequence[Any]) -> None:
    for index, cell in enumerate(cells):
        if isinstance(cell, str):
            if cell:
                sheet.write_string(line, index, cell)
        elif isinstance(cell, date):
            if cell.year >= 1900:
                sheet.write_datetime(line, index, cell, formats[index])
            else:  # no spreadsheet knows an earlier day
                sheet.write_string(line, index, str(cell))
        elif cell is not None:
            sheet.write_number(line, index, cell, formats[index])


def _headings(table: Table, **further: str) -> list[str]:
    """With the unit where a number alone would not tell it; `further` has the words of more units."""
    words = {"duration": "minutes", "hours": "h", "moment": str(table.tz)} | further
    return [
        f"{column.heading} ({words[column.unit]})" if column.unit in words else column.heading
        for column in table.columns
    ]


def _cells(table: Table) -> Iterator[list[Cell]]:
    """Row by row what stands in each cell: text, a number, a day, a moment without its zone, or None."""
    makers = [_maker(column.unit, table.tz) for column in table.columns]
    keys = [column.key for column in table.columns]
    rows = iter(table.rows)
    try:
        for row in rows:
            yield [
                None if row[key] is None else make(row[key]) for key, make in zip(keys, makers, strict=True)
            ]
    finally:
        if close := getattr(rows, "close", None):
            close()


def _maker(unit: Unit, tz: tzinfo) -> Callable[[Any], Cell]:
    """What turns a value of the unit, never None, into what stands in its cell."""
    makers: dict[Unit, Callable[[Any], Cell]] = {
        "count": int,
        "share": partial(round_half_up, places=3),
        "duration": _minutes,
        "hours": partial(round_half_up, places=2),
        "score": partial(round_half_up, places=1),
        "day": lambda day: date(day.year, day.month, day.day),
        "moment": lambda moment: moment.astimezone(tz).replace(tzinfo=None, microsecond=0),
        "yes_no": lambda value: "yes" if value else "no",
        "text": plain_text,
    }
    return makers[unit]


def _minutes(seconds: Decimal | float) -> Decimal:
    exact = seconds if isinstance(seconds, Decimal) else Decimal(str(seconds))
    return round_half_up(exact / 60, 1)


def _in_lots(rows: Iterator[list[Cell]]) -> Iterator[list[list[Cell]]]:
    while lot := list(islice(rows, LINES_AT_ONCE)):
        yield lot
