"""Customers: who is known, and everything the store knows about what a caller presents.

Leaves out: writing links between identities and customers (`identities`, re-exported here), what is remembered of a
customer (`memory`), all rules (`adapter.engine`).
"""

from __future__ import annotations

import sqlalchemy as sa

from adapter.engine.model import AniLink, CustomerFacts, ExternalLink, Facts, Hints, LineType, Millis, Sightings
from adapter.errors import AdapterError

from .identities import (
    doubt,
    external_token,
    external_values,
    link_ani,
    link_external,
    note_line_type,
    restore_ani,
    sight,
    sighting,
    trust,
    unlink_ani,
    unlink_external,
)
from .refs import from_bytes, to_bytes
from .statements import PerTokens, Prepared, any_of, bind, numbered, of_realm
from .tables import LINE_TYPES, customers, external_ids, numbers, sightings, tombstones
from .transaction import Transaction

__all__ = [
    "create",
    "doubt",
    "exists",
    "external_token",
    "external_values",
    "facts",
    "link_ani",
    "link_external",
    "linked",
    "note_line_type",
    "restore_ani",
    "restore_contact",
    "sight",
    "sighting",
    "touch",
    "trust",
    "unlink_ani",
    "unlink_external",
]

# A number of more customers than this (an office, a call centre's trunk) says nothing about any of them.
LINKS_CONSIDERED = 50
# Far above the policy's limit for a shared external id, low enough that a shared one costs no time.
NUMBERS_COUNTED = 10


_CUSTOMER = Prepared(
    sa.select(customers.c.last_contact, external_ids.c.key)
    .select_from(
        customers.outerjoin(
            external_ids,
            sa.and_(
                external_ids.c.account == customers.c.account,
                external_ids.c.realm == customers.c.realm,
                external_ids.c.customer == customers.c.customer,
            ),
        )
    )
    .where(of_realm(customers), customers.c.customer == bind("customer"))
)
_EXISTS = Prepared(sa.select(sa.literal(1)).where(of_realm(customers), customers.c.customer == bind("customer")))
_NUMBERS = PerTokens(
    lambda number: (
        sa.select(
            numbers.c.customer, numbers.c.last_seen, numbers.c.line_type, numbers.c.line_type_at, numbers.c.doubts
        )
        .where(of_realm(numbers), any_of(numbers.c.token, number))
        .order_by(numbers.c.last_seen.desc(), numbers.c.customer)
        .limit(LINKS_CONSIDERED)
    )
)
_EXTERNAL = PerTokens(
    lambda number: sa.select(external_ids.c.customer, external_ids.c.last_seen, external_ids.c.doubts).where(
        of_realm(external_ids), any_of(external_ids.c.token, number)
    )
)
_SIGHTINGS = PerTokens(
    lambda number: (
        sa.select(sightings.c.ani, sightings.c.call_id)
        .where(of_realm(sightings), any_of(sightings.c.pair, number))
        .limit(NUMBERS_COUNTED + 1)
    )
)
_SIGHTING = PerTokens(
    lambda number: sa.select(sightings.c.call_id).where(
        of_realm(sightings), any_of(sightings.c.pair, number), any_of(sightings.c.ani, number, "ani")
    )
)
_CREATE = Prepared(
    sa.insert(customers).from_select(
        ["account", "realm", "customer", "created_at", "last_contact"],
        sa.select(bind("account"), bind("realm"), bind("customer"), bind("now"), bind("now")).where(
            ~sa.exists().where(of_realm(tombstones), tombstones.c.customer == bind("customer"))
        ),
    )
)
_TOUCH = Prepared(
    sa.update(customers)
    .where(of_realm(customers), customers.c.customer == bind("customer"))
    .values(last_contact=bind("now"))
)
_RESTORE_CONTACT = Prepared(
    sa.update(customers)
    .where(of_realm(customers), customers.c.customer == bind("customer"), customers.c.last_contact == bind("only_if"))
    .values(last_contact=bind("to"))
)


