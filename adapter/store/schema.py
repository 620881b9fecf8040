"""The database's schema: brought to this version, and checked. The steps are in `migrations/`, the same for both.

Leaves out: who may migrate when (`sqlite.store` holds the write lock around `upgrade`), PostgreSQL (`postgres.schema`).
"""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from adapter.errors import StoreMismatch

from .sqlite import planner
from .sqlite.connections import translate

_MIGRATIONS = Path(__file__).parent / "migrations"
# The version of a database that is being filled by `db copy`: no service starts on it.
COPYING = "copying"
_SOMETHING_ELSE = "the file is a database of something else: give database.url another file"
_COPY_UNFINISHED = "a copy into this database is not finished: run `sticky-calls db copy … --finish`"


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring the schema to this version in one transaction. Call under the write lock; StoreMismatch."""
    try:
        _check_known(connection)
        if current(connection) != head():
            _run_migrations(connection)
        planner.tell(connection)
    except (sqlite3.Error, sa.exc.DBAPIError) as error:
        driver_error = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        raise translate(driver_error) if isinstance(driver_error, sqlite3.Error) else error from error


def problems(connection: sqlite3.Connection) -> list[str]:
    """Damage in the file and a version that is not this one's, as sentences; empty when all is well."""
    try:
        found = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
        is_ours = _is_ours(connection)
        version = current(connection)
    except sqlite3.Error as error:
        return [str(error)]
    return [*found, *(behind(version) if is_ours else [_SOMETHING_ELSE])]


def current(connection: sqlite3.Connection) -> str | None:
    """The revision the database is at; None when it has none."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def head() -> str:
    """The revision this version is written for."""
    return max(_known())


def behind(version: str | None) -> list[str]:
    """A sentence when the schema is not at this version."""
    if version == head():
        return []
    if version == COPYING:
        return [_COPY_UNFINISHED]
    if version is not None and version not in _known():
        return [_newer(version)]
    return [f"schema is at {version or 'nothing'}, this version needs {head()}: run `sticky-calls db upgrade`"]


def check_known(version: str) -> None:
    """StoreMismatch for a revision of a newer version."""
    if version == COPYING:
        raise StoreMismatch(_COPY_UNFINISHED)
    if version not in _known():
        raise StoreMismatch(_newer(version))


def run_steps(connection: sa.Connection, to: str = "head") -> None:
    """All steps that are left, up to this revision, in the transaction that is open."""
    # Not sooner: it is some megabytes in each worker, and seldom is anything left to do.
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Alembic's configuration would take a percent sign for an interpolation.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _newer(version: str) -> str:
    return f"the database is at {version}, which this version does not know: install the newer version"


@cache
def _known() -> frozenset[str]:
    """All revisions: what the files' names begin with, one after the other."""
    return frozenset(step.name.partition("_")[0] for step in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def _check_known(connection: sqlite3.Connection) -> None:
    version = current(connection)
    if version is not None:
        check_known(version)
    elif connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StoreMismatch(_SOMETHING_ELSE)


def _is_ours(connection: sqlite3.Connection) -> bool:
    """Or empty, and can become ours."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    return not tables or "alembic_version" in tables


def _run_migrations(connection: sqlite3.Connection) -> None:
    """All steps in one transaction; the commit at the end (or the rollback) is SQLAlchemy's."""
    engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=sa.pool.StaticPool)
    with engine.begin() as alembic_connection:
        # Not before: SQLAlchemy rolls back what it finds begun when it first looks at a connection, and then each
        # statement would be its own transaction, and a kill in between would leave half a schema.
        connection.execute("BEGIN IMMEDIATE")
        run_steps(alembic_connection)
