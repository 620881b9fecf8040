"""Many statements, one round trip: what comes back, what fails, what is prepared."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from adapter.engine.model import Realm
from adapter.store.database import Store
from adapter.store.postgres.wire import Connection, Said, said
from adapter.store.statements import Prepared, bind
from adapter.store.transaction import Transaction

pytestmark = pytest.mark.postgresql
ECHO = "SELECT %(a)s::bigint, %(b)s::bytea, %(c)s::text, %(d)s::text, '100%%'"
VALUES = {"a": -(2**62), "b": b"\x00\xff", "c": "Zoë %(a)s", "d": None}
PUT = Prepared(sa.insert(sa.table("said", sa.column("what"))).values(what=bind("what")))
ECHOED = (-(2**62), b"\x00\xff", "Zoë %(a)s", None, "100%")


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    with store.connections.transaction("BEGIN") as (connection, _):
        yield connection


def echoed(connection: Connection) -> list[tuple[object, ...]]:
    return connection.rows(connection.exchange([said(ECHO, VALUES)])[0])


def test_values_come_back_as_they_went(connection: Connection) -> None:
    """The same said plainly, said for the second time (and so prepared), and prepared before."""
    assert [echoed(connection) for _ in range(3)] == [[ECHOED]] * 3


def test_lists_are_whole_columns(connection: Connection) -> None:
    values = {"them": [1, 2**40], "texts": ["a", None]}
    asked = said("SELECT * FROM unnest(%(them)s::bigint[], %(texts)s::text[])", values)
    assert connection.rows(connection.exchange([asked])[0]) == [(1, "a"), (2**40, None)]


def test_the_first_that_fails_is_told_and_nothing_after_it_is_done(connection: Connection) -> None:
    connection.exchange([Said("CREATE TEMPORARY TABLE seen (at BIGINT) ON COMMIT DROP"), Said("SAVEPOINT before")])
    put = "INSERT INTO seen VALUES (%(at)s)"
    with pytest.raises(psycopg.errors.DivisionByZero):
        connection.exchange([said(put, {"at": 1}), Said("SELECT 1/0"), said(put, {"at": 2})])
    answers = connection.exchange([Said("ROLLBACK TO before"), said(put, {"at": 3}), Said("SELECT at FROM seen")])
    assert connection.rows(answers[2]) == [(3,)]


def test_a_row_that_is_refused_is_not_quoted_in_the_log(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """PostgreSQL's DETAIL does, and the work's own error is what an edge logs, with all that it came from."""
    flu = "Maria has the flu"

    def work(tx: Transaction) -> None:
        tx.plainly("CREATE TEMPORARY TABLE said (what TEXT CHECK (length(what) < 5)) ON COMMIT DROP")
        tx.execute(PUT, {"what": flu})

    try:
        store.transact(Realm(0, 0), work)
    except psycopg.errors.CheckViolation as error:
        logging.getLogger("adapter").error("failed", exc_info=error)
    assert "violates check constraint" in caplog.text
    assert flu not in caplog.text


def test_what_could_not_be_prepared_for_a_failure_before_it_is_prepared_later(connection: Connection) -> None:
    connection.exchange([Said("SAVEPOINT before"), said(ECHO, VALUES)])
    for _ in range(2):
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.exchange([Said("SELECT 1/0"), said(ECHO, VALUES)])
        connection.exchange([Said("ROLLBACK TO before")])
    assert [echoed(connection) for _ in range(2)] == [[ECHOED]] * 2


def test_more_than_fits_into_any_buffer_goes_both_ways(connection: Connection) -> None:
    long = "x" * 20_000
    answers = connection.exchange([said("SELECT %(long)s::text", {"long": long})] * 500)
    assert {connection.rows(answer)[0][0] for answer in answers} == {long}


def test_a_nul_is_refused_before_anything_is_sent(connection: Connection) -> None:
    with pytest.raises(psycopg.DataError, match="NUL"):
        connection.exchange([said("SELECT %(a)s::text", {"a": "a\0b"})])
