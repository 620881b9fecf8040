"""`sticky-calls record`: whether webhooks are recorded, where to, and what is in the recording so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from adapter.config import Config
from adapter.engine.model import Millis
from adapter.replay.recording import Broken, parts, read

from .configured import config_option, configured
from .shown import AS_JSON, show_json

_HOW = """Nothing is recorded. To switch it on, write into the configuration and restart the service:

recording:
  file: recordings/calls.jsonl"""


@dataclass(frozen=True, slots=True)
class _Held:
    """What one file of the recording holds; `kinds`: how many of each."""

    file: str
    kinds: dict[str, int]
    unreadable: int
    first: str | None
    last: str | None


@click.command(epilog="Example:  sticky-calls record --config config.yaml")
@AS_JSON
@config_option
def record(as_json: bool, path: Path | None) -> None:
    """Show whether the service records webhooks, and what the recording holds; how to switch it on, if it does not."""
    config = configured(path)
    wanted = config.recording
    held = [] if wanted.file is None else [_held(part) for part in parts(Path(wanted.file))]
    if as_json:
        show_json({"recording": asdict(wanted), "files": [asdict(each) for each in held]})
        return
    click.echo(_HOW if wanted.file is None else _wanted(config))
    for each in held:
        click.echo(_told(each))


def _wanted(config: Config) -> str:
    wanted = config.recording
    lines = ", ".join(wanted.lines) if wanted.lines else "all"
    personal = "as it is" if wanted.personal == "keep" else "as pseudonyms"
    return f"Recorded: {lines} lines, personal data {personal}, in {wanted.file} ({wanted.keep} older files are kept)."


def _held(part: Path) -> _Held:
    kinds, broken = Counter[str](), 0
    first: Millis | None = None
    last: Millis | None = None
    for found in read(part):
        if isinstance(found, Broken):
            broken += 1
            continue
        kinds[found.kind] += 1
        first, last = first or found.at, found.at or last
    return _Held(str(part), dict(kinds.most_common()), broken, _instant(first), _instant(last))


def _told(held: _Held) -> str:
    told = ", ".join(f"{count:,} {kind}" for kind, count in held.kinds.items()) or "empty"
    span = f", {held.first} to {held.last}" if held.first and held.last else ""
    return f"  {held.file}: {told}{span}{f', {held.unreadable:,} unreadable' if held.unreadable else ''}"


def _instant(at: Millis | None) -> str | None:
    return None if at is None else f"{datetime.fromtimestamp(at / 1_000, UTC):%Y-%m-%d %H:%M}"
