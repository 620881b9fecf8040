"""What other processes do in tests of races. Top-level functions, so that a spawned process can import them."""

from __future__ import annotations

import multiprocessing
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import TypeVar

import sqlalchemy as sa

from adapter.engine.model import Realm
from adapter.store import meters
from adapter.store.opening import open_store
from adapter.store.sealing import Keyring
from adapter.store.statements import Prepared, bind
from adapter.store.tables import usage

T = TypeVar("T")
REALM = Realm(0, 0)
_SET = Prepared(sa.update(usage).where(usage.c.account == bind("account"), usage.c.period == 0).values(used=bind("to")))


def in_processes(work: Callable[..., T], arguments: Sequence[tuple[object, ...]]) -> list[T]:
    """Run `work` in a process of its own for each of `arguments`, all at once; none is killed."""
    with multiprocessing.get_context("spawn").Pool(len(arguments)) as pool:
        results = pool.starmap(work, arguments, chunksize=1)
        pool.close()
        pool.join()
    return results


def migrate(url: str) -> list[str]:
    """What is wrong with the schema after migrating."""
    store = open_store(url, Keyring())
    store.migrate()
    problems = store.schema_problems()
    store.close()
    return problems


def count_up(url: str, threads: int, times: int, bulk: int) -> tuple[int, list[str]]:
    """Read-modify-write from many threads: (how many succeeded, what went wrong). `bulk` rows of ballast each."""
    store = open_store(url, Keyring(), lock_timeout_seconds=20.0)
    done, wrong = [], []

    def work(thread: int) -> None:
        try:
            for number in range(times):
                with store.begin(REALM) as tx:
                    before = meters.used(tx, 0)
                    for row in range(bulk):
                        meters.charge(tx, 1 + thread * 1_000_003 + number * 1_009 + row * 7_919)
                    tx.execute(_SET, {"to": before + 1})
                done.append(1)
        except Exception:  # noqa: BLE001 - reported to the test, whatever it was
            wrong.append(traceback.format_exc())

    crowd = [threading.Thread(target=work, args=(thread,)) for thread in range(threads)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    store.close()
    return len(done), wrong


def count_up_for_ever(url: str) -> None:
    """Until killed."""
    while True:
        count_up(url, threads=2, times=20, bulk=20)
