"""Callers of lines that ask something."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapter.engine.line import Line
from adapter.usecases import Service
from tests.builders import Api, ToldClock
from tests.usecases.phone import ANI, Phone

Calling = Callable[[Line], Phone]


@pytest.fixture
def calling(service: Service) -> Calling:
    """A phone that calls this line."""
    return lambda line: Phone(service, line)


@pytest.fixture
def maria(api: Api, clock: ToldClock) -> str:
    """Called from a line of unknown kind an hour ago (so she is probable: confirm), told her name and her PIN."""
    ref: str = api.start("earlier", ani=ANI).json["customer_ref"]
    told = {"name": "Maria Lopez", "pin": "4711"}
    assert api.end("earlier", customer_ref=ref, variables=told, intent="moving").status_code == 200
    clock.advance(hours=1)
    return ref
