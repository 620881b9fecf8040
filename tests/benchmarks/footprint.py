"""What a server takes: the time from its start to its first answer, and its workers' memory (pages they share counted).

Leaves out: a first start, which makes the database.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.table import Table

from tests.serving import free_port

from .subjects import Subject, configuration, serve

_STARTS = 5
_serving = contextmanager(serve)


def table(folder: Path, subjects: Sequence[Subject]) -> Table:
    """`folder`: the product's, with its database. `subjects`: after they have worked."""
    found = Table(title="Start and memory", title_justify="left", min_width=60)
    for column in ("", "first answer after s", "most MB a worker"):
        found.add_column(column, justify="left" if not column else "right")
    for subject in subjects:
        starts = _starts(folder) if subject.name == "product" else [subject.started_in]
        megabytes = max(_resident(pid) for pid in _children(subject.pid)) / 1e6
        found.add_row(subject.name, f"{statistics.median(starts):.2f}", f"{megabytes:.0f}")
    return found


def _starts(folder: Path) -> list[float]:
    return [_start(folder) for _ in range(_STARTS)]


def _start(folder: Path) -> float:
    port = free_port()
    with _serving("product", configuration(folder, port), port, "") as subject:
        return subject.started_in


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _resident(pid: int) -> int:
    """Bytes, as RSS."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return 1_024 * int(line.split()[1])
