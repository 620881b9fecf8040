"""Whether writing something can change what was read before: what the two say of rows, compared without a database.

Two statements about one table cannot meet when they name different values of the same column of its key, as a key
never changes. What is not understood meets everything. Leaves out: what is remembered (`batches`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import elements, operators, visitors

from adapter.store.statements import Bound, Dialect, Prepared

_LISTS = (elements.Grouping, elements.ClauseList)
# Of one table: columns of its key, and the placeholders of which one gives the column's value.
Confines = Mapping[str, tuple[str, ...]]


def meet(change: Confines, by: Mapping[str, Bound], read: Confines, values: Mapping[str, Bound]) -> bool:
    """Whether a row of the one table that both are about may be among those changed with values `by` and those read."""
    for column, names in change.items():
        others = read.get(column)
        if others is not None and not {by[name] for name in names} & {values[name] for name in others}:
            return False
    return True


def tables(statement: Prepared) -> Mapping[str, Confines] | None:
    """The rows of which tables a SELECT reads, or anything else may change; None: not understood."""
    found: Mapping[str, Confines] | None = statement.kept("tables", _tables)
    return found


def only_reads(statement: Prepared) -> bool:
    """Whether it is a SELECT."""
    return statement.kept("only_reads", lambda it: isinstance(it.statement(Dialect.POSTGRESQL), sa.Select))


def _tables(prepared: Prepared) -> Mapping[str, Confines] | None:
    statement = prepared.statement(Dialect.POSTGRESQL)
    if isinstance(statement, sa.Select):
        parts = visitors.iterate(statement)
        return {part.name: _of_key(part, statement.whereclause) for part in parts if isinstance(part, sa.Table)}
    if isinstance(statement, sa.Insert | sa.Update | sa.Delete) and isinstance(statement.table, sa.Table):
        return {statement.table.name: _changed(statement, statement.table)}
    return None


def _changed(statement: sa.Insert | sa.Update | sa.Delete, table: sa.Table) -> Confines:
    if isinstance(statement, sa.Insert):
        return _inserted(statement, table)
    confined = _of_key(table, statement.whereclause)
    if isinstance(statement, sa.Update):  # a row that gets another key is in two places
        moved = {getattr(column, "name", column) for column in statement._values or ()}
        return {column: names for column, names in confined.items() if column not in moved}
    return confined


def _inserted(insert: sa.Insert, table: sa.Table) -> Confines:
    """The row's own key, where it is given as it is."""
    if insert.select is None:
        return {column.name: (column.name,) for column in table.primary_key}
    given = zip(insert._select_names or (), insert.select.selected_columns, strict=False)
    key = {column.name for column in table.primary_key}
    return {name: (part.key,) for name, part in given if name in key and isinstance(part, sa.BindParameter)}


def _of_key(table: sa.Table, where: sa.ColumnElement[bool] | None) -> Confines:
    key = {column.name for column in table.primary_key}
    conditions = [] if where is None else _conjunction(where)
    found = (_equality(each) for each in conditions)
    return {column.name: names for column, names in filter(None, found) if column.table is table and column.name in key}


def _conjunction(where: sa.ColumnElement[bool]) -> Iterator[sa.ColumnElement[bool]]:
    """What has to hold for every row that is meant."""
    if isinstance(where, sa.BooleanClauseList) and where.operator is operators.and_:
        for each in where.clauses:
            yield from _conjunction(each)
    else:
        yield where


def _equality(condition: sa.ColumnElement[bool]) -> tuple[sa.Column[Any], tuple[str, ...]] | None:
    """A column, and the placeholders one of which it is equal to."""
    if not isinstance(condition, sa.BinaryExpression) or condition.operator not in (operators.eq, operators.in_op):
        return None
    within = list(visitors.iterate(condition.right))
    bound = [part for part in within if isinstance(part, sa.BindParameter)]
    plain = all(isinstance(part, (sa.BindParameter, *_LISTS)) for part in within)
    if not isinstance(condition.left, sa.Column) or not plain or not all(part.required for part in bound):
        return None
    return condition.left, tuple(part.key for part in bound)
