"""A store with very many customers, and somebody who goes on writing to it until it takes no more."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

from adapter.app import build_service
from adapter.config import load
from adapter.engine.model import Call, Mode
from adapter.errors import StoreUnavailable
from adapter.store import calls, customers, meters, organizations
from adapter.store.opening import open_store
from adapter.store.refs import from_bytes
from adapter.store.sealing import Keyring
from adapter.store.transaction import Transaction
from tests.benchmarks.population import populate
from tests.databases import rows_at


def a_store(folder: Path, file: Path, number: int) -> None:
    """This many customers with two identities and three variables each, and as many old calls."""
    config = folder / "config.yaml"
    config.write_text(
        f"database: {{url: 'sqlite:///{file}'}}\n"
        "organizations: [{id: acme, billing_account: ba_acme, tier: unlimited}]\n"
    )
    populate(build_service(load(config, {})), file, number, number)


class Writer(threading.Thread):
    """So many calls a second, of customers drawn at random: new ones, changed ones, some that are swept away."""

    def __init__(self, file: Path, a_second: int, known: int) -> None:
        super().__init__(daemon=True)
        self._url = f"sqlite:///{file}"
        self._pause = 1 / a_second
        self._chance = random.Random(1)
        self._over = threading.Event()
        self._known = [from_bytes(ref) for (ref,) in rows_at(self._url, "SELECT customer FROM customers LIMIT 5000")]
        self.acknowledged: list[str] = []

    def run(self) -> None:
        store = open_store(self._url, Keyring())
        (registered, *_) = organizations.register(store, [("acme", "ba_acme")]).values()
        realm = registered.realm(Mode.PROD)
        while not self._over.is_set():
            call_id = f"meanwhile-{len(self.acknowledged):07d}"
            ref = self._chance.choice(self._known)

            def work(tx: Transaction, call_id: str = call_id, ref: str = ref) -> None:
                now = time.time_ns() // 1_000_000
                calls.save(tx, Call(call_id, now, customer_ref=ref, ani="+14155550123"))
                customers.touch(tx, ref, now)
                meters.charge(tx, 0)

            try:
                store.transact(realm, work)
            except StoreUnavailable:
                time.sleep(0.05)  # the writers are held up, or it takes no more
            else:
                self.acknowledged.append(call_id)
            self._over.wait(self._pause)
        store.close()

    def stop(self) -> None:
        self._over.set()
        self.join()

    def missing(self, url: str) -> list[str]:
        """What was acknowledged and is not at this URL."""
        there = {call for (call,) in rows_at(url, "SELECT call_id FROM calls WHERE call_id >= 'meanwhile-'")}
        lost = [call for call in self.acknowledged if call not in there]
        return [f"{len(lost)} acknowledged writes are missing, as {lost[0]}"] if lost else []
