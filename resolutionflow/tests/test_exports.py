"""Downloads as a spreadsheet sees them."""

import csv
import tracemalloc
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape  # which it does not do by itself

from resolutionflow import exports
from resolutionflow.exports import (
    AT_ONCE,
    FORMATS,
    Column,
    Table,
    TooMany,
    csv_chunks,
    download,
    named_by,
    plain_text,
    write_xlsx,
)
from resolutionflow.periods import Period

LONDON = ZoneInfo("Europe/London")
UNITS = ["text", "count", "share", "duration", "score", "day", "moment", "yes_no"]
COLUMNS = [Column(unit, unit.capitalize(), unit) for unit in UNITS]
ROW = {
    "text": "Printer",
    "count": 1200,
    "share": Decimal("0.8455"),
    "duration": 888,
    "score": Decimal("4.25"),
    "day": date(2026, 3, 29),
    "moment": datetime(
        2026, 3, 29, 1, 30, 15, 999_999, tzinfo=UTC
    ),  # half an hour after the clocks went forward
    "yes_no": True,
}
NOTHING = dict.fromkeys(UNITS) | {"text": "Nothing"}
HOSTILE = {
    '=HYPERLINK("http://x","y")': '\'=HYPERLINK("http://x","y")',
    "+1": "'+1",
    "-2": "'-2",
    "@SUM(A1)": "'@SUM(A1)",
    "\tTab": "'\tTab",
    "\rReturn": "'\rReturn",
    "\x00=1+1": "'=1+1",  # what hid the sign is gone
    "NUL\x00 and bell\x07": "NUL and bell",
    "not a character \ufffe\uffff": "not a character ",
    'He said "no", twice': 'He said "no", twice',
    "two\nlines": "two\nlines",
    "two\r\nlines": "two\r\nlines",
    "_x0041_": "_x0041_",
    "🖨️ broken": "🖨️ broken",
    "مرحبا \u200f": "مرحبا \u200f",
    "<b>&amp;": "<b>&amp;",
    "a - b = c": "a - b = c",
    "Acme;=cmd|' /C calc'!A0;Ltd": "Acme;'=cmd|' /C calc'!A0;Ltd",
    "one;-1;+2;@x; - y": "one;'-1;'+2;'@x; - y",
    " =1": " =1",
    "0042": "0042",
    "http://example.com/": "http://example.com/",
}


def table(*rows, columns=COLUMNS):
    return Table("things", "Things", columns, iter(rows), LONDON)


def as_csv(described):
    content = b"".join(csv_chunks(described))
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(StringIO(content.decode("utf-8-sig"), newline="")))


def as_xlsx(described):
    file = BytesIO()
    write_xlsx(described, file)
    return load_workbook(file)


def cells(sheet):
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_csv_says_units_in_its_headings_and_puts_plain_values():
    headings, row, nothing = as_csv(table(ROW, NOTHING))
    assert headings == [
        "Text",
        "Count",
        "Share (0 to 1)",
        "Duration (minutes)",
        "Score",
        "Day",
        "Moment (Europe/London)",
        "Yes_no",
    ]
    assert row == ["Printer", "1200", "0.846", "14.8", "4.3", "2026-03-29", "2026-03-29 02:30:15", "yes"]
    assert nothing == ["Nothing"] + [""] * 7


def test_xlsx_has_real_numbers_and_dates():
    sheet = as_xlsx(table(ROW, NOTHING)).active
    headings, row, nothing = cells(sheet)
    assert sheet.title == "Things"
    assert headings[2:4] == ["Share", "Duration (minutes)"]
    assert [cell.isoformat() if isinstance(cell, datetime) else cell for cell in row] == [
        "Printer",
        1200,
        0.846,
        14.8,
        4.3,
        "2026-03-29T00:00:00",
        "2026-03-29T02:30:15",
        "yes",
    ]
    assert nothing == ["Nothing"] + [None] * 7
    formats = [cell.number_format for cell in sheet[2]]
    assert formats == [
        "General",
        "#,##0",
        "0.0%",
        "#,##0.0",
        "0.0",
        "yyyy-mm-dd",
        "yyyy-mm-dd hh:mm:ss",
        "General",
    ]
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize(("given", "put"), HOSTILE.items())
def test_text_stays_text(given, put):
    assert plain_text(given) == put
    columns = [Column("text", "Text")]
    assert as_csv(table({"text": given}, columns=columns)) == [["Text"], [put]]
    cell = as_xlsx(table({"text": given}, columns=columns)).active["A2"]
    assert (unescape(cell.value), cell.data_type, cell.hyperlink) == (put, "s", None)


