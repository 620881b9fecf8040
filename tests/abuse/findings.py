"""What an attack came to: how much was tried, how it was answered, what should not have been."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

_SHOWN = 1_500


@dataclass
class Findings:
    """`faults`: one of each kind, with what shows it. `told`: further counts, by name."""

    tried: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)

    def fault(self, kind: str, shown: object) -> None:
        self.told["faults"] += 1
        self.faults.setdefault(kind, str(shown)[:_SHOWN])

    def add(self, other: Findings) -> None:
        """What another process found."""
        self.tried += other.tried
        self.answers.update(other.answers)
        self.told.update(other.told)
        for kind, shown in other.faults.items():
            self.faults.setdefault(kind, shown)
