"""Where figures come from: each table begins with the date, the machine and the settings, or it says nothing."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

from rich.console import Console

from .subjects import THREADS, WORKERS


def console(load: str) -> Console:
    """Where a benchmark tells its tables, the machine told already. `load`: what it was asked to carry."""
    told = Console(width=None if os.isatty(1) else 110)
    today = datetime.now(UTC).date()
    python = f"Python {platform.python_version()}"
    told.print(
        f"{today} · {os.cpu_count()} cores · {python} · {WORKERS} workers x {THREADS} threads, {load}", style="dim"
    )
    return told
