"""Servers with a bug made on purpose, to be found: gunicorn's doors for `tests.outage`."""

from __future__ import annotations

from contextlib import nullcontext

from flask import Flask

from adapter.store import inbox
from adapter.store.outage import Outage
from adapter.usecases import Service
from tests import serving


def forgets() -> Flask:
    """What cannot be saved is said to be kept, and is not."""
    inbox.Inbox.put = lambda *_: True  # type: ignore[method-assign, assignment]
    return serving.build()


def waits() -> Flask:
    """Every caller waits for the store by themselves, for as long as a client of the API."""
    Outage.attempt = lambda *_: nullcontext()  # type: ignore[method-assign, assignment]
    Service.hurried = lambda service, realm, work, ahead=None: service.store.transact(realm, work, None, ahead)  # type: ignore[method-assign]
    return serving.build()


def applies_at_random() -> Flask:
    """What was kept is applied in another order."""
    waiting = inbox.Inbox.waiting
    inbox.Inbox.waiting = lambda kept: reversed(list(waiting(kept)))  # type: ignore[method-assign, assignment, return-value]
    return serving.build()


SEEDED = ("forgets", "waits", "applies_at_random")
