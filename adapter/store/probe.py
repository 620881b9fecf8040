"""A question to the database whose answer nobody waits for longer than they want to: a thread of its own asks.

A disk or a server that hangs takes that one thread; until it is back, everybody who asks is told that it does not
answer. Leaves out: the question (use cases).
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from adapter.errors import StoreUnavailable


class Probe:
    """Of one process. Whoever asks while a question is on its way gets the answer to that one."""

    def __init__(self) -> None:
        self._question: _Question | None = None

    def ask(self, question: Callable[[], None], seconds: float) -> None:
        """Returns when the answer is good; StoreUnavailable when it is not, or is still missing after so long."""
        asked = self._question
        if asked is None or not asked.is_alive():
            self._question = asked = _Question(question)
        asked.answer(seconds)


class _Question(threading.Thread):
    def __init__(self, ask: Callable[[], None]) -> None:
        super().__init__(name="ping", daemon=True)
        self._ask = ask
        self._error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._ask()
        except Exception as error:  # noqa: BLE001 - whatever it was, it is the answer
            self._error = error

    def answer(self, seconds: float) -> None:
        self.join(seconds)
        if self.is_alive():
            raise StoreUnavailable("the database does not answer")
        if self._error is not None:
            raise self._error
