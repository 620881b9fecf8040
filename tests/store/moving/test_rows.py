"""Checksums of rows, and rows by the thousand."""

from __future__ import annotations

import random

import pytest
import sqlalchemy as sa

from adapter.store.database import Store
from adapter.store.moving import rows
from adapter.store.moving.rows import TABLES, Sum
from adapter.store.tables import customers, metadata, rate_hits
from adapter.store.transaction import NO_REALM
from tests.store.moving import contents

SOME = [(0, 1, b"a", "x"), (0, 1, b"b", None), (0, 2, b"", "é"), (-1, 2**60, b"\x00", "")]


def test_the_order_of_rows_and_the_way_to_a_sum_do_not_matter() -> None:
    mixed = random.Random(1).sample(SOME, len(SOME))
    assert Sum().plus(SOME) == Sum().plus(mixed[:2]).plus(mixed[2:])
    assert Sum().plus(SOME).minus(SOME[1:3]) == Sum().plus([SOME[3], SOME[0]])
    assert Sum().plus(SOME).minus(SOME) == Sum()


@pytest.mark.parametrize(
    "other",
    [
        [*SOME[:3], (-1, 2**60, b"\x01", "")],
        [(0, 1, b"a", None), (0, 1, b"b", "x"), *SOME[2:]],
        [*SOME[:1], *SOME[:1], *SOME[2:]],
        [(0, 1, b"a", b"x"), *SOME[1:]],
        [("0", 1, b"a", "x"), *SOME[1:]],
    ],
    ids=["a bit", "exchanged values", "twice instead", "bytes for text", "text for a number"],
)
def test_other_rows_have_another_checksum(other: list[tuple[object, ...]]) -> None:
    assert Sum().plus(other).checksum != Sum().plus(SOME).checksum
    assert len(Sum().plus(other).checksum) == 32


def test_all_tables_but_turns_are_copied_and_their_keys_come_first() -> None:
    assert {table.name for table in TABLES} == metadata.tables.keys() - {"turns"}
    for table in TABLES:
        assert [column.name for column in table.c][: len(table.primary_key)] == rows.key_columns(table)


@pytest.mark.parametrize("table", [customers, rate_hits], ids=["with values", "all key"])
def test_rows_are_put_found_replaced_and_removed(store: Store, table: sa.Table) -> None:
    made: list[tuple[object, ...]] = [(0, 1, n, n) for n in range(20)]
    if table is customers:
        made = [(0, 1, bytes([n]) * 16, n, 5, None if n % 2 else n) for n in range(20)]
    all_keys = [rows.key_of(table, row) for row in made]
    elsewhere = (9, *all_keys[0][1:])
    with store.begin(NO_REALM) as tx:
        for _ in range(2):
            rows.put(tx, table, made)
        assert sorted(rows.fetch(tx, table, [elsewhere, *all_keys[3:9]])) == made[3:9]
        assert list(rows.pages(tx, table, 7)) == [made[:7], made[7:14], made[14:]]
        rows.remove(tx, table, all_keys[:18])
        rows.remove(tx, table, [])
        assert sorted(rows.fetch(tx, table, all_keys)) == made[18:]
        assert (rows.count(tx, table), rows.is_empty(tx, table)) == (2, False)
    assert contents.everything(store)[table.name] == sorted(made[18:], key=repr)
