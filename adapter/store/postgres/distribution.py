"""Whether tables and statements fit a distributed database (Citus), where each account's rows lie on one node.

Rows are distributed by their billing account, of which every realm is a part: the account's rate hits, usage and turn
to write are together with its realms. So the account is the first column of every key, and every statement names one
account (and one realm, where the table has them) by equality. Tables without accounts are copied to every node. The
statements are read as text, as PostgreSQL gets them. Leaves out: the recipe (deploy/citus.md).
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterable, Iterator
from importlib import import_module

import sqlalchemy as sa

import adapter.store.postgres
from adapter.store.database import Store
from adapter.store.statements import Dialect, PerTokens, Prepared
from adapter.store.tables import metadata
from adapter.store.transaction import NO_REALM

COLUMN = "account"
# On every node: small, read often, written hardly ever.
REFERENCE = frozenset({"organizations", "api_keys", "clocks"})
# Run by housekeeping for all accounts at once, on all nodes: never while a caller waits.
HOUSEKEEPING = frozenset({"turns._DELETE_OLD_MARKS"})
# Of commands that run while the service is stopped.
_ELSEWHERE = frozenset({"schema"})

_PLACEHOLDER = r"%\((?P<name>\w+)\)s(?:::\w+)?"
_STATEMENT = re.compile(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\b")
_TABLE = re.compile(r"(\bFROM|\bJOIN|\bINTO|\bUPDATE|\bUSING|,)\s+(\w+)\b(?!\.)(?:\s+AS\s+(\w+))?")
_INSERT = re.compile(r"\bINSERT INTO (\w+) \(([^)]*)\)")
_CONFLICT = re.compile(r"\bON CONFLICT \(([^)]*)\)")
_CHANGES = re.compile(r"\b(UPDATE (?!SET)|DELETE FROM|DO UPDATE SET)")
_VOLATILE = re.compile(r"\b(clock_timestamp|timeofday|random|gen_random_uuid|nextval)\s*\(")


def distributed() -> frozenset[str]:
    """The tables whose rows lie where their account does."""
    return frozenset(metadata.tables) - REFERENCE


def table_problems(tables: Iterable[sa.Table] = tuple(metadata.tables.values())) -> list[str]:
    """What keeps a table from being distributed, as sentences."""
    return [problem for table in tables if table.name not in REFERENCE for problem in _table_problems(table)]


def statement_problems(sql: str) -> list[str]:
    """What keeps a statement from being run on one node alone, as sentences."""
    problems = [problem for place in _places(sql) for problem in _unconfined(sql, *place)]
    if re.search(r"\bOR\b", sql) and any(True for _ in _places(sql)):
        problems.append("has an OR, beside which no equality confines anything")
    changed = _CHANGES.search(sql)
    if changed and any(True for _ in _places(sql)) and (found := _VOLATILE.search(sql, changed.start())):
        problems.append(f"changes rows by {found[1]}(), which each node would ask for itself")
    names = {name for _, name in _equalities(sql, COLUMN) if name}
    if len(names) > 1:
        problems.append(f"names several accounts: {', '.join(sorted(names))}")
    return problems


def statements() -> Iterator[tuple[str, str]]:
    """(module and name, SQL) of everything that the store says to PostgreSQL in service."""
    for package in (adapter.store, adapter.store.postgres):
        for module in pkgutil.iter_modules(package.__path__):
            if not module.ispkg and module.name not in _ELSEWHERE:
                for name, value in vars(import_module(f"{package.__name__}.{module.name}")).items():
                    yield from ((f"{module.name}.{name}", sql) for sql in _texts(value))


def catalog_problems(store: Store) -> list[str]:
    """What is in a PostgreSQL database beside our tables, or is another one there; empty for SQLite."""
    with store.read(NO_REALM) as tx:
        if tx.dialect is not Dialect.POSTGRESQL:
            return []
        unique = tx.rows(_UNIQUE, {})
        others = tx.rows(_FOREIGN, {})
    keys = [f"{table}: unique by {key}, not beginning with {COLUMN}" for table, key, first in unique if first != COLUMN]
    return [
        *(problem for problem in keys if problem.partition(":")[0] in distributed()),
        *(f"{table}: has the {kind} {name}" for table, kind, name in others if table in metadata.tables),
    ]


def problems(store: Store) -> list[str]:
    """All of it."""
    said = [
        f"{where}: {problem}"
        for where, sql in statements()
        if where not in HOUSEKEEPING
        for problem in statement_problems(sql)
    ]
    return [*table_problems(), *said, *catalog_problems(store)]


_UNIQUE = Prepared(
    sa.text(
        "SELECT t.relname, pg_get_indexdef(i.indexrelid), a.attname FROM pg_index i "
        "JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace "
        "JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0] "
        "WHERE i.indisunique AND n.nspname = current_schema()"
    )
)
_FOREIGN = Prepared(
    sa.text(
        "SELECT t.relname, 'trigger', g.tgname FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid "
        "JOIN pg_namespace n ON n.oid = t.relnamespace WHERE NOT g.tgisinternal AND n.nspname = current_schema() "
        "UNION ALL SELECT t.relname, 'foreign key', c.conname FROM pg_constraint c "
        "JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace "
        "WHERE c.contype = 'f' AND n.nspname = current_schema()"
    )
)


def _table_problems(table: sa.Table) -> Iterator[str]:
    key = [column.name for column in table.primary_key]
    if key[:1] != [COLUMN]:
        yield f"{table.name}: the primary key begins with {key[0] if key else 'nothing'}, not with {COLUMN}"
    if "realm" in table.c and key[1:2] != ["realm"]:
        yield f"{table.name}: the primary key does not go on with the realm"
    unique: list[sa.UniqueConstraint | sa.Index] = [index for index in table.indexes if index.unique]
    unique += [each for each in table.constraints if isinstance(each, sa.UniqueConstraint)]
    for each in unique:
        if [column.name for column in each.columns][:1] != [COLUMN]:
            yield f"{table.name}: {each.name} is unique over all accounts"
    for foreign in table.foreign_key_constraints:
        if foreign.column_keys[:1] != [COLUMN]:
            yield f"{table.name}: a foreign key does not begin with {COLUMN}"


def _places(sql: str) -> Iterator[tuple[str, str, str]]:
    """(what is done there, table, its name in the statement) of each distributed table that is mentioned."""
    for verb, name, alias in _TABLE.findall(sql):
        if name in distributed():
            yield verb, name, alias or name


def _unconfined(sql: str, verb: str, table: str, alias: str) -> Iterator[str]:
    if verb == "INTO":
        columns = next(columns for name, columns in _INSERT.findall(sql) if name == table)
        target = _CONFLICT.search(sql)
        if COLUMN not in columns.split(", ") or (target and COLUMN not in target[1].split(", ")):
            yield f"puts rows into {table} without an account"
        return
    wanted = sum(1 for _, _, other in _places(sql) if other == alias) - sql.count(f"INSERT INTO {alias} ")
    for column in (COLUMN, "realm") if "realm" in metadata.tables[table].c else (COLUMN,):
        if sum(1 for name, _ in _equalities(sql, column) if name in ("", alias)) < wanted:
            yield f"does not confine {table} to one {column}"


def _equalities(sql: str, column: str) -> Iterator[tuple[str, str]]:
    """(table, placeholder) where a column is equal to a placeholder, or to that of a table that is so itself ("")."""
    direct = [(found[1] or "", found["name"]) for found in re.finditer(_equal(column) + _PLACEHOLDER, sql)]
    yield from direct
    confined = {name for name, _ in direct}
    for one, other in re.findall(rf"\b(\w+)\.{column} = (\w+)\.{column}\b", sql):
        yield from ((mine, "") for mine, its in ((one, other), (other, one)) if its in confined)


def _equal(column: str) -> str:
    return rf"(?:\b(\w+)\.|(?<![\w.])){column} = "


def _texts(value: object) -> list[str]:
    if isinstance(value, Prepared):
        return [value.text(Dialect.POSTGRESQL).sql]
    if isinstance(value, PerTokens):
        return [value[number].text(Dialect.POSTGRESQL).sql for number in (1, 2)]
    return [value] if isinstance(value, str) and _STATEMENT.match(value) else []
