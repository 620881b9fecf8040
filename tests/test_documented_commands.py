"""Every shell block of README and deploy/*.md is run here, in its order and as it is written, or says who runs it.

In a folder of its own: `.venv/bin/sticky-calls` is this checkout, `serve` goes to the background, port 8080 and the
folder /backups lie elsewhere. Every block is at least read by the command itself: no option is made up.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from adapter.cli import main
from tests.serving import free_port

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "deploy").glob("*.md"))]
# How a block begins → who runs it, in place of this test.
ELSEWHERE = {
    "python3 -m venv .venv && .venv/bin/pip install --quiet . && .venv/bin/sticky-calls demo": "tests/test_demo.py",
    "python3 -m venv .venv && .venv/bin/pip install --quiet '.[test]'": ".ci/run",
    "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]'": ".ci/run, and people, by hand",
    ".venv/bin/pip install -e '.[bench]'": "tests/benchmarks, which people run by hand",
    ".venv/bin/sticky-calls db copy": "tests/cli/test_db_copy.py",
    ".venv/bin/sticky-calls check-config config.yaml     # is it right?": "tests/config/test_newcomer.py",
    ".venv/bin/sticky-calls simulate": "tests/config/test_newcomer.py",
    'curl -H "Authorization: Bearer $(cat /run/secrets': "tests/test_metrics.py",
    "# Has a new version changed an answer?": "tests/cli/test_replay.py, tests/cli/test_fixture.py",
    "sudo apt-get install -y git": "tests/deploy",
    "git pull && sudo deploy/install.sh upgrade": "tests/deploy",
    "sudo systemctl start sticky-calls-backup": "tests/deploy",
    "sticky-calls db upgrade --config config.yaml     # the tables": "tests/store/postgres/test_distribution.py",
    "sudo apt-get install -y prometheus": "tests/watching",
}
_WRAPPER = """#!/bin/sh
if [ "$1" != serve ]; then exec {python} -m adapter "$@"; fi
if [ -f served ]; then kill "$(cat served)"; while kill -0 "$(cat served)" 2> /dev/null; do sleep 0.1; done; fi
{python} -m adapter "$@" --bind 127.0.0.1:{port} > log 2>&1 < /dev/null &
echo $! > served
for _ in $(seq 300); do curl -fsS http://127.0.0.1:{port}/v1/health > health 2>&1 && exit 0; sleep 0.1; done
cat log >&2; exit 1
"""


def blocks() -> Iterator[str]:
    """Every shell block, in the order of the pages."""
    for page in PAGES:
        yield from re.findall(r"^```sh\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def run_here() -> list[str]:
    return [block for block in blocks() if not any(block.startswith(begin) for begin in ELSEWHERE)]


def test_who_runs_a_block_is_told_of_those_that_there_are() -> None:
    for begin, runner in ELSEWHERE.items():
        assert sum(block.startswith(begin) for block in blocks()) == 1, begin
        for file in re.findall(r"tests/\S+?(?=[, ]|$)", runner):
            assert (ROOT / file).exists(), file
    assert len(run_here()) >= 5


@pytest.mark.parametrize("block", list(blocks()), ids=lambda block: block.splitlines()[0][:40])
def test_every_documented_command_can_be_read(block: str) -> None:
    lines = block.replace("\\\n", " ").splitlines()
    for line in lines:
        for found in re.finditer(r"(?:\.venv/bin/|sudo )?sticky-calls ([^|&>$)#]+)", line.partition(" #")[0]):
            words = shlex.split(found[1])
            if not line.lstrip().startswith("#") and words:
                read(words)


def read(words: list[str]) -> None:
    """As the command does it, without running anything; click.UsageError."""
    command, name = main.get_command(click.Context(main), words[0]), words[0]
    rest = words[1:]
    assert command is not None, name
    if isinstance(command, click.Group):
        below = command.get_command(click.Context(command), rest[0])
        assert below is not None, words
        command, rest = below, rest[1:]
    parser = command.make_parser(click.Context(command))
    parser.parse_args(args=rest)


@pytest.mark.sqlite
@pytest.mark.parametrize("wrong", [["serve", "--port", "1"], ["customers", "import", "x.csv", "--dry"], ["tale"]])
def test_a_made_up_command_is_found(wrong: list[str]) -> None:
    with pytest.raises((click.UsageError, AssertionError)):
        read(wrong)


@pytest.mark.slow
@pytest.mark.sqlite
@pytest.mark.skipif(shutil.which("curl") is None, reason="README's examples use curl")
def test_the_blocks_run_one_after_the_other(tmp_path: Path) -> None:
    port = free_port()
    programs = tmp_path / ".venv/bin"
    programs.mkdir(parents=True)
    for name, text in {"sticky-calls": _WRAPPER.format(python=sys.executable, port=port), "pip": "#!/bin/sh\n"}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    shutil.copy(ROOT / "config.example.yaml", tmp_path)
    (tmp_path / "crm.csv").write_text("ani,variables.name\n+14155550124,Ben\n", "utf-8")
    (tmp_path / "backups").mkdir()
    story = "\n".join(run_here()).replace(":8080", f":{port}").replace("/backups/", f"{tmp_path}/backups/")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")}
    environ |= {"PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", story],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        if (tmp_path / "served").exists():
            subprocess.run(["kill", (tmp_path / "served").read_text().strip()], check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for told in ('"customer_ref"', "1 new customers", "calls.db: ", "is at this version"):
        assert told in done.stdout, told
    assert (tmp_path / "everybody.jsonl").read_text().count("\n") == 2
