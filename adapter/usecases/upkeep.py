"""What happens between calls: the database is prepared, what has expired or is done is swept (semantics §7).

Leaves out: what could not be saved in time (`later`).
"""

from __future__ import annotations

from adapter.clock import SystemClock, boot_id, ticks
from adapter.engine.policy import DAY
from adapter.store import sweep as sweeping

from .service import Service


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
    """Remove what has expired, in short transactions; from the inbox also while the store is away."""
    policy, now = service.policy, service.clock.now()
    if service.inbox is not None:
        service.inbox.tidy()
        service.inbox.forget_set_aside(now - policy.retention.calls_days * DAY)
    window = policy.limits.window_seconds
    return sweeping.sweep(service.store, now, policy.retention, window_seconds=window)
