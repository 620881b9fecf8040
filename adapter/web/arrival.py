"""How long the present request has waited for a thread: told by the server, which alone knows, and asked by whoever
must answer in time. Nothing is known (0) under a server that does not tell."""

from __future__ import annotations

import threading

_here = threading.local()


def note_wait(seconds: float) -> None:
    """Of the request that this thread is about to answer; infinite when it has come to it, and yet has none."""
    _here.waited = seconds


def waited() -> float:
    """Seconds that the request of this thread waited before it was begun."""
    seconds: float = getattr(_here, "waited", 0.0)
    return seconds
