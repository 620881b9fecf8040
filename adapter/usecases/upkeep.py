"""What happens between calls: expired rows are swept, kept hang-ups are applied (semantics §7, §9)."""

from __future__ import annotations

import logging
from typing import Any

from adapter.clock import SystemClock, boot_id, ticks
from adapter.engine.model import HangUp, Hints, Mode
from adapter.errors import SealBroken
from adapter.store import sweep as sweeping

from .end import hang_up
from .service import Service

_LOG = logging.getLogger(__name__)


def prepare(service: Service) -> None:
    """Bring the database to this version, and the clock to what all processes of this boot agree on."""
    service.store.migrate()
    if isinstance(service.clock, SystemClock):
        service.clock.agree(service.store.steady_offset(boot_id(), ticks(), service.clock.now()))


def prepare_late(service: Service) -> None:
    """For a worker that came up without the database: until this is done its rate windows are its own."""
    if isinstance(service.clock, SystemClock) and not service.clock.is_agreed:
        prepare(service)


def sweep(service: Service) -> sweeping.Swept:
    """Remove what has expired, in short transactions."""
    policy = service.policy
    window = policy.limits.window_seconds
    return sweeping.sweep(service.store, service.clock.now(), policy.retention, window_seconds=window)


def hang_up_or_keep(service: Service, organization: str, mode: Mode, command: HangUp) -> bool:
    """Save a hang-up; when the store or a limit forbids it now, keep it durably for later. False: not even that."""
    try:
        if _apply(service, organization, mode, command):
            return True
    except Exception as error:  # noqa: BLE001 - whatever stands in its way: Twilio does not tell us twice
        _LOG.error("a hang-up is kept for later: %s", type(error).__name__)
    return service.inbox is not None and service.inbox.put(_plain(organization, mode, command))


def apply_waiting(service: Service) -> int:
    """Apply kept hang-ups in order; returns how many. What a limit still refuses stays, and holds up nobody else's."""
    if service.inbox is None:
        return 0
    applied = 0
    refused: set[str] = set()
    for name, event in service.inbox.waiting():
        try:
            organization, mode, command = event["organization"], Mode(event["mode"]), _command(event)
        except (KeyError, ValueError):
            _LOG.error("a kept hang-up is set aside: it is of another version")
            service.inbox.set_aside(name)
            continue
        if organization in refused:
            continue
        try:
            saved = _apply(service, organization, mode, command)
        except SealBroken:
            continue  # its call lies under a key that is missing now; the others can go on
        if saved:
            service.inbox.done(name)
            applied += 1
        else:
            refused.add(organization)
    return applied


def _apply(service: Service, organization: str, mode: Mode, command: HangUp) -> bool:
    """An organization that is configured no more has no memory to change: its hang-ups are done with."""
    principal = service.directory.principal(organization, mode)
    return principal is None or hang_up(service, principal, command)


def _plain(organization: str, mode: Mode, command: HangUp) -> dict[str, Any]:
    return {
        "organization": organization,
        "mode": mode.value,
        "call_id": command.call_id,
        "at": command.at,
        "duration_seconds": command.duration_seconds,
        "ani": command.hints.ani,
        "dnis": command.hints.dnis,
    }


def _command(event: dict[str, Any]) -> HangUp:
    hints = Hints(ani=event["ani"], dnis=event["dnis"])
    return HangUp(event["call_id"], hints, event["at"], event["duration_seconds"])
