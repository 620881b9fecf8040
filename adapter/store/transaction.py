"""What a use case holds: one transaction of one realm, through which everything is read and written.

Leaves out: how it is begun and committed (`database`), what is read and written (the modules beside this one).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from adapter.engine.model import Millis, Realm

from .sealing import Keyring
from .statements import Bound, Dialect, Prepared

# For tables that belong to no realm (organizations, api_keys, clocks): caller data is never found under it.
NO_REALM = Realm(-1, -1)

Row = tuple[Any, ...]


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
