"""Bringing everything at rest under the newest encryption key: re-sealed, and found by the newest key's index.

Runs beside the service, a short transaction at a time, and can be stopped and run again at any moment: what is done
shows in the rows themselves. When a run finds nothing to do, older keys can be taken out of the configuration.
Leaves out: waiting inbox events (they are sealed again when applied, so let the inbox run empty first).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import sqlalchemy as sa

from adapter.engine.model import Call, Realm, Undo

from . import calls
from .database import Store
from .identities import EXTERNAL_OF_CUSTOMER
from .organizations import realms
from .refs import to_bytes
from .statements import Bound, Prepared, bind, of_realm
from .tables import answers, external_ids, intents, numbers, sightings, variables
from .tables import calls as calls_table
from .transaction import Row, Transaction


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """How many rows were brought under the newest key in this run."""

    numbers: int = 0
    external_ids: int = 0
    sightings: int = 0
    intents: int = 0
    variables: int = 0
    answers: int = 0
    calls: int = 0


def rekey(store: Store, batch: int = 200) -> Rekeyed:
    """Re-seal and re-index what is not under the newest key, `batch` rows a transaction.

    SealBroken when a row's key is no longer configured: put it back, behind the newest, and run again.
    """
    counts = [0] * len(_STEPS)
    for realm in realms(store):
        # The order matters: calls name links by their index, so the links move first.
        for place, step in enumerate(_STEPS):
            counts[place] += step.run(store, realm, batch)
    store.truncate_log()
    return Rekeyed(*counts)


@dataclass(frozen=True, slots=True)
class _Step:
    """One table, read in the order of its key: `page` gives rows that begin with `start`'s columns."""

    page: Prepared
    start: tuple[Bound, ...]
    renew: Callable[[Transaction, Row], bool]

    def run(self, store: Store, realm: Realm, batch: int) -> int:
        renewed, after = 0, self.start
        while True:
            cursor = {f"after_{place}": value for place, value in enumerate(after)}
            rows, done = store.transact(realm, partial(self._renew_page, values={**cursor, "batch": batch}))
            renewed += done
            if len(rows) < batch:
                return renewed
            after = rows[-1][: len(after)]

    def _renew_page(self, tx: Transaction, values: Mapping[str, Bound]) -> tuple[list[Row], int]:
        rows = tx.rows(self.page, values)
        return rows, sum(self.renew(tx, row) for row in rows)


def _page(table: sa.Table, *others: str) -> Prepared:
    key = [column for column in table.primary_key if column.name not in ("account", "realm")]
    after = [bind(f"after_{place}") for place in range(len(key))]
    return Prepared(
        sa.select(*key, *(table.c[name] for name in others))
        .where(of_realm(table), sa.tuple_(*key) > sa.tuple_(*after))
        .order_by(*key)
        .limit(bind("batch"))
    )


def _renewal(table: sa.Table, *changed: str) -> Prepared:
    """Sets the columns `changed` to new_…, in the row whose key columns are old_…."""
    key = [column for column in table.primary_key if column.name not in ("account", "realm")]
    rows = [column == bind(f"old_{column.name}") for column in key]
    return Prepared(
        sa.update(table).where(of_realm(table), *rows).values({name: bind(f"new_{name}") for name in changed})
    )


def _move(table: sa.Table, latest: str, *changed: str) -> tuple[Prepared, ...]:
    """As `_renewal`, in several statements, for a row that gets another key. Who had not been told of the newest key
    may have written it once more, finding nothing: of the two that one stays whose `latest` is later."""
    key = [column.name for column in table.primary_key if column.name not in ("account", "realm")]
    other = table.alias()
    old = {name: bind(f"old_{name}") for name in key}
    new = {**old, **{name: bind(f"new_{name}") for name in changed if name in key}}

    def at(rows: sa.FromClause, values: Mapping[str, sa.BindParameter[Bound]]) -> sa.ColumnElement[bool]:
        return sa.and_(of_realm(rows), *(rows.c[name] == value for name, value in values.items()))

    is_later = sa.select(other.c[latest]).where(at(other, old)).scalar_subquery() >= table.c[latest]
    return (
        Prepared(sa.delete(table).where(at(table, new), is_later)),
        Prepared(sa.delete(table).where(at(table, old), sa.exists().where(at(other, new)))),
        _renewal(table, *changed),
    )


_MOVE_NUMBER = _move(numbers, "last_seen", "token", "sealed")
_MOVE_EXTERNAL = _move(external_ids, "last_seen", "token", "sealed")
_MOVE_SIGHTING = _move(sightings, "seen_at", "pair", "ani", "sealed")
_MOVE_ANSWER = _move(answers, "expires_at", "token", "sealed")
_SEAL_INTENT = _renewal(intents, "resolution")
_SEAL_VARIABLE = _renewal(variables, "sealed")


