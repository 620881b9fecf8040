"""One transaction at a time for writing, snapshots for reading: what both kinds of database give.

`store.transact(realm, work)` commits what `work(tx)` did when it returns and rolls back when it raises; it returns only
after the commit is durable. Nothing foreign (network, logging, rendering) belongs inside: others wait for it, and the
work is done again when the database could not go through with it (PostgreSQL: serialization failures, deadlocks, lost
connections), so it changes nothing but `tx`. Leaves out: what is read and written (the modules beside this one), how it
is done (`sqlite`, `postgres`), the schema (`schema`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import TypeVar

from adapter.engine.model import Millis, Realm
from adapter.errors import AdapterError, StoreUnavailable

from . import clocks
from .sealing import Keyring
from .transaction import NO_REALM, Transaction

T = TypeVar("T")

# Reads what a work is going to read, as far as it can be known. It is given nothing for what was not read yet, and
# called once more when that is there, for what follows from it. What it returns is of no interest.
Ahead = Callable[[Transaction], object]


class Store(ABC):
    """The database of one service. Shared by all threads; a forked child opens connections of its own."""

    keyring: Keyring
    # For people: a file, or an address without its password.
    name: str
    # Around every piece of work of `transact`, the wait for its turn included: whoever measures puts something here.
    around_transactions: Callable[[], AbstractContextManager[object]] = nullcontext
    # Whether `transact` comes back in time even when a disk or a network hangs.
    keeps_deadlines = False

    @abstractmethod
    def begin(self, realm: Realm, at_most_seconds: float | None = None) -> AbstractContextManager[Transaction]:
        """A write transaction: alone, durable when the block has returned, without a trace when it raises.

        `at_most_seconds`: wait no longer than this for the turn to write, for whom the store's own patience is too
        long. StoreUnavailable when the lock is not had in time, or the database is missing, read-only, full or broken.
        StoreInterrupted when doing all of it again may succeed: `transact` does so.
        """

    def transact(
        self,
        realm: Realm,
        work: Callable[[Transaction], T],
        at_most_seconds: float | None = None,
        ahead: Ahead | None = None,
    ) -> T:
        """Do `work` in a write transaction, again if need be; what it returned the time it was committed.

        `at_most_seconds`: as for `begin`; where `keeps_deadlines`, as much again for the rest. StoreUnavailable then,
        and whether it was written is not known.

        `ahead` changes nothing but how often the database is asked: what it reads is there when the work wants it.
        """
        with self.around_transactions():
            return self._transact(realm, work, at_most_seconds, ahead)

    def _transact(
        self, realm: Realm, work: Callable[[Transaction], T], at_most_seconds: float | None, ahead: Ahead | None
    ) -> T:
        with self.begin(realm, at_most_seconds) as tx:
            return work(tx)

    @abstractmethod
    def read(self, realm: Realm) -> AbstractContextManager[Transaction]:
        """A snapshot: everything inside sees one state. Waits for nobody, writes nothing."""

    def ping(self) -> None:
        """StoreUnavailable unless a real table of this product can be read now."""
        try:
            with self.read(NO_REALM) as tx:
                clocks.any_row(tx)
        except AdapterError as error:
            raise StoreUnavailable(error.message) from error

    @abstractmethod
    def migrate(self) -> None:
        """Create the database, or bring it to this version; any number of workers may do so at once.

        StoreMismatch for a database of a newer version, or one that is not ours.
        """

    @abstractmethod
    def schema_problems(self) -> list[str]:
        """What `db check` tells: damage, a schema that is not at this version. Empty: all is well."""

    def steady_offset(self, boot_id: str, ticks: int, wall: Millis) -> int:
        """What to add to ticks since boot for a time that never steps: decided once a boot, for all workers."""
        return self.transact(NO_REALM, lambda tx: clocks.offset(tx, boot_id, ticks, wall))

    @abstractmethod
    def truncate_log(self) -> bool:
        """After a sweep: leave nothing of what was deleted in a log of ours. False: not now, a reader needs it."""

    @abstractmethod
    def compact(self) -> None:
        """Write everything anew: smaller, and without a trace of what was deleted. Writers wait for as long."""

    @abstractmethod
    def size(self) -> int:
        """How much the database takes, in bytes."""

    @abstractmethod
    def close(self) -> None:
        """Let go of all connections not in use; the store opens new ones when used again."""

    @abstractmethod
    def hold_still(self, around: ExitStack) -> None:
        """Before a fork: what `around` holds until after it keeps other threads from leaving anything half done."""

    @abstractmethod
    def leave_behind(self) -> object:
        """In a forked child: start afresh, and give back what is the parent's and must never be closed here."""
