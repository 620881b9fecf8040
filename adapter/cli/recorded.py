"""`sticky-calls record`: the service with its webhooks recorded; or whether they are, and what is in the recording."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click

from adapter.config import Config
from adapter.engine.model import Millis
from adapter.replay.recording import Broken, parts, read

from .configured import config_option, configured
from .serve import run

_HOW = """Nothing is recorded. For as long as it runs, the service records with `sticky-calls record -o calls.jsonl`. To
switch it on for good, write into the configuration and restart the service (or send SIGHUP to `sticky-calls serve`):

recording:
  file: recordings/calls.jsonl"""


@click.command(epilog="Example:  sticky-calls record --config config.yaml -o recordings/calls.jsonl")
@click.option("-o", "--output", metavar="FILE", help="Run the service, and record its webhooks in this file.")
@click.option("--line", "numbers", multiple=True, metavar="NUMBER", help="With -o: only this line, as configured.")
@click.option("--keep-personal", is_flag=True, help="With -o: replace nothing; secrets are left out all the same.")
@config_option
def record(output: str | None, numbers: tuple[str, ...], keep_personal: bool, path: Path | None) -> None:
    """Run the service with its webhooks recorded (-o), or show whether they are, and what the recording holds.

    Personal data is replaced by pseudonyms before it is written, and secrets never are. A call does not wait for it.
    """
    if output is not None:
        run(path, _settings(output, numbers, keep_personal))
        return
    if numbers or keep_personal:
        raise click.UsageError("--line and --keep-personal go with -o")
    config = configured(path)
    if config.recording.file is None:
        click.echo(_HOW)
        return
    click.echo(_wanted(config))
    for part in parts(Path(config.recording.file)):
        click.echo(_held(part))


def _settings(output: str, numbers: tuple[str, ...], keep_personal: bool) -> dict[str, str]:
    lines = {f"RECORDING__LINES__{place}": number for place, number in enumerate(numbers)}
    return {"RECORDING__FILE": output, **lines, **({"RECORDING__PERSONAL": "keep"} if keep_personal else {})}


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
