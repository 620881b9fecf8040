"""Concurrent starts and ends of one caller, by processes on the real store: each history must be linearizable.

Four processes do one to three operations each at once, on a few calls of a number that nobody knows; when all are
done, one more start looks at what came of it. Leaves out: the judgement (`linear`).
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from adapter.app import build_service
from adapter.config import Config, DatabaseConfig, SecurityConfig
from adapter.engine.model import (
    EndCall,
    Ended,
    Hints,
    IntentStatus,
    IntentUpdate,
    LineType,
    Mode,
    Principal,
    StartCall,
    Started,
    VariableUpdate,
)
from adapter.store import calls
from adapter.usecases import Service, end_call, start_call
from tests import databases
from tests.abuse.crowd import Step, failures, together
from tests.abuse.findings import Findings
from tests.abuse.linear import Operation, Told, is_linearizable
from tests.abuse.places import in_memory
from tests.builders import PEPPER, an_organization

_CALLS = ("a", "b", "c")
_INTENTS = ("refund", "order")


def examine(count: int, seed: int, store: str = "sqlite", bug: bool = False) -> Findings:
    """What came of `count` histories. `bug`: a call is looked up before its turn at the store."""
    with in_memory() as folder:
        url = databases.postgresql.bare() if store == "postgresql" else f"sqlite:///{folder}/calls.db"
        build_service(_config(url, folder)).store.close()
        return _judge(count, together(_part, url, folder, count, seed, bug))


def _config(url: str, folder: Path) -> Config:
    database = DatabaseConfig(url, lock_timeout_ms=60_000, state_dir=f"{folder}/state")
    return Config(database=database, organizations=(an_organization(),), security=SecurityConfig(PEPPER))


def _part(place: int, step: Step, url: str, folder: Path, count: int, seed: int, bug: bool) -> list[list[Operation]]:
    """One process: its part in every history."""
    service = build_service(_config(url, folder))
    principal = service.directory.principal("acme", Mode.PROD)
    assert principal is not None
    if bug:
        _look_too_early(service, principal)
    told: list[list[Operation]] = []
    for number in range(count):
        chance = random.Random(f"{seed} {number} {place}")
        planned = [_planned(chance, number) for _ in range(chance.randrange(1, 4))]
        step()
        done = [_done(service, principal, command) for command in planned]
        step()
        if place == 0:
            done.append(_done(service, principal, _start("last", number)))
        told.append(done)
    service.store.close()
    return told


def _look_too_early(service: Service, principal: Principal) -> None:
    """What calls look like is remembered from before the transaction: what somebody does who wants to hold the lock for
    a shorter time."""
    right, transact = calls.find, service.store.transact
    seen: dict[str, Any] = {}

    def early(realm: Any, work: Any, *more: Any, **named: Any) -> Any:
        seen.clear()
        with service.store.read(principal.realm) as tx:
            wanted = work.__closure__ and _command_in(work)
            if wanted:
                seen[wanted] = right(tx, wanted)
        return transact(realm, work, *more, **named)

    def find(tx: Any, call_id: str) -> Any:
        return seen[call_id] if call_id in seen else right(tx, call_id)

    service.store.transact = early  # type: ignore[method-assign]
    calls.find = find


def _command_in(work: Any, depth: int = 0) -> str:
    """The call_id that this piece of work is about."""
    for cell in work.__closure__ or ():
        found = cell.cell_contents
        if isinstance(found, StartCall | EndCall):
            return found.call_id
        if callable(found) and getattr(found, "__closure__", None) and depth < 3:
            inner = _command_in(found, depth + 1)
            if inner:
                return inner
    return ""


def _planned(chance: random.Random, number: int) -> StartCall | EndCall:
    call = chance.choice(_CALLS)
    if chance.random() < 0.45:
        return _start(call, number)
    status = chance.choice((IntentStatus.OPEN, IntentStatus.OPEN, IntentStatus.RESOLVED))
    saved = (VariableUpdate("name", f"n{chance.randrange(100)}"),) if chance.random() < 0.5 else ()
    intents = (IntentUpdate(chance.choice(_INTENTS), status),)
    return EndCall(
        f"{call}-{number}", hints=_hints(number), line_type=LineType.MOBILE, intents=intents, variables=saved
    )


def _start(call: str, number: int) -> StartCall:
    return StartCall(f"{call}-{number}", _hints(number))


def _hints(number: int) -> Hints:
    """A mobile: one contact is enough to be recognized by."""
    return Hints(ani=f"+1555{number:07d}", line_type=LineType.MOBILE)


def _done(service: Service, principal: Principal, command: StartCall | EndCall) -> Operation:
    asked = time.monotonic_ns()
    if isinstance(command, StartCall):
        outcome: Any = start_call(service, principal, command).outcome
        answered = time.monotonic_ns()
        return Operation("start", command.call_id, asked, answered, _told(outcome))
    outcome = end_call(service, principal, command).outcome
    answered = time.monotonic_ns()
    (update,) = command.intents
    saved = next(((each.name, str(each.value)) for each in command.variables), None)
    resolved = update.status is IntentStatus.RESOLVED
    return Operation("end", command.call_id, asked, answered, _told(outcome), update.intent, resolved, saved)


def _told(outcome: Any) -> Told:
    if isinstance(outcome, Started):
        intents = tuple(sorted((each.intent, each.attempt_count) for each in outcome.memory.open_intents))
        variables = tuple(sorted((each.name, each.value) for each in outcome.memory.variables))
        return Told("ok", outcome.customer_ref, (intents, variables))
    if isinstance(outcome, Ended):
        return Told("ok", outcome.customer_ref)
    return Told("conflict", getattr(outcome, "customer_ref", "") or "")


def _judge(count: int, told: list[Any]) -> Findings:
    findings = Findings(tried=count)
    if failures(told):
        findings.fault("a process failed", failures(told))
        return findings
    for parts in zip(*told, strict=True):
        history = [operation for part in parts for operation in part]
        findings.answers.update(f"{each.kind} {each.told.status}" for each in history)
        overlapping = any(
            one.asked < other.answered and other.asked < one.answered
            for place, one in enumerate(history)
            for other in history[:place]
        )
        findings.told["histories in which operations overlapped"] += overlapping
        if not is_linearizable(history):
            findings.fault("not linearizable", "\n  ".join(map(str, sorted(history, key=lambda each: each.asked))))
    return findings
