"""kill -9 and a failing disk at some of the calls to it; a bug would be found. `python -m tests.faults`: at all calls.

In processes of their own: what is put between SQLite and the disk stays there.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.sqlite]

_REPOSITORY = Path(__file__).parents[2]


def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.faults", *arguments]
    return subprocess.run(command, cwd=_REPOSITORY, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize(("how", "every"), [("kill", "47"), ("fail", "29")])
def test_a_disk_at_its_worst_loses_and_tears_nothing(how: str, every: str) -> None:
    done = ran(how, "--every", every)
    assert (done.returncode, done.stdout.splitlines()[-1][-7:]) == (0, "0 wrong"), done
    assert int(done.stdout.splitlines()[-1].split()[0]) > 5


@pytest.mark.parametrize(
    ("how", "bug", "every", "sign"),
    [
        ("kill", "charges_apart", "9", "charged for"),
        ("kill", "keeps_without_writing", "9", "is lost"),
        ("fail", "takes_errors_for_success", "41", "is lost"),
    ],
)
def test_a_bug_is_found(how: str, bug: str, every: str, sign: str) -> None:
    done = ran(how, "--every", every, "--bug", bug)
    assert done.returncode == 1, done
    assert sign in done.stdout
