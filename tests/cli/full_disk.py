"""A command whose standard output is on a full disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

needs_one = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk to write to")


def told_to_a_full_disk(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """How `sticky-calls COMMAND`, run in the folder, ends."""
    with Path("/dev/full").open("wb") as full:
        return subprocess.run(
            [sys.executable, "-m", "adapter", *command],
            cwd=folder,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            text=True,
        )
