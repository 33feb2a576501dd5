"""JSON Lines: one session a line."""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from operations.importing.faults import Fault, Rejected, Unusable
from operations.importing.formats.fields import session_of
from operations.importing.reading import Source
from operations.importing.records import ImportedSession


def read(source: Source) -> Iterator[ImportedSession | Rejected]:
    """Blank lines are passed over. Raises Unusable where not one line at the beginning starts an object."""
    if not any(
        line.lstrip().startswith(b"{") for line in source.start.removeprefix(b"\xef\xbb\xbf").splitlines()
    ):
        raise Unusable(f"{source.path} is no JSON Lines file: no line at its beginning is a JSON object.")
    return _sessions(source)


def _sessions(source: Source) -> Iterator[ImportedSession | Rejected]:
    for number, line, fault in source.lines():
        raw = line.strip()
        if not raw:
            continue
        try:
            if fault:
                raise Fault(fault)
            yield session_of(parse_object(raw), number, raw)
        except Fault as error:
            yield Rejected(number, str(error), raw)


def parse_object(raw: str) -> dict[str, Any]:
    value = parse(raw, "The line")
    if not isinstance(value, dict):
        raise Fault("The line has to be a JSON object.")
    return value


def parse(raw: str, name: str) -> Any:
    """The JSON value; raises Fault, with `name` as its subject, for what is none."""
    try:
        return json.loads(raw, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise Fault(f"{name} is no JSON: {error.msg} at character {error.pos + 1}.") from None
    except RecursionError:
        raise Fault(f"{name} is nested too deeply.") from None
    except ValueError:  # a number with thousands of digits
        raise Fault(f"{name} holds a number that is none or is too long.") from None


def _no_number(constant: str) -> NoReturn:
    raise ValueError(constant)
