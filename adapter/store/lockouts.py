"""Wrong answers to the question who is calling, counted by number, by customer and by named account.

A row is named by a blind index and holds no more than a count, so a change of keys cannot move it (`rekey` leaves it
alone): while keys change it is found under the older ones, and with a key taken out of the configuration the counts of
the last hours are gone. Leaves out: when they lock (`engine.lockout`), removing what is over (`sweep`).
"""

from __future__ import annotations

import sqlalchemy as sa

from adapter.engine.lockout import WrongAnswers

from .statements import PerTokens, Prepared, any_of, numbered, of_realm
from .tables import lockouts
from .transaction import Transaction


def _of(number: int) -> sa.ColumnElement[bool]:
    return sa.and_(of_realm(lockouts), any_of(lockouts.c.token, number))


_FIND = PerTokens(
    lambda number: sa.select(lockouts.c.failures, lockouts.c.until).where(_of(number)).order_by(lockouts.c.until.desc())
)
_FORGET = PerTokens(lambda number: sa.delete(lockouts).where(_of(number)))
_INSERT = Prepared(sa.insert(lockouts))


def tokens_of_number(tx: Transaction, ani: str) -> tuple[bytes, ...]:
    """What a number is counted under, the newest key's first."""
    return tx.tokens("lockout", "ani", ani)


def tokens_of_customer(tx: Transaction, ref: str) -> tuple[bytes, ...]:
    """What a customer is counted under, the newest key's first."""
    return tx.tokens("lockout", "customer", ref)


def tokens_of_pair(tx: Transaction, pair: tuple[str, str]) -> tuple[bytes, ...]:
    """What an external id is counted under, whether it is anybody's or not."""
    return tx.tokens("lockout", "pair", *pair)


def find(tx: Transaction, tokens: tuple[bytes, ...]) -> WrongAnswers | None:
    """What was counted, over or not."""
    row = tx.row(_FIND[len(tokens)], numbered(tokens))
    return None if row is None else WrongAnswers(row[0], row[1])


def save(tx: Transaction, tokens: tuple[bytes, ...], counted: WrongAnswers) -> None:
    """Replace what was counted, under whichever key."""
    forget(tx, tokens)
    tx.write(_INSERT, {"token": tokens[0], "failures": counted.count, "until": counted.until})


def forget(tx: Transaction, tokens: tuple[bytes, ...]) -> None:
    """Nothing was counted."""
    tx.write(_FORGET[len(tokens)], numbered(tokens))
