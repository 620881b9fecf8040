"""Looking up line types while nobody waits: a number is offered after its call was greeted, a thread asks Twilio.

What is found counts from the next call on. When more numbers are offered than can be asked about, the rest is dropped
and offered again by their next calls. Leaves out: how to ask (`twilio.lookup`), when a number is due and what is kept
(`usecases.line_types`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Full, Queue

from adapter.engine.line import Line
from adapter.engine.model import LineType, Principal
from adapter.errors import AdapterError
from adapter.twilio.lookup import Lookup
from adapter.usecases import Service
from adapter.usecases.line_types import is_due, note

_LOG = logging.getLogger(__name__)
# Minutes of work for the thread when Twilio answers slowly; what is older than that is better asked at the next call.
_MOST_WAITING = 300


@dataclass(frozen=True, slots=True)
class _Wanted:
    account: str
    principal: Principal
    ani: str


class LineTypeLookups:
    """One for each process, made after forking like the app; its thread starts with the first number offered."""

    def __init__(self, service: Service, lookup: Lookup, most_waiting: int = _MOST_WAITING) -> None:
        self._service = service
        self._lookup = lookup
        self._waiting: Queue[_Wanted] = Queue(most_waiting)
        self._lock = threading.Lock()
        self._in_flight: set[_Wanted] = set()
        self._thread: threading.Thread | None = None

    def offer(self, line: Line, account: str, principal: Principal, ani: str) -> None:
        """A caller from this E.164 number was greeted on this line of this AccountSid. Returns at once, never raises.

        Nothing happens on lines that do not want it, and for accounts whose auth token is not configured.
        """
        if line.look_up_line_type and self._lookup.can_ask(account):
            self._take(_Wanted(account, principal, ani))

    def drain(self) -> None:
        """Wait until all numbers that were taken so far are done with."""
        self._waiting.join()

    def _take(self, wanted: _Wanted) -> None:
        with self._lock:
            if wanted in self._in_flight:
                return
            try:
                self._start()
                self._waiting.put_nowait(wanted)
            except (Full, RuntimeError):  # RuntimeError: the machine has no thread left
                return
            self._in_flight.add(wanted)

    def _start(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="lookups", daemon=True)
            thread.start()
            self._thread = thread

    def _run(self) -> None:
        while True:
            wanted = self._waiting.get()
            try:
                look_up(self._service, self._lookup.line_type, wanted.account, wanted.principal, wanted.ani)
            except AdapterError as error:
                _LOG.warning("line type not looked up: %s", error.code)
            except Exception as error:  # noqa: BLE001 - a dead thread would look up nothing ever again, unnoticed
                _LOG.error("looking up a line type failed: %s", type(error).__name__, exc_info=error)
            finally:
                with self._lock:
                    self._in_flight.discard(wanted)
                self._waiting.task_done()


def look_up(
    service: Service, ask: Callable[[str, str], LineType | None], account: str, principal: Principal, ani: str
) -> None:
    """Ask about one number, if that is due, and remember the answer. Nothing is held while Twilio thinks."""
    if not is_due(service, principal, ani):
        return
    found = ask(account, ani)
    if found is not None:
        note(service, principal, ani, found)
