"""How much of its limits everybody has used: for whoever watches the service, not for callers. Costs nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

from adapter.engine import limits, quotas
from adapter.engine.model import Millis, Mode, Principal
from adapter.engine.policy import SECOND
from adapter.store import meters
from adapter.store.transaction import Transaction

from .service import Service


@dataclass(frozen=True, slots=True)
class Month:
    """A billing account's month. `limit` None: unlimited. `began` and `renews_at` in epoch milliseconds."""

    billing_account: str
    began: Millis
    renews_at: Millis
    used: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class Consumption:
    """One organization's. `in_window`: requests admitted in the rolling window; of an unlimited tier none is counted.
    `per_window`: what the window has before its grace; None: unlimited."""

    organization: str
    tier: str
    in_window: int
    per_window: int | None
    month: Month


def consumption(service: Service) -> list[Consumption]:
    """Of every configured organization, in the configuration's order. StoreUnavailable."""
    return [_of(service, principal) for principal in service.directory.principals(Mode.PROD)]


def months(service: Service) -> dict[str, list[Month]]:
    """Every month of every configured billing account in which something was billed, the newest first."""
    return {
        principal.plan.billing_account_id: _months(service, principal)
        for principal in service.directory.principals(Mode.PROD)
    }


def _months(service: Service, principal: Principal) -> list[Month]:
    plan = principal.plan
    with service.store.read(principal.realm) as tx:
        found = meters.periods(tx)
    return [
        Month(plan.billing_account_id, began, quotas.renews_at(began, plan.billing_day), used, plan.monthly)
        for began, used in found
    ]


def _of(service: Service, principal: Principal) -> Consumption:
    with service.store.read(principal.realm) as tx:
        return Consumption(
            organization=principal.organization,
            tier=principal.tier.name,
            in_window=_in_window(service, principal, tx),
            per_window=principal.tier.per_minute,
            month=_month(principal, tx, service.clock.now()),
        )


def _in_window(service: Service, principal: Principal, tx: Transaction) -> int:
    policy = service.policy.limits
    hard = limits.hard_limit(principal.tier, policy)
    if hard is None:
        return 0
    # By this machine's clock: `tx.steady` may correct what all nodes agree on, which a snapshot cannot.
    since = service.clock.steady() - policy.window_seconds * SECOND
    return meters.window(tx, principal.organization_number, since, hard).usage


def _month(principal: Principal, tx: Transaction, now: Millis) -> Month:
    plan = principal.plan
    began = quotas.period_start(now, plan.billing_day)
    renews_at = quotas.renews_at(now, plan.billing_day)
    return Month(plan.billing_account_id, began, renews_at, meters.used(tx, began), plan.monthly)
