"""What would show who the caller is, and whether it may be asked for now (configuration, a line's `confirm`).

Leaves out: comparing it with what the caller says (`flow`), when wrong answers lock (`engine.lockout`).
"""

from __future__ import annotations

from collections.abc import Iterable

from adapter.engine import lockout
from adapter.engine.flow import Proof
from adapter.engine.flow.answers import expected
from adapter.engine.flow.words import words
from adapter.engine.line import Confirm, Line, ProofKind
from adapter.engine.model import Call, Hints, Millis, Place, Verdict
from adapter.store import customers, lockouts, memory
from adapter.store.transaction import Transaction

from .recognition import people

# Of a number of more people (an office, a call centre's trunk) the latest count: their proofs are read one by one, and
# the more of them there are, the sooner a guess is right.
PEOPLE_ASKED = 20


def proofs(tx: Transaction, line: Line, call: Call, now: Millis) -> tuple[Proof, ...]:
    """One for each customer the caller may be and who has one: at WHO everybody on the number, else whose account the
    caller named, or the call's own. At FORGET: whom the caller was found to be, without anything to compare."""
    if call.talk is not None and call.talk.place is Place.FORGET:
        return () if call.verdict is not Verdict.CONFIRMED else (Proof(call.customer_ref or "", ""),)
    if line.confirm is None or call.talk is None or call.talk.place not in (Place.WHO, Place.CONFIRM):
        return ()
    refs = people(tx, call)[:PEOPLE_ASKED] if call.talk.place is Place.WHO else _asked_for(tx, call)
    return tuple(_proofs(tx, line, line.confirm, call, refs, now))


def _asked_for(tx: Transaction, call: Call) -> tuple[str, ...]:
    pair = call.talk.presented if call.talk else None
    if pair is None:
        return (call.customer_ref or "",)
    found = customers.facts(tx, Hints(external_ids=(pair,))).external.get(pair)
    return () if found is None else (found.customer_ref,)


def is_provable(tx: Transaction, line: Line, call: Call, refs: Iterable[str], now: Millis) -> bool:
    """Whether one of these customers has something to compare with."""
    return line.confirm is not None and any(_proofs(tx, line, line.confirm, call, refs, now))


def is_locked(tx: Transaction, line: Line, call: Call, now: Millis) -> bool:
    """Whether too many wrong answers were given from this number or about this customer."""
    if line.confirm is None:
        return False
    counted = (lockouts.find(tx, tokens) for tokens in _asked_about(tx, call))
    return lockout.is_locked((each for each in counted if each is not None), line.confirm, now)


def count_wrong_answer(tx: Transaction, line: Line, call: Call, now: Millis) -> None:
    """One more, for everything that `is_locked` looks at."""
    if line.confirm is None:
        return
    for tokens in _asked_about(tx, call):
        lockouts.save(tx, tokens, lockout.one_more(lockouts.find(tx, tokens), line.confirm, now))


def forget_wrong_answers(tx: Transaction, line: Line, call: Call, ref: str, now: Millis) -> None:
    """The caller has proved to be this customer: what was counted of them was a slip. A lock stays until it is over."""
    if line.confirm is None:
        return
    for tokens in (*_asked_about(tx, call), lockouts.tokens_of_customer(tx, ref)):
        counted = lockouts.find(tx, tokens)
        if counted is not None and not lockout.is_locked((counted,), line.confirm, now):
            lockouts.forget(tx, tokens)


def _asked_about(tx: Transaction, call: Call) -> list[tuple[bytes, ...]]:
    """The number, and whom a guess is about: the customer; or the account that the caller named, for it must lock as
    soon whether it is anybody's or not."""
    about = [] if call.ani is None else [lockouts.tokens_of_number(tx, call.ani)]
    pair = call.talk.presented if call.talk else None
    if pair is not None and pair[1]:
        about.append(lockouts.tokens_of_pair(tx, pair))
    elif call.customer_ref is not None and not call.undo.created_customer:
        about.append(lockouts.tokens_of_customer(tx, call.customer_ref))
    return about


def _proofs(
    tx: Transaction, line: Line, confirm: Confirm, call: Call, refs: Iterable[str], now: Millis
) -> Iterable[Proof]:
    for ref in refs:
        secret = _secret(tx, line, confirm, call, ref, now)
        if secret is not None and _is_usable(secret, confirm):
            yield Proof(ref, secret)


def _secret(tx: Transaction, line: Line, confirm: Confirm, call: Call, ref: str, now: Millis) -> str | None:
    if confirm.by is ProofKind.DIGITS and confirm.external_id:
        return _external_id(tx, confirm.external_id, call, ref)
    name = line.name_variable if confirm.by is ProofKind.NAME else confirm.variable
    found = memory.variables(tx, ref, [name], now).get(name)
    return found.value if found else None


def _external_id(tx: Transaction, key: str, call: Call, ref: str) -> str | None:
    """What was presented in this call proves nothing: whoever typed it can type its last digits, too.

    (By its value as well as by its token, which is another one after a change of keys.)
    """
    shown = call.talk.presented if call.talk else None
    for value in customers.external_values(tx, ref, key):
        if (key, value) != shown and customers.external_token(tx, (key, value)) not in call.undo.presented:
            return value
    return None


def _is_usable(secret: str, confirm: Confirm) -> bool:
    """A name of no letters, or an account of fewer digits than are asked for, cannot be told."""
    return bool(words(secret)) if confirm.by is ProofKind.NAME else bool(expected(confirm, secret))