def _number(tx: Transaction, row: Row) -> bool:
    token, customer, sealed = row
    if tx.keyring.is_newest(sealed):
        return False
    ani = tx.open("numbers", token + customer, sealed)
    new = tx.token("ani", ani)
    values: dict[str, Bound] = {"old_token": token, "old_customer": customer, "new_token": new}
    _run(tx, _MOVE_NUMBER, {**values, "new_sealed": tx.seal("numbers", new + customer, ani)})
    return True


def _external(tx: Transaction, row: Row) -> bool:
    token, key, sealed = row
    if tx.keyring.is_newest(sealed):
        return False
    value = tx.open("external_ids", token, sealed)
    new = tx.token("pair", key, value)
    values: dict[str, Bound] = {"old_token": token, "new_token": new}
    _run(tx, _MOVE_EXTERNAL, {**values, "new_sealed": tx.seal("external_ids", new, value)})
    return True


def _sighting(tx: Transaction, row: Row) -> bool:
    pair, ani, sealed = row
    if tx.keyring.is_newest(sealed):
        return False
    text = tx.open("sightings", pair + ani, sealed)
    key, value, number = json.loads(text)
    new_pair, new_ani = tx.token("pair", key, value), tx.token("ani", number)
    values: dict[str, Bound] = {"old_pair": pair, "old_ani": ani, "new_pair": new_pair, "new_ani": new_ani}
    _run(tx, _MOVE_SIGHTING, {**values, "new_sealed": tx.seal("sightings", new_pair + new_ani, text)})
    return True


def _answer(tx: Transaction, row: Row) -> bool:
    scope, token, sealed = row
    if tx.keyring.is_newest(sealed):
        return False
    text = tx.open("answers", token, sealed)
    new = tx.token("answer", scope, json.loads(text)[0])
    values: dict[str, Bound] = {"old_scope": scope, "old_token": token, "new_token": new}
    _run(tx, _MOVE_ANSWER, {**values, "new_sealed": tx.seal("answers", new, text)})
    return True


def _intent(tx: Transaction, row: Row) -> bool:
    customer, name, sealed = row
    if sealed is None or tx.keyring.is_newest(sealed):
        return False
    key = customer + name.encode()
    values: dict[str, Bound] = {"old_customer": customer, "old_intent": name}
    tx.write(_SEAL_INTENT, {**values, "new_resolution": _again(tx, "intents", key, sealed)})
    return True


def _variable(tx: Transaction, row: Row) -> bool:
    customer, name, sealed = row
    if tx.keyring.is_newest(sealed):
        return False
    key = customer + name.encode()
    values: dict[str, Bound] = {"old_customer": customer, "old_name": name}
    tx.write(_SEAL_VARIABLE, {**values, "new_sealed": _again(tx, "variables", key, sealed)})
    return True


def _call(tx: Transaction, row: Row) -> bool:
    call_id, sealed = row
    call = calls.find(tx, call_id)
    assert call is not None, "read in this transaction"
    undo = _renamed(tx, call)
    if undo == call.undo and tx.keyring.is_newest(sealed):
        return False
    calls.save(tx, replace(call, undo=undo))
    return True


def _renamed(tx: Transaction, call: Call) -> Undo:
    """The links that the call can take back, by the names they have now."""
    undo = call.undo
    if call.customer_ref is None or not (undo.linked_external or undo.presented):
        return undo
    names: dict[str, str] = {}
    for token, sealed, key in tx.rows(EXTERNAL_OF_CUSTOMER, {"customer": to_bytes(call.customer_ref)}):
        olds = tx.tokens("pair", key, tx.open("external_ids", token, sealed))
        names |= {old.hex(): token.hex() for old in olds}
    return replace(
        undo,
        linked_external=tuple(names.get(name, name) for name in undo.linked_external),
        presented=tuple(names.get(name, name) for name in undo.presented),
    )


def _run(tx: Transaction, statements: tuple[Prepared, ...], values: Mapping[str, Bound]) -> None:
    for statement in statements:
        tx.write(statement, values)


def _again(tx: Transaction, table: str, key: bytes, sealed: bytes) -> bytes:
    return tx.seal(table, key, tx.open(table, key, sealed))


_STEPS = (
    _Step(_page(numbers, "sealed"), (b"", b""), _number),
    _Step(_page(external_ids, "key", "sealed"), (b"",), _external),
    _Step(_page(sightings, "sealed"), (b"", b""), _sighting),
    _Step(_page(intents, "resolution"), (b"", ""), _intent),
    _Step(_page(variables, "sealed"), (b"", ""), _variable),
    _Step(_page(answers, "sealed"), ("", b""), _answer),
    _Step(_page(calls_table, "sealed"), ("",), _call),
)
