"""Links from what a caller presents (numbers, external ids) to customers, and sightings of the two together.

Numbers and external values are kept sealed and found by blind index. While keys change a row may lie under an older
index, so a write first looks under all of them. Leaves out: reading them (`customers.facts`), when to link (engine).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from adapter.engine.model import LineType, Millis
from adapter.engine.policy import DAY

from .refs import to_bytes
from .statements import Bound, PerTokens, Prepared, any_of, bind, bind_whole, numbered, of_realm
from .tables import LINE_TYPES, external_ids, numbers, sightings
from .transaction import Row, Transaction

Pair = tuple[str, str]


def _at(table: sa.Table, number: int) -> sa.ColumnElement[bool]:
    """This realm's rows under any of the tokens."""
    return sa.and_(of_realm(table), any_of(table.c.token, number))


def _link(table: sa.Table, number: int) -> sa.ColumnElement[bool]:
    return sa.and_(_at(table, number), table.c.customer == bind("customer"))


_REFRESH_NUMBER = PerTokens(
    lambda number: (
        sa.update(numbers)
        .where(_link(numbers, number))
        .values(
            last_seen=bind("now"),
            line_type=sa.func.coalesce(bind_whole("new_type"), numbers.c.line_type),
            line_type_at=sa.case((bind_whole("new_type").is_(None), numbers.c.line_type_at), else_=bind("now")),
        )
    )
)
_INSERT_NUMBER = Prepared(sa.insert(numbers))
_RESTORE_NUMBER = PerTokens(
    lambda number: (
        sa.update(numbers)
        .where(_link(numbers, number))
        .values(last_seen=bind("last_seen"), line_type=bind("line_type"), line_type_at=bind("line_type_at"))
    )
)
_NOTE_LINE_TYPE = PerTokens(
    lambda number: (
        sa.update(numbers)
        .where(_at(numbers, number))
        .values(line_type=bind("line_type"), line_type_at=bind("line_type_at"))
    )
)
_DELETE_NUMBER = PerTokens(lambda number: sa.delete(numbers).where(_link(numbers, number)))
_DOUBT_NUMBER = PerTokens(
    lambda number: sa.update(numbers).where(_link(numbers, number)).values(doubts=numbers.c.doubts + 1)
)
_TRUST_NUMBER = PerTokens(lambda number: sa.update(numbers).where(_link(numbers, number)).values(doubts=0))

_MOVE_EXTERNAL = PerTokens(
    lambda number: (
        sa.update(external_ids)
        .where(_at(external_ids, number))
        .values(
            customer=bind("to"),
            last_seen=bind("now"),
            doubts=sa.case((external_ids.c.customer == bind("to"), external_ids.c.doubts), else_=0),
        )
        .returning(external_ids.c.token)
    )
)
_INSERT_EXTERNAL = Prepared(sa.insert(external_ids))
_ONE_EXTERNAL = _link(external_ids, 1)
_DELETE_EXTERNAL = Prepared(
    sa.delete(external_ids).where(
        _ONE_EXTERNAL, external_ids.c.last_seen.in_([bind_whole("begun"), bind_whole("verified")])
    )
)
_DOUBT_EXTERNAL = Prepared(sa.update(external_ids).where(_ONE_EXTERNAL).values(doubts=external_ids.c.doubts + 1))
_TRUST_EXTERNAL = Prepared(sa.update(external_ids).where(_ONE_EXTERNAL).values(doubts=0, last_seen=bind("now")))
EXTERNAL_OF_CUSTOMER = Prepared(
    sa.select(external_ids.c.token, external_ids.c.sealed, external_ids.c.key).where(
        of_realm(external_ids), external_ids.c.customer == bind("customer")
    )
)

