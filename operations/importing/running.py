"""One import from end to end."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from functools import cached_property
from pathlib import Path
from typing import Literal

from django.db import connection
from django.db.models import JSONField

from flowpilot.models import Client, Domain, Flow, PsaActivityLog, Session, Step
from operations.importing.faults import Rejected, Unusable
from operations.importing.formats import csv, jsonl, servicenow
from operations.importing.mapping import SHIPPED, Mapping, read_mapping
from operations.importing.reading import BROKEN_GZIP, Source
from operations.importing.records import ImportedSession
from operations.importing.report import RejectedFile, Summary
from operations.importing.shifting import Shift, newest_opening
from operations.importing.writing import Writer
from ratings.models import SessionRating, StepRating
from resolutionflow.accounts.models import Account
from resolutionflow.tenancy import account_scope

BATCH = 2_000  # sessions in one transaction
HEAVY = 16 << 20  # characters of their rows: a batch of long ones ends earlier, so that memory stays flat
LARGE = 5_000  # written sessions from which on the planner's statistics are stale
WAIT_FOR_LOCK = 3.0  # seconds: the connection of an import that was killed may live on for a moment

Format = Literal["jsonl", "csv", "servicenow"]
Row = ImportedSession | Rejected


@dataclass(frozen=True)
class Options:
    """`format` None: JSON Lines or CSV by the file's first character, servicenow where a mapping is named."""

    format: Format | None = None
    mapping: Path | None = None
    create_flows: bool = False
    until: date | None = None
    shift_to_now: bool = False
    dry_run: bool = False


@dataclass
class Import:
    """An import that is under way. `summary` is true of what is committed at any time, also after an interruption."""

    account: Account
    source: Source
    options: Options
    mapping: Mapping | None
    now: datetime
    rejected_file: RejectedFile | None
    summary: Summary = field(default_factory=Summary)
    rejected: list[Rejected] = field(default_factory=list)  # the first ones, where there is no file for them
    broke_off: str | None = None  # why the file could not be read to its end

    def run(self, progress: Callable[[int], None] = lambda position: None) -> None:
        """Calls `progress` with the bytes of the file that are done, after each batch.

        Raises Unusable, with nothing written, where the file is none of its format or another import is running.
        """
        with alone(self.account), account_scope(self.account):
            self._rows()  # looks at the header before anything is written
            shift = self._shift()
            servicenow_log = self.mapping is not None
            writer = Writer(
                self.account,
                create_flows=self.options.create_flows or bool(self.mapping and self.mapping.create_flows),
                analysed_at=self.now if servicenow_log else None,
                dry_run=self.options.dry_run,
            )
            finished = False
            try:
                with _lines_of_external_ids() as first_lines:
                    for batch in self._batches():
                        self._write(writer, first_lines, batch, shift)
                        progress(self.source.position)
                if not self.options.dry_run:
                    writer.settle_titles()
                finished = True
            finally:
                if self.rejected_file:
                    self.rejected_file.close(finished=finished)
            if self.summary.created + self.summary.updated >= LARGE and not self.options.dry_run:
                _analyse()

    def _rows(self) -> Iterator[Row]:
        if self.mapping:
            return servicenow.read(self.source, self.mapping, self.account.slug)
        return jsonl.read(self.source) if self.options.format == "jsonl" else csv.read(self.source)

    def _batches(self) -> Iterator[list[Row]]:
        batch: list[Row] = []
        weight = 0
        try:
            for row in self._rows():
                batch.append(row)
                weight += len(row.raw)
                if len(batch) == BATCH or weight >= HEAVY:
                    yield batch
                    batch, weight = [], 0
        except (*BROKEN_GZIP, OSError) as error:
            # the file was looked through before: it changed since, or its disk failed
            self.broke_off = str(error)
        if batch:
            yield batch

    def _shift(self) -> Shift | None:
        """The account's shift, kept for the next import; None without --shift-to-now or without a session."""
        if not self.options.shift_to_now:
            return None
        self.account.refresh_from_db(fields=["import_shift"])
        if self.account.import_shift:
            return Shift.from_stored(self.account.import_shift)
        sessions = (
            row for row in self._rows() if isinstance(row, ImportedSession) and not self._too_late(row)
        )
        newest = newest_opening(sessions)
        if newest is None:
            return None
        shift = Shift.to(self.now, newest)
        if not self.options.dry_run:
            self.account.import_shift = shift.stored()
            self.account.save(update_fields=["import_shift"])
        return shift

    def _too_late(self, session: ImportedSession) -> bool:
        return self._end is not None and session.started_at >= self._end

    @cached_property
    def _end(self) -> datetime | None:
        """When the day of --until, a day in the account's zone, is over."""
        until = self.options.until
        if until is None:
            return None
        try:
            return datetime.combine(until + timedelta(days=1), time_of_day(), self.account.tz).astimezone(UTC)
        except OverflowError:  # the last day that there is
            return None

    def _write(
        self, writer: Writer, first_lines: "_FirstLines", batch: list[Row], shift: Shift | None
    ) -> None:
        sessions = [row for row in batch if isinstance(row, ImportedSession)]
        rejected = [row for row in batch if isinstance(row, Rejected)]
        left_out = 0
        wanted = []
        met = first_lines.of({session.external_id: session.line for session in reversed(sessions)})
        for session in sessions:
            if (line := met[session.external_id]) != session.line:
                reason = f"{session.external_id} is in line {line} already."
                if self.mapping:
                    reason += " The rows of an incident have to stand together."
                rejected.append(Rejected(session.line, reason, session.raw))
            elif self._too_late(session):
                left_out += 1
            elif shift is None:
                wanted.append(session)
            elif moved := shift.apply(session):
                wanted.append(moved)
            else:
                left_out += 1
        written = writer.write(wanted)
        rejected = sorted([*rejected, *written.rejected], key=lambda row: row.line)
        if self.rejected_file:
            self.rejected_file.add(rejected)
        else:
            self.rejected.extend(rejected[: 20 - len(self.rejected)])
        self.summary = replace(
            self.summary,
            created=self.summary.created + written.created,
            unchanged=self.summary.unchanged + written.unchanged,
            updated=self.summary.updated + written.updated,
            rejected=self.summary.rejected + len(rejected),
            left_out=self.summary.left_out + left_out,
        )


