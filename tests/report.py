"""What a drill found out."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Report:
    """`faults` and `slow` (what a busy machine may be the cause of): sentences, none is the aim. `told`: figures."""

    faults: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    told: dict[str, object] = field(default_factory=dict)

    def most(self, what: str, seconds: float, most: float) -> None:
        self.told[what] = f"{seconds:.2f} s"
        if seconds > most:
            self.slow.append(f"{what}: {seconds:.2f} s, not at most {most:.1f}")

    def none(self, what: str, found: object, number: int) -> None:
        self.told[what] = number
        if number:
            self.faults.append(f"{what}: {number}, such as {found}")

    def tell(self) -> int:
        """Print it; the exit code of a command."""
        for what, figure in self.told.items():
            print(f"{what}: {figure}")
        found = [*self.faults, *self.slow]
        for fault in found:
            print(f"FAULT {fault}")
        return 1 if found else 0