def facts(tx: Transaction, hints: Hints, also: tuple[str, ...] = ()) -> Facts:
    """What is known about the hints: links, sightings, and the living customers named by a link, the ref or `also`.

    `sightings` has every external pair of the hints, and ("customer_ref", ref) when they name one. Of a number with
    very many customers only the most recently seen are given (LINKS_CONSIDERED).
    """
    links = _ani_links(tx, hints.ani) if hints.ani else ()
    external = {pair: link for pair in hints.external_ids if (link := _external_link(tx, pair)) is not None}
    named = [hints.customer_ref] if hints.customer_ref else []
    refs = dict.fromkeys(
        [*named, *also, *(link.customer_ref for link in links), *(link.customer_ref for link in external.values())]
    )
    known = {ref: found for ref in refs if (found := _customer(tx, ref)) is not None}
    pairs = [*hints.external_ids, *(("customer_ref", ref) for ref in named)]
    return Facts(
        customers=known,
        ani=tuple(link for link in links if link.customer_ref in known),
        external={pair: link for pair, link in external.items() if link.customer_ref in known},
        sightings={pair: _sightings(tx, pair, hints.ani) for pair in pairs},
    )


def linked(tx: Transaction, hints: Hints) -> tuple[str, ...]:
    """Whom the hints name or are linked to, the most telling first (semantics §5); erased ones may be among them."""
    external = (_external_link(tx, pair) for pair in hints.external_ids)
    refs = [hints.customer_ref, *(link.customer_ref for link in external if link is not None)]
    refs += [link.customer_ref for link in (_ani_links(tx, hints.ani) if hints.ani else ())]
    return tuple(dict.fromkeys(ref for ref in refs if ref))


def create(tx: Transaction, ref: str, now: Millis) -> None:
    """A new customer. An erased one cannot come back (semantics §8): AdapterError."""
    if not tx.execute(_CREATE, {"customer": to_bytes(ref), "now": now}):
        raise AdapterError("this customer was erased and cannot be created again")


def exists(tx: Transaction, ref: str) -> bool:
    """A living customer of this realm: neither unknown nor erased."""
    return tx.row(_EXISTS, {"customer": to_bytes(ref)}) is not None


def touch(tx: Transaction, ref: str, now: Millis) -> None:
    """Remember that the customer was in contact now."""
    tx.write(_TOUCH, {"customer": to_bytes(ref), "now": now})


def restore_contact(tx: Transaction, ref: str, to: Millis, only_if: Millis) -> None:
    """Take a `touch` back, unless the customer was in contact again since."""
    tx.write(_RESTORE_CONTACT, {"customer": to_bytes(ref), "to": to, "only_if": only_if})


def _customer(tx: Transaction, ref: str) -> CustomerFacts | None:
    found = tx.rows(_CUSTOMER, {"customer": to_bytes(ref)})
    if not found:
        return None
    return CustomerFacts(ref, found[0][0], frozenset(key for _, key in found if key is not None))


def _ani_links(tx: Transaction, ani: str) -> tuple[AniLink, ...]:
    tokens = tx.tokens("ani", ani)
    return tuple(
        AniLink(from_bytes(customer), seen, None if line is None else LineType(LINE_TYPES[line]), line_at, doubts)
        for customer, seen, line, line_at, doubts in tx.rows(_NUMBERS[len(tokens)], numbered(tokens))
    )


def _external_link(tx: Transaction, pair: tuple[str, str]) -> ExternalLink | None:
    tokens = tx.tokens("pair", *pair)
    found = tx.row(_EXTERNAL[len(tokens)], numbered(tokens))
    return None if found is None else ExternalLink(from_bytes(found[0]), found[1], found[2])


def _sightings(tx: Transaction, pair: tuple[str, str], ani: str | None) -> Sightings:
    tokens = tx.tokens("pair", *pair)
    own = tx.tokens("ani", ani) if ani else ()
    rows = tx.rows(_SIGHTINGS[len(tokens)], numbered(tokens))
    here = next((call_id for number, call_id in rows if number in own), None)
    others = sum(number not in own for number, _ in rows)
    if own and here is None and others > NUMBERS_COUNTED:
        found = tx.row(_SIGHTING[len(tokens)], {**numbered(tokens), **numbered(own, "ani")})
        here = found and found[0]
    return Sightings(min(others, NUMBERS_COUNTED), here)
