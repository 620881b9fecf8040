"""A connection to PostgreSQL that is spoken to in batches: many statements, one round trip.

libpq's pipeline mode: everything is sent at once and answered in order, up to the first that fails. Statements that are
said again are prepared, unless something stands in between that gives each transaction another session (a PgBouncer in
transaction mode): there a prepared one would not be found. Leaves out: transactions (`store`), and who has which
connection (`connections`).
"""

from __future__ import annotations

import itertools
import re
import secrets
import select
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import psycopg
from psycopg import errors, pq
from psycopg.adapt import PyFormat, Transformer

from adapter.store.statements import Bound

_TEXT, _BINARY = 0, 1
_INT8, _BYTEA, _UNKNOWN = 20, 17, 0
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
# Most of a server's memory for statements goes into those that hardly anybody says again.
_PREPARED_FROM = 2
_FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE)


class Said(NamedTuple):
    """A statement, with the values of its placeholders in the order in which they first occur."""

    sql: str
    values: tuple[Bound, ...] = ()


def said(sql: str, values: Mapping[str, Bound]) -> Said:
    """`sql`: its placeholders are `%(name)s`."""
    return Said(sql, tuple([values[name] for name in _numbered(sql)[1]]))


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """Once in pipeline mode, only `exchange` is of use."""

    # After so long a silence the server is given up: nothing else would end the wait for one that is cut off.
    patience_seconds: float | None = None
    may_prepare = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Names the connection in `turns`: after it is lost, how its last transaction ended is found by it.
        self.holder = secrets.token_bytes(12)
        self.opened_at = time.monotonic()
        self._loader = Transformer(self)
        self._times_said: Counter[tuple[str, tuple[int, ...]]] = Counter()
        self._names: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._next_name = itertools.count()
        self._poll = select.poll()

    def speak_in_batches(self, patience_seconds: float) -> None:
        """From now on only `exchange`. Finds out whether the session is ours for as long as the connection."""
        self.pgconn.enter_pipeline_mode()
        self._poll.register(self.pgconn.socket, select.POLLIN)
        self.patience_seconds = patience_seconds
        asked = self.exchange([Said("SELECT pg_backend_pid()")])
        # Who stands in between gives its own number for the session, not the server's.
        self.may_prepare = self.rows(asked[0])[0][0] == self.pgconn.backend_pid

    def exchange(self, said: Sequence[Said]) -> list[pq.abc.PGresult]:
        """All of it in one round trip; the results in order. psycopg.Error: the first failure, and nothing after it
        was done."""
        deadline = None if self.patience_seconds is None else time.monotonic() + self.patience_seconds
        awaited: list[tuple[str, tuple[int, ...]] | None] = []
        for each in said:
            awaited += self._send(each)
        self.pgconn.pipeline_sync()
        answers = self._received(deadline)
        for place, answer in enumerate(answers):
            if answer.status in _FAILED:
                for key in awaited[place:]:
                    self._names.pop(key, None)  # type: ignore[arg-type]  # None is no key
                raise _error(answer)
        return [answer for key, answer in zip(awaited, answers, strict=True) if key is None]

    def rows(self, answer: pq.abc.PGresult) -> list[tuple[Any, ...]]:
        """What a statement has found."""
        self._loader.set_pgresult(answer)
        found: list[tuple[Any, ...]] = self._loader.load_rows(0, answer.ntuples, tuple)
        return found

    def _send(self, said: Said) -> list[tuple[str, tuple[int, ...]] | None]:
        """What will be answered: a statement that is prepared (its key), a result (None)."""
        sql, names = _numbered(said.sql)
        values, types, formats = self._dumped(said.values)
        if not self.may_prepare:
            self.pgconn.send_query_params(sql, values, types, formats, _BINARY)
            return [None]
        key = (said.sql, types)
        name = self._names.get(key)
        if name is not None:
            self.pgconn.send_query_prepared(name, values, formats, _BINARY)
            return [None]
        self._times_said[key] += 1
        if not names or self._times_said[key] < _PREPARED_FROM:
            self.pgconn.send_query_params(sql, values, types, formats, _BINARY)
            return [None]
        self._names[key] = name = b"s%d" % next(self._next_name)
        self.pgconn.send_prepare(name, sql, types)
        self.pgconn.send_query_prepared(name, values, formats, _BINARY)
        return [key, None]

    def _dumped(self, values: Sequence[Any]) -> tuple[list[bytes | None], tuple[int, ...], list[int]]:
        """For libpq: the values, their types, how they are written. Every int is a BIGINT, or each statement would have
        to be prepared for each length of a number."""
        dumped: list[bytes | None] = []
        types: list[int] = []
        formats: list[int] = []
        for value in values:
            if isinstance(value, int):
                written, kind, how = value.to_bytes(8, "big", signed=True), _INT8, _BINARY
            elif isinstance(value, bytes):
                written, kind, how = value, _BYTEA, _BINARY
            elif isinstance(value, str):
                written, kind, how = _encoded(value), _UNKNOWN, _BINARY
            elif value is None:
                written, kind, how = None, _UNKNOWN, _TEXT
            else:
                written, kind, how = self._dumped_otherwise(value)
            dumped.append(written)
            types.append(kind)
            formats.append(how)
        return dumped, tuple(types), formats

    def _dumped_otherwise(self, value: object) -> tuple[bytes | None, int, int]:
        """Lists, of whole pages of rows."""
        dumper = Transformer(self)
        (written,) = dumper.dump_sequence([value], [PyFormat.AUTO])
        assert dumper.types is not None
        assert dumper.formats is not None
        return None if written is None else bytes(written), dumper.types[0], dumper.formats[0]

    def _received(self, deadline: float | None) -> list[pq.abc.PGresult]:
        """Everything up to the end of the batch, or to the end of the connection."""
        answers: list[pq.abc.PGresult] = []
        left = self.pgconn.flush()
        while True:
            while self.pgconn.is_busy():
                left = self._wait(left, deadline, answers)
            answer = self.pgconn.get_result()
            if answer is None:  # between the answers to two statements
                continue
            if answer.status == pq.ExecStatus.PIPELINE_SYNC:
                return answers
            answers.append(answer)
            if self.pgconn.status == pq.ConnStatus.BAD:
                raise _error(answer)

    def _wait(self, left: int, deadline: float | None, answers: Sequence[pq.abc.PGresult]) -> int:
        """Send what could not be sent yet, take what has come; whether there is still something to send."""
        waits_ms = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1_000
        self._poll.modify(self.pgconn.socket, select.POLLIN | select.POLLOUT if left else select.POLLIN)
        if not self._poll.poll(waits_ms):
            raise psycopg.OperationalError("the server does not answer")
        try:
            self.pgconn.consume_input()
            return self.pgconn.flush() if left else 0
        except psycopg.OperationalError:
            # Its last words tell more: why it ended the session.
            failed = next((answer for answer in answers if answer.status in _FAILED), None)
            if failed is not None:
                raise _error(failed) from None
            raise


