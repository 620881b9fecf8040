"""Who presents a key. Leaves out: how keys are made, kept and revoked (`store.keys`)."""

from __future__ import annotations

from adapter.engine.model import Principal

from .service import Service


def new_prefix(service: Service, bearer: str) -> str | None:
    """Of a key that was not right here before: its public prefix when that names a key, else "". None for a key that
    was, and for what has not the form of one: nobody guesses by it."""
    return service.directory.new_prefix(bearer)


def authenticate(service: Service, bearer: str | None) -> Principal | None:
    """Who presents this bearer key; None is a 401 (absent and wrong alike)."""
    if not bearer:
        return None
    return service.directory.by_key(bearer, service.clock.steady(), service.clock.now())
