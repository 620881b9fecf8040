"""API calls of a recording sent again: with a key of the same organization, about the customers as they are here.

A customer's reference is made up anew in every run. Which of them is which is learnt from the answers; of a reference
that was never in one (the client read it elsewhere), the call tells whose it is. Leaves out: comparing (`checks`).
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import quote

from adapter.replay.exchange import Outgoing, Reply
from adapter.replay.recording import Recorded

_MOST_CUSTOMERS: Final = 50_000
_CUSTOMERS: Final = "/v1/customers/"
_ENDED: Final = "/v1/calls/end"
_FINE: Final = 200


class Asks(Protocol):
    """Sends a request as it stands."""

    def ask(self, method: str, out: Outgoing) -> Reply: ...


class NoKey(Exception):
    """There is no API key for this call."""


@dataclass(slots=True)
class Customers:
    """Which customer of the recording is which one here; the latest so many. Safe for several threads."""

    _here: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def here(self, there: str) -> str | None:
        """None: nobody knows."""
        with self._lock:
            return self._here.get(there)

    def learn(self, there: str, here: str) -> None:
        """Both were answered with in the same place."""
        with self._lock:
            self._here[there] = here
            self._here.move_to_end(there)
            if len(self._here) > _MOST_CUSTOMERS:
                self._here.popitem(last=False)


@dataclass(slots=True)
class ApiCalls:
    """`base`: what stands before /v1. `key_of`: an API key of this organization and mode, None: there is none."""

    exchange: Asks
    base: str
    key_of: Callable[[tuple[str, str]], str | None]
    customers: Customers = field(default_factory=Customers)

    def send(self, recorded: Recorded) -> Reply:
        """The answer. NoKey, and what the exchange raises."""
        key = self.key_of(recorded.key) if recorded.key else None
        if key is None:
            raise NoKey
        sent = self._about_those_here(recorded, key)
        headers = {name: text for name, text in recorded.headers.items() if name == "idempotency-key"}
        reply = self._ask(key, recorded.method, self._path(recorded.path), sent, headers)
        self._learn(recorded, reply)
        return reply

    def ask(self, method: str, path: str, sent: object, whose: tuple[str, str]) -> dict[str, Any]:
        """A request of one's own: the JSON of the answer. NoKey; ValueError with the answer when it is refused."""
        key = self.key_of(whose)
        if key is None:
            raise NoKey
        reply = self._ask(key, method, path, sent, {})
        text = reply.body.decode("utf-8", "replace")
        if reply.status != _FINE:
            raise ValueError(f"answered with status {reply.status}: {text}")
        told: dict[str, Any] = json.loads(text)
        return told

    def _ask(self, key: str, method: str, path: str, sent: object, headers: Mapping[str, str]) -> Reply:
        told = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers}
        return self.exchange.ask(method, Outgoing(self.base + path, told, "" if sent is None else json.dumps(sent)))

    def _about_those_here(self, recorded: Recorded, key: str) -> object:
        sent = recorded.sent
        if not isinstance(sent, Mapping):
            return sent
        hints = sent.get("identity_hints")
        if isinstance(hints, Mapping) and "customer_ref" in hints:
            sent = {**sent, "identity_hints": {**hints, "customer_ref": self._ref(hints["customer_ref"])}}
        if "customer_ref" not in sent:
            return sent
        ref = sent["customer_ref"]
        # In a run to the byte a reference that was learnt is the recorded one: what counts is that it was never seen.
        if recorded.path == _ENDED and isinstance(ref, str) and self.customers.here(ref) is None:
            return {**sent, "customer_ref": self._of_the_call(recorded, key) or ref}
        return {**sent, "customer_ref": self._ref(ref)}

    def _of_the_call(self, recorded: Recorded, key: str) -> str | None:
        path = f"/v1/calls/{quote(recorded.call)}"
        return _customer_in(self._ask(key, "GET", path, None, {}).body.decode("utf-8", "replace"))

    def _path(self, path: str) -> str:
        ref = path.removeprefix(_CUSTOMERS)
        return _CUSTOMERS + str(self._ref(ref)) if path.startswith(_CUSTOMERS) else path

    def _ref(self, recorded: object) -> object:
        return (self.customers.here(recorded) or recorded) if isinstance(recorded, str) else recorded

    def _learn(self, recorded: Recorded, reply: Reply) -> None:
        there = _customer_in(recorded.answer.body) if recorded.answer else None
        here = _customer_in(reply.body.decode("utf-8", "replace"))
        if there and here:
            self.customers.learn(there, here)


def _customer_in(answer: str) -> str | None:
    try:
        told: Any = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    found = told.get("customer_ref") if isinstance(told, dict) else None
    return found if isinstance(found, str) else None
