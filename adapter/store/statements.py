"""Statements built once with SQLAlchemy, compiled once for each kind of database, run on the driver's own cursor.

SQLAlchemy's `Connection.execute` costs several times what SQLite needs for a seek, and a start runs about ten
statements under the write lock. So the SQL text is made on first use and kept. Everything bound is an int, a str,
bytes or None, for which SQLAlchemy would convert nothing. Leaves out: who runs them (`sqlite`,
`postgres`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from enum import Enum
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

Bound = int | str | bytes | None
T = TypeVar("T")


class Dialect(Enum):
    """Whose SQL. The drivers' placeholders: `:name` for SQLite, `%(name)s` for PostgreSQL."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class Text(NamedTuple):
    """SQL for a driver, and the values that the statement itself brings along, by placeholder name."""

    sql: str
    constants: dict[str, Bound]


class Prepared:
    """One statement, or a function that makes it for a dialect where the two have no common way to say it."""

    __slots__ = ("_kept", "_made", "_statement")

    def __init__(
        self, statement: sa.sql.expression.Executable | Callable[[Dialect], sa.sql.expression.Executable]
    ) -> None:
        self._statement = statement
        self._made: dict[Dialect, Text] = {}
        self._kept: dict[str, Any] = {}

    def text(self, dialect: Dialect) -> Text:
        """Compiled on first use (importing a module does nothing)."""
        return self._made.get(dialect) or self._compile(dialect)

    def statement(self, dialect: Dialect) -> sa.ClauseElement:
        """As SQLAlchemy has it."""
        return self._statement if isinstance(self._statement, sa.ClauseElement) else self._for(dialect)

    def kept(self, name: str, found_by: Callable[[Prepared], T]) -> T:
        """What somebody wants to know of the statement, found out once."""
        if name not in self._kept:
            self._kept[name] = found_by(self)
        found: T = self._kept[name]
        return found

    def _compile(self, dialect: Dialect) -> Text:
        statement = self.statement(dialect)
        compiled = statement.compile(dialect=_compiler_of(dialect))
        assert isinstance(compiled, sa.sql.compiler.SQLCompiler)
        constants = {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
        self._made[dialect] = made = Text(str(compiled), constants)
        return made

    def _for(self, dialect: Dialect) -> sa.ClauseElement:
        assert callable(self._statement)
        made = self._statement(dialect)
        assert isinstance(made, sa.ClauseElement)
        return made


def upsert(table: sa.Table, add: Collection[str] = ()) -> Prepared:
    """Inserts a row, or replaces all but the key of the row that has its key; columns in `add` are added up instead."""
    key = [column.name for column in table.primary_key]

    def build(dialect: Dialect) -> sa.sql.expression.Executable:
        insert = sqlite.insert(table) if dialect is Dialect.SQLITE else postgresql.insert(table)
        return insert.on_conflict_do_update(
            index_elements=key,
            set_={
                column.name: (column + insert.excluded[column.name])
                if column.name in add
                else insert.excluded[column.name]
                for column in table.c
                if column.name not in key
            },
        )

    return Prepared(build)


def _compiler_of(dialect: Dialect) -> sa.Dialect:
    return sqlite.dialect(paramstyle="named") if dialect is Dialect.SQLITE else PGDialect_psycopg()  # type: ignore[no-untyped-call]


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


def of_realm(table: sa.FromClause) -> sa.ColumnElement[bool]:
    """The rows of the transaction's realm, and of no other."""
    return sa.and_(table.c.account == bind("account"), table.c.realm == bind("realm"))


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


def bind_whole(name: str) -> sa.BindParameter[int]:
    """A placeholder for an int or None. PostgreSQL wants the type where nothing around a NULL tells it."""
    return sa.bindparam(name, type_=sa.BigInteger())
