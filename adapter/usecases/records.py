"""What is kept of calls and customers: to show, to export, to erase (semantics §8). None of it costs quota."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapter.engine.model import Answer, Call, Millis, Missing, Principal
from adapter.store import calls, customers, records
from adapter.store.records import CustomerRecord
from adapter.store.transaction import Transaction

from .admission import admitted
from .service import Service


@dataclass(frozen=True, slots=True)
class Erased:
    """The receipt of an erasure."""

    customer_ref: str
    erased_at: Millis


def show_call(service: Service, principal: Principal, call_id: str) -> Answer[Call]:
    """GET /v1/calls/{call_id}."""

    def effect(tx: Transaction, now: Millis) -> Answer[Call]:
        return Answer(calls.find(tx, call_id) or Missing("call"))

    return admitted(service, principal, effect)


def show_customer(service: Service, principal: Principal, customer_ref: str) -> Answer[CustomerRecord]:
    """GET /v1/customers/{customer_ref}: everything stored of a customer."""

    def effect(tx: Transaction, now: Millis) -> Answer[CustomerRecord]:
        return Answer(records.export(tx, customer_ref, now) or Missing("customer"))

    return admitted(service, principal, effect)


def forget_customer(service: Service, principal: Principal, customer_ref: str) -> Answer[Erased]:
    """DELETE /v1/customers/{customer_ref}: erasure, with a tombstone so that nothing brings it back."""

    def effect(tx: Transaction, now: Millis) -> Answer[Erased]:
        return Answer(Erased(customer_ref, now) if customers.exists(tx, customer_ref) else Missing("customer"))

    answer = admitted(service, principal, effect)
    erased = answer.outcome
    if isinstance(erased, Erased) and not records.forget(
        service.store, principal.realm, customer_ref, erased.erased_at
    ):
        return replace(answer, outcome=Missing("customer"))
    return answer