_SEEN_AGAIN = PerTokens(
    lambda number: sa.select(sightings.c.pair, sightings.c.ani, sightings.c.seen_at).where(
        of_realm(sightings),
        any_of(sightings.c.pair, number, "pair"),
        any_of(sightings.c.ani, number, "ani"),
    )
)
_REFRESH_SIGHTING = Prepared(
    sa.update(sightings)
    .where(
        of_realm(sightings),
        sightings.c.pair == bind("of_pair"),
        sightings.c.ani == bind("of_ani"),
    )
    .values(seen_at=bind("now"))
)
_INSERT_SIGHTING = Prepared(sa.insert(sightings))
# "Still in use" is written once a day: a write for every call would cost a page of the log for nothing.
SIGHTING_REFRESH_MS = DAY


def link_ani(
    tx: Transaction, ani: str, ref: str, now: Millis, line_type: LineType | None = None, *, is_there: bool | None = None
) -> None:
    """The number points to the customer, seen now; a line type that says something is remembered with its time.

    `is_there`: whether it did so before, for whom has read that in this transaction; None: not known.
    """
    tokens, customer = tx.tokens("ani", ani), to_bytes(ref)
    known = None if line_type in (None, LineType.UNKNOWN) else LINE_TYPES.index(line_type)
    if is_there is not False:
        values = {**numbered(tokens), "customer": customer, "now": now, "new_type": known}
        if is_there:
            tx.write(_REFRESH_NUMBER[len(tokens)], values)
            return
        if tx.execute(_REFRESH_NUMBER[len(tokens)], values):
            return
    tx.write(
        _INSERT_NUMBER,
        {
            "token": tokens[0],
            "customer": customer,
            "last_seen": now,
            "line_type": known,
            "line_type_at": 0 if known is None else now,
            "doubts": 0,
            "sealed": tx.seal("numbers", tokens[0] + customer, ani),
        },
    )


def restore_ani(
    tx: Transaction, ani: str, ref: str, last_seen: Millis, line_type: LineType | None, line_type_at: Millis
) -> None:
    """Put an existing link back to what it was."""
    tokens = tx.tokens("ani", ani)
    values: dict[str, Bound] = {
        "customer": to_bytes(ref),
        "last_seen": last_seen,
        "line_type": None if line_type is None else LINE_TYPES.index(line_type),
        "line_type_at": line_type_at,
    }
    tx.write(_RESTORE_NUMBER[len(tokens)], {**numbered(tokens), **values})


def note_line_type(tx: Transaction, ani: str, line_type: LineType | None, at: Millis) -> None:
    """What kind of line the number is, for everybody it points to. Nobody was seen by this."""
    tokens = tx.tokens("ani", ani)
    known = None if line_type in (None, LineType.UNKNOWN) else LINE_TYPES.index(line_type)
    tx.write(_NOTE_LINE_TYPE[len(tokens)], {**numbered(tokens), "line_type": known, "line_type_at": at})


def unlink_ani(tx: Transaction, ani: str, ref: str) -> None:
    """The number no longer points to this customer (it may still point to others)."""
    tokens = tx.tokens("ani", ani)
    tx.write(_DELETE_NUMBER[len(tokens)], {**numbered(tokens), "customer": to_bytes(ref)})


def link_external(tx: Transaction, pair: Pair, ref: str, now: Millis) -> str:
    """The pair points to the customer, and to no other. The link's token as hex, for `unlink_external`."""
    tokens, customer = tx.tokens("pair", *pair), to_bytes(ref)
    moved = tx.row(_MOVE_EXTERNAL[len(tokens)], {**numbered(tokens), "to": customer, "now": now})
    if moved is not None:
        return bytes(moved[0]).hex()
    values: dict[str, Bound] = {"token": tokens[0], "customer": customer, "key": pair[0], "last_seen": now, "doubts": 0}
    tx.write(_INSERT_EXTERNAL, {**values, "sealed": tx.seal("external_ids", tokens[0], pair[1])})
    return tokens[0].hex()


def external_token(tx: Transaction, pair: Pair) -> str:
    """The pair's token as hex, linked or not: names it without telling it."""
    return tx.token("pair", *pair).hex()


