"""Statements built once with SQLAlchemy, compiled once, run on the driver's own cursor.

SQLAlchemy's `Connection.execute` costs several times what SQLite needs for a seek, and a start runs about ten
statements under the write lock. So the SQL text is made on first use and kept. Everything bound is an int, a str,
bytes or None, for which SQLAlchemy would convert nothing. Leaves out: who runs them (`database`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

Bound = int | str | bytes | None


class Prepared:
    """One statement. `sql` has `:name` placeholders; `constants` are values the statement itself brings along."""

    __slots__ = ("_constants", "_sql", "_statement")

    def __init__(self, statement: sa.sql.expression.Executable) -> None:
        self._statement = statement
        self._sql: str | None = None
        self._constants: dict[str, Bound] = {}

    @property
    def sql(self) -> str:
        """The text for SQLite, compiled on first use (importing a module does nothing)."""
        return self._sql or self._compile()

    @property
    def constants(self) -> dict[str, Bound]:
        """Literal values inside the statement, by placeholder name. Read after `sql`."""
        return self._constants

    def _compile(self) -> str:
        assert isinstance(self._statement, sa.ClauseElement)
        compiled = self._statement.compile(dialect=sqlite.dialect(paramstyle="named"))
        assert isinstance(compiled, sa.sql.compiler.SQLCompiler)
        self._constants = {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
        self._sql = str(compiled)
        return self._sql


class PerTokens:
    """A statement that looks under several blind indexes at once (one per key while keys rotate), per their number.

    `build(n)` gives the statement for n tokens; see `any_of`.
    """

    __slots__ = ("_build", "_made")

    def __init__(self, build: Callable[[int], sa.sql.expression.Executable]) -> None:
        self._build = build
        self._made: dict[int, Prepared] = {}

    def __getitem__(self, number: int) -> Prepared:
        made = self._made.get(number)
        if made is None:
            made = self._made[number] = Prepared(self._build(number))
        return made


def any_of(column: sa.ColumnElement[bytes], number: int, name: str = "token") -> sa.ColumnElement[bool]:
    """`column` is one of the placeholders token0, token1 … (or another `name`)."""
    if number == 1:
        return column == sa.bindparam(f"{name}0")
    return column.in_([sa.bindparam(f"{name}{place}") for place in range(number)])


def numbered(tokens: Sequence[bytes], name: str = "token") -> dict[str, Bound]:
    """The values for `any_of`."""
    return {f"{name}{place}": token for place, token in enumerate(tokens)}


def bind(name: str) -> sa.BindParameter[Bound]:
    """A placeholder without a type: drivers get ints, strings and bytes as they are."""
    return sa.bindparam(name)
