"""A ServiceNow incident event log: a row an update, an incident's rows together. A mapping says what means what."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache, partial

from django.utils.text import slugify

from operations.importing.faults import Fault, Rejected, Unusable
from operations.importing.formats.rows import Row, read_table
from operations.importing.mapping import Mapping, Rule, Template
from operations.importing.reading import Source
from operations.importing.records import ImportedDecision, ImportedSession, in_reach, outcome_status

Cells = Sequence[str]

MOST_ROWS = 10_000  # of one incident


def read(source: Source, mapping: Mapping, account_slug: str) -> Iterator[ImportedSession | Rejected]:
    """One session an incident. Raises Unusable where a column that the mapping names is missing."""
    header, rows = read_table(source.lines())
    if missing := sorted(mapping.named_columns.difference(header)):
        raise Unusable(f"{source.path} has no column {', '.join(missing)}, which the mapping names.")
    return _Incidents(mapping, header, account_slug).of(rows)


class _Incidents:
    def __init__(self, mapping: Mapping, header: list[str], account_slug: str) -> None:
        place = {name: index for index, name in enumerate(header)}

        def column(fact: str) -> Callable[[Cells], str | None]:
            return _column([place[name] for name in mapping.columns.get(fact, ())], mapping.missing)

        self.external_id = column("external_id")
        self.started_at, self.completed_at = (
            column("started_at"),
            column("completed_at"),
        )
        self.engineer = column("engineer")
        self.client, self.domain = column("client"), column("domain")
        self.psa_ticket_id = column("psa_ticket_id")
        self.decision, self.decision_at = (
            column("decision"),
            column("decision_at"),
        )
        self.problem_summary = _filler(mapping.problem_summary, place, mapping.missing, partly=True)
        self.outcomes = [_condition(rule, place) for rule in mapping.outcomes]
        self.tiers = [
            (_condition(rule, place), _filler(rule.flow, place, mapping.missing) if rule.flow else None)
            for rule in mapping.tiers
        ]
        self.nobody, self.decision_title = mapping.engineer, mapping.decision_title
        self.has_decisions = "decision" in mapping.columns
        self.moment = _clock(mapping)
        self.email = lru_cache(maxsize=10_000)(partial(email_of, account_slug=account_slug))

    def of(self, rows: Iterator[Row]) -> Iterator[ImportedSession | Rejected]:
        """A row that cannot be read belongs to the incident beside it that has its number, else it stands alone."""
        incident: list[Row] = []
        current: str | None = None
        stray: Row | None = None
        for row in rows:
            number = self._number(row)
            if number is not None and number == current:
                incident.append(row)
                del incident[MOST_ROWS + 1 :]  # one too many is kept to tell by
                continue
            if row.fault or number is None:
                if stray:
                    yield _rejected(stray)
                stray = row
                continue
            if incident:
                yield self._session(incident)
            if stray and self._number(stray) == number:
                incident = [stray, row]
            else:
                if stray:
                    yield _rejected(stray)
                incident = [row]
            current, stray = number, None
        if incident:
            yield self._session(incident)
        if stray:
            yield _rejected(stray)

    def _number(self, row: Row) -> str | None:
        try:
            return self.external_id(row.cells)
        except IndexError:  # a row that is too short
            return None

    def _session(self, rows: list[Row]) -> ImportedSession | Rejected:
        row = next((row for row in rows if row.fault), None) or rows[-1]
        try:
            if row.fault:
                raise Fault(row.fault)
            if len(rows) > MOST_ROWS:
                raise Fault(f"The incident has more than {MOST_ROWS:,} rows.")
            return self._facts(rows)
        except Fault as error:
            return Rejected(row.line, str(error), row.raw)

    def _facts(self, rows: list[Row]) -> ImportedSession:
        last = rows[-1]
        cells = last.cells
        external_id = _fitting(self.external_id(cells), "The number", 200)
        started_at = self._time(self.started_at(cells), "The opening")
        if external_id is None:
            raise Fault("The number of the incident is missing.")
        if started_at is None:
            raise Fault("The time of the opening is missing.")
        engineer = _fitting(self.engineer(cells), "The engineer", 200) or self.nobody
        outcome = next(rule.value for rule, fits in self.outcomes if fits(cells))
        tier, flow = self._tier(cells)
        session = ImportedSession(
            line=last.line,
            raw=last.raw,
            external_id=external_id,
            email=self.email(engineer),
            engineer=engineer,
            flow=_fitting(flow, "The flow", 300),
            domain=_fitting(self.domain(cells), "The domain", 200),
            client=_fitting(self.client(cells), "The client", 200),
            problem_summary=_fitting(self.problem_summary(cells), "The problem summary", 500) or "",
            status=outcome_status(outcome),
            outcome=outcome,
            confidence_tier=tier,
            started_at=started_at,
            completed_at=self._time(self.completed_at(cells), "The end"),
            psa_ticket_id=_fitting(self.psa_ticket_id(cells), "The ticket", 100),
            decisions=self._decisions(rows) if self.has_decisions else [],
        )
        session.check()
        return session

    def _decisions(self, rows: list[Row]) -> list[ImportedDecision]:
        decisions: list[ImportedDecision] = []
        state = self.decision(rows[0].cells)
        for row in rows:
            now = self.decision(row.cells)
            if now != state and now is not None:
                at = self._time(self.decision_at(row.cells), f"Line {row.line}: the time of the change")
                if at is None:
                    raise Fault(f"Line {row.line}: the time of the change is missing.")
                index = len(decisions)
                decisions.append(ImportedDecision(at, title=self.decision_title, answer=now, index=index))
                state = now
        return decisions

    def _tier(self, cells: Cells) -> tuple[str, str | None]:
        for (rule, fits), flow in self.tiers:
            if fits(cells):
                if flow is None:
                    return rule.value, None
                if name := flow(cells):
                    return rule.value, name
        raise AssertionError("The last rule of a mapping fits always.")

    def _time(self, cell: str | None, name: str) -> datetime | None:
        if cell is None:
            return None
        try:
            at = self.moment(cell)
        except (ValueError, OverflowError):
            raise Fault(f"{name} is no time in the format of the mapping: {cell[:40]}") from None
        if not in_reach(at):
            raise Fault(f"{name} is not between the years 1970 and 2100.")
        return at


def email_of(name: str, account_slug: str) -> str:
    """The address that stands for a person who has only a name in the log; .invalid never takes mail."""
    slug = slugify(name)
    if not slug or len(slug) > 64:
        slug = f"{slug[:50]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".lstrip("-")
    return f"{slug}@{account_slug}.invalid".lower()


def _rejected(row: Row) -> Rejected:
    return Rejected(row.line, row.fault or "The number of the incident is missing.", row.raw)


def _column(places: list[int], missing: frozenset[str]) -> Callable[[Cells], str | None]:
    """Asks the columns in turn; None where all are missing."""

    def first(cells: Cells) -> str | None:
        for place in places:
            if (cell := cells[place]) not in missing:
                return cell
        return None

    return first


def _fitting(value: str | None, name: str, longest: int) -> str | None:
    if value is None:
        return None
    if len(value) > longest:
        raise Fault(f"{name} is longer than {longest} characters.")
    return value.strip() or None


def _filler(
    template: Template, place: dict[str, int], missing: frozenset[str], partly: bool = False
) -> Callable[[Cells], str | None]:
    """Fills a template. A missing part makes it None or, with `partly`, is left out with the text before it."""
    texts = template.parts[0::2]
    places = [place[name] for name in template.columns]

    def fill(cells: Cells) -> str | None:
        filled = ""
        for text, index in zip(texts, places, strict=False):
            cell = cells[index]
            if cell not in missing:
                filled += (text if filled or text is texts[0] else "") + cell
            elif not partly:
                return None
        return filled + texts[-1] if filled else None

    return fill


def _condition(rule: Rule, place: dict[str, int]) -> tuple[Rule, Callable[[Cells], bool]]:
    if rule.column is None:
        return rule, lambda cells: True
    index = place[rule.column]
    if rule.equals is not None:
        return rule, lambda cells: cells[index] == rule.equals
    limit = rule.above or 0

    def above(cells: Cells) -> bool:
        try:
            return float(cells[index]) > limit
        except ValueError:
            raise Fault(f"{rule.column} has to be a number, not {cells[index][:40]}.") from None

    return rule, above


def _clock(mapping: Mapping) -> Callable[[str], datetime]:
    """Reads a date and a time of day. Both come from few values, so that strptime is asked once for each."""
    zone = None if mapping.time_zone.key == "UTC" else mapping.time_zone

    @lru_cache(maxsize=5_000)
    def day(text: str) -> date:
        return datetime.strptime(text, mapping.date_format).date()  # noqa: DTZ007 - the zone is added below

    @lru_cache(maxsize=90_000)
    def time_of_day(text: str) -> time:
        return datetime.strptime(text, mapping.time_format).time()  # noqa: DTZ007 - the zone is added below

    def moment(text: str) -> datetime:
        on, _, at = text.partition(" ")
        if zone is None:
            return datetime.combine(day(on), time_of_day(at), UTC)
        return datetime.combine(day(on), time_of_day(at), zone).astimezone(UTC)

    return moment
