"""Kept answers: what an Idempotency-Key was answered, for as long as it must be answered the same (semantics §7).

The key may hold anything, so it is found by blind index; the body is sealed. Leaves out: comparing requests
(`adapter.engine`), removing what has expired (`sweep`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import sqlalchemy as sa

from adapter.engine.model import Millis

from .refs import to_bytes
from .statements import Bound, PerTokens, any_of, bind, numbered, of_realm, upsert
from .tables import answers
from .transaction import Transaction


@dataclass(frozen=True, slots=True)
class Kept:
    """The request's fingerprint and the answer it got."""

    fingerprint: str
    body: dict[str, object]


_FIND = PerTokens(
    lambda number: sa.select(answers.c.token, answers.c.fingerprint, answers.c.sealed, answers.c.expires_at).where(
        of_realm(answers),
        answers.c.scope == bind("scope"),
        any_of(answers.c.token, number),
    )
)
_FORGET = PerTokens(
    lambda number: sa.delete(answers).where(
        of_realm(answers),
        answers.c.scope == bind("scope"),
        any_of(answers.c.token, number),
    )
)
_KEEP = upsert(answers)


def find(tx: Transaction, scope: str, key: str, now: Millis) -> Kept | None:
    """The answer kept under this key, if it has not expired."""
    tokens = tx.tokens("answer", scope, key)
    rows = tx.rows(_FIND[len(tokens)], {**numbered(tokens), "scope": scope})
    found = next((row for row in rows if row[3] > now), None)
    if found is None:
        return None
    token, fingerprint, sealed, _ = found
    return Kept(fingerprint, json.loads(tx.open("answers", token, sealed))[1])


def keep(
    tx: Transaction,
    scope: str,
    key: str,
    fingerprint: str,
    body: dict[str, object],
    customer_ref: str,
    expires_at: Millis,
) -> None:
    """Keep it until `expires_at`; takes the place of one that has expired."""
    tokens = tx.tokens("answer", scope, key)
    if len(tokens) > 1:  # an expired one under an older key would be in the way of its renewal
        tx.write(_FORGET[len(tokens)], {**numbered(tokens), "scope": scope})
    token = tokens[0]
    values: dict[str, Bound] = {"scope": scope, "token": token, "fingerprint": fingerprint, "expires_at": expires_at}
    # The key is sealed with the body, or the row could not be found again under a new encryption key.
    sealed = tx.seal("answers", token, json.dumps([key, body]))
    tx.write(_KEEP, {**values, "customer": to_bytes(customer_ref), "sealed": sealed})
