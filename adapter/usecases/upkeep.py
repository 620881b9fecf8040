"""What happens between calls: expired rows are swept, kept hang-ups are applied (semantics §7, §9)."""

from __future__ import annotations

from typing import Any

from adapter.engine.model import HangUp, Hints, Mode, Principal
from adapter.errors import StoreUnavailable
from adapter.store import sweep as sweeping

from .end import hang_up
from .service import Service


def sweep(service: Service) -> sweeping.Swept:
    """Remove what has expired, in short transactions."""
    return sweeping.sweep(service.store, service.clock.now(), service.policy.retention)


def hang_up_or_keep(service: Service, principal: Principal, command: HangUp) -> bool:
    """Save a hang-up; when the store or a limit forbids it now, keep it durably for later. False: not even that."""
    try:
        saved = hang_up(service, principal, command)
    except StoreUnavailable:
        saved = False
    if saved:
        return True
    return service.inbox is not None and service.inbox.put(_plain(principal, command))


def apply_waiting(service: Service) -> int:
    """Apply kept hang-ups in order; returns how many. Stops at the first that still cannot be saved."""
    if service.inbox is None:
        return 0
    applied = 0
    for name, event in service.inbox.waiting():
        principal = service.directory.principal(event["organization"], Mode(event["mode"]))
        if principal is not None and not hang_up(service, principal, _command(event)):
            break
        service.inbox.done(name)
        applied += 1
    return applied


def _plain(principal: Principal, command: HangUp) -> dict[str, Any]:
    return {
        "organization": principal.organization,
        "mode": principal.mode.value,
        "call_id": command.call_id,
        "at": command.at,
        "duration_seconds": command.duration_seconds,
        "ani": command.hints.ani,
        "dnis": command.hints.dnis,
    }


def _command(event: dict[str, Any]) -> HangUp:
    hints = Hints(ani=event["ani"], dnis=event["dnis"])
    return HangUp(event["call_id"], hints, event["at"], event["duration_seconds"])
