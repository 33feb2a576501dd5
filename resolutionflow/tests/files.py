"""What a download holds, for tests that look at it as a spreadsheet does."""

import csv
from io import BytesIO, StringIO
from typing import Any

from openpyxl import load_workbook


def lines(response: Any) -> list[list[str]]:
    """The lines of a CSV, its headings first."""
    assert response.status_code == 200, response.content
    return list(csv.reader(StringIO(b"".join(response.streaming_content).decode("utf-8-sig"), newline="")))


def book(response: Any) -> list[list[Any]]:
    """The rows of a workbook's first sheet, its headings first."""
    sheet = load_workbook(BytesIO(response.getvalue())).active
    return [[cell.value for cell in row] for row in sheet.iter_rows()]
