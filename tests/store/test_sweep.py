"""What has expired goes: rows, and their bytes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from adapter.engine.model import Call, Hints, Mode, Realm, Variable
from adapter.engine.policy import DAY, RetentionPolicy
from adapter.errors import StoreDamaged
from adapter.store import answers, calls, customers, memory, meters, organizations
from adapter.store import sweep as sweeping
from adapter.store.database import Store
from adapter.store.sealing import Keyring
from adapter.store.statements import Prepared
from adapter.store.sweep import Swept, sweep
from adapter.store.tables import answers as answers_table
from adapter.store.tables import calls as calls_table
from adapter.store.tables import customers as customers_table
from adapter.store.tables import variables
from tests.store import people
from tests.store.interruptions import interrupting_once_a_transaction
from tests.store.people import ANI, PAIR, A

KEEP = RetentionPolicy(calls_days=90)


def count(store: Store, realm: Realm, table: sa.Table) -> int:
    with store.read(realm) as tx:
        return len(tx.rows(Prepared(sa.select(*table.primary_key)), {}))


def test_an_empty_database_has_nothing_to_sweep(store: Store, realm: Realm) -> None:
    assert sweep(store, 10**12, KEEP) == Swept(log_truncated=True)


@pytest.mark.parametrize(
    ("now", "gone"),
    [(999, Swept()), (1000, Swept(answers=1)), (60_100, Swept(answers=1, variables=1)), (90_100, Swept(1, 2))],
    ids=["nothing yet", "the answer", "the first variable", "the second variable"],
)
def test_answers_and_variables_go_at_their_millisecond(store: Store, realm: Realm, now: int, gone: Swept) -> None:
    with store.begin(realm) as tx:
        people.remember(tx)
    assert sweep(store, now, KEEP) == replace(gone, log_truncated=True)
    assert sweep(store, now, KEEP) == Swept(log_truncated=True)
    assert count(store, realm, variables) == 2 - gone.variables


@pytest.mark.parametrize(("age", "gone"), [(90 * DAY, 0), (90 * DAY + 1, 1)])
def test_calls_and_dead_sightings_go_after_their_days(store: Store, realm: Realm, age: int, gone: int) -> None:
    with store.begin(realm) as tx:
        calls.save(tx, Call("CA1", 100))
        customers.sight(tx, ANI, [PAIR], "CA1", 100)
    swept = sweep(store, 100 + age, KEEP)
    assert (swept.calls, swept.sightings) == (gone, gone)
    with store.read(realm) as tx:
        assert (calls.find(tx, "CA1") is None) is bool(gone)
        sightings = customers.facts(tx, Hints(external_ids=(PAIR,))).sightings[PAIR]
        assert sightings.other_numbers == 1 - gone


def test_more_than_a_batch_goes_in_several(store: Store, realm: Realm) -> None:
    with store.begin(realm) as tx:
        for number in range(7):
            ref = str(UUID(int=number))
            customers.create(tx, ref, 0)
            memory.save_variables(tx, ref, [people.NAME], [])
            answers.keep(tx, "end", f"k{number}", "f", {}, ref, 10)
            calls.save(tx, Call(f"CA{number}", number))
            customers.sight(tx, f"+1415555012{number}", [PAIR], "CA1", 0)
            meters.hit(tx, 0, number)
        meters.hit(tx, 0, 10**6)
    assert sweep(store, 91 * DAY, KEEP, batch=3) == Swept(7, 7, 7, 7, 7, log_truncated=True)


def test_a_round_looks_at_so_many_sightings_and_rounds_come_through_all_of_them(
    store: Store, realm: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a store of millions one round would never end. Ten are old, ten were seen lately."""
    monkeypatch.setattr(sweeping, "_SIGHTINGS_A_ROUND", 4)
    now = 91 * DAY
    with store.begin(realm) as tx:
        for number in range(20):
            customers.sight(tx, f"+141555501{number:02d}", [("key", f"v{number}")], "CA1", 0 if number % 2 else now)
    gone = [sweep(store, now, KEEP, batch=3).sightings for _ in range(120)]
    assert max(gone) <= 4
    assert sum(gone) == 10


