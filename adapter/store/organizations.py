"""Which small numbers stand for an organization and its billing account in every key of caller data.

Numbers are given once and stay for ever. Leaves out: what an organization may do (configuration).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from adapter.engine.model import Mode, Realm
from adapter.errors import StoreMismatch

from .database import Store
from .statements import Prepared
from .tables import organizations
from .transaction import NO_REALM, Transaction

_ALL = Prepared(
    sa.select(
        organizations.c.organization, organizations.c.billing_account, organizations.c.account, organizations.c.number
    ).order_by(organizations.c.account, organizations.c.number)
)
_INSERT = Prepared(sa.insert(organizations))


@dataclass(frozen=True, slots=True)
class Registered:
    """`account` numbers the billing account, `number` the organization within it."""

    account: int
    number: int

    def realm(self, mode: Mode) -> Realm:
        """Where this organization's data of one mode lives (semantics §1)."""
        return Realm(self.account, 2 * self.number + (mode is Mode.TEST))


def register(store: Store, wanted: Iterable[tuple[str, str]]) -> dict[str, Registered]:
    """Numbers for (organization id, billing account id) pairs, new ones where needed.

    StoreMismatch when an organization was registered under another billing account: its data carries that number.
    """
    pairs = dict(wanted)
    with store.read(NO_REALM) as tx:
        known = _known(tx)
    if not pairs.keys() <= known.keys():
        known = store.transact(NO_REALM, lambda tx: _with(tx, pairs))
    return {organization: _checked(known, organization, account) for organization, account in pairs.items()}


def realms(store: Store) -> list[Realm]:
    """Every realm that can hold caller data."""
    with store.read(NO_REALM) as tx:
        return [registered.realm(mode) for _, registered in _known(tx).values() for mode in (Mode.PROD, Mode.TEST)]


def _known(tx: Transaction) -> dict[str, tuple[str, Registered]]:
    return {
        organization: (billing_account, Registered(account, number))
        for organization, billing_account, account, number in tx.rows(_ALL, {})
    }


def _with(tx: Transaction, wanted: Mapping[str, str]) -> dict[str, tuple[str, Registered]]:
    known = _known(tx)
    for organization, billing_account in wanted.items():
        if organization not in known:
            known[organization] = _add(tx, known, organization, billing_account)
    return known


def _add(
    tx: Transaction, known: Mapping[str, tuple[str, Registered]], organization: str, billing_account: str
) -> tuple[str, Registered]:
    """Numbers begin with 0, which SQLite stores in no bytes at all."""
    accounts = {name: registered.account for name, registered in known.values()}
    account = accounts.get(billing_account, max(accounts.values(), default=-1) + 1)
    numbers = [registered.number for _, registered in known.values() if registered.account == account]
    added = Registered(account, max(numbers, default=-1) + 1)
    values = {"organization": organization, "billing_account": billing_account}
    tx.execute(_INSERT, {**values, "account": added.account, "number": added.number})
    return billing_account, added


def _checked(known: Mapping[str, tuple[str, Registered]], organization: str, billing_account: str) -> Registered:
    before, registered = known[organization]
    if before != billing_account:
        raise StoreMismatch(
            f"organization {organization} belongs to billing account {before} in the database, not {billing_account}"
        )
    return registered
