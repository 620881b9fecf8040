"""The order of checks every request goes through (semantics §2): rate → (effect: kept answer → quota → execute).

The rate hit outlives a failed effect, the charge lives and dies with it: one transaction, one savepoint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from adapter.engine import limits, quotas
from adapter.engine.model import Answer, Millis, Principal, QuotaExhausted, Rate, RateExceeded
from adapter.engine.policy import SECOND
from adapter.store import meters
from adapter.store.transaction import Transaction

from .service import Service

T = TypeVar("T")


def admitted(
    service: Service,
    principal: Principal,
    effect: Callable[[Transaction, Millis], Answer[T]],
    ahead: Callable[[Transaction, Millis], object] | None = None,
) -> Answer[T]:
    """Count the request, then run `effect` in the same transaction, unless the rate limit refuses it.

    `ahead`: reads what the effect is going to read (see `Store.transact`).
    """
    known = _known_to_be_full(service, principal)
    if known is not None:
        return known

    def work(tx: Transaction) -> Answer[T] | Exception:
        # The time is read once the lock is held: transactions then see time in the order in which they happen.
        rate, refused = hit(service, principal, tx)
        if refused is not None:
            return Answer(refused, rate)
        try:
            with tx.savepoint():
                return replace(effect(tx, service.clock.now()), rate=rate)
        except Exception as error:  # noqa: BLE001 - raised below: a failing request must still count against its rate
            return error

    def foreseen(tx: Transaction) -> None:
        look_ahead(service, principal, tx)
        if ahead is not None:
            ahead(tx, service.clock.now())

    with service.outage.attempt():  # while the store is away, clients need not wait to be told so
        answer = service.store.transact(principal.realm, work, ahead=foreseen)
    if isinstance(answer, Exception):
        raise answer
    return answer


def count_only(service: Service, principal: Principal) -> Answer[None]:
    """A request for what there is not: it counts, and nothing is done."""
    return admitted(service, principal, lambda tx, now: Answer(None))


def hit(service: Service, principal: Principal, tx: Transaction) -> tuple[Rate, RateExceeded | None]:
    """Count one request in the organization's rolling window, unless it is full."""
    policy, tier = service.policy.limits, principal.tier
    hard = limits.hard_limit(tier, policy)
    if hard is None:
        now = service.clock.now()
        return limits.admit(tier, limits.Window(0), policy, now, now)
    asked_at = service.clock.steady()
    steady, wall = tx.steady(asked_at), service.clock.now()
    number = principal.organization_number
    window = meters.window(tx, number, steady - policy.window_seconds * SECOND, hard)
    rate, refused = limits.admit(tier, window, policy, steady, wall)
    if refused is None:
        meters.hit(tx, number, steady)
    else:
        # Holds whatever becomes of this transaction: it has only read.
        service.full_windows.note(_whose(principal), asked_at, wall, (rate, refused))
    return rate, refused


def look_ahead(service: Service, principal: Principal, tx: Transaction) -> None:
    """Read what `hit` and `over_quota` are going to read."""
    now = service.clock.now()
    over_quota(principal, tx, now)
    if limits.hard_limit(principal.tier, service.policy.limits) is not None:
        meters.newest_hit(tx, principal.organization_number)
        tx.steady(now)


def _known_to_be_full(service: Service, principal: Principal) -> Answer[Any] | None:
    clock = service.clock
    span_ms = service.policy.limits.window_seconds * SECOND
    refusal = service.full_windows.refusal(_whose(principal), clock.steady(), clock.now(), span_ms)
    return None if refusal is None else Answer(refusal[1], refusal[0])


def _whose(principal: Principal) -> tuple[int, int]:
    return principal.realm.account, principal.organization_number


def over_quota(principal: Principal, tx: Transaction, now: Millis) -> QuotaExhausted | None:
    """The refusal when this month's budget is used up."""
    plan = principal.plan
    return (
        None
        if plan.monthly is None
        else quotas.refuse(plan, meters.used(tx, quotas.period_start(now, plan.billing_day)))
    )


def charge(principal: Principal, tx: Transaction, now: Millis) -> None:
    """One billable success. Counted for unlimited plans too: usage is shown even where it is not limited."""
    meters.charge(tx, quotas.period_start(now, principal.plan.billing_day))