def test_every_organization_and_mode_is_swept(store: Store) -> None:
    registered = organizations.register(store, [("org", "ba_1"), ("other", "ba_1"), ("third", "ba_2")])
    for each in registered.values():
        for mode in Mode:
            with store.begin(each.realm(mode)) as tx:
                calls.save(tx, Call("CA1", 0))
    assert sweep(store, 91 * DAY, KEEP).calls == 6


def test_hits_go_when_they_left_the_window_of_the_newest(store: Store, realm: Realm) -> None:
    """The wall clock plays no part: after it was set forward by years the window must still hold."""
    with store.begin(realm) as tx:
        for at in (0, 39_999, 40_000, 40_001, 100_000):
            meters.hit(tx, 0, at)
        before = meters.window(tx, 0, 40_000, 9)
    assert sweep(store, 10**15, KEEP).rate_hits == 3
    with store.begin(realm) as tx:
        assert meters.window(tx, 0, 40_000, 9) == before
        meters.hit(tx, 0, 100_001)
        assert meters.window(tx, 0, 40_000, 9).usage == before.usage + 1


def test_an_answer_renewed_meanwhile_stays(store: Store, realm: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.begin(realm) as tx:
        customers.create(tx, A, 0)
        answers.keep(tx, "end", "key", "f", {}, A, 1000)
    real = store.transact
    fresh: list[bool] = []

    def transact(*arguments):  # type: ignore[no-untyped-def]
        if not fresh:
            fresh.append(True)
            with store.begin(realm) as tx:
                answers.keep(tx, "end", "key", "f", {}, A, 9000)
        return real(*arguments)

    monkeypatch.setattr(store, "transact", transact)
    assert sweep(store, 2000, KEEP).answers == 0
    assert fresh
    assert count(store, realm, answers_table) == 1


def test_customers_without_expiring_variables_are_not_looked_at(store: Store, realm: Realm) -> None:
    with store.begin(realm) as tx:
        people.remember(tx)
    sweep(store, 10**9, KEEP)
    with store.read(realm) as tx:
        assert tx.row(Prepared(sa.select(customers_table.c.next_expiry)), {}) == (None,)


def test_an_idle_round_takes_the_lock_only_for_the_log(store: Store, realm: Realm) -> None:
    began = []
    real = store.begin
    store.begin = lambda *asked: began.append(asked) or real(*asked)  # type: ignore[method-assign,func-returns-value]
    sweep(store, 10**12, KEEP)
    assert began == []


@pytest.mark.sqlite
def test_a_reader_may_keep_the_log_for_a_round(store: Store, realm: Realm) -> None:
    with store.begin(realm) as tx:
        people.remember(tx)
    with store.read(realm) as tx:
        meters.used(tx, 0)
        assert not sweep(store, 10**9, KEEP).log_truncated
    assert sweep(store, 10**9, KEEP).log_truncated


@pytest.mark.sqlite
@pytest.mark.parametrize("keyring", [Keyring()], ids=["plain"])
def test_expired_bytes_are_in_no_file(store: Store, realm: Realm, path: Path) -> None:
    with store.begin(realm) as tx:
        people.remember(tx)
    store.truncate_log()
    assert b"PERSONAL-John" in path.read_bytes(), "control: plain storage shows them"
    sweep(store, people.NAME.expires_at, KEEP)
    everything = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    assert b"PERSONAL-John" not in everything
    assert b"PERSONAL-Gold" in everything


@pytest.mark.sqlite
@pytest.mark.parametrize("keyring", [Keyring()], ids=["plain"])
def test_of_many_expired_values_few_copies_are_left_and_none_after_compacting(
    store: Store, realm: Realm, path: Path
) -> None:
    """Many rows, so that pages split and rows move, which leaves copies in the slack of pages."""
    refs = [str(UUID(int=number * 7_919_777 % (1 << 120))) for number in range(1, 400)]
    for place, ref in enumerate(refs):
        with store.begin(realm) as tx:
            customers.create(tx, ref, 0)
            value = f"EXPIRES-{place}-" + "x" * (place % 300)
            stays = Variable("b", f"STAYS-{place}", None, 10**6, 0, 1, 10**9)
            memory.save_variables(tx, ref, [Variable("a", value, None, 1, 0, 0, 1000), stays], [])
    store.truncate_log()
    assert path.read_bytes().count(b"EXPIRES-") >= len(refs), "control: plain storage shows them"
    assert sweep(store, 1000, KEEP).variables == len(refs)
    everything = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    # SQLite leaves copies in the slack of pages that were split; see Store.compact.
    assert everything.count(b"EXPIRES-") < len(refs) / 20
    store.compact()
    everything = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    assert everything.count(b"EXPIRES-") == 0
    assert everything.count(b"STAYS-") == len(refs)
    assert store.schema_problems() == []


def lose_the_oldest_calls(path: Path, tree: str) -> None:
    """The leftmost page of this index or table is worth nothing. Call it on a database nobody has open."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [tree]).fetchone()
    data = bytearray(path.read_bytes())

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size])

    while data[(page - 1) * 4096] in (2, 5):  # not yet a leaf: its first cell begins with a child's number
        start = (page - 1) * 4096
        page = number(start + number(start + 12, 2), 4)
    data[(page - 1) * 4096 : page * 4096] = b"\x7f" * 4096
    path.write_bytes(data)


def some_expired_and_one_damaged(store: Store, path: Path, tree: str) -> dict[str, Realm]:
    """500 calls of each of two organizations, and a value of the second one's."""
    found = organizations.register(store, [("org", "ba_1"), ("other", "ba_2")])
    both = {name: each.realm(Mode.PROD) for name, each in found.items()}
    for realm in both.values():
        with store.begin(realm) as tx:
            for number in range(500):
                calls.save(tx, Call(f"CA{number:04}", number))
    with store.begin(both["other"]) as tx:
        people.remember(tx)
    store.close()
    lose_the_oldest_calls(path, tree)
    return both


@pytest.mark.sqlite
@pytest.mark.parametrize("tree", ["calls", "calls_by_start"])
def test_a_damaged_page_keeps_nothing_of_another_organization_and_no_log(store: Store, path: Path, tree: str) -> None:
    """One page that nobody reads any more would else end all retention for good, and unnoticed."""
    both = some_expired_and_one_damaged(store, path, tree)
    with pytest.raises(StoreDamaged):
        sweep(store, 91 * DAY, KEEP)
    assert count(store, both["other"], variables) == 0
    assert Path(f"{path}-wal").stat().st_size == 0
    with store.read(both["other"]) as tx:
        assert tx.row(Prepared(sa.select(sa.func.count()).where(calls_table.c.account == "ba_2")), {}) == (0,)


@pytest.mark.sqlite
def test_what_lies_beside_a_damaged_page_goes(store: Store, path: Path) -> None:
    both = some_expired_and_one_damaged(store, path, "calls")
    with pytest.raises(StoreDamaged):
        sweep(store, 91 * DAY, KEEP)
    with store.read(both["org"]) as tx:
        left = tx.rows(sweeping._CALLS, {"before": 91 * DAY, "batch": 500})  # by the index, which is whole
    assert 0 < len(left) < 100


@pytest.mark.postgresql
def test_a_round_that_is_interrupted_goes_on(store: Store, realm: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its transactions loses its connection once."""
    with store.begin(realm) as tx:
        people.remember(tx)
        customers.sight(tx, ANI, [PAIR], "CA1", 0)
        meters.hit(tx, 0, 10**6)
    tried = interrupting_once_a_transaction(store, monkeypatch)
    assert sweep(store, 91 * DAY, KEEP, batch=3) == Swept(1, 2, 1, 2, 1, log_truncated=True)
    assert len(tried) > 8
