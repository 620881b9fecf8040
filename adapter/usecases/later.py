"""What could not be saved while a call went on is kept on this machine, and applied later, in order (semantics §9).

Twilio tells nothing twice: that a caller hung up, what they chose, what became of a hand-over. An event that is applied
again changes nothing, so what was perhaps saved is kept, too. Leaves out: how events are kept (`store.inbox`), and the
API's clients, who are told 503 and send their request again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice, takewhile
from typing import Any

from adapter.engine.line import Line
from adapter.engine.model import HangUp, Hints, Mode, Outcome, Principal, Turn
from adapter.errors import StoreDamaged, StoreMismatch, StoreUnavailable
from adapter.store.inbox import Inbox
from adapter.store.transaction import Transaction

from .end import note_hang_up
from .service import Service
from .turns import hear_late

_LOG = logging.getLogger(__name__)
# So many events share a transaction: fewer commits, and no caller waits behind them for long.
_TOGETHER = 20

Plain = dict[str, Any]


def keep_hang_up(service: Service, line: Line, command: HangUp) -> bool:
    """True: it is on this machine's disk. False: not even that."""
    hints = command.hints
    told = {"at": command.at, "duration_seconds": command.duration_seconds, "ani": hints.ani, "dnis": hints.dnis}
    return _keep(service, line, {"call_id": command.call_id, **told})


def keep_turn(service: Service, line: Line, turn: Turn) -> bool:
    """As `keep_hang_up`, of a turn that was answered without memory. Silence says nothing, and is not kept."""
    outcome = None if turn.outcome is None else turn.outcome.value
    told = {"digits": turn.digits, "speech": turn.speech, "outcome": outcome, "recorded": turn.recorded}
    if turn.number == 0 or not any(told.values()):
        return True
    at = service.clock.now()
    return _keep(service, line, {"call_id": turn.call_id, "at": at, "turn": turn.number, "line": line.key, **told})


def apply_waiting(service: Service) -> int:
    """Apply what is kept, in order; returns how many. What a limit still refuses stays, and holds up nobody else's.

    StoreUnavailable: the rest waits on.
    """
    if service.inbox is None:
        return 0
    applied = 0
    refused: set[str] = set()
    for principal, events in _together(_events(service, service.inbox)):
        if principal.organization in refused:
            continue
        saved, is_refused = _apply(service, principal, events)
        for event in saved:
            service.inbox.done(event.name)
        applied += len(saved)
        if is_refused:
            refused.add(principal.organization)
    return applied


@dataclass(frozen=True, slots=True)
class _Event:
    """One that waits. `apply` says whether it is done with."""

    name: int
    principal: Principal
    apply: Callable[[Transaction], bool]


def _keep(service: Service, line: Line, event: Plain) -> bool:
    whose = {"organization": line.organization, "mode": line.mode.value}
    return service.inbox is not None and service.inbox.put({**whose, **event})


def _events(service: Service, inbox: Inbox) -> Iterator[_Event]:
    """Those of organizations and lines that are configured no more are done with: there is no memory to change."""
    for name, told in inbox.waiting():
        try:
            principal = service.directory.principal(told["organization"], Mode(told["mode"]))
            apply = None if principal is None else _work(service, principal, told)
        except (KeyError, ValueError):
            _LOG.error("a kept event is set aside: it is of another version")
            inbox.set_aside(name)
            continue
        if principal is None or apply is None:
            inbox.done(name)
        else:
            yield _Event(name, principal, apply)


def _work(service: Service, principal: Principal, told: Plain) -> Callable[[Transaction], bool] | None:
    """None: nobody knows any more what it means."""
    if "turn" not in told:
        hints = Hints(ani=told["ani"], dnis=told["dnis"])
        command = HangUp(told["call_id"], hints, told["at"], told["duration_seconds"])
        return partial(note_hang_up, service, principal, command)
    line = next((line for line in service.lines if line.key == told["line"]), None)
    outcome = None if told["outcome"] is None else Outcome(told["outcome"])
    turn = Turn(told["call_id"], told["turn"], told["digits"], told["speech"], outcome, told["recorded"])
    return None if line is None else partial(hear_late, service, line, turn, told["at"])


def _together(events: Iterable[_Event]) -> Iterator[tuple[Principal, list[_Event]]]:
    for principal, of_one in groupby(events, lambda event: event.principal):
        while some := list(islice(of_one, _TOGETHER)):
            yield principal, some


def _apply(service: Service, principal: Principal, events: Sequence[_Event]) -> tuple[list[_Event], bool]:
    """Those that are done with, and whether a limit refused one, and with it those behind it."""
    try:
        done = service.store.transact(principal.realm, lambda tx: list(takewhile(lambda each: each.apply(tx), events)))
    except (StoreDamaged, StoreMismatch):
        # Perhaps a part of it alone: what lies elsewhere does not wait behind that. The log has it from callers.
        service.outage.note_damage()
        return ([], False) if len(events) == 1 else _apply_singly(service, principal, events)
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - one that cannot be applied must not stop those behind it for ever
        if len(events) > 1:
            return _apply_singly(service, principal, events)
        # Its call may lie under a key that is missing now; another mistake is perhaps mended by the next version.
        _LOG.error("a kept event cannot be applied now: %s", type(error).__name__)
        return [], False
    return done, len(done) < len(events)


def _apply_singly(service: Service, principal: Principal, events: Sequence[_Event]) -> tuple[list[_Event], bool]:
    saved: list[_Event] = []
    for event in events:
        done, is_refused = _apply(service, principal, [event])
        saved += done
        if is_refused:
            return saved, True
    return saved, False
