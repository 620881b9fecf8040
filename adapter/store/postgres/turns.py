"""Whose turn it is to write, and how a transaction ended whose connection was lost: both are rows of `turns`.

The row without a holder is the account's turn: whoever locks it writes alone in the account. Each connection (holder)
has a row beside it, into which every transaction writes a new mark; that commits or vanishes with the transaction.
Leaves out: when to ask for which (`store`).
"""

from __future__ import annotations

import secrets

import psycopg
from psycopg import pq

from adapter.engine.policy import DAY

from .connections import translate
from .wire import Connection, Said, said

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


def asked(connection: Connection, account: int, mark: bytes) -> Said:
    """Waits for the account's turn and leaves a mark of this transaction; said before anything is read."""
    return said(_TAKE_TURN, {"account": account, "holder": connection.holder, "mark": mark})


def new_mark() -> bytes:
    """Never used before."""
    return secrets.token_bytes(12)


def is_taken(answer: pq.abc.PGresult) -> bool:
    """Whether `asked` got the turn. False: the account has none yet, and what was read meanwhile is worth nothing."""
    return answer.ntuples > 0


def take_first(connection: Connection, account: int) -> None:
    """The turn of an account that never had one."""
    values = {"account": account}
    try:
        connection.exchange([said(_FIRST_TURN, values), said(_LOCK, values)])
    except psycopg.Error as error:
        raise translate(error, connection) from error


def last_mark_asked(account: int, holder: bytes) -> list[Said]:
    """Waits for the turn, then looks for what the last committed transaction of this holder has left."""
    return [said(_LOCK, {"account": account}), said(_MARK, {"account": account, "holder": holder})]


def forget_old_marks(connection: Connection) -> None:
    """Of connections that are long gone. Commits."""
    try:
        connection.exchange([said(_DELETE_OLD_MARKS, {"kept": _MARKS_KEPT_MS}), Said("COMMIT")])
    except psycopg.Error as error:
        raise translate(error, connection) from error
