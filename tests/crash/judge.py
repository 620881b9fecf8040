"""What is in the database after a storm, against what clients were told. Faults are sentences; none is the aim.

Every effect that was acknowledged is there exactly once; one of unknown fate is there whole or not at all, and reading
it back decides which; charges are the effects that happened, no more and no less (semantics §4, §7).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from adapter.engine.model import Call, Mode, Realm
from adapter.errors import AdapterError
from adapter.store import calls, records
from adapter.store.records import CustomerRecord
from adapter.store.transaction import Transaction
from adapter.usecases import Service, apply_waiting
from tests import databases
from tests.crash.client import INTENT, LAST
from tests.crash.ledger import CallerLog, CallLog, Effect, Fate, Ledger


@dataclass
class Verdict:
    """`effects`: how many happened. `resolved`: how many of unknown fate turned out to have happened."""

    faults: list[str]
    effects: int = 0
    resolved: int = 0


def judge(service: Service, database_url: str, ledger: Ledger) -> Verdict:
    """The server must not be running. Hang-ups that wait in the inbox are applied first, as upkeep would."""
    damage = _damage(database_url)
    if damage:
        return Verdict(damage)
    try:
        apply_waiting(service)
        verdict = Verdict([*ledger.faults, *service.store.schema_problems()])
        with service.store.read(_realm_of(service)) as tx:
            for caller in ledger.callers:
                _judge_caller(tx, caller, service.clock.now(), verdict)
    except AdapterError as error:
        return Verdict([f"the database cannot be read: {error.message}"])
    verdict.faults += _judge_totals(database_url, ledger, verdict)
    return verdict


def _damage(database_url: str) -> list[str]:
    """Of a SQLite file; PostgreSQL finds its own."""
    if not database_url.startswith("sqlite"):
        return []
    try:
        found = [str(line) for (line,) in databases.rows_at(database_url, "PRAGMA integrity_check")]
    except sqlite3.Error as error:
        found = [str(error)]
    return [] if found == ["ok"] else [f"the file is damaged: {line}" for line in found[:5]]


def _realm_of(service: Service) -> Realm:
    principal = service.directory.principal("acme", Mode.PROD)
    assert principal is not None
    return principal.realm


def _judge_caller(tx: Transaction, caller: CallerLog, now: int, verdict: Verdict) -> None:
    found = {call.call_id: calls.find(tx, call.call_id) for call in caller.calls}
    refs = caller.refs | {call.customer_ref for call in found.values() if call and call.customer_ref}
    if len(refs) > 1:
        verdict.faults.append(f"the caller of {caller.calls[0].call_id} has become {len(refs)} customers")
    for log in caller.calls:
        call = found[log.call_id]
        verdict.faults += [f"{log.call_id}: {fault}" for fault in _judge_effects(log, call, verdict)]
    record = records.export(tx, next(iter(refs)), now) if refs else None
    if record is None and refs:
        verdict.faults.append(f"the customer of {caller.calls[0].call_id} is gone")
    if record is not None:
        verdict.faults += _judge_memory(caller, found, record)


def _judge_effects(log: CallLog, call: Call | None, verdict: Verdict) -> Iterator[str]:
    happened = {
        Effect.BEGIN: call is not None and call.greeted_at is not None,
        Effect.END: call is not None and call.ended_at is not None,
        Effect.HANG_UP: call is not None and call.hung_up_at is not None,
    }
    for effect, did in happened.items():
        fate = log.fates.get(effect)
        verdict.effects += did
        verdict.resolved += did and fate is Fate.UNKNOWN
        if fate is Fate.SAVED and not did:
            yield f"the acknowledged {effect} is lost"
        if fate is None and did:
            yield f"an {effect} that nobody asked for is there"


def _judge_memory(caller: CallerLog, found: dict[str, Call | None], record: CustomerRecord) -> Iterator[str]:
    ended = [log for log in caller.calls if _has_ended(found[log.call_id])]
    about = caller.calls[0].call_id
    attempts = {intent.intent: intent.attempt_count for intent in record.intents}
    wanted = {INTENT: len(ended)} if ended else {}
    if attempts != wanted:
        yield f"the caller of {about} has attempt counts {attempts}, not {wanted}"
    variables = {variable.name: variable.value for variable in record.variables}
    marks = {log.mark: log.call_id for log in ended}
    expected = {**marks, LAST: ended[-1].call_id} if ended else {}
    if variables != expected:
        lost, more = expected.keys() - variables.keys(), variables.keys() - expected.keys()
        yield f"the caller of {about} has lost variables {sorted(lost)} or has {sorted(more)} too many"
    known = sorted(log.call_id for log in caller.calls if found[log.call_id] is not None)
    if sorted(call.call_id for call in record.calls) != known:
        yield f"the customer of {about} has other calls than those that were made"


def _has_ended(call: Call | None) -> bool:
    return call is not None and call.ended_at is not None


def _judge_totals(database_url: str, ledger: Ledger, verdict: Verdict) -> Iterator[str]:
    totals = (
        "SELECT (SELECT COALESCE(SUM(used), 0) FROM usage), (SELECT COUNT(*) FROM customers), "
        "(SELECT COUNT(*) FROM calls)"
    )
    charges, customers, rows = databases.rows_at(database_url, totals)[0]
    saved, unknown = ledger.count(Fate.SAVED), ledger.count(Fate.UNKNOWN)
    if not saved <= charges <= saved + unknown:
        yield f"{charges} charged for {saved} acknowledged effects and {unknown} of unknown fate"
    if charges != verdict.effects:
        yield f"{charges} charged for {verdict.effects} effects that happened"
    callers = sum(1 for caller in ledger.callers if caller.refs)
    begun = sum(1 for caller in ledger.callers if caller.calls)
    if not callers <= customers <= begun:
        yield f"{customers} customers for {callers} callers"
    made = sum(1 for _ in ledger.calls())
    if rows > made:
        yield f"{rows} calls stored of {made} that were made"