def prepare(
    account: Account, path: Path, options: Options, *, now: datetime, keep_rejected: bool = True
) -> Import:
    """Looks at the file and the mapping. Raises Unusable; nothing is written yet.

    Without `keep_rejected`, and in a dry run, rejected rows go to no file.
    """
    if options.mapping and options.format not in (None, "servicenow"):
        raise Unusable("--mapping goes with --format servicenow only.")
    source = Source(path)
    mapping = None
    if options.mapping or options.format == "servicenow":
        mapping = read_mapping(options.mapping or SHIPPED)
    elif options.format is None:
        first = source.start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        options = replace(options, format="jsonl" if first in (b"{", b"[") else "csv")
    rejected_file = RejectedFile(path, account.slug) if keep_rejected and not options.dry_run else None
    return Import(account, source, options, mapping, now, rejected_file)


def lock_key(account: Account) -> int:
    """The number of the advisory lock that an import into the account holds."""
    digest = hashlib.sha256(b"import into account " + account.id.bytes).digest()
    return int.from_bytes(digest[:8], signed=True)


@contextmanager
def alone(account: Account) -> Iterator[None]:
    """Only one import into an account at a time, and none while the account is deleted.

    The lock ends with the connection, however that ends. Raises Unusable where an import holds it.
    """
    key = lock_key(account)
    until = time.monotonic() + WAIT_FOR_LOCK
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
            row = cursor.fetchone()
            if row and row[0]:
                break
            if time.monotonic() > until:
                raise Unusable("An import into this account is running.")
            time.sleep(0.2)
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


class _FirstLines:
    """Which line of the file an external_id stands in first, kept in a temporary table: memory stays flat."""

    def of(self, lines: dict[str, int]) -> dict[str, int]:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO import_first_lines SELECT * FROM unnest(%s::text[], %s::bigint[])
                    ON CONFLICT DO NOTHING
                """,
                [list(lines), list(lines.values())],
            )
            if cursor.rowcount == len(lines):
                return lines
            cursor.execute(
                "SELECT external_id, line FROM import_first_lines WHERE external_id = ANY(%s)", [list(lines)]
            )
            return dict(cursor.fetchall())


@contextmanager
def _lines_of_external_ids() -> Iterator[_FirstLines]:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.import_first_lines")
        cursor.execute(
            "CREATE TEMPORARY TABLE import_first_lines (external_id text PRIMARY KEY, line bigint NOT NULL)"
        )
    yield _FirstLines()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE pg_temp.import_first_lines")


def _analyse() -> None:
    """The planner knows nothing yet of the new rows. JSON columns are left out: no plan looks at their statistics."""
    with connection.cursor() as cursor:
        for model in (Session, Flow, Step, Client, Domain, SessionRating, StepRating, PsaActivityLog):
            columns = [
                f'"{field.column}"' for field in model._meta.local_fields if not isinstance(field, JSONField)
            ]
            cursor.execute(f'ANALYZE "{model._meta.db_table}" ({", ".join(columns)})')
