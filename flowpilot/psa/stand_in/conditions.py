"""ConnectWise's conditions, as far as the stand-in knows them. What it does not know fails: it never means "all rows".

either := both ("or" both)*        both := one ("and" one)*        one := "(" either ")" | field test
test := ("=" | "!=" | "<" | "<=" | ">" | ">=") value | ["not"] ("contains" | "like") text | ["not"] "in" "(" values ")"
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Row = Mapping[str, Any]
Predicate = Callable[[Row], bool]
Value = str | float | bool | datetime | None

TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*"|'[^']*')|\[(?P<moment>[^\]]*)\]|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])
    |(?P<word>[A-Za-z_][A-Za-z0-9_/]*)|(?P<sign><=|>=|!=|[=<>(),]))""",
    re.VERBOSE,
)
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
WORDS: Mapping[str, Value] = {"true": True, "false": False, "null": None}
DEEPEST = 20  # parentheses in each other


class BadCondition(Exception):
    """Names what cannot be read."""


def parse(conditions: str, fields: Mapping[str, type]) -> Predicate:
    """fields: what may be asked for, as board/name, and the type of its values."""
    return _Parser(conditions, fields).whole()


class _Parser:
    def __init__(self, conditions: str, fields: Mapping[str, type]) -> None:
        self.fields = fields
        self.tokens = list(_tokens(conditions))
        self.at = 0
        self.depth = 0

    def whole(self) -> Predicate:
        result = self.either()
        if self.at < len(self.tokens):
            raise BadCondition(f"unexpected {self.tokens[self.at][1]!r}")
        return result

    def either(self) -> Predicate:
        parts = [self.both()]
        while self.takes("word", "or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def both(self) -> Predicate:
        parts = [self.one()]
        while self.takes("word", "and"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def one(self) -> Predicate:
        if self.takes("sign", "("):
            self.depth += 1
            if self.depth > DEEPEST:
                raise BadCondition("too many parentheses")
            inner = self.either()
            self.needs(")")
            self.depth -= 1
            return inner
        name = self.field()
        negated = self.takes("word", "not")
        kind, token = self.next()
        if kind == "sign" and token in COMPARISONS and not negated:
            return self.comparison(name, token)
        if kind == "word" and token.lower() in {"contains", "like"}:
            test = self.text_test(name, token.lower())
        elif kind == "word" and token.lower() == "in":
            test = self.membership(name)
        else:
            raise BadCondition(f"unexpected {token!r}")
        return (lambda row: not test(row)) if negated else test

    def field(self) -> str:
        kind, token = self.next()
        if kind != "word" or token not in self.fields:
            raise BadCondition(f"{token!r} is no field to ask for")
        return token

    def comparison(self, name: str, sign: str) -> Predicate:
        compare, right = COMPARISONS[sign], self.value(name)
        if right is None and sign not in {"=", "!="}:
            raise BadCondition("null has no order")

        def holds(row: Row) -> bool:
            left = _folded(value_of(row, name, self.fields[name]))
            if left is None or right is None:
                return sign in {"=", "!="} and compare(left, right)
            return compare(left, right)

        return holds

    def text_test(self, name: str, how: str) -> Predicate:
        if self.fields[name] is not str:
            raise BadCondition(f"{name} is no text")
        wanted = str(self.value(name))
        if how == "contains":
            return lambda row: wanted in str(_folded(value_of(row, name, str)) or "")
        parts = [re.escape(part) for part in re.split("[%*]", wanted)]
        pattern = re.compile(".*".join(parts), re.DOTALL)
        return lambda row: pattern.fullmatch(str(_folded(value_of(row, name, str)) or "")) is not None

    def membership(self, name: str) -> Predicate:
        self.needs("(")
        values = [self.value(name)]
        while self.takes("sign", ","):
            values.append(self.value(name))
        self.needs(")")
        return lambda row: _folded(value_of(row, name, self.fields[name])) in values

    def value(self, name: str) -> Value:
        kind, token = self.next()
        wanted = self.fields[name]
        value: Value
        if kind == "text":
            value = token.casefold()
        elif kind == "number":
            value = float(token)
        elif kind == "moment":
            value = _moment(token)
        elif kind == "word" and token.lower() in WORDS:
            value = WORDS[token.lower()]
        else:
            raise BadCondition(f"{token!r} is no value")
        allowed: tuple[type, ...] = (float,) if wanted is int else (wanted,)
        if value is not None and not isinstance(value, allowed):
            raise BadCondition(f"{name} cannot be compared with {token!r}")
        return value

    def next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise BadCondition("it ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def takes(self, kind: str, token: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at][0] == kind
        if found and self.tokens[self.at][1].lower() == token:
            self.at += 1
            return True
        return False

    def needs(self, sign: str) -> None:
        if not self.takes("sign", sign):
            raise BadCondition(f"{sign!r} is missing")


def value_of(row: Row, name: str, kind: type) -> Value:
    """The value that a name such as board/name has in a row; dates as moments."""
    value: Any = row
    for part in name.split("/"):
        value = value.get(part) if isinstance(value, Mapping) else None
    if kind is datetime and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value  # type: ignore[no-any-return]  # a row is JSON


def _folded(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def _moment(token: str) -> datetime:
    try:
        at = datetime.fromisoformat(token)
    except ValueError as error:
        raise BadCondition(f"{token!r} is no moment") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _tokens(conditions: str) -> list[tuple[str, str]]:
    tokens, at, text = [], 0, conditions.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise BadCondition(f"cannot read {text[at : at + 20]!r}")
        token = found[found.lastgroup]
        tokens.append((found.lastgroup, token[1:-1] if found.lastgroup == "text" else token))
        at = found.end()
    return tokens
