"""Whose turn it is to write, and how a transaction ended whose connection was lost: both are rows of `turns`.

The row without a holder is the account's turn: whoever locks it writes alone in the account. Each connection (holder)
has a row beside it, into which every transaction writes a new mark; that commits or vanishes with the transaction.
Leaves out: when to ask for which (`postgres_store`).
"""

from __future__ import annotations

import secrets

import psycopg

from adapter.engine.policy import DAY
from adapter.errors import StoreUnavailable

from .postgres import Connection, is_lost, translate

# Beyond any transaction's life, and beyond any doubt about how it ended.
_MARKS_KEPT_MS = DAY

_TAKE_TURN = """
WITH marked AS (
    INSERT INTO turns (account, holder, mark, at)
    VALUES (%(account)s, %(holder)s, %(mark)s, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
    ON CONFLICT (account, holder) DO UPDATE SET mark = excluded.mark, at = excluded.at
)
SELECT 1 FROM turns WHERE account = %(account)s AND holder = '' FOR UPDATE
"""
_LOCK = "SELECT 1 FROM turns WHERE account = %(account)s AND holder = '' FOR UPDATE"
_FIRST_TURN = "INSERT INTO turns (account, holder, mark, at) VALUES (%(account)s, '', '', 0) ON CONFLICT DO NOTHING"
_MARK = "SELECT mark FROM turns WHERE account = %(account)s AND holder = %(holder)s"
_DELETE_OLD_MARKS = """
DELETE FROM turns WHERE holder <> '' AND at < (extract(epoch FROM now()) * 1000)::bigint - %(kept)s
"""


def take(connection: Connection, account: int) -> bytes:
    """Wait for the account's turn and leave a mark of this transaction, which is returned."""
    mark = secrets.token_bytes(12)
    values = {"account": account, "holder": connection.holder, "mark": mark}
    try:
        if connection.execute(_TAKE_TURN, values).fetchone() is None:
            connection.execute(_FIRST_TURN, values)
            connection.execute(_LOCK, values)
    except psycopg.Error as error:
        raise translate(error, connection) from error
    return mark


def commit(connection: Connection) -> bool:
    """False when the connection was lost meanwhile: nobody knows yet."""
    try:
        done = connection.execute("COMMIT")
    except psycopg.Error as error:
        if is_lost(connection):
            return False
        raise translate(error, connection) from error
    if done.statusmessage != "COMMIT":
        # A statement had failed and somebody went on: PostgreSQL then takes COMMIT for ROLLBACK without an error.
        raise StoreUnavailable("the database rolled back what was to be committed")
    return True


def last_mark(connection: Connection, account: int, holder: bytes) -> bytes | None:
    """The mark that the last committed transaction of this holder has left."""
    values = {"account": account, "holder": holder}
    try:
        connection.execute(_LOCK, values)
        found = connection.execute(_MARK, values).fetchone()
    except psycopg.Error as error:
        raise translate(error, connection) from error
    return None if found is None else bytes(found[0])


def forget_old_marks(connection: Connection) -> None:
    """Of connections that are long gone. Commits."""
    try:
        connection.execute(_DELETE_OLD_MARKS, {"kept": _MARKS_KEPT_MS})
        connection.execute("COMMIT")
    except psycopg.Error as error:
        raise translate(error, connection) from error
