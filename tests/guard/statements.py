"""Reads SQL and says to which account each tenant table in it is pinned.

A table is pinned by `account_id = value`, by `account_id = account_id` of something pinned (beside it, in an outer
query, in a subquery or a CTE), and where it is written to by the account_id of the new row. Pins come from places that
cut rows away for sure: WHERE, an inner join's ON, and of an outer join's ON only what the join may leave out.
"""

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import sqlglot
from sqlglot import exp

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # statements it cannot read are faults here, no warnings

ACCOUNT = "account_id"
PLACEHOLDER = re.compile(r"%%|%[sbt]|%\((\w+)\)[sbt]")
MARK = ":parameter:"
EXPLAIN = re.compile(r"^\s*explain\s+(\([^)]*\)\s*|(analyze|verbose)\s+)*", re.IGNORECASE)
MAINTENANCE = re.compile(r"^\s*(vacuum|analyze)\b", re.IGNORECASE)
QUERY = (exp.Select, exp.SetOperation, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Values)

Pin = str  # a literal, or MARK and the position or name of a parameter
Pins = frozenset[Pin]
NONE: Pins = frozenset()


@dataclass
class Verdict:
    """`needs` has one entry a tenant table: one of its pins has to be the account in scope."""

    needs: list[tuple[str, Pins]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    defines: bool = False  # it changes tables, not rows
    copies: list[str] | None = None  # the columns of a COPY … FROM


@lru_cache(8192)
def judge(sql: str, tables: frozenset[str], *, parameters: bool = True) -> Verdict:
    """`parameters` says whether `%s` stands for one, as it does where any are given."""
    verdict = Verdict()
    if MAINTENANCE.match(sql):
        return verdict
    try:
        statements = sqlglot.parse(EXPLAIN.sub("", _marked(sql) if parameters else sql), dialect="postgres")
    except sqlglot.errors.SqlglotError:
        verdict.faults.append("it cannot be read")
        return verdict
    reader = _Reader(tables, verdict)
    for statement in filter(None, statements):
        reader.statement(statement)
    return verdict


def _marked(sql: str) -> str:
    position = -1

    def mark(match: re.Match) -> str:
        nonlocal position
        if match[0] == "%%":
            return "%"
        position += 1
        return f"'{MARK}{match[1] or position}'"

    return PLACEHOLDER.sub(mark, sql)


@dataclass
class _Level:
    """The tables that one SELECT, UPDATE or DELETE names."""

    outer: dict[str, Pins]
    tenant: dict[str, str] = field(default_factory=dict)
    derived: dict[str, exp.Expression] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    pins: dict[str, Pins] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)

    def settle(self) -> None:
        changed = True
        while changed:
            changed = False
            for source, target in self.edges:
                pins = self.pins.get(source, NONE) if source in self.names else self.outer.get(source, NONE)
                if pins - self.pins.get(target, NONE):
                    self.pins[target] = self.pins.get(target, NONE) | pins
                    changed = True

    @property
    def visible(self) -> dict[str, Pins]:
        return self.outer | {name: self.pins.get(name, NONE) for name in self.names}