def external_values(tx: Transaction, ref: str, key: str) -> list[str]:
    """The customer's external ids under this key, sorted."""
    rows = tx.rows(EXTERNAL_OF_CUSTOMER, {"customer": to_bytes(ref)})
    return sorted(tx.open("external_ids", token, sealed) for token, sealed, of_key in rows if of_key == key)


def unlink_external(
    tx: Transaction, token_hex: str, ref: str, begun: Millis | None, verified: Millis | None = None
) -> None:
    """Delete the link with this token, if it still points to this customer and is of the call that began, or was
    verified, then: what a later call has proved is not this one's to undo."""
    _on_link(tx, _DELETE_EXTERNAL, token_hex, {"customer": to_bytes(ref), "begun": begun, "verified": verified})


def sight(tx: Transaction, ani: str, pairs: Sequence[Pair], call_id: str, now: Millis) -> None:
    """The pairs were presented together with this number in this call; the first such call is kept."""
    numbers_tokens = tx.tokens("ani", ani)
    for pair in pairs:
        tokens = tx.tokens("pair", *pair)
        found = sighting(tx, ani, pair)
        if found is None:
            row: dict[str, Bound] = {"pair": tokens[0], "ani": numbers_tokens[0], "call_id": call_id, "seen_at": now}
            text = json.dumps([*pair, ani])
            tx.write(_INSERT_SIGHTING, {**row, "sealed": tx.seal("sightings", tokens[0] + numbers_tokens[0], text)})
        elif found[2] < now - SIGHTING_REFRESH_MS:
            tx.write(_REFRESH_SIGHTING, {"of_pair": found[0], "of_ani": found[1], "now": now})


def sighting(tx: Transaction, ani: str, pair: Pair) -> Row | None:
    """What `sight` has noted of the two: the tokens of the pair and the number, and when; None: nothing yet."""
    tokens = tx.tokens("pair", *pair)
    values = {**numbered(tokens, "pair"), **numbered(tx.tokens("ani", ani), "ani")}
    return tx.row(_SEEN_AGAIN[len(tokens)], values)


def doubt(tx: Transaction, ref: str, ani: str | None, tokens_hex: Sequence[str]) -> None:
    """A caller under this evidence turned out not to be this customer: one more doubt on those links to it."""
    customer: dict[str, Bound] = {"customer": to_bytes(ref)}
    _mark_number(tx, ani, _DOUBT_NUMBER, customer)
    for token_hex in tokens_hex:
        _on_link(tx, _DOUBT_EXTERNAL, token_hex, customer)


def trust(tx: Transaction, ref: str, ani: str | None, tokens_hex: Sequence[str], now: Millis) -> None:
    """A caller under this evidence was confirmed: no doubts are left on those links to the customer, and the external
    ids were proved now."""
    customer: dict[str, Bound] = {"customer": to_bytes(ref)}
    _mark_number(tx, ani, _TRUST_NUMBER, customer)
    for token_hex in tokens_hex:
        _on_link(tx, _TRUST_EXTERNAL, token_hex, {**customer, "now": now})


def _mark_number(tx: Transaction, ani: str | None, statements: PerTokens, customer: Mapping[str, Bound]) -> None:
    if ani:
        tokens = tx.tokens("ani", ani)
        tx.write(statements[len(tokens)], {**numbered(tokens), **customer})


def _on_link(tx: Transaction, statement: Prepared, token_hex: str, values: Mapping[str, Bound]) -> None:
    """Run it on the customer's link with this token, which may lie under another key's index by now (see `rekey`)."""
    token = bytes.fromhex(token_hex)
    if tx.execute(statement, {"token0": token, **values}):
        return
    for current, sealed, key in tx.rows(EXTERNAL_OF_CUSTOMER, {"customer": values["customer"]}):
        if token in tx.tokens("pair", key, tx.open("external_ids", current, sealed)):
            tx.execute(statement, {"token0": current, **values})
