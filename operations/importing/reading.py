"""A file as numbered lines of text, plain or gzip. Whatever is no text at all is refused before anything is written."""

import gzip
import io
import stat
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from operations.importing.faults import Unusable

LONGEST_LINE = 1 << 20  # bytes; a line beyond it is rejected, so that one endless line cannot fill the memory
BLOCK = 1 << 16
CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
FOREIGN = {  # first bytes of files that people take for text, and what to do about them
    b"PK\x03\x04": "is a zip archive or an Excel workbook. Save the sheet as CSV (UTF-8) or unpack the archive.",
    b"\xff\xfe": "is UTF-16 text. Save it as UTF-8.",
    b"\xfe\xff": "is UTF-16 text. Save it as UTF-8.",
    b"BZh": "is a bzip2 archive. Unpack it or use gzip.",
    b"\xfd7zXZ": "is an xz archive. Unpack it or use gzip.",
}
BROKEN_GZIP = (EOFError, zlib.error, gzip.BadGzipFile)


class Line(NamedTuple):
    number: int
    text: str  # with its line ending
    fault: str | None  # why nothing may be read from it


class Source:
    """An import file that was looked at once: it is there, not empty, text, and whole if it is gzip.

    Raises Unusable where it is not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            status = path.stat()
            if stat.S_ISDIR(status.st_mode):
                raise Unusable(f"{path} is a folder, not a file.")
            if not stat.S_ISREG(status.st_mode):
                raise Unusable(f"{path} is not a plain file.")
            self.size = status.st_size  # bytes on disk, what `position` moves towards
            with path.open("rb") as file:
                self.zipped = file.read(2) == b"\x1f\x8b"
            self.start = self._look_through()
        except FileNotFoundError:
            raise Unusable(f"There is no file {path}.") from None
        except BROKEN_GZIP:
            raise Unusable(
                f"{path} is a broken or cut off gzip file: it cannot be unpacked to its end."
            ) from None
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise Unusable(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
        self._refuse_what_is_no_text()
        self._file: BinaryIO | None = None

    @property
    def position(self) -> int:
        """How many bytes of the file on disk have been read by `lines`."""
        return self._file.tell() if self._file and not self._file.closed else 0

    def lines(self) -> Iterator[Line]:
        """Every line from the first one on. A byte order mark is left out."""
        with self.path.open("rb") as file:
            self._file = file
            with self._unpacked(file) as text:
                first, number = b"\xef\xbb\xbf", 0
                for raw in iter(partial(text.readline, LONGEST_LINE), b""):
                    number += 1
                    if number == 1:
                        raw = raw.removeprefix(first)
                    if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
                        while (rest := text.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                            pass
                        beginning = raw[:1000].decode(errors="backslashreplace")
                        yield Line(number, f"{beginning}…\n", "The line is longer than 1 MiB.")
                        continue
                    try:
                        line = raw.decode()
                    except UnicodeDecodeError as error:
                        wrong = raw[error.start]
                        line = raw.decode(errors="backslashreplace")
                        yield Line(
                            number, line, f"The line is not UTF-8 text: it holds the byte 0x{wrong:02x}."
                        )
                        continue
                    yield Line(number, line, "The line holds a NUL byte." if "\0" in line else None)

    def _unpacked(self, file: BinaryIO) -> io.BufferedReader:
        if not self.zipped:
            return io.BufferedReader(file, BLOCK)  # type: ignore[arg-type]
        return io.BufferedReader(gzip.GzipFile(fileobj=file), BLOCK)

    def _look_through(self) -> bytes:
        """The first bytes of the text. A gzip file is unpacked to its end, where alone a cut shows."""
        with self.path.open("rb") as file, self._unpacked(file) as text:
            start = text.read(BLOCK)
            while self.zipped and text.read(1 << 20):
                pass
        return start

    def _refuse_what_is_no_text(self) -> None:
        if not self.start.removeprefix(b"\xef\xbb\xbf").strip():
            raise Unusable(f"{self.path} is empty.")
        for sign, sentence in FOREIGN.items():
            if self.start.startswith(sign):
                raise Unusable(f"{self.path} {sentence}")
        controls = len(self.start) - len(self.start.translate(None, CONTROLS))
        if controls > 4 and controls * 100 > len(self.start):
            raise Unusable(f"{self.path} is no text file.")
