"""Who presents a key. Leaves out: how keys are made, kept and revoked (`store.keys`)."""

from __future__ import annotations

from adapter.engine.model import Principal

from .service import Service


def authenticate(service: Service, bearer: str | None) -> Principal | None:
    """Who presents this bearer key; None is a 401 (absent and wrong alike)."""
    if not bearer:
        return None
    return service.directory.by_key(bearer, service.clock.steady(), service.clock.now())
