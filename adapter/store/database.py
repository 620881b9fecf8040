"""One transaction at a time for writing, snapshots for reading: what both kinds of database give.

`store.transact(realm, work)` commits what `work(tx)` did when it returns and rolls back when it raises; it returns only
after the commit is durable. Nothing foreign (network, logging, rendering) belongs inside: others wait for it, and the
work is done again when the database could not go through with it (PostgreSQL: serialization failures, deadlocks, lost
connections), so it changes nothing but `tx`. Leaves out: what is read and written (the modules beside this one), how it
is done (`sqlite`, `postgres`), the schema (`schema`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any, ClassVar, TypeVar

from adapter.engine.model import Millis, Realm
from adapter.errors import AdapterError, ConfigError, StoreUnavailable

from . import clocks
from .sealing import Keyring
from .statements import Bound, Dialect, Prepared

# For tables that belong to no realm (organizations, api_keys, clocks): caller data is never found under it.
NO_REALM = Realm(-1, -1)

Row = tuple[Any, ...]
T = TypeVar("T")


class Transaction(ABC):
    """What the store's functions work through. Not shared between threads, of no use after its block.

    The realm's `account` and `realm` are bound in every statement, and part of every token and seal: a row of one
    realm can neither be found nor opened from another.
    """

    __slots__ = ("_scope", "_tokens", "keyring", "realm")
    dialect: ClassVar[Dialect]

    def __init__(self, realm: Realm, keyring: Keyring) -> None:
        self.realm = realm
        self.keyring = keyring
        self._scope: dict[str, Bound] = {"account": realm.account, "realm": realm.number}
        self._tokens: dict[tuple[str, ...], tuple[bytes, ...]] = {}

    @abstractmethod
    def execute(self, statement: Prepared, values: Mapping[str, Bound]) -> int:
        """Run it; the number of rows changed. StoreUnavailable when the database fails."""

    def write(self, statement: Prepared, values: Mapping[str, Bound]) -> None:
        """Run it before the transaction ends and before anything else is read. Where a round trip costs something it
        waits for the next one; what is wrong with it then shows later, and the whole work is done again."""
        self.execute(statement, values)

    def write_many(self, statement: Prepared, values: Iterable[Mapping[str, Bound]]) -> None:
        """`write` it once for each."""
        for each in values:
            self.write(statement, each)

    @abstractmethod
    def rows(self, statement: Prepared, values: Mapping[str, Bound]) -> list[Row]:
        """Run it; all rows. StoreUnavailable when the database fails."""

    def row(self, statement: Prepared, values: Mapping[str, Bound]) -> Row | None:
        """Run it; the first row, or None."""
        found = self.rows(statement, values)
        return found[0] if found else None

    @abstractmethod
    def savepoint(self) -> AbstractContextManager[None]:
        """What happens inside is undone when the block raises (and the exception goes on)."""

    def steady(self, told: Millis) -> Millis:
        """The time by which rate windows are measured: what this process' clock told, unless the database knows better.

        Milliseconds; never steps. Call it while holding the write lock, so that hits are in order.
        """
        return told

    def token(self, kind: str, *parts: str) -> bytes:
        """Under which index a new row of this realm is kept."""
        return self.tokens(kind, *parts)[0]

    def tokens(self, kind: str, *parts: str) -> tuple[bytes, ...]:
        """Under which indexes a row of this realm may be found."""
        asked = (kind, *parts)
        found = self._tokens.get(asked)
        if found is None:
            realm = str(self.realm.account), str(self.realm.number)
            found = self._tokens[asked] = self.keyring.tokens(kind, *realm, *parts)
        return found

    def seal(self, table: str, key: bytes, text: str) -> bytes:
        """Seal a value for the row of `table` with this primary key (below the realm)."""
        return self.keyring.seal(text, self._context(table, key))

    def open(self, table: str, key: bytes, sealed: bytes) -> str:
        """Open what `seal` made; SealBroken."""
        return self.keyring.open(sealed, self._context(table, key))

    def _context(self, table: str, key: bytes) -> bytes:
        return f"{table}:{self.realm.account}:{self.realm.number}:".encode() + key


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

    @classmethod
    def open(cls, url: str, keyring: Keyring, *, lock_timeout_seconds: float = 2.0, pool_size: int = 10) -> Store:
        """The store at a `sqlite:///` or `postgresql://` URL; touches nothing until first used.

        `pool_size`: most connections of this process to PostgreSQL. ConfigError when the URL is neither.
        """
        from . import forks
        from .sqlite.store import SqliteStore

        store: Store
        if url.startswith(("postgresql:", "postgres:")):
            store = _postgres_store(url, keyring, lock_timeout_seconds, pool_size)
        else:
            store = SqliteStore.at(url, keyring, lock_timeout_seconds)
        forks.watch(store)
        return store

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


def _postgres_store(url: str, keyring: Keyring, lock_timeout_seconds: float, pool_size: int) -> Store:
    try:
        from .postgres.store import PostgresStore
    except ImportError:
        advice = "run `pip install 'sticky-calls-adapter[postgres]'`"
        raise ConfigError([f"database.url: the driver for PostgreSQL is not installed; {advice}"]) from None
    return PostgresStore.at(url, keyring, lock_timeout_seconds, pool_size)
