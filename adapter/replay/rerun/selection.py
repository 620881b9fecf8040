"""Which webhooks of a recording are played again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adapter.engine.model import Millis
from adapter.replay.recording import Recorded

_NUMBERS: Final = ("From", "To", "Caller", "Called", "ForwardedFrom")


@dataclass(frozen=True, slots=True)
class Selection:
    """Empty: all. `numbers`: of the caller or the line. `calls`: CallSids of callers' legs."""

    kinds: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    until: Millis | None = None

    def wants(self, recorded: Recorded) -> bool:
        """Whether it is one of them. A webhook that nobody knows the time of is not too late."""
        if self.kinds and recorded.kind not in self.kinds:
            return False
        if self.calls and recorded.call not in self.calls:
            return False
        if self.numbers and not self.numbers & {recorded.caller, recorded.dialed, *map(recorded.value, _NUMBERS)}:
            return False
        return self.until is None or recorded.at is None or recorded.at <= self.until