def test_a_heading_is_text_too():
    columns = [Column("text", "Text"), Column("count", "Sessions", "count")]
    assert b"".join(csv_chunks(table(columns=columns))) == b"\xef\xbb\xbfText,Sessions\r\n"
    assert cells(as_xlsx(table(columns=columns)).active) == [["Text", "Sessions"]]


def test_negative_numbers_stay_numbers():
    columns = [Column("duration", "Saved", "duration")]
    assert as_csv(table({"duration": -90}, columns=columns))[1] == ["-1.5"]
    assert as_xlsx(table({"duration": -90}, columns=columns)).active["A2"].value == -1.5


def test_a_day_before_the_first_of_spreadsheets_is_text():
    early = datetime(1875, 6, 1, 12, tzinfo=UTC)
    columns = [Column("moment", "At", "moment")]
    assert as_xlsx(table({"moment": early}, columns=columns)).active["A2"].value == "1875-06-01 12:00:00"


def test_rows_that_a_sheet_cannot_hold_continue_on_the_next_one(monkeypatch):
    monkeypatch.setattr(exports, "SHEET_ROWS", 4)
    columns = [Column("count", "Number", "count")]
    for length, sheets in ((0, 1), (3, 1), (4, 2), (6, 2), (7, 3)):
        book = as_xlsx(table(*({"count": n} for n in range(length)), columns=columns))
        assert book.sheetnames == ["Things", "Things 2", "Things 3"][:sheets]
        assert all(sheet["A1"].value == "Number" for sheet in book)
        assert [row[0] for sheet in book for row in cells(sheet)[1:]] == list(range(length))


def test_csv_is_sent_while_the_rows_come():
    asked = []

    def rows():
        for number in count():
            asked.append(number)
            yield {"count": number}

    chunks = csv_chunks(Table("things", "Things", [Column("count", "Number", "count")], rows(), LONDON))
    assert next(chunks) == b"\xef\xbb\xbfNumber\r\n"
    assert asked == []
    assert next(chunks).startswith(b"0\r\n1\r\n")
    assert len(asked) == exports.LINES_AT_ONCE


@pytest.mark.parametrize("begun", [1, 2])
def test_a_reader_who_goes_away_ends_the_rows(begun, db):
    ended = []

    def rows():
        try:
            while True:
                yield ROW
        finally:
            ended.append(True)

    response = download(Table("things", "Things", COLUMNS, rows(), LONDON), "csv")
    stream = iter(response)
    for _ in range(begun):
        next(stream)
    response.close()
    assert ended == [True] * (begun - 1)  # before the second chunk no row was asked for


@pytest.mark.parametrize("write", [lambda t: sum(map(len, csv_chunks(t))), lambda t: write_xlsx(t, Sink())])
def test_memory_does_not_grow_with_the_rows(write):
    def peak(length):
        tracemalloc.start()
        write(Table("things", "Things", COLUMNS, (dict(ROW, count=n) for n in range(length)), LONDON))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)  # what is loaded and compiled once
    assert peak(8_000) < 1.3 * peak(2_000)


class Sink(BytesIO):
    """A file that lies elsewhere: of what is written it remembers only how much."""

    length = 0

    def write(self, data):
        self.length += len(data)
        return len(data)

    def seek(self, *args):
        return self.length

    tell = seek


def test_the_answer_is_a_file_with_a_name_of_ours(db):
    response = download(table(ROW), "csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="things.csv"'
    assert response.streaming
    response = download(table(ROW), "xlsx")
    assert response.headers["Content-Disposition"] == 'attachment; filename="things.xlsx"'
    assert b"".join(response).startswith(b"PK")
    response.close()


def test_a_workbook_that_fails_leaves_no_file_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def rows():
        yield ROW
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        download(Table("things", "Things", COLUMNS, rows(), LONDON), "xlsx")
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_a_file_tells_its_period():
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    period = Period.of_days(30, now=now, tz=LONDON)
    assert named_by("sessions", period) == "sessions-2026-10-23-to-2026-11-21"
    assert named_by("sessions", None) == "sessions-all-time"


def test_only_so_many_files_are_written_at_once(db):  # which closing an answer looks after
    answers = [
        download(table({"text": "x"}, columns=[Column("text", "Text")]), "csv") for _ in range(AT_ONCE)
    ]
    for format in FORMATS:
        with pytest.raises(TooMany):
            download(table(columns=[Column("text", "Text")]), format)
    answers.pop().close()
    workbook = download(
        table(columns=[Column("text", "Text")]), "xlsx"
    )  # gives its turn back when it is written
    workbook.close()
    again = download(table(columns=[Column("text", "Text")]), "csv")
    assert b"".join(again.streaming_content)
    for answer in [*answers, again]:
        answer.close()
