"""`sticky-calls record`: the service with its webhooks recorded; or whether they are, and what is in the recording."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from adapter.cli.configured import config_option, configured
from adapter.cli.serving.serve import run
from adapter.cli.shown import AS_JSON, show_json
from adapter.config import Config
from adapter.engine.model import Millis
from adapter.errors import ConfigError
from adapter.replay.recording import Broken, parts, read

_HOW = """This configuration records nothing. For as long as it runs, the service records with
`sticky-calls record -o calls.jsonl`. To switch it on for good, write into the configuration and restart the service (or
send SIGHUP to `sticky-calls serve`):

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


@click.command(epilog="Example:  sticky-calls record --config config.yaml -o recordings/calls.jsonl")
@click.option("-o", "--output", metavar="FILE", help="Run the service, and record its webhooks in this file.")
@click.option("--line", "numbers", multiple=True, metavar="NUMBER", help="With -o: only this line, as configured.")
@click.option("--keep-personal", is_flag=True, help="With -o: replace nothing; secrets are left out all the same.")
@AS_JSON
@config_option
def record(output: str | None, numbers: tuple[str, ...], keep_personal: bool, as_json: bool, path: Path | None) -> None:
    """Run the service with its webhooks recorded (-o), or show whether they are, and what the recording holds.

    Personal data is replaced by pseudonyms before it is written, and secrets never are. A call does not wait for it.
    """
    if output is not None:
        run(path, _settings(output, keep_personal), partial(_of_lines, numbers))
        return
    if numbers or keep_personal:
        raise click.UsageError("--line and --keep-personal go with -o")
    config = configured(path)
    wanted = config.recording
    held = [] if wanted.file is None else [_held(part) for part in parts(Path(wanted.file))]
    if as_json:
        show_json({"recording": asdict(wanted), "files": [asdict(each) for each in held]})
        return
    click.echo(_HOW if wanted.file is None else _wanted(config))
    for each in held:
        click.echo(_told(each))


def _settings(output: str, keep_personal: bool) -> dict[str, str]:
    return {"RECORDING__FILE": output, **({"RECORDING__PERSONAL": "keep"} if keep_personal else {})}


def _of_lines(numbers: tuple[str, ...], config: Config) -> Config:
    """In place of all that the file names: a variable of the environment replaces one item of a list."""
    if not numbers:
        return config
    known = {line.number for line in config.lines}
    if unknown := [number for number in numbers if number not in known]:
        message = "is the number of no line; write it as it is written under lines"
        raise ConfigError([f"--line {number}: {message}" for number in unknown])
    return replace(config, recording=replace(config.recording, lines=numbers))


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
