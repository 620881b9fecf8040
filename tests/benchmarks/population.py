"""Very many customers at once: a SQLite store of any size, with the rows that the product itself would have written.

The product makes the first customer (two identities, three variables) and this customer's next call. The rows of all
others are these with their own ids, tokens, numbers and times in their place, so what is bulk here has the columns, the
tokens and the sealed forms of the real thing, whatever else the schema has today. No encryption keys.

Customers come in waves, each in the order of its keys: as fast as inserts can be, and pages end as full as they do
when customers come in any order. Leaves out: PostgreSQL, intents, shared numbers.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from adapter.engine.model import (
    EndCall,
    HangUp,
    Hints,
    LineType,
    Millis,
    Mode,
    Origin,
    Realm,
    StartCall,
    Started,
    VariableUpdate,
)
from adapter.engine.policy import DAY, SECOND
from adapter.store import callbody
from adapter.store import calls as stored_calls
from adapter.store.refs import to_bytes
from adapter.store.sealing import Keyring
from adapter.usecases import Service, end_call, start_call
from adapter.usecases.end import hang_up
from tests.serving import caller_number, line_number

EXTERNAL_KEY = "customer_id"
_ORGANIZATION = "acme"
_LEAST_WAVES, _MOST_IN_A_WAVE = 8, 500_000
# Younger than variables get to be, older than a day: everybody who calls again is known for the same reasons.
_OLDEST_MS, _YOUNGEST_MS = 22 * DAY, 3 * DAY
_CALLED_AGAIN_MS, _RANG_MS, _VARIABLES_LIVE_MS = DAY, 35 * SECOND, 30 * DAY
# Nothing of a build that was cut off is of any use, so nothing has to be safe.
_FAST = ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", "cache_size=-2000000")

_NO_KEYS = Keyring()

Row = tuple[int | str | bytes, ...]


def populate(service: Service, database: Path, customers: int, calls: int) -> None:
    """Fill a new store, which nobody else uses, with this many customers and as many old calls of theirs.

    Customer `count` calls from `caller_number(count)` and is `external_id(count)` elsewhere.
    """
    first = _first_of_the_product(service)
    service.store.close()
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for setting in _FAST:
            connection.execute(f"PRAGMA {setting}")
        people = _People(first, customers, calls)
        for table, (columns, rows) in people.tables.items():
            _insert(connection, table, columns, rows, calls if table == "calls" else customers)
        connection.execute("PRAGMA locking_mode=NORMAL")
        connection.execute("PRAGMA journal_mode=WAL")


def external_id(count: int) -> str:
    """What a customer is called elsewhere."""
    return f"C{count:07d}"


def sid(count: int) -> str:
    """A CallSid, as random as Twilio's are."""
    return "CA" + _scattered(count).hex()


def known_of(count: int) -> tuple[tuple[str, str], ...]:
    """A customer's variables, in the order in which they were saved."""
    return ("name", f"Maria {count}"), ("plan", "gold"), ("city", "Graz")


@dataclass(frozen=True, slots=True)
class _First:
    """Whom the product itself made, when, and what it wrote of the second call."""

    realm: Realm
    customer: bytes
    at: Millis
    body: str


def _first_of_the_product(service: Service) -> _First:
    principal = service.directory.principal(_ORGANIZATION, Mode.PROD)
    assert principal is not None
    number = caller_number(0)
    hints = Hints(ani=number, line_type=LineType.MOBILE, external_ids=((EXTERNAL_KEY, external_id(0)),))
    known = tuple(VariableUpdate(name, value) for name, value in known_of(0))
    end_call(service, principal, EndCall(sid(-1), hints=hints, variables=known))
    again = Hints(ani=number, dnis=line_number(0))
    answer = start_call(service, principal, StartCall(sid(0), again, Origin.TWILIO)).outcome
    assert isinstance(answer, Started)
    assert hang_up(service, principal, HangUp(sid(0), again, answer.call_start + _RANG_MS, 35))
    with service.store.read(principal.realm) as tx:
        call = stored_calls.find(tx, sid(0))
    assert call is not None
    return _First(principal.realm, to_bytes(answer.customer_ref), answer.call_start, callbody.encode(call))