class _Reader:
    def __init__(self, tables: frozenset[str], verdict: Verdict) -> None:
        self.tables, self.verdict = tables, verdict

    def statement(self, node: exp.Expression) -> None:
        if isinstance(node, (*QUERY, exp.Subquery)):
            self.query(node, {}, {})
        elif isinstance(node, exp.Copy):
            self._copy(node)
        elif isinstance(node, exp.Create):
            query = node.expression
            if isinstance(query, (*QUERY, exp.Subquery)):
                self.query(query, {}, {})
            self.verdict.defines |= not node.find(exp.TemporaryProperty)
        elif isinstance(node, (exp.Alter, exp.Drop, exp.TruncateTable, exp.Comment)):
            self.verdict.defines = True
        elif self._mentions(node):
            if isinstance(node, exp.Command) and node.name.upper() in ("ALTER", "CREATE", "DROP", "COMMENT"):
                self.verdict.defines = True
            else:
                self.verdict.faults.append("it is of a kind that cannot be checked")

    def _mentions(self, node: exp.Expression) -> bool:
        if isinstance(node, exp.Command):
            return bool(re.search(rf"\b({'|'.join(self.tables)})\b", str(node), re.IGNORECASE))
        return any(_name(table) in self.tables for table in node.find_all(exp.Table))

    def _copy(self, node: exp.Copy) -> None:
        what = node.this
        if isinstance(what, (exp.Subquery, *QUERY)):
            self.query(what, {}, {})
            return
        table = what.find(exp.Table)
        if _name(table) not in self.tables:
            return
        if not node.args.get("kind"):
            self.verdict.faults.append(f"COPY {_name(table)} TO gives the rows of all accounts")
        self.verdict.copies = [c.name for c in what.expressions] if isinstance(what, exp.Schema) else []

    def query(self, node: exp.Expression, outer: dict[str, Pins], ctes: dict[str, Pins]) -> Pins:
        """Reads it and returns to what the column account_id of its rows is pinned."""
        ctes = dict(ctes)
        for cte in (node.args.get("with_") or exp.With()).expressions:
            ctes[cte.alias] = NONE  # while it is read: a recursive one leans on itself
            ctes[cte.alias] = self.query(cte.this, outer, ctes)
        if isinstance(node, exp.Subquery):
            return self.query(node.this, outer, ctes)
        if isinstance(node, exp.SetOperation):
            left, right = (self.query(side, outer, ctes) for side in (node.left, node.right))
            return left | right if left and right else NONE
        if isinstance(node, exp.Insert):
            return self._insert(node, outer, ctes)
        if isinstance(node, exp.Merge):
            return self._merge(node, outer, ctes)
        level = self._level(node, outer, ctes)
        if isinstance(node, exp.Update):
            for change in node.expressions:
                if (
                    isinstance(change, exp.EQ)
                    and _is_account(change.this)
                    and _name(node.this) in self.tables
                ):
                    self._need(f"SET account_id of {_name(node.this)}", _value(change.expression))
        if isinstance(node, (exp.Update, exp.Delete)):
            return level.pins.get(node.this.alias_or_name, NONE)
        return self._output(node, level)

    def _level(self, node: exp.Expression, outer: dict[str, Pins], ctes: dict[str, Pins]) -> _Level:
        level = _Level(outer)
        if isinstance(node, (exp.Update, exp.Delete)):
            self._add(node.this, level, ctes)
        for source in node.args.get("using") or []:
            self._add(source, level, ctes)
        if start := node.args.get("from_"):
            self._add(start.this, level, ctes)
            self._joins(start.this, level, ctes)
        self._joins(node, level, ctes)
        if where := node.args.get("where"):
            self._conditions(where.this, level, lambda name: True)
        level.settle()
        for name, query in level.derived.items():
            level.pins[name] = level.pins.get(name, NONE) | self.query(query, level.visible, ctes)
        level.settle()
        for name, table in level.tenant.items():
            self._need(table if name == table else f"{table} {name}", level.pins.get(name, NONE))
        inside = set(map(id, level.derived.values()))
        for query in _nested(node, inside):
            self.query(query, level.visible, ctes)
        return level

    def _joins(self, node: exp.Expression, level: _Level, ctes: dict[str, Pins]) -> None:
        for join in node.args.get("joins") or []:
            before = set(level.names)
            self._add(join.this, level, ctes)
            self._joins(join.this, level, ctes)
            here = set(level.names) - before
            cut = {"LEFT": here, "RIGHT": before, "FULL": set()}.get(join.side, before | here)
            if condition := join.args.get("on"):
                self._conditions(condition, level, cut.__contains__)

    def _add(self, source: exp.Expression, level: _Level, ctes: dict[str, Pins]) -> None:
        if isinstance(source, exp.Subquery) and isinstance(source.this, exp.Table):  # a join in parentheses
            self._add(source.this, level, ctes)
            self._joins(source.this, level, ctes)
            return
        name = source.alias_or_name
        level.names.append(name)
        if isinstance(source, exp.Lateral) and isinstance(source.this, exp.Subquery):
            level.derived[name] = source.this
        elif isinstance(source, exp.Subquery):
            level.derived[name] = source
        elif isinstance(source, exp.Table) and not source.db and source.name in ctes:
            level.pins[name] = ctes[source.name]
        elif isinstance(source, exp.Table) and _name(source) in self.tables:
            level.tenant[name] = _name(source)

    def _conditions(self, node: exp.Expression, level: _Level, cuts: Callable[[str], bool]) -> None:
        for condition in _conjuncts(node):
            if isinstance(condition, exp.In) and len(condition.expressions) == 1:
                left, right = condition.this, condition.expressions[0]
            elif isinstance(condition, exp.EQ):
                left, right = condition.this, condition.expression
            else:
                continue
            for here, there in ((left, right), (right, left)):
                name = self._owner(here, level)
                if name is None or name not in level.names or not cuts(name):
                    continue
                if pins := _value(there):
                    level.pins[name] = level.pins.get(name, NONE) | pins
                elif (other := self._owner(there, level)) is not None:
                    level.edges.append((other, name))

    @staticmethod
    def _owner(node: exp.Expression, level: _Level) -> str | None:
        """Of which table it is the account_id; None if it is not an account_id, or unclear whose."""
        node = _bare(node)
        if not _is_account(node):
            return None
        return node.table or (level.names[0] if len(level.names) == 1 else None)

    def _output(self, node: exp.Expression, level: _Level) -> Pins:
        for column in node.expressions:
            if column.alias_or_name == ACCOUNT:
                inner = column.this if isinstance(column, exp.Alias) else column
                owner = self._owner(inner, level)
                return level.visible.get(owner, NONE) if owner else _value(inner)
            if column.is_star and len(level.names) == 1:
                return level.pins.get(level.names[0], NONE)
        return NONE

    def _insert(self, node: exp.Insert, outer: dict[str, Pins], ctes: dict[str, Pins]) -> Pins:
        rows, table = node.expression, _name(node.find(exp.Table))
        columns = (
            [column.name for column in node.this.expressions] if isinstance(node.this, exp.Schema) else []
        )
        position = columns.index(ACCOUNT) if ACCOUNT in columns else None
        if table not in self.tables:
            if rows is not None:
                self.query(rows, outer, ctes)
            return NONE
        conflict = node.args.get("conflict")
        keys = (
            [key.find(exp.Column) for key in (conflict.args.get("conflict_keys") or [])] if conflict else []
        )
        if keys and not any(key is not None and key.name == ACCOUNT for key in keys):
            self.verdict.faults.append(f"ON CONFLICT of {table} does not name account_id")
        if position is None:
            self.verdict.faults.append(f"INSERT INTO {table} without account_id")
            return NONE
        pins = NONE
        for given in self._given(rows, position, outer, ctes):
            self._need(f"INSERT INTO {table}", given)
            pins = given
        return pins

    def _given(
        self, rows: exp.Expression, position: int, outer: dict[str, Pins], ctes: dict[str, Pins]
    ) -> Iterator[Pins]:
        """To what the column at the position is pinned, for each row or query that is inserted."""
        rows = rows.unnest() if isinstance(rows, exp.Subquery) else rows
        if isinstance(rows, exp.Values):
            for row in rows.expressions:
                yield _value(row.expressions[position])
                for query in _nested(row, set()):
                    self.query(query, outer, ctes)
            return
        if isinstance(rows, exp.SetOperation):
            yield from self._given(rows.left, position, outer, ctes)
            yield from self._given(rows.right, position, outer, ctes)
            return
        ctes = dict(ctes)
        for cte in (rows.args.get("with_") or exp.With()).expressions:
            ctes[cte.alias] = self.query(cte.this, outer, ctes)
        rows.set("with_", None)
        level = self._level(rows, outer, ctes)
        column = rows.expressions[position] if len(rows.expressions) > position else None
        arrays = rows.find(exp.Unnest)
        if len(rows.expressions) == 1 and rows.expressions[0].is_star:
            # Django's bulk insert: SELECT * FROM UNNEST(one array a column)
            yield _value(arrays.expressions[position]) if arrays and len(level.names) <= 1 else NONE
            return
        column = column.this if isinstance(column, exp.Alias) else column
        owner = self._owner(column, level) if column is not None else None
        yield level.visible.get(owner, NONE) if owner else _value(column)

    def _merge(self, node: exp.Merge, outer: dict[str, Pins], ctes: dict[str, Pins]) -> Pins:
        level = _Level(outer)
        for source in (node.this, node.args["using"]):
            self._add(source, level, ctes)
        target, source = level.names
        for name, query in level.derived.items():
            level.pins[name] = self.query(query, level.visible, ctes)
        # what of the source does not match is used too
        self._conditions(node.args["on"], level, target.__eq__)
        level.settle()
        for name, table in level.tenant.items():
            self._need(f"MERGE of {table}", level.pins.get(name, NONE))
        for when in node.args["whens"].expressions:
            if when.args.get("source"):
                self.verdict.faults.append("MERGE … NOT MATCHED BY SOURCE reaches the rows of all accounts")
            new = when.args["then"]
            if isinstance(new, exp.Insert) and target in level.tenant:
                columns = [column.name for column in new.this.expressions] if new.this else []
                if ACCOUNT not in columns:
                    self.verdict.faults.append(
                        f"MERGE inserts into {level.tenant[target]} without account_id"
                    )
                    continue
                value = new.expression.expressions[columns.index(ACCOUNT)]
                owner = self._owner(value, level)
                self._need("MERGE … INSERT", level.visible.get(owner, NONE) if owner else _value(value))
        for query in _nested(node, set(map(id, level.derived.values()))):
            self.query(query, level.visible, ctes)
        return level.pins.get(target, NONE)

    def _need(self, what: str, pins: Pins) -> None:
        if pins:
            self.verdict.needs.append((what, pins))
        else:
            self.verdict.faults.append(f"{what} is not pinned to an account")


def _name(table: exp.Expression | None) -> str:
    return table.name.lower() if isinstance(table, exp.Table) else ""


def _is_account(node: exp.Expression) -> bool:
    return isinstance(node, exp.Column) and node.name.lower() == ACCOUNT


def _bare(node: exp.Expression) -> exp.Expression:
    while isinstance(node, (exp.Paren, exp.Cast)):
        node = node.this
    return node


def _value(node: exp.Expression | None) -> Pins:
    node = _bare(node) if node is not None else None
    return frozenset([node.this]) if isinstance(node, exp.Literal) and node.is_string else NONE


def _conjuncts(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Paren):
        yield from _conjuncts(node.this)
    elif isinstance(node, exp.And):
        yield from _conjuncts(node.left)
        yield from _conjuncts(node.right)
    else:
        yield node


def _nested(node: exp.Expression, known: set[int]) -> Iterator[exp.Expression]:
    """The queries directly inside, without CTEs (read before) and those in `known`."""
    for child in node.iter_expressions():
        if id(child) in known or isinstance(child, exp.With):
            continue
        if isinstance(child, QUERY) and not isinstance(child, exp.Values):
            if not (isinstance(node, exp.When)):
                yield child
        else:
            yield from _nested(child, known)
