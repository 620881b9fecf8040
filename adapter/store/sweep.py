"""Removing what has expired, from the tables and from the file's bytes: a short transaction at a time.

Whether there is anything to remove is found out by reading, so that an idle round takes no lock. Leaves out: how often.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa

from adapter.engine.model import Millis, Realm
from adapter.engine.policy import DAY, SECOND, RetentionPolicy
from adapter.errors import StoreDamaged

from . import meters
from .database import Store
from .memory import NOTE_NEXT_EXPIRY
from .organizations import realms
from .sealing import TOKEN_BYTES
from .statements import Bound, Prepared, bind, of_realm
from .tables import answers, calls, customers, lockouts, organizations, rate_hits, sightings, variables
from .transaction import NO_REALM, Transaction

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Swept:
    """How many rows went. `log_truncated` False: a reader kept the log; their bytes go with the next round."""

    answers: int = 0
    variables: int = 0
    calls: int = 0
    sightings: int = 0
    rate_hits: int = 0
    lockouts: int = 0
    log_truncated: bool = False


_ANSWERS = Prepared(
    sa.select(answers.c.scope, answers.c.token)
    .where(of_realm(answers), answers.c.expires_at <= bind("before"))
    .limit(bind("batch"))
)
_DELETE_ANSWER = Prepared(
    sa.delete(answers).where(
        of_realm(answers),
        answers.c.scope == bind("scope"),
        answers.c.token == bind("token"),
        answers.c.expires_at <= bind("before"),
    )
)
_LOCKOUTS = Prepared(
    sa.select(lockouts.c.token).where(of_realm(lockouts), lockouts.c.until <= bind("before")).limit(bind("batch"))
)
_DELETE_LOCKOUT = Prepared(
    sa.delete(lockouts).where(of_realm(lockouts), lockouts.c.token == bind("token"), lockouts.c.until <= bind("before"))
)
_CALLS = Prepared(
    sa.select(calls.c.call_id).where(of_realm(calls), calls.c.started_at < bind("before")).limit(bind("batch"))
)
_DELETE_CALL = Prepared(
    sa.delete(calls).where(of_realm(calls), calls.c.call_id == bind("call_id"), calls.c.started_at < bind("before"))
)
_FORGETFUL = Prepared(
    sa.select(customers.c.customer)
    .where(of_realm(customers), customers.c.next_expiry <= bind("before"))
    .limit(bind("batch"))
)
_DELETE_VARIABLES = Prepared(
    sa.delete(variables).where(
        of_realm(variables), variables.c.customer == bind("customer"), variables.c.expires_at <= bind("before")
    )
)
# No index by age: it would cost every new sighting a page. The table is read through in slices instead.
_SIGHTINGS_A_ROUND = 5_000
_SIGHTINGS = Prepared(
    sa.select(sightings.c.pair, sightings.c.ani, sightings.c.seen_at)
    .where(
        of_realm(sightings),
        sa.tuple_(sightings.c.pair, sightings.c.ani) > sa.tuple_(bind("after_pair"), bind("after_ani")),
        sightings.c.pair <= bind("until_pair"),
    )
    .order_by(sightings.c.pair, sightings.c.ani)
    .limit(bind("batch"))
)
_DELETE_SIGHTING = Prepared(
    sa.delete(sightings).where(
        of_realm(sightings),
        sightings.c.pair == bind("pair"),
        sightings.c.ani == bind("ani"),
        sightings.c.seen_at < bind("before"),
    )
)
_ORGANIZATIONS = Prepared(sa.select(organizations.c.account, organizations.c.number))
_OLD_HITS = Prepared(
    sa.select(rate_hits.c.at, rate_hits.c.seq)
    .where(
        rate_hits.c.account == bind("account"),
        rate_hits.c.organization == bind("organization"),
        rate_hits.c.at <= bind("before"),
    )
    .order_by(rate_hits.c.at, rate_hits.c.seq)
    .limit(bind("batch"))
)
_DELETE_HITS = Prepared(
    sa.delete(rate_hits).where(
        rate_hits.c.account == bind("account"),
        rate_hits.c.organization == bind("organization"),
        sa.tuple_(rate_hits.c.at, rate_hits.c.seq) <= sa.tuple_(bind("last_at"), bind("last_seq")),
    )
)


def sweep(
    store: Store, now: Millis, retention: RetentionPolicy, *, batch: int = 500, window_seconds: int = 60
) -> Swept:
    """Remove expired answers, variables and lock-outs, calls and sightings beyond retention, hits out of the window.

    `batch` rows a transaction. Afterwards the write-ahead log is cut, or their bytes would stay readable in it.
    StoreDamaged when something cannot be read, once everything is done that does not need it: one page must not keep
    what has expired of everybody.
    """
    old = now - retention.calls_days * DAY
    steps: dict[str, Callable[[Realm], int]] = {
        "answers": lambda realm: _sweep(store, realm, _ANSWERS, _DELETE_ANSWER, ("scope", "token"), now, batch),
        "variables": lambda realm: _sweep_variables(store, realm, now, batch),
        "calls": lambda realm: _sweep(store, realm, _CALLS, _DELETE_CALL, ("call_id",), old, batch),
        "sightings": lambda realm: _sweep_sightings(store, realm, old, batch),
        "lockouts": lambda realm: _sweep(store, realm, _LOCKOUTS, _DELETE_LOCKOUT, ("token",), now, batch),
    }
    gone, damage = {**dict.fromkeys(steps, 0), "rate_hits": 0}, _Damage()
    with damage:
        for realm in realms(store):
            for table, step in steps.items():
                with damage:
                    gone[table] += step(realm)
    with damage:
        for realm, number in _organizations(store):
            with damage:
                gone["rate_hits"] += _sweep_hits(store, realm, number, window_seconds * SECOND, batch)
    log_truncated = store.truncate_log()
    damage.tell()
    return Swept(**gone, log_truncated=log_truncated)


class _Damage:
    """What is done `with` it ends where something is damaged, and what comes after that is done all the same."""

    def __init__(self) -> None:
        self._first: StoreDamaged | None = None

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, _: object, error: object, __: object) -> bool:
        if not isinstance(error, StoreDamaged):
            return False
        self._first = self._first or error
        return True

    def tell(self) -> None:
        """Raise the first of it, if there was any."""
        if self._first is not None:
            raise self._first


def _sweep(
    store: Store, realm: Realm, find: Prepared, delete: Prepared, key: tuple[str, ...], before: Millis, batch: int
) -> int:
    gone = 0
    while True:
        with store.read(realm) as tx:
            found = tx.rows(find, {"before": before, "batch": batch})
        if found:
            # The condition again: between reading and now the row may have been written anew.
            dead = [{**dict(zip(key, row, strict=True)), "before": before} for row in found]
            gone += _all_of(store, realm, delete, dead)
        if len(found) < batch:
            return gone


def _all_of(store: Store, realm: Realm, statement: Prepared, values: Sequence[Mapping[str, Bound]]) -> int:
    """Run it once for each in one transaction; how many rows went."""
    return _each(store, realm, lambda tx, value: tx.execute(statement, value), values)


def _each(store: Store, realm: Realm, work: Callable[[Transaction, T], int], values: Sequence[T]) -> int:
    """All in one transaction; the sum. What is damaged is left, and told when the others are done."""
    try:
        return store.transact(realm, lambda tx: sum(work(tx, value) for value in values))
    except StoreDamaged:
        if len(values) == 1:
            raise
    damage, done = _Damage(), 0
    for value in values:
        with damage:
            done += _each(store, realm, work, [value])
    damage.tell()
    return done


def _sweep_variables(store: Store, realm: Realm, now: Millis, batch: int) -> int:
    gone = 0
    while True:
        with store.read(realm) as tx:
            found = tx.rows(_FORGETFUL, {"before": now, "batch": batch})
        if found:
            gone += _each(store, realm, lambda tx, customer: _forget(tx, customer, now), [each for (each,) in found])
        if len(found) < batch:
            return gone


def _forget(tx: Transaction, customer: bytes, now: Millis) -> int:
    gone = tx.execute(_DELETE_VARIABLES, {"customer": customer, "before": now})
    tx.write(NOTE_NEXT_EXPIRY, {"customer": customer})
    return gone


def _sweep_sightings(store: Store, realm: Realm, before: Millis, batch: int) -> int:
    """A round looks at so many and no more, from a place drawn anew: in a big store many rounds come through them all.

    All of ten million in each round would keep a processor busy for good.
    """
    place = os.urandom(TOKEN_BYTES)
    seen, gone = _sweep_sightings_from(store, realm, place, b"\xff" * TOKEN_BYTES, before, batch, _SIGHTINGS_A_ROUND)
    left = _SIGHTINGS_A_ROUND - seen
    return gone + _sweep_sightings_from(store, realm, b"", place, before, batch, left)[1]


def _sweep_sightings_from(
    store: Store, realm: Realm, place: bytes, until: bytes, before: Millis, batch: int, most: int
) -> tuple[int, int]:
    """How many were looked at, and how many of them went."""
    seen = gone = 0
    after: dict[str, Bound] = {"after_pair": place, "after_ani": b""}
    while seen < most:
        with store.read(realm) as tx:
            found = tx.rows(_SIGHTINGS, {**after, "until_pair": until, "batch": min(batch, most - seen)})
        dead = [{"pair": pair, "ani": ani, "before": before} for pair, ani, seen_at in found if seen_at < before]
        if dead:
            gone += _all_of(store, realm, _DELETE_SIGHTING, dead)
        seen += len(found)
        if len(found) < batch:
            break
        after = {"after_pair": found[-1][0], "after_ani": found[-1][1]}
    return seen, gone


def _organizations(store: Store) -> list[tuple[Realm, int]]:
    with store.read(NO_REALM) as tx:
        return [(Realm(account, 2 * number), number) for account, number in tx.rows(_ORGANIZATIONS, {})]


def _sweep_hits(store: Store, realm: Realm, organization: int, window_ms: int, batch: int) -> int:
    """Old by the newest hit, not by `now`: hits are in steady time, which a step of the wall clock does not move."""
    gone = 0
    while True:
        with store.read(realm) as tx:
            newest = meters.newest_hit(tx, organization)
            if newest is None:
                return gone
            limits: dict[str, Bound] = {"before": newest - window_ms, "batch": batch}
            old = tx.rows(_OLD_HITS, {"organization": organization, **limits})
        if old:
            last: dict[str, Bound] = {"last_at": old[-1][0], "last_seq": old[-1][1]}
            gone += _all_of(store, realm, _DELETE_HITS, [{"organization": organization, **last}])
        if len(old) < batch:
            return gone
