"""`sticky-calls fixture`: calls of a recording as a test for pytest, with the recording it needs beside it."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import click

from adapter.replay.recording import line_of
from adapter.replay.rerun import Selection

from .source import Source

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_TEST: Final = '''"""Recorded calls are answered as they were.

When a new answer is the right one:  sticky-calls replay {recording} --fresh --config {config} --accept
"""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def sticky_calls_config() -> Path:
    return HERE / {config!r}


def test_recorded_calls_are_answered_as_recorded(sticky_calls_replay) -> None:
    assert sticky_calls_replay(HERE / {recording!r}) == []
'''


@click.command(epilog="Example:  sticky-calls fixture calls.jsonl --config config.yaml -o tests/test_calls.py")
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE…")
@click.option("--config", "path", required=True, type=_FILE, help="The configuration that the test runs under.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The test to write: test_….py.")
@click.option("--call", "calls", multiple=True, metavar="CALLSID", help="Only this call.")
@click.option("--number", "numbers", multiple=True, help="Only calls from or to this number.")
def fixture(
    files: tuple[Path, ...], path: Path, output: Path, calls: tuple[str, ...], numbers: tuple[str, ...]
) -> None:
    """Write a test that plays the calls of recordings to an app of its own, and a recording with them beside it.

    Nobody is known when it begins, so choose calls from the first one of a caller on. Nothing is overwritten.
    """
    if output.suffix != ".py":
        raise click.UsageError("-o names a Python file, such as tests/test_calls.py")
    recording = output.with_suffix(".jsonl")
    source = Source(files, Selection(numbers=frozenset(numbers), calls=frozenset(calls)))
    config = os.path.relpath(path, output.parent)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undone:  # half of it would be in the way of the next attempt
            kept = undone.enter_context(recording.open("xb"))
            undone.callback(recording.unlink)
            count = sum(kept.write(line_of(recorded)) > 0 for recorded in source)
            if not count:
                raise click.ClickException("no webhook fits, so nothing was written")
            kept.flush()
            with output.open("x", encoding="utf-8") as test:
                test.write(_TEST.format(recording=recording.name, config=config))
            undone.pop_all()
            kept.close()
    except OSError as error:
        raise click.ClickException(f"{error.filename or recording}: {os.strerror(error.errno or 0).lower()}") from None
    click.echo(f"{output} and {recording.name}, with {count} webhooks", err=True)
    if source.broken:
        raise SystemExit(1)
