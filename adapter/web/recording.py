"""Who keeps what was answered, and of whom: what both edges are told. Whatever a recorder does, the answer is given.

Leaves out: what is offered to it (`rest.recorded`, `webhooks.recorded`), what it keeps, and how (`replay.recording`,
`replay.pseudonyms`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from adapter.engine.model import Millis


class Recorder(Protocol):
    """Takes a webhook with its answer; returns at once. `target`: path and query as they came over the wire."""

    def record(
        self,
        method: str,
        target: str,
        fields: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        *,
        status: int,
        content_type: str,
        body: str,
        receipt: Mapping[str, object] | None = None,
        at: Millis | None = None,
        sent: object = None,
        key: tuple[str, str] | None = None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Recording:
    """`numbers`: of the lines whose calls are recorded, as configured; `keys`: organization and mode of these lines,
    whose API calls are recorded, too. None: all."""

    recorder: Recorder
    now: Callable[[], Millis]
    numbers: frozenset[str] | None = None
    keys: frozenset[tuple[str, str]] | None = None
