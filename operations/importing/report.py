"""What became of each row: a summary, and FILE.rejected.csv with every row that was not imported."""

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from operations.importing.faults import Rejected, Unusable


@dataclass(slots=True)
class Summary:
    """Counts of sessions. A row that cannot be read at all counts as one. Their sum is `read`."""

    created: int = 0
    unchanged: int = 0
    updated: int = 0
    rejected: int = 0
    left_out: int = 0  # by --until and --shift-to-now

    @property
    def read(self) -> int:
        return self.created + self.unchanged + self.updated + self.rejected + self.left_out

    def __str__(self) -> str:
        return (
            f"Read {self.read} = created {self.created} + unchanged {self.unchanged} + updated {self.updated}"
            f" + rejected {self.rejected} + left out {self.left_out}."
        )


class RejectedFile:
    """FILE.rejected.csv, beside FILE or, where that folder is read-only, in the current one.

    Raises Unusable where neither can be written. Made with the first rejected row; `close` removes what an earlier
    import of the same file into the same account left behind if nothing was rejected this time.
    """

    def __init__(self, source: Path, account: str) -> None:
        self.account = account
        name = f"{source.name}.rejected.csv"
        places = [source.parent / name, Path.cwd() / name]
        path = next((place for place in places if _writable(place)), None)
        if path is None:
            raise Unusable(f"Rejected rows can be written neither to {places[0]} nor to {places[1]}.")
        self.path = path
        self.count = 0
        self._file: TextIO | None = None

    def add(self, rows: Iterable[Rejected]) -> None:
        for row in rows:
            if self._file is None:
                self._file = self.path.open("w", newline="", encoding="utf-8", errors="backslashreplace")
                csv.writer(self._file).writerow(["line", "reason", "row", "account"])
            csv.writer(self._file).writerow([row.line, _as_text(row.reason), _as_text(row.raw), self.account])
            self.count += 1
        if self._file:
            self._file.flush()  # a run that is killed loses no row that it counted

    def close(self, *, finished: bool) -> None:
        if self._file:
            self._file.close()
        elif finished and self._was_of_this_account():
            self.path.unlink(missing_ok=True)

    def _was_of_this_account(self) -> bool:
        try:
            with self.path.open(newline="", encoding="utf-8") as file:
                first = next(csv.DictReader(file), {})
        except (OSError, ValueError, csv.Error):
            return False
        return first.get("account") == self.account


def _writable(path: Path) -> bool:
    """Root may write everywhere; a folder or file that nobody is to write to is left alone by root too."""
    if path.exists() and not path.is_file():
        return False
    place = path if path.exists() else path.parent
    return os.access(place, os.W_OK) and bool(path.parent.stat().st_mode & place.stat().st_mode & 0o222)


def _as_text(cell: str) -> str:
    """A spreadsheet is not to take what stands in a file for a formula."""
    cell = cell.replace("\0", "\\x00")
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
