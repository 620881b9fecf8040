"""`sticky-calls record`: whether webhooks are recorded, where to, and what is in the recording so far."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click

from adapter.config import Config
from adapter.engine.model import Millis
from adapter.replay.recording import Broken, parts, read

from .configured import config_option, configured

_HOW = """Nothing is recorded. To switch it on, write into the configuration and restart the service:

recording:
  file: recordings/calls.jsonl"""


@click.command(epilog="Example:  sticky-calls record --config config.yaml")
@config_option
def record(path: Path | None) -> None:
    """Show whether the service records webhooks, and what the recording holds; how to switch it on, if it does not."""
    config = configured(path)
    if config.recording.file is None:
        click.echo(_HOW)
        return
    click.echo(_wanted(config))
    for part in parts(Path(config.recording.file)):
        click.echo(_held(part))


def _wanted(config: Config) -> str:
    wanted = config.recording
    lines = ", ".join(wanted.lines) if wanted.lines else "all"
    personal = "as it is" if wanted.personal == "keep" else "as pseudonyms"
    return f"Recorded: {lines} lines, personal data {personal}, in {wanted.file} ({wanted.keep} older files are kept)."


def _held(part: Path) -> str:
    kinds, broken = Counter[str](), 0
    first: Millis | None = None
    last: Millis | None = None
    for found in read(part):
        if isinstance(found, Broken):
            broken += 1
            continue
        kinds[found.kind] += 1
        first, last = first or found.at, found.at or last
    told = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common()) or "empty"
    span = f", {_instant(first)} to {_instant(last)}" if first is not None and last is not None else ""
    return f"  {part}: {told}{span}{f', {broken:,} unreadable' if broken else ''}"


def _instant(at: Millis) -> str:
    return f"{datetime.fromtimestamp(at / 1_000, UTC):%Y-%m-%d %H:%M}"