def first_line(error: psycopg.Error) -> str:
    """Without DETAIL and CONTEXT, which quote the row and the values."""
    return str(error).partition("\n")[0].strip() or type(error).__name__


def is_lost(connection: psycopg.Connection[Any]) -> bool:
    """Nothing can be said on it any more, or nobody knows what would be understood."""
    return connection.closed or connection.pgconn.transaction_status in (
        pq.TransactionStatus.UNKNOWN,
        pq.TransactionStatus.ACTIVE,
    )


def is_idle(connection: psycopg.Connection[Any]) -> bool:
    """No transaction is open on it."""
    return not connection.closed and connection.pgconn.transaction_status == pq.TransactionStatus.IDLE


def _error(answer: pq.abc.PGresult) -> psycopg.Error:
    """Told in one line from the start: a traceback shows what an error came from, too."""
    error = errors.error_from_result(answer)
    error.args = (first_line(error),)
    return error


@cache
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """As the protocol has it: $1, $2 … and the name of each."""
    names = tuple(dict.fromkeys(_PLACEHOLDER.findall(sql)))
    places = {name: f"${place}" for place, name in enumerate(names, 1)}
    return _PLACEHOLDER.sub(lambda found: places[found[1]], sql).replace("%%", "%").encode(), names


def _encoded(value: str) -> bytes:
    if "\0" in value:
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return value.encode()
