"""The schema on PostgreSQL: brought to this version, and checked. The steps are the same as SQLite's (`schema`).

Works in the schema that the connection's search_path names first. Leaves out: connections (`connections`).
"""

from __future__ import annotations

import psycopg
import sqlalchemy as sa

from adapter.errors import StoreMismatch
from adapter.store import schema
from adapter.store.tables import metadata

from .connections import translate
from .wire import Connection

# Any number that nothing else in the database uses. It is held to the end of one transaction only (PgBouncer).
_LOCK = 0x5_71C4_CA11
_TABLES = "SELECT 1 FROM pg_tables WHERE schemaname = current_schema()"


def upgrade(connection: Connection) -> None:
    """Bring the schema to this version in one transaction; StoreMismatch. Waits for others who are at it."""
    try:
        # Without the lock first: a server that is at work must not need the right to change tables.
        if current(connection) == schema.head():
            connection.rollback()
            return
        connection.rollback()
        engine = sa.create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=sa.pool.StaticPool)
        with engine.begin() as alembic_connection:
            # Not before: SQLAlchemy rolls back what it finds begun when it first looks at a connection.
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            _check_known(connection)
            if current(connection) != schema.head():
                schema.run_steps(alembic_connection)
    except (psycopg.Error, sa.exc.DBAPIError) as error:
        raise _told(error, connection) from error


def problems(connection: Connection) -> list[str]:
    """A version that is not this one's, as a sentence; empty when all is well."""
    try:
        return schema.behind(current(connection))
    except psycopg.Error as error:
        return [str(error)]


def current(connection: Connection) -> str | None:
    """The revision the database is at; None when it has none."""
    # Not to_regclass: it may remember from before the wait for the lock that there was no such table.
    if connection.execute(f"{_TABLES} AND tablename = 'alembic_version'").fetchone() is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def tables() -> list[str]:
    """Every table of ours."""
    return [*metadata.tables]


def size(connection: Connection) -> int:
    """Bytes of our tables with their indexes."""
    found = connection.execute(
        "SELECT coalesce(sum(pg_total_relation_size(to_regclass(name))), 0)::bigint FROM unnest(%s::text[]) AS name",
        [tables()],
    ).fetchone()
    assert found is not None
    return int(found[0])


def _check_known(connection: Connection) -> None:
    version = current(connection)
    if version is not None:
        schema.check_known(version)
    elif connection.execute(f"{_TABLES} LIMIT 1").fetchone():
        raise StoreMismatch("the database is one of something else: give database.url another one, or a schema")


def _told(error: Exception, connection: Connection) -> Exception:
    driver_error = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return translate(driver_error, connection) if isinstance(driver_error, psycopg.Error) else error
