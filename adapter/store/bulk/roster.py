"""Who is known, for very many callers at once: read together, changed in memory, written together.

It answers and changes what `customers` and `memory` do, a caller at a time and in order, as if each had been written
before the next was looked at; a test compares the two. Leaves out: deciding (`adapter.engine`), calls, taking back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from heapq import nlargest
from typing import Any

from adapter.engine.model import (
    AniLink,
    CustomerFacts,
    ExternalLink,
    Facts,
    Hints,
    Intent,
    LineType,
    Millis,
    Sightings,
    Variable,
)
from adapter.store import memory
from adapter.store.customers import LINKS_CONSIDERED, NUMBERS_COUNTED
from adapter.store.identities import SIGHTING_REFRESH_MS, Pair
from adapter.store.moving.rows import sql
from adapter.store.refs import from_bytes, to_bytes
from adapter.store.statements import Dialect
from adapter.store.tables import (
    LINE_TYPES,
    customers,
    external_ids,
    intents,
    numbers,
    sightings,
    tombstones,
    variables,
)
from adapter.store.transaction import Transaction

from .rows import Rows, begin_with

_TABLES = (customers, numbers, external_ids, sightings, variables, intents)
# Megabytes for pages that are looked into and changed: of very many customers they are all over the file.
_CACHE_MB = 128


class Roster:
    """Of everybody whom these hints can lead to. Part of one transaction; `write` at its end."""

    def __init__(self, tx: Transaction, hints: Sequence[Hints]) -> None:
        self._tx = tx
        self._customers, self._numbers, self._external, self._sightings, self._variables, self._intents = (
            Rows(table) for table in _TABLES
        )
        self._keys: dict[bytes, set[str]] = {}
        # Each is asked for several times, and takes longer than all else that is done with it.
        self._tokens, self._bytes = cache(tx.tokens), cache(to_bytes)
        self._erased: set[bytes] = set()
        if tx.dialect is Dialect.SQLITE:
            tx.execute(sql(f"PRAGMA cache_size=-{_CACHE_MB * 1_000}"), {})
        self._read(hints)

    def facts(self, hints: Hints) -> Facts:
        """As `customers.facts`."""
        links = self._links(hints.ani) if hints.ani else []
        external = {pair: row for pair in hints.external_ids if (row := self._external_row(pair)) is not None}
        named = [self._bytes(hints.customer_ref)] if hints.customer_ref else []
        refs = dict.fromkeys((*named, *(row[1] for row in links), *(row[1] for row in external.values())))
        known = {ref: row for ref in refs if (row := self._customers.get(ref)) is not None}
        pairs = [*hints.external_ids, *((("customer_ref", hints.customer_ref),) if hints.customer_ref else ())]
        return Facts(
            customers={from_bytes(ref): self._known(ref, row) for ref, row in known.items()},
            ani=tuple(_ani_link(row) for row in links if row[1] in known),
            external={
                pair: ExternalLink(from_bytes(row[1]), row[3], row[4])
                for pair, row in external.items()
                if row[1] in known
            },
            sightings={pair: self._seen(pair, hints.ani) for pair in pairs},
        )

    def is_erased(self, ref: str) -> bool:
        """Of a reference that one of the hints named."""
        return self._bytes(ref) in self._erased

    def create(self, ref: str, now: Millis, contact: Millis) -> None:
        """A new customer, last in contact at `contact`."""
        self._customers.add(self._bytes(ref), now, contact, None)
        self._keys[self._bytes(ref)] = set()

    def touch(self, ref: str, contact: Millis) -> None:
        """The customer was in contact then, if not later."""
        row = self._customers.get(self._bytes(ref))
        assert row is not None
        self._customers.change(row, row[1], max(row[2], contact), row[3])

    def link_ani(self, ani: str, ref: str, seen: Millis, line_type: LineType | None, now: Millis) -> None:
        """As `customers.link_ani`, seen at `seen`; the line type is known since `now`."""
        tokens, customer = self._tokens("ani", ani), self._bytes(ref)
        known = None if line_type in (None, LineType.UNKNOWN) else LINE_TYPES.index(line_type)
        row = self._number_row(tokens, customer)
        if row is None:
            sealed = self._tx.seal("numbers", tokens[0] + customer, ani)
            self._numbers.add(tokens[0], customer, seen, known, 0 if known is None else now, 0, sealed)
            return
        kind, since = (row[3], row[4]) if known is None else (known, now)
        self._numbers.change(row, max(row[2], seen), kind, since, row[5], row[6])

    def link_external(self, pair: Pair, ref: str, seen: Millis) -> None:
        """As `customers.link_external`."""
        row, customer = self._external_row(pair), self._bytes(ref)
        if row is None:
            token = self._tokens("pair", *pair)[0]
            sealed = self._tx.seal("external_ids", token, pair[1])
            self._external.add(token, customer, pair[0], seen, 0, sealed)
        else:
            doubts = row[4] if row[1] == customer else 0
            self._external.change(row, customer, row[2], max(row[3], seen), doubts, row[5])
        self._keys[customer].add(pair[0])

    def sight(self, ani: str, pairs: Sequence[Pair], call_id: str, seen: Millis) -> None:
        """As `customers.sight`."""
        own = self._tokens("ani", ani)
        for pair in pairs:
            row = self._sighting(pair, own)
            if row is None:
                key = self._tokens("pair", *pair)[0]
                sealed = self._tx.seal("sightings", key + own[0], json.dumps([*pair, ani]))
                self._sightings.add(key, own[0], call_id, seen, sealed)
            elif row[3] < seen - SIGHTING_REFRESH_MS:
                self._sightings.change(row, row[2], seen, row[4])

    def variables(self, ref: str, names: Iterable[str], now: Millis) -> dict[str, Variable]:
        """As `memory.variables`."""
        customer, wanted = self._bytes(ref), set(names)
        rows = [row for row in self._variables.under(customer) if row[1] in wanted and row[6] > now]
        return {row[1]: memory.variable_of(self._tx, customer, tuple(row[1:])) for row in rows}

    def save_variables(self, ref: str, keep: Sequence[Variable], forget: Sequence[str]) -> None:
        """As `memory.save_variables`."""
        customer = self._bytes(ref)
        for each in keep:
            _put(self._variables, memory.variable_row(self._tx, customer, each).values())
        if forget:
            memory.save_variables(self._tx, ref, (), forget)
            for name in forget:
                self._variables.drop(customer, name)
        row = self._customers.get(customer)
        assert row is not None
        expiries = [each[6] for each in self._variables.under(customer)]
        self._customers.change(row, row[1], row[2], min(expiries, default=None))

    def intents(self, ref: str, names: Iterable[str]) -> dict[str, Intent]:
        """As `memory.intents`."""
        customer, wanted = self._bytes(ref), set(names)
        rows = [row for row in self._intents.under(customer) if row[1] in wanted]
        return {row[1]: memory.intent_of(self._tx, customer, tuple(row[1:])) for row in rows}

    def save_intents(self, ref: str, changed: Sequence[Intent]) -> None:
        """As `memory.save_intents`."""
        for each in changed:
            _put(self._intents, memory.intent_row(self._tx, self._bytes(ref), each).values())

    def write(self, *, is_first: bool = False) -> None:
        """Everything that was changed. `is_first`: of many; the planner then learns how the tables lie now."""
        for rows in (self._customers, self._numbers, self._external, self._sightings, self._variables, self._intents):
            rows.write(self._tx)
        if is_first and self._tx.dialect is Dialect.POSTGRESQL:
            # Of a table that was empty a moment ago it would take any index, and read all of it for each caller.
            self._tx.execute(sql(f"ANALYZE {', '.join(table.name for table in _TABLES)}"), {})

    def _read(self, hints: Sequence[Hints]) -> None:
        tx = self._tx
        anis = _distinct(token for each in hints if each.ani for token in self._tokens("ani", each.ani))
        pairs = _distinct(token for each in hints for pair in _pairs(each) for token in self._tokens("pair", *pair))
        refs = _distinct(self._bytes(each.customer_ref) for each in hints if each.customer_ref)
        self._numbers.take(begin_with(tx, numbers, anis, most=LINKS_CONSIDERED, latest="last_seen"))
        self._external.take(begin_with(tx, external_ids, pairs))
        linked = (
            row[1]
            for rows, tokens in ((self._numbers, anis), (self._external, pairs))
            for token in tokens
            for row in rows.under(token)
        )
        people = _distinct((*refs, *linked))
        # A record of theirs may go on with further numbers: those are sighted with whom it turns out to be.
        theirs = (token for each in people for token in self._tokens("pair", "customer_ref", from_bytes(each)))
        self._sightings.take(begin_with(tx, sightings, _distinct((*pairs, *theirs)), most=NUMBERS_COUNTED + 2))
        self._customers.take(begin_with(tx, customers, people))
        self._variables.take(begin_with(tx, variables, people))
        self._intents.take(begin_with(tx, intents, people))
        for row in begin_with(tx, external_ids, people, "customer"):
            self._keys.setdefault(row[3], set()).add(row[4])
        self._erased = {row[2] for row in begin_with(tx, tombstones, refs)}

    def _known(self, ref: bytes, row: list[Any]) -> CustomerFacts:
        return CustomerFacts(from_bytes(ref), row[2], frozenset(self._keys.setdefault(ref, set())))

    def _links(self, ani: str) -> list[list[Any]]:
        """The most recently seen first."""
        rows = [row for token in self._tokens("ani", ani) for row in self._numbers.under(token)]
        if len(rows) > 1:
            rows = nlargest(LINKS_CONSIDERED, sorted(rows, key=lambda row: row[1]), key=lambda row: row[2])
        return rows

    def _number_row(self, tokens: Sequence[bytes], customer: bytes) -> list[Any] | None:
        keys = [(token, customer) for token in tokens]
        found = self._numbers.first(keys)
        if found is None and sum(len(self._numbers.under(token)) for token in tokens) >= LINKS_CONSIDERED:
            # A number of so many customers that not all of its links were read.
            self._numbers.take(begin_with(self._tx, numbers, [customer], "customer"))
            found = self._numbers.first(keys)
        return found

    def _external_row(self, pair: Pair) -> list[Any] | None:
        return self._external.first((token,) for token in self._tokens("pair", *pair))

    def _seen(self, pair: Pair, ani: str | None) -> Sightings:
        own = self._tokens("ani", ani) if ani else ()
        row = self._sighting(pair, own) if own else None
        rows = (each for token in self._tokens("pair", *pair) for each in self._sightings.under(token))
        others = sum(each[1] not in own for each in rows)
        return Sightings(min(others, NUMBERS_COUNTED), None if row is None else row[2])

    def _sighting(self, pair: Pair, own: Sequence[bytes]) -> list[Any] | None:
        tokens = self._tokens("pair", *pair)
        keys = [(token, number) for token in tokens for number in own]
        found = self._sightings.first(keys)
        if found is None and sum(len(self._sightings.under(token)) for token in tokens) > NUMBERS_COUNTED:
            # A pair with so many numbers that not all were read.
            self._sightings.take(begin_with(self._tx, sightings, own, "ani"))
            found = self._sightings.first(keys)
        return found


def _pairs(hints: Hints) -> list[Pair]:
    return [*hints.external_ids, *((("customer_ref", hints.customer_ref),) if hints.customer_ref else ())]


def _distinct(tokens: Iterable[bytes]) -> list[bytes]:
    return list(dict.fromkeys(tokens))


def _put(rows: Rows, values: Iterable[Any]) -> None:
    """Insert it, or replace what has its key."""
    given = list(values)
    row = rows.get(*given[: rows.key])
    if row is None:
        rows.add(*given)
    else:
        rows.change(row, *given[rows.key :])


def _ani_link(row: list[Any]) -> AniLink:
    _, customer, seen, line, line_at, doubts, _ = row
    return AniLink(from_bytes(customer), seen, None if line is None else LineType(LINE_TYPES[line]), line_at, doubts)