class _People:
    """The tables' rows. `tables`: the columns in which they differ, the key first, and the rows of some of them."""

    def __init__(self, first: _First, customers: int, calls: int) -> None:
        self._first, self._many, self._many_calls = first, customers, calls
        realm = (str(first.realm.account), str(first.realm.number))
        self._number = _Tokens(caller_number(0), "ani", *realm)
        self._external = _Tokens(external_id(0), "pair", *realm, EXTERNAL_KEY)
        self.tables: dict[str, tuple[tuple[str, ...], Callable[[range], Iterator[Row]]]] = {
            "customers": (("customer", "created_at", "last_contact", "next_expiry"), self._customers),
            "variables": (("customer", "name", "created_at", "position", "expires_at", "sealed"), self._variables),
            "numbers": (("token", "customer", "last_seen", "line_type_at", "sealed"), self._numbers),
            "external_ids": (("token", "customer", "last_seen", "sealed"), self._external_ids),
            "sightings": (("pair", "ani", "call_id", "seen_at", "sealed"), self._sightings),
            "calls": (("call_id", "customer", "started_at", "greeted_at", "hung_up_at", "sealed"), self._calls),
        }

    def _customers(self, counts: range) -> Iterator[Row]:
        for count in counts:
            at = self._known_since(count)
            yield _customer(count), at, at + _CALLED_AGAIN_MS, at + _VARIABLES_LIVE_MS

    def _variables(self, counts: range) -> Iterator[Row]:
        for count in counts:
            at, customer = self._known_since(count), _customer(count)
            for place, (name, value) in enumerate(known_of(count)):
                yield customer, name, at, place, at + _VARIABLES_LIVE_MS, _plain(value)

    def _numbers(self, counts: range) -> Iterator[Row]:
        for count in counts:
            at, number = self._known_since(count), caller_number(count)
            yield self._number.of(number), _customer(count), at + _CALLED_AGAIN_MS, at, _plain(number)

    def _external_ids(self, counts: range) -> Iterator[Row]:
        for count in counts:
            value = external_id(count)
            yield self._external.of(value), _customer(count), self._known_since(count), _plain(value)

    def _sightings(self, counts: range) -> Iterator[Row]:
        for count in counts:
            value, number = external_id(count), caller_number(count)
            sealed = _plain(f'["{EXTERNAL_KEY}", "{value}", "{number}"]')
            tokens = self._external.of(value), self._number.of(number)
            yield *tokens, sid(-1 - count), self._known_since(count), sealed

    def _calls(self, counts: range) -> Iterator[Row]:
        before, after = self._first.body.split(caller_number(0))
        for count in counts:
            caller = count % self._many
            at = self._since(count, self._many_calls) + _CALLED_AGAIN_MS
            sealed = _plain(before + caller_number(caller) + after)
            yield sid(count), _customer(caller) if caller else self._first.customer, at, at, at + _RANG_MS, sealed

    def _known_since(self, count: int) -> Millis:
        return self._since(count, self._many)

    def _since(self, count: int, many: int) -> Millis:
        return self._first.at - _OLDEST_MS + (_OLDEST_MS - _YOUNGEST_MS) * count // many


class _Tokens:
    """Blind indexes without keys of texts as long as `one`, in a third of the time that the keyring takes."""

    def __init__(self, one: str, kind: str, *parts: str) -> None:
        pieces = [piece.encode() for piece in (kind, *parts)]
        message = b"".join(len(piece).to_bytes(4, "big") + piece for piece in pieces)
        self._begun = hashlib.sha256(message + len(one).to_bytes(4, "big"))
        assert self.of(one) == _NO_KEYS.token(kind, *parts, one)

    def of(self, text: str) -> bytes:
        begun = self._begun.copy()
        begun.update(text.encode())
        return begun.digest()[:16]


def _insert(
    connection: sqlite3.Connection,
    table: str,
    columns: tuple[str, ...],
    rows: Callable[[range], Iterator[Row]],
    number: int,
) -> None:
    """All but the first, which is there and has what is the same in all: that stands in the statement."""
    waves = max(_LEAST_WAVES, -(-number // _MOST_IN_A_WAVE))
    statement = _statement(connection, table, columns)
    for wave in range(waves):
        counts = range(max(1, number * wave // waves), number * (wave + 1) // waves)
        connection.execute("BEGIN")
        connection.executemany(statement, sorted(rows(counts)))
        connection.execute("COMMIT")


def _statement(connection: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> str:
    names = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})") if name not in columns]
    quoted = ", ".join(f"quote({name})" for name in names)
    # Of the two calls, the one that came in: the other is only the end of one.
    (same,) = connection.execute(f"SELECT {quoted} FROM {table} ORDER BY {columns[-2]} DESC LIMIT 1")
    values = ", ".join([*("?" for _ in columns), *same])
    return f"INSERT INTO {table} ({', '.join([*columns, *names])}) VALUES ({values})"


def _customer(count: int) -> bytes:
    """A random UUID (version 4), as customers from before version 7 have: in no order, which is the dearer case."""
    ref = bytearray(_scattered(-count))
    ref[6], ref[8] = ref[6] & 0x0F | 0x40, ref[8] & 0x3F | 0x80
    return bytes(ref)


def _scattered(count: int) -> bytes:
    return hashlib.md5(b"%d" % count, usedforsecurity=False).digest()


def _plain(text: str) -> bytes:
    return _NO_KEYS.seal(text, b"")
