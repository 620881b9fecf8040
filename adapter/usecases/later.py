"""What could not be saved while a call went on is kept on this machine, and applied later, in order (semantics §9).

Twilio tells nothing twice: that a caller hung up, what they chose, what became of a hand-over. An event that is applied
again changes nothing, so what was perhaps saved is kept, too. Leaves out: how events are kept (`store.inbox`), and the
API's clients, who are told 503 and send their request again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, islice
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
    """Apply what is kept, in order; returns how many. What a limit still refuses stays, and holds up only what is to
    come of the same call, and of its organization what the same limit would refuse.

    StoreUnavailable: the rest waits on.
    """
    if service.inbox is None:
        return 0
    applied = 0
    refused = _Refused()
    for principal, events in _together(_events(service, service.inbox)):
        saved = _apply(service, principal, events, refused)
        for event in saved:
            service.inbox.done(event.name)
        applied += len(saved)
    return applied


@dataclass(frozen=True, slots=True)
class _Event:
    """One that waits. `is_limited`: it counts, so that a limit may refuse it. `apply` says whether it is done with."""

    name: int
    principal: Principal
    call_id: str
    is_limited: bool
    apply: Callable[[Transaction], bool]


@dataclass(frozen=True, slots=True)
class _Refused:
    """What waits for the next round: organizations whose limit refused something, and calls of which something waits,
    so that nothing of them overtakes it."""

    organizations: set[str] = field(default_factory=set)
    calls: set[tuple[Principal, str]] = field(default_factory=set)

    def apply(self, event: _Event, tx: Transaction) -> bool:
        """Whether the event is done with."""
        call, organization = (event.principal, event.call_id), event.principal.organization
        waits = call in self.calls or (event.is_limited and organization in self.organizations)
        if not waits and event.apply(tx):
            return True
        self.calls.add(call)
        if not waits:
            self.organizations.add(organization)
        return False


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
            yield _Event(name, principal, told["call_id"], "turn" not in told, apply)


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


def _apply(service: Service, principal: Principal, events: Sequence[_Event], refused: _Refused) -> list[_Event]:
    """Those that are done with."""
    try:
        return service.store.transact(
            principal.realm, lambda tx: [event for event in events if refused.apply(event, tx)]
        )
    except (StoreDamaged, StoreMismatch):
        # Perhaps a part of it alone: what lies elsewhere does not wait behind that. The log has it from callers.
        service.outage.note_damage()
        return [] if len(events) == 1 else _apply_singly(service, principal, events, refused)
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - one that cannot be applied must not stop those behind it for ever
        if len(events) > 1:
            return _apply_singly(service, principal, events, refused)
        # Its call may lie under a key that is missing now; another mistake is perhaps mended by the next version.
        _LOG.error("a kept event cannot be applied now: %s", type(error).__name__)
        return []


def _apply_singly(service: Service, principal: Principal, events: Sequence[_Event], refused: _Refused) -> list[_Event]:
    return [event for each in events for event in _apply(service, principal, [each], refused)]
